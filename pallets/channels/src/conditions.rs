//! The root of the pending conditions, cheap also with thousands of them.
//!
//! ```text
//! root = H(page root 0 ‖ page root 1 ‖ …)          up to the last page in use; zero for no condition
//!   page root = H(leaf 0 ‖ … ‖ leaf 63)            up to the last slot in use; zero for an empty page
//! ```
//!
//! H is the [`commitment`] hash. A slot has one place; an empty one counts as zero. A change hashes its page and the list of pages, once per
//! frame. The index also tells which slots are free, one bit each, and holds the first page: few channels need another.

use std::collections::BTreeMap;

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{ChannelId, Hash, Storage, StorageMap, commitment};

use crate::{
    TransitionError,
    htlc::Slot,
    storage::{BigEndian, RowKey, part, row, rows, slot_key},
};

/// Most pending HTLCs of a channel, both directions together.
pub const MAX_CONDITIONS: u16 = 10_000;

const PAGE: u16 = 64;

/// All pages but the first.
const PAGES: StorageMap<RowKey<{ part::CONDITION_PAGE }, BigEndian>, Vec<Hash>> = rows();
const INDEX: StorageMap<RowKey<{ part::CONDITIONS }>, Index> = rows();

/// What is known of all pages, and the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
struct Index {
    pages: Vec<PageSummary>,
    first: Vec<Hash>,
}

/// What the index knows of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
struct PageSummary {
    /// Bit `i` is set if slot `i` of the page is in use.
    occupied: u64,
    /// Root of the page.
    root: Hash,
}

/// The conditions of one channel while a frame is executed; reads a page when it is first needed.
#[derive(Debug)]
pub(crate) struct Conditions {
    index: Option<Index>,
    /// Pages that changed.
    pages: BTreeMap<u16, Vec<Hash>>,
}

impl Conditions {
    /// The conditions whose root is `root`; if there are none, nothing has to be read.
    pub(crate) fn under(root: Hash) -> Self {
        Self { index: (root == Hash::ZERO).then(Index::default), pages: BTreeMap::new() }
    }

    /// Puts a leaf into the lowest free slot.
    pub(crate) fn insert(
        &mut self,
        storage: &impl Storage,
        channel: &ChannelId,
        leaf: Hash,
    ) -> Result<Slot, TransitionError> {
        let index = &mut load(&mut self.index, storage, channel)?.pages;
        let free = index.iter().position(|page| page.occupied != u64::MAX).unwrap_or(index.len());
        let page = u16::try_from(free).map_err(|_| full())?;
        let summary = index.get(free).copied().unwrap_or_default();
        let place = summary.occupied.trailing_ones();
        let slot = page
            .checked_mul(PAGE)
            .and_then(|first| first.checked_add(u16::try_from(place).ok()?))
            .filter(|slot| *slot < MAX_CONDITIONS)
            .ok_or_else(full)?;
        if free == index.len() {
            index.push(PageSummary::default());
        }
        self.set(storage, channel, slot, leaf)?;
        Ok(slot)
    }

    /// Empties a slot.
    pub(crate) fn remove(
        &mut self,
        storage: &impl Storage,
        channel: &ChannelId,
        slot: Slot,
    ) -> Result<(), TransitionError> {
        self.set(storage, channel, slot, Hash::ZERO)
    }

    fn set(
        &mut self,
        storage: &impl Storage,
        channel: &ChannelId,
        slot: Slot,
        leaf: Hash,
    ) -> Result<(), TransitionError> {
        let (number, place) = (slot / PAGE, slot % PAGE);
        let index = load(&mut self.index, storage, channel)?;
        let Some(summary) = index.pages.get_mut(usize::from(number)) else {
            return Err(TransitionError::EmptySlot { slot });
        };
        let bit = 1_u64 << place;
        let was_empty = summary.occupied == 0;
        summary.occupied = if leaf == Hash::ZERO { summary.occupied & !bit } else { summary.occupied | bit };
        let used = 64_u32.saturating_sub(summary.occupied.leading_zeros());
        let page = match self.pages.entry(number) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) if was_empty => entry.insert(Vec::new()),
            std::collections::btree_map::Entry::Vacant(entry) if number == 0 => {
                entry.insert(core::mem::take(&mut index.first))
            }
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(PAGES.get(storage, &slot_key(channel, number))?.unwrap_or_default())
            }
        };
        page.resize(usize::try_from(used).unwrap_or(0).max(usize::from(place) + 1), Hash::ZERO);
        if let Some(entry) = page.get_mut(usize::from(place)) {
            *entry = leaf;
        }
        page.truncate(usize::try_from(used).unwrap_or(0));
        Ok(())
    }

    /// The root, hashing every changed page once; `unchanged` if nothing changed.
    pub(crate) fn root(&mut self, unchanged: Hash) -> Hash {
        let Some(Index { pages: index, .. }) = &mut self.index else { return unchanged };
        for (number, page) in &self.pages {
            if let Some(summary) = index.get_mut(usize::from(*number)) {
                summary.root = if page.is_empty() { Hash::ZERO } else { hash_all(page.iter()) };
            }
        }
        while index.last().is_some_and(|page| page.occupied == 0) {
            index.pop();
        }
        if index.is_empty() { Hash::ZERO } else { hash_all(index.iter().map(|page| &page.root)) }
    }

    /// Stores what changed; [`Conditions::root`] was called before.
    pub(crate) fn flush(self, storage: &mut impl Storage, channel: &ChannelId) {
        let Some(mut index) = self.index.filter(|_| !self.pages.is_empty()) else { return };
        for (number, page) in self.pages {
            let key = slot_key(channel, number);
            match number {
                0 => index.first = page,
                _ if page.is_empty() => PAGES.remove(storage, &key),
                _ => PAGES.put(storage, &key, &page),
            }
        }
        if index.pages.is_empty() {
            INDEX.remove(storage, &row(channel));
        } else {
            INDEX.put(storage, &row(channel), &index);
        }
    }
}

