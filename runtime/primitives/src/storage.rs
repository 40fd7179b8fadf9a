//! Typed access to an entity's state.
//!
//! A key is `storage type (1 byte) ‖ key`; a value is SCALE. The state tree is the store: nothing else keeps a
//! copy. [`StorageValue`] and [`StorageMap`] give both sides a type; keys are built on the stack.

use core::marker::PhantomData;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen, Output};

/// First byte of every key: what kind of thing is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[repr(u8)]
pub enum StorageType {
    /// Proposals of the board.
    Proposals = 0x01,
    /// Order books.
    OrderBooks = 0x02,
    /// Channels and their pending conditions.
    Channels = 0x03,
    /// The board and its history.
    Board = 0x04,
    /// Balances, reserves, collateral and debts.
    Reserves = 0x05,
    /// What the entity says of itself.
    Metadata = 0x06,
    /// Nonces of signers, positions of inboxes and outboxes.
    Inboxes = 0x07,
}

impl StorageType {
    /// Every type, in the order of its byte.
    pub const ALL: [Self; 7] = [
        Self::Proposals,
        Self::OrderBooks,
        Self::Channels,
        Self::Board,
        Self::Reserves,
        Self::Metadata,
        Self::Inboxes,
    ];

    /// The type of a key; none if the key is empty or begins with another byte.
    #[must_use]
    pub fn of(key: &[u8]) -> Option<Self> {
        let first = *key.first()?;
        Self::ALL.into_iter().find(|kind| *kind as u8 == first)
    }

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposals => "proposals",
            Self::OrderBooks => "order books",
            Self::Channels => "channels",
            Self::Board => "board",
            Self::Reserves => "reserves",
            Self::Metadata => "metadata",
            Self::Inboxes => "inboxes",
        }
    }
}

/// Longest key in bytes.
pub const MAX_KEY: usize = 120;

/// A key on the stack.
#[derive(Clone, Copy)]
pub struct StorageKey {
    length: usize,
    bytes: [u8; MAX_KEY],
}

impl StorageKey {
    /// A key that consists of its storage type and a tag that tells the items of one type apart.
    #[must_use]
    pub const fn new(kind: StorageType, tag: u8) -> Self {
        let mut bytes = [0; MAX_KEY];
        bytes[0] = kind as u8;
        bytes[1] = tag;
        Self { length: 2, bytes }
    }

    /// Longer by an encoded part. Parts that would exceed [`MAX_KEY`] are replaced by their hash, so that keys
    /// stay distinct; no key of ours is that long.
    #[must_use]
    pub fn with(mut self, part: &impl Encode) -> Self {
        let length = self.length;
        let mut in_place = InPlace { key: &mut self, full: false };
        part.encode_to(&mut in_place);
        if in_place.full {
            self.length = length;
            part.using_encoded(|encoded| self.extend(encoded));
        }
        self
    }

    fn extend(&mut self, part: &[u8]) {
        let end = self.length.saturating_add(part.len());
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(part);
            self.length = end;
        } else {
            let mut whole = self.as_ref().to_vec();
            whole.extend_from_slice(part);
            let digest = crate::keccak256(&whole);
            self.bytes[2..34].copy_from_slice(digest.as_ref());
            self.length = 34;
        }
    }
}

/// Encodes into a key, without a buffer in between.
struct InPlace<'a> {
    key: &'a mut StorageKey,
    /// Whether something did not fit.
    full: bool,
}

impl Output for InPlace<'_> {
    fn write(&mut self, bytes: &[u8]) {
        let end = self.key.length.saturating_add(bytes.len());
        match self.key.bytes.get_mut(self.key.length..end) {
            Some(place) if !self.full => {
                place.copy_from_slice(bytes);
                self.key.length = end;
            }
            _ => self.full = true,
        }
    }
}

