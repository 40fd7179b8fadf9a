//! A leaf: some neighbouring entries in one block of memory.
//!
//! ```text
//!  ┌───────┬─────────────────┬───────────────┬────────────────┬──────────────┬─────────────────────────────────┐
//!  │ count │ split × (n - 1) │ end × (n - 1) │ key length × n │ hash × n     │ key value key value … key value │
//!  │ u16   │ u16             │ u16           │ u8             │ 32 bytes     │                                 │
//!  └───────┴─────────────────┴───────────────┴────────────────┴──────────────┴─────────────────────────────────┘
//! ```
//!
//! One allocation holds everything that a look-up, a proof or a change needs, and copying a leaf copies bytes: no entry
//! has a pointer or a counter of its own. 37 bytes per entry stand beside its key and value.
//!
//! Between two neighbours stands their *split*: the first bit position at which their keys differ. The lowest split of
//! a leaf is its topmost fork, the lowest on either side of it the next, and so on:
//!
//! ```text
//!  entries    A   B   C   D            fork 3
//!  splits       7   3   5       =     ╱      ╲
//!                                 fork 7    fork 5
//!                                 ╱   ╲     ╱   ╲
//!                                A     B   C     D
//! ```
//!
//! The lowest split is unique. Were it twice in a row, the bit at that position would turn from clear to set twice
//! among keys that agree on all bits before it, and a set bit followed by a clear one is not in order.
//!
//! Hashes of entries are kept, those of the forks between them are not: with few entries in a leaf, hashing a few more
//! forks costs less than the memory.

use std::sync::Arc;

use crate::{
    bits::Bits,
    config::Config,
    entry::Entry,
    hash::{HASH_BYTES, Hash, Hasher, Memo},
};

/// Most bytes of keys and values in a leaf of more than one entry, so that an end fits 16 bits and copying a leaf
/// stays cheap.
const DATA_BYTES_MAX: usize = 32 << 10;

/// Bytes of the count.
const HEAD_BYTES: usize = 2;

/// What a processor reads from memory at once.
const CACHE_LINE_BYTES: usize = 64;

/// The block. A clone shares it.
#[derive(Clone)]
pub(crate) struct Leaf(Arc<[u8]>);

