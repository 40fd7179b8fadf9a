//! The root depends on the content alone.

use proptest::prelude::*;
use xln_tree::{Config, Hasher, Tree};

use crate::{
    keys::{any_changes, any_config, any_key},
    map::{change, tree_of},
    reference::Map,
};

fn hex(hash: [u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_same_content_has_the_same_root_after_any_history_in_any_layout(
        config in any_config(),
        other in any_config(),
        changes in any_changes(),
        shuffle in any::<u64>(),
    ) {
        let (mut tree, mut map) = (Tree::new(config), Map::new());
        changes.iter().for_each(|step| change(&mut tree, &mut map, step));
        let root = tree.root();

        let other = Config::new(other.bit_width(), other.leaf_threshold(), config.hasher()).unwrap();
        prop_assert_eq!(tree_of(other, &map).root(), root);

        let mut order: Vec<_> = map.iter().collect();
        order.sort_by_key(|(key, _)| *blake3::keyed_hash(&[shuffle.to_be_bytes()[0]; 32], key).as_bytes());
        let mut one_by_one = Tree::new(other);
        for (key, value) in order {
            one_by_one.insert(key, value).unwrap();
        }
        prop_assert_eq!(one_by_one.root(), root);
    }

    #[test]
    fn different_content_has_different_roots(config in any_config(), changes in any_changes(), key in any_key()) {
        let (mut tree, mut map) = (Tree::new(config), Map::new());
        changes.iter().for_each(|step| change(&mut tree, &mut map, step));
        let root = tree.root();
        let mut without = tree.clone();
        let old = without.remove(&key);
        prop_assert_eq!(without.root() == root, old.is_none());
        let mut with = tree.clone();
        with.insert(&key, b"another value").unwrap();
        prop_assert_ne!(with.root(), root);
        prop_assert_ne!(with.root(), without.root());
        match old {
            Some(old) => drop(with.insert(&key, old).unwrap()),
            None => drop(with.remove(&key)),
        }
        prop_assert_eq!(with.root(), root);
    }
}

#[test]
fn the_roots_of_a_few_trees_never_change() {
    let small: Map = [("alice", "100"), ("bob", "20"), ("bob\0", "")]
        .map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .into();
    let large: Map =
        (0..1000u32).map(|index| (blake3::hash(&index.to_be_bytes()).as_bytes().to_vec(), vec![7])).collect();
    let roots = |hasher| {
        [Map::new(), [(vec![], vec![])].into(), small.clone(), large.clone()]
            .map(|map| hex(tree_of(Config::default_for(hasher), &map).root()))
    };
    assert_eq!(
        roots(Hasher::Blake3),
        [
            "84ed3380abea8ea441c71857e048c03969c955de05f5665b7bf01968e2c9c426",
            "48ae7e7e73144152992415fd078d974a299c96a521689e9228ff38a54dbf2ba3",
            "6f59ddea9a6f3779626d6ab5fd382a67b725a9a277de2b5a30243e9888d9a54f",
            "fd6174c5cc1601267a3419b7380e66cfcaa532c82dcb9fd86f031db1f7391a12",
        ]
    );
    assert_eq!(
        roots(Hasher::Keccak256),
        [
            "29efd74a74c04f090bfe63eda93689b3ca7aa64eec6269248426c515a66c9c44",
            "be93fa02d23aa53d5d66f0b0e53de2f7c303ae45972c1b501d5f35a3960b6a5b",
            "668b40a6216f0ff49eaef9cb6ecf7b951223d43a32c26e5f67613a0ecac0d0f3",
            "413c06f8e9855774010bbd1cc6b466b957968fb61b8a974995377fcd2a1af25e",
        ]
    );
}
