//! The tree is an ordered map.

use proptest::prelude::*;
use xln_tree::{Config, Group, Hasher, LimitError, SortedError, Tree};

use crate::{
    keys::{Change, any_changes, any_config, any_key},
    reference::{Map, root},
};

/// Makes a change on both and compares what it answers.
pub(crate) fn change(tree: &mut Tree, map: &mut Map, change: &Change) {
    match change {
        Change::Insert(key, value) => {
            assert_eq!(tree.insert(key, value).unwrap(), map.insert(key.clone(), value.clone()));
        }
        Change::Remove(key) => assert_eq!(tree.remove(key), map.remove(key)),
        Change::Apply(batch) => {
            for (key, value) in batch {
                match value {
                    Some(value) => drop(map.insert(key.clone(), value.clone())),
                    None => drop(map.remove(key)),
                }
            }
            let applied = tree.apply(batch.iter().map(|(key, value)| (key, value.as_ref()))).unwrap();
            assert_eq!(applied, tree.root());
            assert!(tree.is_committed());
        }
        Change::Commit => {
            let lazy = tree.root();
            assert_eq!(tree.commit(), lazy);
            assert!(tree.is_committed());
        }
    }
}

pub(crate) fn tree_of(config: Config, map: &Map) -> Tree {
    let mut tree = Tree::new(config);
    tree.apply(map.iter().map(|(key, value)| (key, Some(value)))).unwrap();
    tree
}