/// Whether these entries may stand in one leaf. One alone always may.
pub(crate) fn fits(entries: &[Entry<'_>], config: Config) -> bool {
    entries.len() <= 1
        || (entries.len() <= usize::from(config.leaf_threshold())
            && entries.iter().map(Entry::bytes).sum::<usize>() <= DATA_BYTES_MAX)
}

impl Leaf {
    /// A leaf of entries that [fit](fits).
    pub(crate) fn of(entries: &[Entry<'_>]) -> Self {
        let data: usize = entries.iter().map(Entry::bytes).sum();
        let between = || entries.iter().take(entries.len().saturating_sub(1));
        let mut block = Vec::with_capacity(HEAD_BYTES + entries.len() * (HASH_BYTES + 5) + data);
        // At most `MAX_LEAF_THRESHOLD`.
        block.extend(u16::try_from(entries.len()).unwrap_or(u16::MAX).to_le_bytes());
        between().for_each(|entry| block.extend_from_slice(&entry.split.to_le_bytes()));
        let mut end = 0;
        for entry in between() {
            end += entry.bytes();
            // At most `DATA_BYTES_MAX`.
            block.extend_from_slice(&u16::try_from(end).unwrap_or(u16::MAX).to_le_bytes());
        }
        // A key has at most 127 bytes.
        block.extend(entries.iter().map(|entry| u8::try_from(entry.key.len()).unwrap_or(u8::MAX)));
        entries.iter().for_each(|entry| block.extend_from_slice(&entry.hash.bytes()));
        for entry in entries {
            block.extend_from_slice(entry.key);
            block.extend_from_slice(entry.value);
        }
        Self(block.into())
    }

    /// Number of entries, at least one.
    pub(crate) fn len(&self) -> usize {
        match *self.0 {
            [low, high, ..] => usize::from(u16::from_le_bytes([low, high])),
            _ => 0,
        }
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How many hold the block.
    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// Reads the whole block, so that the memory fetches all of it at once and not piece by piece.
    pub(crate) fn fetch(&self) {
        core::hint::black_box(self.0.iter().step_by(CACHE_LINE_BYTES).fold(0, |sum, byte| sum ^ byte));
    }

    /// The parts of the block.
    pub(crate) fn parts(&self) -> Parts<'_> {
        let count = self.len();
        let between = count.saturating_sub(1);
        let (_, rest) = cut(&self.0, HEAD_BYTES);
        let (splits, rest) = cut(rest, between * 2);
        let (ends, rest) = cut(rest, between * 2);
        let (key_lengths, rest) = cut(rest, count);
        let (hashes, data) = cut(rest, count * HASH_BYTES);
        Parts {
            hashes: hashes.as_chunks().0,
            splits: splits.as_chunks().0,
            ends: ends.as_chunks().0,
            key_lengths,
            data,
        }
    }

    /// Gives the entry at `index` another value of the same length, and its hash. Copies the block if it is shared.
    pub(crate) fn set(&mut self, index: usize, value: &[u8], hash: Memo) {
        let (start, end) = self.parts().bounds(index);
        let data = self.data_start();
        let hashes = self.hashes_start();
        let block = Arc::make_mut(&mut self.0);
        if let Some(place) = block.get_mut(..data + end)
            && let Some(place) = place.get_mut(data + start..)
            && let Some(place) = place.len().checked_sub(value.len()).and_then(|key| place.get_mut(key..))
        {
            place.copy_from_slice(value);
        }
        set_hash(block, hashes, index, hash);
    }

    fn data_start(&self) -> usize {
        self.0.len() - self.parts().data.len()
    }

    fn hashes_start(&self) -> usize {
        self.data_start() - self.len() * HASH_BYTES
    }

    /// The hash of the leaf; computes the hashes of entries that are not known.
    pub(crate) fn refresh(&mut self, config: Config) -> Hash {
        let hasher = config.hasher();
        if self.parts().hashes.iter().any(|hash| Memo::new(*hash).get().is_none()) {
            let hashed = self.parts().entries().map(|entry| match entry.hash.get() {
                Some(_) => entry.hash,
                None => entry.hash(hasher),
            });
            let hashes: Vec<Memo> = hashed.collect();
            let start = self.hashes_start();
            let block = Arc::make_mut(&mut self.0);
            for (index, hash) in hashes.into_iter().enumerate() {
                set_hash(block, start, index, hash);
            }
        }
        let parts = self.parts();
        fold(hasher, parts.hashes, parts.splits)
    }
}

/// Writes a hash where `hashes` begin.
fn set_hash(block: &mut [u8], hashes: usize, index: usize, hash: Memo) {
    let start = hashes + index * HASH_BYTES;
    if let Some(place) = block.get_mut(start..start + HASH_BYTES) {
        place.copy_from_slice(&hash.bytes());
    }
}

/// Splits a block whose maker has put at least `length` bytes there.
fn cut(block: &[u8], length: usize) -> (&[u8], &[u8]) {
    block.split_at_checked(length).unwrap_or((block, &[]))
}

/// What a leaf consists of. `splits` and `ends` have one element less than the others.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    hashes: &'a [Hash],
    splits: &'a [[u8; 2]],
    ends: &'a [[u8; 2]],
    key_lengths: &'a [u8],
    data: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(crate) const fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Where the entry at `index` begins and ends among the data.
    fn bounds(&self, index: usize) -> (usize, usize) {
        let end = |index: usize| self.ends.get(index).map(|end| usize::from(u16::from_le_bytes(*end)));
        let start = index.checked_sub(1).and_then(end).unwrap_or(0);
        (start, end(index).unwrap_or(self.data.len()))
    }

    /// Key and value of the entry at `index`; empty beyond the last.
    pub(crate) fn pair(&self, index: usize) -> (&'a [u8], &'a [u8]) {
        let (start, end) = self.bounds(index);
        let key_length = self.key_lengths.get(index).map_or(0, |length| usize::from(*length));
        cut(self.data.get(start..end).unwrap_or_default(), key_length)
    }

    pub(crate) fn key(&self, index: usize) -> &'a [u8] {
        self.pair(index).0
    }

    /// The entry at `index`, which is below [`Parts::len`].
    pub(crate) fn entry(&self, index: usize) -> Entry<'a> {
        let (key, value) = self.pair(index);
        let split = self.splits.get(index).map_or(u16::MAX, |split| u16::from_le_bytes(*split));
        Entry { key, value, hash: self.hashes.get(index).map_or(Memo::STALE, |hash| Memo::new(*hash)), split }
    }

    pub(crate) fn entries(self) -> impl Iterator<Item = Entry<'a>> {
        (0..self.len()).map(move |index| self.entry(index))
    }

    /// The index of the entry to which the forks lead for a key. If the key is here, it is this one's.
    ///
    /// One pass from left to right: at a split whose bit is set the path moves past it; at one whose bit is clear
    /// everything up to the next lower split is under the fork's right side and skipped.
    pub(crate) fn find(&self, bits: Bits<'_>) -> usize {
        let mut found = 0;
        let mut skip_above = u16::MAX;
        for (index, split) in self.splits.iter().enumerate() {
            let split = u16::from_le_bytes(*split);
            if split > skip_above {
                continue;
            }
            if bits.bit(split) {
                found = index + 1;
                skip_above = u16::MAX;
            } else {
                skip_above = split;
            }
        }
        found
    }

    /// The index of the first entry whose key is not less than `bound`, or greater if not `inclusive`.
    pub(crate) fn first_from(&self, bound: &[u8], inclusive: bool) -> usize {
        let before = |key: &[u8]| key < bound || (!inclusive && key == bound);
        (0..self.len()).find(|index| !before(self.key(*index))).unwrap_or(self.len())
    }

    /// Walks down the forks along a key: calls `step` with the position of each fork and the hash of the side that
    /// the key does not take, and returns the entry at the end. Hashes of entries must be known.
    pub(crate) fn walk(&self, bits: Bits<'_>, hasher: Hasher, mut step: impl FnMut(u16, Hash)) -> Entry<'a> {
        let (mut first, mut hashes, mut splits) = (0, self.hashes, self.splits);
        while let Some((top, position)) = lowest(splits) {
            // `top` is an index of `splits`, so `top + 1` is at most the number of entries.
            let (left, right) = hashes.split_at(top + 1);
            let (splits_left, splits_right) = (&splits[..top], &splits[top + 1..]);
            if bits.bit(position) {
                step(position, fold(hasher, left, splits_left));
                (first, hashes, splits) = (first + top + 1, right, splits_right);
            } else {
                step(position, fold(hasher, right, splits_right));
                (hashes, splits) = (left, splits_left);
            }
        }
        self.entry(first)
    }
}

/// Index of the lowest split and the split, if there is any.
fn lowest(splits: &[[u8; 2]]) -> Option<(usize, u16)> {
    let splits = splits.iter().map(|split| u16::from_le_bytes(*split)).enumerate();
    splits.min_by_key(|(_, split)| *split)
}

/// The hash over entries, of which there is at least one. As deep as the forks: below the number of entries.
fn fold(hasher: Hasher, hashes: &[Hash], splits: &[[u8; 2]]) -> Hash {
    match lowest(splits) {
        None => hashes.first().copied().unwrap_or_default(),
        Some((top, position)) => {
            // `top` is an index of `splits`, so `top + 1` is at most the number of entries.
            let (left, right) = hashes.split_at(top + 1);
            let left = fold(hasher, left, &splits[..top]);
            let right = fold(hasher, right, &splits[top + 1..]);
            hasher.fork(position, &left, &right)
        }
    }
}

impl core::fmt::Debug for Leaf {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.parts().entries().map(|entry| entry.key)).finish()
    }
}