fn load<'a>(
    index: &'a mut Option<Index>,
    storage: &impl Storage,
    channel: &ChannelId,
) -> Result<&'a mut Index, TransitionError> {
    match index {
        Some(index) => Ok(index),
        None => Ok(index.insert(INDEX.get(storage, &row(channel))?.unwrap_or_default())),
    }
}

fn full() -> TransitionError {
    TransitionError::TooManyConditions { limit: u32::from(MAX_CONDITIONS) }
}

fn hash_all<'a>(hashes: impl ExactSizeIterator<Item = &'a Hash>) -> Hash {
    let mut bytes = Vec::with_capacity(hashes.len() * 32);
    for hash in hashes {
        bytes.extend_from_slice(hash.as_ref());
    }
    commitment(&bytes)
}

/// The root over a set of leaves, computed from nothing; for checks.
pub(crate) fn root_of(leaves: &BTreeMap<Slot, Hash>) -> Hash {
    let mut pages: Vec<Vec<Hash>> = Vec::new();
    for (slot, leaf) in leaves {
        let (page, place) = (usize::from(slot / PAGE), usize::from(slot % PAGE));
        pages.resize(pages.len().max(page + 1), Vec::new());
        if let Some(page) = pages.get_mut(page) {
            page.resize(place, Hash::ZERO);
            page.push(*leaf);
        }
    }
    let roots: Vec<Hash> =
        pages.iter().map(|page| if page.is_empty() { Hash::ZERO } else { hash_all(page.iter()) }).collect();
    if roots.is_empty() { Hash::ZERO } else { hash_all(roots.iter()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use xln_primitives::storage::MemoryStorage;

    const CHANNEL: ChannelId = ChannelId::new([7; 32]);

    fn leaf(n: u32) -> Hash {
        commitment(&n.to_be_bytes())
    }

    proptest! {
        #[test]
        fn the_root_depends_on_the_conditions_only_and_slots_are_the_lowest_free(
            frames in proptest::collection::vec(proptest::collection::vec((any::<bool>(), 0..200_u16), 0..60), 1..12)
        ) {
            let mut storage = MemoryStorage::default();
            let mut model = BTreeMap::new();
            let (mut root, mut number) = (Hash::ZERO, 0);
            for frame in frames {
                let mut conditions = Conditions::under(root);
                for (add, slot) in frame {
                    if add || !model.contains_key(&slot) {
                        let lowest = (0..).find(|slot| !model.contains_key(slot)).unwrap();
                        number += 1;
                        prop_assert_eq!(conditions.insert(&storage, &CHANNEL, leaf(number)), Ok(lowest));
                        model.insert(lowest, leaf(number));
                    } else {
                        conditions.remove(&storage, &CHANNEL, slot).unwrap();
                        model.remove(&slot);
                    }
                }
                root = conditions.root(root);
                conditions.flush(&mut storage, &CHANNEL);
                prop_assert_eq!(root, root_of(&model));
            }
            if model.is_empty() {
                prop_assert_eq!(storage, MemoryStorage::default());
            }
        }
    }

    #[test]
    fn ten_thousand_fit_and_no_more() {
        let storage = MemoryStorage::default();
        let mut conditions = Conditions::under(Hash::ZERO);
        for n in 0..u32::from(MAX_CONDITIONS) {
            conditions.insert(&storage, &CHANNEL, leaf(n)).unwrap();
        }
        assert_eq!(
            conditions.insert(&storage, &CHANNEL, leaf(0)),
            Err(TransitionError::TooManyConditions { limit: 10_000 })
        );
    }
}
