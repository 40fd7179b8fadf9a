//! The longest, the deepest, the empty.

use codec::{DecodeAll, Encode};
use xln_tree::{Config, Hasher, LimitError, MAX_KEY_BYTES, MAX_VALUE_BYTES, Proof, Tree};

use crate::{
    map::tree_of,
    reference::{Map, root},
};

#[test]
fn what_is_too_long_is_refused_and_changes_nothing() {
    let mut tree = Tree::new(Config::default());
    let (key, value) = (vec![1; MAX_KEY_BYTES + 1], vec![1; MAX_VALUE_BYTES + 1]);
    assert_eq!(tree.insert(&key, ""), Err(LimitError::Key(128)));
    assert_eq!(tree.insert("key", &value), Err(LimitError::Value(16 * 1024 * 1024 + 1)));
    assert_eq!(
        tree.apply([("a", Some(&b"1"[..])), ("b", Some(&value))]),
        Err(LimitError::Value(value.len()))
    );
    assert_eq!(tree.remove(&key), None);
    assert_eq!((tree.get(&key), tree.len()), (None, 0));
}

#[test]
fn the_longest_key_and_value_are_kept_and_proved() {
    let mut tree = Tree::new(Config::default());
    let (key, value) = ([1; MAX_KEY_BYTES], vec![1; MAX_VALUE_BYTES]);
    tree.insert(key, &value).unwrap();
    let proof = Proof::decode_all(&mut &tree.prove(&key).encode()[..]).unwrap();
    assert!(proof.verify(&tree.root(), &key, Hasher::Blake3) == Ok(Some(value)));
}

#[test]
fn an_empty_tree_proves_that_nothing_is_there() {
    let tree = Tree::new(Config::default());
    assert!(tree.is_committed());
    let proof = tree.prove(b"key");
    assert_eq!((proof.forks(), proof.encode()), (0, vec![0, 0]));
    assert_eq!(proof.verify(&tree.root(), b"key", Hasher::Blake3), Ok(None));
    assert!(tree.iter().next().is_none());
}

#[test]
fn the_empty_key_is_a_key() {
    let mut tree = Tree::new(Config::default());
    let root = tree.apply([("", Some("nobody")), ("\0", Some("zero"))]).unwrap();
    assert_eq!(tree.get(b""), Some(&b"nobody"[..]));
    assert_eq!(tree.prove(b"").verify(&root, b"", Hasher::Blake3), Ok(Some(b"nobody".to_vec())));
    assert_eq!(tree.iter_prefix(b"").count(), 2);
}

#[test]
fn keys_that_part_at_every_bit_make_the_deepest_tree() {
    // One key of zeros, and one for every bit that has this bit set only: a fork for every bit on the first one's path.
    let zeros = vec![0; MAX_KEY_BYTES];
    let single = |bit: usize| {
        let mut key = zeros.clone();
        key[bit / 8] = 0x80 >> (bit % 8);
        key
    };
    let keys = (0..MAX_KEY_BYTES * 8).map(single).chain([zeros.clone()]);
    let map: Map = keys.map(|key| (key, vec![1])).collect();
    let expected = root(Hasher::Blake3, &map);
    for (width, threshold) in [(1, 1), (4, 16), (16, 1), (3, 1024)] {
        let config = Config::new(width, threshold, Hasher::Blake3).unwrap();
        let mut tree = tree_of(config, &map);
        assert_eq!(tree.root(), expected);
        let proof = tree.prove(&zeros);
        assert_eq!(proof.forks(), MAX_KEY_BYTES * 8);
        assert_eq!(proof.verify(&expected, &zeros, Hasher::Blake3), Ok(Some(vec![1])));
        assert_eq!(proof.verify(&expected, &single(77), Hasher::Blake3).ok(), None);
        tree.insert(&zeros, [2]).unwrap();
        assert_ne!(tree.commit(), expected);
        let clone = tree.clone();
        assert_eq!(tree.iter().count(), map.len());
        tree.apply(map.keys().map(|key| (key, None::<&[u8]>))).unwrap();
        assert!(tree.is_empty());
        assert_eq!(clone.len(), map.len());
    }
}
