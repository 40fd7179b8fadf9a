//! Keys, changes and layouts to try.

use proptest::prelude::*;
use xln_tree::{Config, Hasher};

/// Number of keys in the pool.
const POOL: u16 = 240;

/// A key of the pool: short ones of which some are beginnings of others, long ones with a long common beginning, and
/// hashes.
pub(crate) fn key(index: u16) -> Vec<u8> {
    let digits: Vec<u8> =
        (0..4).map(|place| u8::try_from(index / 4 / 3u16.pow(place) % 3).unwrap()).collect();
    let short = digits.get(..usize::from(index / 4 % 5)).unwrap();
    match index % 4 {
        0 => short.to_vec(),
        1 => [&[0xaa; 120][..], short].concat(),
        2 => blake3::hash(&index.to_be_bytes()).as_bytes().to_vec(),
        _ => [&blake3::hash(&(index / 4 % 3).to_be_bytes()).as_bytes()[..], &digits, short].concat(),
    }
}

pub(crate) fn any_key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        9 => (0..POOL).prop_map(key),
        1 => prop::collection::vec(any::<u8>(), 0..=127),
    ]
}

/// One way to change a tree.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Insert(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    Apply(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    Commit,
}

fn any_value() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..4)
}

pub(crate) fn any_changes() -> impl Strategy<Value = Vec<Change>> {
    let batch = prop::collection::vec((any_key(), prop::option::weighted(0.6, any_value())), 0..80);
    let purge = prop::collection::vec((0..POOL).prop_map(|index| (key(index), None)), 50..200);
    let change = prop_oneof![
        6 => (any_key(), any_value()).prop_map(|(key, value)| Change::Insert(key, value)),
        6 => any_key().prop_map(Change::Remove),
        3 => batch.prop_map(Change::Apply),
        1 => purge.prop_map(Change::Apply),
        1 => Just(Change::Commit),
    ];
    prop::collection::vec(change, 0..30)
}

pub(crate) fn any_config() -> impl Strategy<Value = Config> {
    let width = prop::sample::select(vec![1, 2, 3, 4, 5, 8, 13, 16]);
    let threshold = prop::sample::select(vec![1, 2, 3, 7, 16, 40, 1024]);
    let hasher = prop::sample::select(vec![Hasher::Keccak256, Hasher::Blake3]);
    (width, threshold, hasher)
        .prop_map(|(width, threshold, hasher)| Config::new(width, threshold, hasher).unwrap())
}