impl AsRef<[u8]> for StorageKey {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// The state of one entity as bytes: a map with ordered keys.
pub trait Storage {
    /// The value under `key`.
    fn get(&self, key: &[u8]) -> Option<&[u8]>;
    /// Sets the value under `key`.
    fn put(&mut self, key: &[u8], value: Vec<u8>);
    /// Removes what is under `key`, if anything.
    fn remove(&mut self, key: &[u8]);
    /// At most `limit` entries whose key starts with `prefix` and is greater than `after`, in key order.
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)>;
}

/// A stored value that does not decode: the state was damaged or written by an incompatible version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Encode, Decode, DecodeWithMemTracking)]
#[error("the value stored under 0x{} does not decode", hex::encode(.key))]
pub struct Corrupt {
    /// Where.
    pub key: Vec<u8>,
}

fn read<V: Decode>(storage: &(impl Storage + ?Sized), key: &StorageKey) -> Result<Option<V>, Corrupt> {
    storage
        .get(key.as_ref())
        .map(|mut bytes| V::decode(&mut bytes).map_err(|_| Corrupt { key: key.as_ref().to_vec() }))
        .transpose()
}

/// One typed value.
pub struct StorageValue<V> {
    key: StorageKey,
    value: PhantomData<fn() -> V>,
}

impl<V: Encode + Decode> StorageValue<V> {
    /// The value under this type and tag.
    #[must_use]
    pub const fn new(kind: StorageType, tag: u8) -> Self {
        Self { key: StorageKey::new(kind, tag), value: PhantomData }
    }

    /// The value, if there is one.
    pub fn get(&self, storage: &(impl Storage + ?Sized)) -> Result<Option<V>, Corrupt> {
        read(storage, &self.key)
    }

    /// Stores a value.
    pub fn put(&self, storage: &mut (impl Storage + ?Sized), value: &V) {
        storage.put(self.key.as_ref(), value.encode());
    }

    /// Removes the value.
    pub fn remove(&self, storage: &mut (impl Storage + ?Sized)) {
        storage.remove(self.key.as_ref());
    }

    /// Where it is stored, for proofs.
    #[must_use]
    pub fn key(&self) -> StorageKey {
        self.key
    }
}

/// A typed map. Keys of fixed width keep their order; give maps keys that encode big-endian if order matters.
pub struct StorageMap<K, V> {
    prefix: StorageKey,
    entry: PhantomData<fn() -> (K, V)>,
}

impl<K: Encode + Decode + MaxEncodedLen, V: Encode + Decode> StorageMap<K, V> {
    /// The map under this type and tag.
    #[must_use]
    pub const fn new(kind: StorageType, tag: u8) -> Self {
        Self { prefix: StorageKey::new(kind, tag), entry: PhantomData }
    }

    /// Where the value of `key` is stored, for proofs.
    #[must_use]
    pub fn key(&self, key: &K) -> StorageKey {
        self.prefix.with(key)
    }

    /// The value of `key`, if there is one.
    pub fn get(&self, storage: &(impl Storage + ?Sized), key: &K) -> Result<Option<V>, Corrupt> {
        read(storage, &self.key(key))
    }

    /// Whether `key` has a value.
    pub fn contains(&self, storage: &(impl Storage + ?Sized), key: &K) -> bool {
        storage.get(self.key(key).as_ref()).is_some()
    }

    /// Stores the value of `key`.
    pub fn put(&self, storage: &mut (impl Storage + ?Sized), key: &K, value: &V) {
        storage.put(self.key(key).as_ref(), value.encode());
    }

    /// Removes the value of `key`.
    pub fn remove(&self, storage: &mut (impl Storage + ?Sized), key: &K) {
        storage.remove(self.key(key).as_ref());
    }

    /// At most `limit` entries after `after`, in the order of encoded keys.
    pub fn page(
        &self,
        storage: &(impl Storage + ?Sized),
        after: Option<&K>,
        limit: usize,
    ) -> Result<Vec<(K, V)>, Corrupt> {
        self.page_within(storage, &self.prefix, after, limit)
    }