fn content(tree: &Tree) -> Map {
    tree.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn it_holds_what_a_btreemap_holds_after_the_same_changes(config in any_config(), changes in any_changes()) {
        let (mut tree, mut map) = (Tree::new(config), Map::new());
        for step in &changes {
            change(&mut tree, &mut map, step);
            prop_assert_eq!(tree.len(), map.len());
            prop_assert_eq!(tree.is_empty(), map.is_empty());
            prop_assert!(tree.iter().eq(map.iter().map(|(key, value)| (&key[..], &value[..]))));
            for (key, value) in &map {
                prop_assert_eq!(tree.get(key), Some(&value[..]));
            }
            prop_assert_eq!(tree.root(), root(config.hasher(), &map));
        }
    }

    #[test]
    fn a_clone_stays_what_it_was_when_the_original_changes(
        config in any_config(),
        before in any_changes(),
        after in any_changes(),
    ) {
        let (mut tree, mut map) = (Tree::new(config), Map::new());
        before.iter().for_each(|step| change(&mut tree, &mut map, step));
        let (clone, clone_map) = (tree.clone(), map.clone());
        after.iter().for_each(|step| change(&mut tree, &mut map, step));
        prop_assert_eq!(content(&clone), clone_map.clone());
        prop_assert_eq!(clone.root(), root(config.hasher(), &clone_map));
        prop_assert_eq!(content(&tree), map.clone());
        prop_assert_eq!(tree.root(), root(config.hasher(), &map));
    }

    #[test]
    fn a_diff_is_what_was_put_and_removed_between_two_versions(
        config in any_config(),
        other in any_config(),
        before in any_changes(),
        after in any_changes(),
    ) {
        let (mut tree, mut map) = (Tree::new(config), Map::new());
        before.iter().for_each(|step| change(&mut tree, &mut map, step));
        let (older, older_map) = (tree.clone(), map.clone());
        after.iter().for_each(|step| change(&mut tree, &mut map, step));

        let puts = map.iter().filter(|(key, value)| older_map.get(*key) != Some(value));
        let gone = older_map.keys().filter(|key| !map.contains_key(*key));
        let mut expected: Vec<_> = puts.map(|(key, value)| (&key[..], Some(&value[..]))).collect();
        expected.extend(gone.map(|key| (&key[..], None)));
        expected.sort_unstable();
        prop_assert_eq!(tree.diff(&older).collect::<Vec<_>>(), expected.clone());
        let (fresh_older, fresh) = (tree_of(other, &older_map), tree_of(other, &map));
        prop_assert_eq!(tree.diff(&fresh_older).collect::<Vec<_>>(), expected.clone());
        prop_assert_eq!(fresh.diff(&older).collect::<Vec<_>>(), expected);
        prop_assert!(older.diff(&older).next().is_none());
    }

    #[test]
    fn a_tree_built_of_sorted_entries_is_the_one_that_changes_made(config in any_config(), changes in any_changes()) {
        let (mut tree, mut map) = (Tree::new(config), Map::new());
        changes.iter().for_each(|step| change(&mut tree, &mut map, step));
        let built = Tree::from_sorted(config, &map).unwrap();
        prop_assert!(built.is_committed());
        prop_assert_eq!((built.root(), built.len()), (tree.root(), tree.len()));
        prop_assert!(built.diff(&tree).next().is_none() && built.iter().eq(tree.iter()));
    }

    #[test]
    fn a_range_is_what_a_btreemap_has_under_the_prefix_after_the_key(
        config in any_config(),
        changes in any_changes(),
        bounds in prop::collection::vec((any_key(), 0usize..9, prop::option::of(any_key())), 30),
    ) {
        let (mut tree, mut map) = (Tree::new(config), Map::new());
        changes.iter().for_each(|step| change(&mut tree, &mut map, step));
        for (key, cut, after) in &bounds {
            let prefix = &key[..key.len().min(*cut)];
            let under = map.iter().map(|(key, value)| (&key[..], &value[..]));
            let under = under.filter(|(key, _)| key.starts_with(prefix));
            prop_assert!(tree.iter_prefix(prefix).eq(under.clone()));
            let later = under.filter(|(key, _)| after.as_ref().is_none_or(|after| *key > &after[..]));
            prop_assert!(tree.range(prefix, after.as_deref()).eq(later));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_view_counts_the_keys_that_begin_alike(
        config in any_config(),
        changes in any_changes(),
        key in any_key(),
        cut in prop::sample::select(vec![0, 0, 1, 2, 32, 120]),
        depth in 0usize..6,
    ) {
        let (mut tree, mut map) = (Tree::new(config), Map::new());
        changes.iter().for_each(|step| change(&mut tree, &mut map, step));
        let prefix = &key[..key.len().min(cut)];
        let mut groups: Vec<Group> = Vec::new();
        for key in map.keys().filter(|key| key.starts_with(prefix)) {
            let beginning = key.get(..prefix.len() + depth).unwrap_or(key);
            match groups.last_mut() {
                Some(group) if group.prefix == beginning => group.entries += 1,
                _ => groups.push(Group { prefix: beginning.to_vec(), entries: 1 }),
            }
        }
        prop_assert_eq!(tree.view(prefix, depth).collect::<Vec<_>>(), groups);
    }
}

#[test]
fn large_batches_worked_on_in_parallel_make_the_same_tree() {
    let key = |index: u32| blake3::hash(&index.to_be_bytes()).as_bytes().to_vec();
    let value = |index: u32| vec![1; usize::try_from(index % 90).unwrap()];
    let map: Map = (0..150_000).map(|index| (key(index), value(index))).collect();
    let root = root(Hasher::Blake3, &map);
    let mut bulk = Tree::from_sorted(Config::default(), &map).unwrap();
    assert_eq!((bulk.root(), bulk.len()), (root, map.len()));
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for config in
        [Config::default(), Config::storage(Hasher::Blake3), Config::new(1, 1, Hasher::Blake3).unwrap()]
    {
        let mut tree = Tree::new(config);
        // More than there will be, then what is too much goes again, with changes to the rest.
        let first = (0..200_000).step_by(2).map(|index| (key(index), Some(value(index + 1))));
        assert_eq!(tree.apply(first.clone()), one_thread.install(|| Tree::new(config).apply(first)));
        let second = (0..200_000).map(|index| (key(index), (index < 150_000).then(|| value(index))));
        assert_eq!(tree.apply(second), Ok(root));
        assert!(tree.diff(&bulk).next().is_none() && tree.iter().eq(bulk.iter()));
    }
    let older = bulk.clone();
    bulk.apply((0..150_000).step_by(3).map(|index| (key(index), None::<&[u8]>))).unwrap();
    assert_eq!(bulk.diff(&older).filter(|(_, value)| value.is_none()).count(), 50_000);
    bulk.apply((0..150_000).map(|index| (key(index), None::<&[u8]>))).unwrap();
    assert!(bulk.is_empty());
}

#[test]
fn entries_out_of_order_or_too_long_build_no_tree() {
    let build = |keys: &[&str]| Tree::from_sorted(Config::default(), keys.iter().map(|key| (key, key)));
    assert_eq!(build(&["a", "b", "b"]).unwrap_err(), SortedError::Unsorted { index: 2 });
    assert_eq!(build(&["b", "a"]).unwrap_err(), SortedError::Unsorted { index: 1 });
    let long = "x".repeat(128);
    let error = SortedError::Limit { index: 1, source: LimitError::Key(128) };
    assert_eq!(build(&["a", &long]).unwrap_err(), error);
    assert!(build(&[]).unwrap().is_empty());
}

#[test]
fn pages_of_a_prefix_join_into_the_whole() {
    let map: Map = (0..100u8).map(|index| (vec![index % 3, index], vec![index])).collect();
    let tree = tree_of(Config::default(), &map);
    let (mut joined, mut after) = (Vec::new(), None);
    loop {
        let page: Vec<_> = tree.range(&[1], after).take(7).collect();
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        joined.extend(page);
    }
    assert!(joined.into_iter().eq(tree.iter_prefix(&[1])));
}

#[test]
fn of_changes_to_one_key_in_a_batch_the_last_counts() {
    let mut tree = Tree::new(Config::default());
    tree.apply([
        ("a", Some("1")),
        ("b", Some("1")),
        ("a", None),
        ("b", Some("2")),
        ("c", None),
        ("c", Some("3")),
    ])
    .unwrap();
    let expected: [(&[u8], &[u8]); 2] = [(b"b", b"2"), (b"c", b"3")];
    assert!(tree.iter().eq(expected));
}

#[test]
fn removing_keys_that_are_not_there_removes_no_others() {
    // A branch under the prefix 11 11, whose first leaf is emptied; then removals elsewhere with the same next bits.
    let mut tree = Tree::new(Config::new(4, 2, Hasher::Blake3).unwrap());
    let present = [0x10, 0x11, 0x20, 0x21, 0x30, 0x31].map(|last| vec![0x11, 0x11, last]);
    tree.apply(present.iter().map(|key| (key, Some("")))).unwrap();
    let gone = [[0x11, 0x11, 0x10, 0], [0x11, 0x11, 0x11, 0], [0x11, 0x11, 0x50, 0]];
    let gone = gone.iter().map(|key| key[..3].to_vec());
    let elsewhere = (0..12).map(|last| vec![0x22, 0x22, 0x10, last]);
    tree.apply(gone.chain(elsewhere).map(|key| (key, None::<&str>))).unwrap();
    assert!(tree.iter().map(|(key, _)| key).eq(present[2..].iter().map(|key| &key[..])));
}

#[test]
fn a_tree_may_be_sent_and_shared_between_threads() {
    fn sendable<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    sendable::<Tree>();
}
