//! What is put into the trees: keys like hashes, values of a fixed length.

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// Bytes of a value.
pub const VALUE_BYTES: usize = 100;

pub type Key = [u8; KEY_BYTES];
pub type Value = [u8; VALUE_BYTES];

/// A step of splitmix64.
pub fn mixed(index: u64) -> u64 {
    let mut mixed = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The `index`th key.
pub fn key(index: u64) -> Key {
    let mut key = [0; KEY_BYTES];
    for (place, word) in (0u64..).zip(key.chunks_exact_mut(8)) {
        word.copy_from_slice(&mixed(index * 4 + place).to_be_bytes());
    }
    key
}

/// The value that an entry gets in a round.
pub fn value(index: u64, round: u64) -> Value {
    let mut value = [7; VALUE_BYTES];
    value[..8].copy_from_slice(&index.to_be_bytes());
    value[8..16].copy_from_slice(&round.to_be_bytes());
    value
}

/// A batch of other values for entries spread over all of them, sorted by key, each key once.
pub fn batch(entries: u64, length: u64, round: u64) -> Vec<(Key, Value)> {
    let random = |place: u64| mixed(round.wrapping_mul(0x1_0000_0000) + place) % entries;
    let mut batch: Vec<_> = (0..length).map(random).map(|index| (key(index), value(index, round))).collect();
    batch.sort_unstable();
    batch.dedup_by_key(|(key, _)| *key);
    batch
}