    /// Like [`StorageMap::page`], of the entries whose key starts with the encoding of `part`.
    pub fn page_under(
        &self,
        storage: &(impl Storage + ?Sized),
        part: &impl Encode,
        after: Option<&K>,
        limit: usize,
    ) -> Result<Vec<(K, V)>, Corrupt> {
        self.page_within(storage, &self.prefix.with(part), after, limit)
    }

    /// The first entry after `after`, which may be the key of another map with the same type and tag.
    pub fn following(
        &self,
        storage: &(impl Storage + ?Sized),
        after: Option<&StorageKey>,
    ) -> Result<Option<(K, V)>, Corrupt> {
        let mut page = storage.scan(self.prefix.as_ref(), after.map(AsRef::as_ref), 1).into_iter();
        page.next().map(|entry| self.decode(entry)).transpose()
    }

    fn page_within(
        &self,
        storage: &(impl Storage + ?Sized),
        prefix: &StorageKey,
        after: Option<&K>,
        limit: usize,
    ) -> Result<Vec<(K, V)>, Corrupt> {
        let after = after.map(|key| self.key(key));
        let entries = storage.scan(prefix.as_ref(), after.as_ref().map(AsRef::as_ref), limit);
        entries.into_iter().map(|entry| self.decode(entry)).collect()
    }

    fn decode(&self, (key, value): (Vec<u8>, Vec<u8>)) -> Result<(K, V), Corrupt> {
        let entry = key
            .get(self.prefix.as_ref().len()..)
            .and_then(|mut bytes| K::decode(&mut bytes).ok())
            .and_then(|decoded| V::decode(&mut value.as_slice()).ok().map(|value| (decoded, value)));
        entry.ok_or(Corrupt { key })
    }
}

/// A map in memory, for tests of pallets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryStorage(std::collections::BTreeMap<Vec<u8>, Vec<u8>>);

impl Storage for MemoryStorage {
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.0.get(key).map(Vec::as_slice)
    }

    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        self.0.insert(key.to_vec(), value);
    }

    fn remove(&mut self, key: &[u8]) {
        self.0.remove(key);
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.0
            .range(prefix.to_vec()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(key, _)| after.is_none_or(|after| key.as_slice() > after))
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EntityId;

    const COUNTER: StorageValue<u64> = StorageValue::new(StorageType::Metadata, 1);
    const MAP: StorageMap<EntityId, u32> = StorageMap::new(StorageType::Reserves, 2);

    #[test]
    fn values_read_back_what_was_stored() {
        let mut storage = MemoryStorage::default();
        assert_eq!(COUNTER.get(&storage), Ok(None));
        COUNTER.put(&mut storage, &5);
        assert_eq!(COUNTER.get(&storage), Ok(Some(5)));
        COUNTER.remove(&mut storage);
        assert_eq!(storage, MemoryStorage::default());
    }

    #[test]
    fn a_map_pages_in_key_order_and_sees_only_itself() {
        let mut storage = MemoryStorage::default();
        COUNTER.put(&mut storage, &5);
        for n in [3, 1, 2] {
            MAP.put(&mut storage, &EntityId::new([n; 32]), &u32::from(n));
        }
        let first = MAP.page(&storage, None, 2).unwrap();
        assert_eq!(first.iter().map(|(_, v)| *v).collect::<Vec<_>>(), [1, 2]);
        let rest = MAP.page(&storage, Some(&first[1].0), 9).unwrap();
        assert_eq!(rest.iter().map(|(_, v)| *v).collect::<Vec<_>>(), [3]);
        assert_eq!(MAP.page_under(&storage, &2_u8, None, 9).unwrap().len(), 1);
    }

    #[test]
    fn a_damaged_value_is_named_not_ignored() {
        let mut storage = MemoryStorage::default();
        storage.put(COUNTER.key().as_ref(), vec![1]);
        assert_eq!(COUNTER.get(&storage), Err(Corrupt { key: vec![6, 1] }));
    }

    #[test]
    fn keys_that_are_too_long_stay_distinct() {
        let key = |n: u8| StorageKey::new(StorageType::Metadata, 0).with(&[n; 200]);
        assert_ne!(key(1).as_ref(), key(2).as_ref());
    }
}
