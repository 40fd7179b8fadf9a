//! One key with its value.

use std::sync::Arc;

use crate::{
    bits::Bits,
    config::Config,
    hash::{Hash, Memo},
    row::Item,
};

/// Key and value in one allocation, which forks of a tree share.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Key ‖ value.
    bytes: Arc<[u8]>,
    key_length: u8,
    hash: Memo,
}

impl Entry {
    pub(crate) fn new(bits: Bits<'_>, value: &[u8]) -> Self {
        let key = bits.key();
        // A key has at most 127 bytes: `Bits` admits no other.
        let key_length = u8::try_from(key.len()).unwrap_or(u8::MAX);
        Self { bytes: key.iter().chain(value).copied().collect(), key_length, hash: Memo::STALE }
    }

    pub(crate) fn key(&self) -> &[u8] {
        self.parts().0
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.parts().1
    }

    pub(crate) fn parts(&self) -> (&[u8], &[u8]) {
        // `new` puts that many bytes in front.
        self.bytes.split_at(usize::from(self.key_length))
    }

    pub(crate) fn bits(&self) -> Bits<'_> {
        Bits::of_bound(self.key())
    }

    /// Gives the entry another value. Returns whether it is another.
    pub(crate) fn set(&mut self, value: &[u8]) -> bool {
        if self.value() == value {
            return false;
        }
        let key_length = usize::from(self.key_length);
        match Arc::get_mut(&mut self.bytes).and_then(|bytes| bytes.get_mut(key_length..)) {
            Some(place) if place.len() == value.len() => place.copy_from_slice(value),
            _ => self.bytes = self.key().iter().chain(value).copied().collect(),
        }
        self.hash = Memo::STALE;
        true
    }
}

impl Item for Entry {
    fn refresh(&mut self, config: Config) -> Hash {
        if let Some(hash) = self.hash.get() {
            return hash;
        }
        let hasher = config.hasher();
        let hash = hasher.entry(self.key(), &hasher.value(self.value()));
        self.hash = Memo::new(hash);
        hash
    }

    fn memo(&self) -> Memo {
        self.hash
    }
}
