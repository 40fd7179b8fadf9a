//! One key with its value, where they lie: in a leaf or in a batch.

use crate::{
    bits::Bits,
    hash::{Hasher, Memo},
};

/// A borrowed entry on its way into a leaf.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// At most [`crate::MAX_KEY_BYTES`].
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
    /// Hash of the entry, if it is known.
    pub(crate) hash: Memo,
    /// The first bit position at which this key and that of the next entry differ; any number in the last one.
    pub(crate) split: u16,
}

impl<'a> Entry<'a> {
    /// An entry whose hash is not known and whose neighbour is not yet there.
    pub(crate) const fn new(key: &'a [u8], value: &'a [u8]) -> Self {
        Self { key, value, hash: Memo::STALE, split: u16::MAX }
    }

    pub(crate) fn bits(&self) -> Bits<'a> {
        Bits::of_bound(self.key)
    }

    /// Bytes of key and value.
    pub(crate) const fn bytes(&self) -> usize {
        self.key.len() + self.value.len()
    }

    pub(crate) fn hash(&self, hasher: Hasher) -> Memo {
        Memo::new(hasher.entry(self.key, &hasher.value(self.value)))
    }
}

/// Puts an entry behind the last one, whose split it completes.
pub(crate) fn push<'a>(entries: &mut Vec<Entry<'a>>, entry: Entry<'a>) {
    if let Some(last) = entries.last_mut() {
        // Two entries never have the same key.
        last.split = last.bits().first_difference(entry.bits()).unwrap_or(u16::MAX);
    }
    entries.push(entry);
}
