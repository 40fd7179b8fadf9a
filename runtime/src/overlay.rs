//! What a frame has changed so far, over the entity's committed tree.
//!
//! A frame runs many calls, and each of them takes effect completely or not at all. The overlay therefore keeps a
//! journal: [`Overlay::mark`] remembers where a call began, [`Overlay::revert`] undoes everything since.
//!
//! A frame of a hub reads and writes single keys a hundred thousand times and lists none, so keys are found by hash, and
//! each is stored once however often it is written. Their order is worked out where somebody asks for it, in a scan; the
//! tree sorts what it applies anyway.

use std::{cell::RefCell, collections::BTreeMap, hash::BuildHasher, ops::Bound};

use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};
use xln_primitives::{StateChange, Storage};
use xln_tree::Tree;

/// A position in the journal of an [`Overlay`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(usize);

/// A value that a key has in an overlay: set or removed.
type Change = Option<Vec<u8>>;

/// A key that was written, with its change; none if that was undone.
#[derive(Debug)]
struct Written {
    key: Box<[u8]>,
    /// Of the key, so that a table that grows need not read keys again.
    hash: u64,
    change: Option<Change>,
}

/// Writes on top of a tree that stays as it is.
#[derive(Debug)]
pub(crate) struct Overlay<'a> {
    base: &'a Tree,
    /// In the order in which keys were first written.
    written: Vec<Written>,
    /// Places in `written`, by key. Nothing ever depends on the hasher.
    places: HashTable<usize>,
    hasher: DefaultHashBuilder,
    /// The place of each write with what stood there before.
    journal: Vec<(usize, Option<Change>)>,
    /// Places by key in order, of so many keys as were written when it was last needed.
    order: RefCell<BTreeMap<Box<[u8]>, usize>>,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(base: &'a Tree) -> Self {
        Self::with_capacity(base, 0)
    }

    /// With room for so many keys.
    pub(crate) fn with_capacity(base: &'a Tree, keys: usize) -> Self {
        Self {
            base,
            written: Vec::with_capacity(keys),
            places: HashTable::with_capacity(keys),
            hasher: DefaultHashBuilder::default(),
            journal: Vec::new(),
            order: RefCell::default(),
        }
    }

    /// Where the journal stands.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.journal.len())
    }

    /// Undoes every write since `mark`.
    pub(crate) fn revert(&mut self, mark: Mark) {
        for (place, before) in self.journal.drain(mark.0..).rev() {
            if let Some(written) = self.written.get_mut(place) {
                written.change = before;
            }
        }
    }

    /// What changed since `mark`, in key order, with the values then and now.
    pub(crate) fn changes_since(&self, mark: Mark) -> Vec<StateChange> {
        let mut first: BTreeMap<&[u8], &Option<Change>> = BTreeMap::new();
        for (place, before) in self.journal.iter().skip(mark.0) {
            if let Some(written) = self.written.get(*place) {
                first.entry(&written.key).or_insert(before);
            }
        }
        let change = |(key, before): (&[u8], &Option<Change>)| {
            let old = match before {
                Some(change) => change.clone(),
                None => self.base.get(key).map(<[u8]>::to_vec),
            };
            let new = self.get(key).map(<[u8]>::to_vec);
            (old != new).then(|| StateChange { key: key.to_vec(), old, new })
        };
        first.into_iter().filter_map(change).collect()
    }

    /// Everything that was written, each key once. What was not there before and is not there now is among them: the
    /// tree, which goes there anyway, finds nothing to remove.
    pub(crate) fn into_changes(self) -> Vec<(Box<[u8]>, Change)> {
        self.written.into_iter().filter_map(|written| Some((written.key, written.change?))).collect()
    }

    /// Whether a key was written, be it with what it was before.
    pub(crate) fn has_written(&self, key: &[u8]) -> bool {
        self.place(key)
            .and_then(|place| self.written.get(place))
            .is_some_and(|written| written.change.is_some())
    }

    fn place(&self, key: &[u8]) -> Option<usize> {
        let is_it = |place: &usize| self.written.get(*place).is_some_and(|written| *written.key == *key);
        self.places.find(self.hasher.hash_one(key), is_it).copied()
    }

    fn write(&mut self, key: &[u8], change: Change) {
        let hash = self.hasher.hash_one(key);
        let written = &self.written;
        // Every place in the table is one of `written`.
        let is_it = |place: &usize| written.get(*place).is_some_and(|written| *written.key == *key);
        let hash_of = |place: &usize| written.get(*place).map_or(0, |written| written.hash);
        match self.places.entry(hash, is_it, hash_of) {
            Entry::Occupied(place) => {
                let place = *place.get();
                if let Some(written) = self.written.get_mut(place) {
                    self.journal.push((place, written.change.replace(change)));
                }
            }
            Entry::Vacant(vacant) => {
                let place = self.written.len();
                vacant.insert(place);
                self.written.push(Written { key: key.into(), hash, change: Some(change) });
                self.journal.push((place, None));
            }
        }
    }

    /// Places of the keys in a range, with their changes, in order.
    fn changed(&self, range: (Bound<&[u8]>, Bound<&[u8]>), prefix: &[u8]) -> Vec<(&[u8], &Change)> {
        let mut order = self.order.borrow_mut();
        // No key is ever taken out of `written`.
        for place in order.len()..self.written.len() {
            if let Some(written) = self.written.get(place) {
                order.insert(written.key.clone(), place);
            }
        }
        let in_range = order.range::<[u8], _>(range).take_while(|(key, _)| key.starts_with(prefix));
        let change = |place: usize| {
            let written = self.written.get(place)?;
            Some((&*written.key, written.change.as_ref()?))
        };
        in_range.filter_map(|(_, place)| change(*place)).collect()
    }
}

impl Storage for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        match self.place(key).and_then(|place| self.written.get(place)?.change.as_ref()) {
            Some(change) => change.as_deref(),
            None => self.base.get(key),
        }
    }

    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        self.write(key, Some(value));
    }

    fn remove(&mut self, key: &[u8]) {
        if self.get(key).is_some() {
            self.write(key, None);
        }
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let mut changed = self.changed((start, Bound::Unbounded), prefix).into_iter().peekable();
        let mut kept = self.base.range(prefix, after).peekable();
        let mut entries = Vec::new();
        while entries.len() < limit {
            let order = match (changed.peek(), kept.peek()) {
                (Some((new, _)), Some((old, _))) => (*new).cmp(*old),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => break,
            };
            if order.is_gt() {
                entries.extend(kept.next().map(|(key, value)| (key.to_vec(), value.to_vec())));
                continue;
            }
            if order.is_eq() {
                kept.next();
            }
            if let Some((key, Some(value))) = changed.next() {
                entries.push((key.to_vec(), value.clone()));
            }
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use xln_primitives::storage::MemoryStorage;
    use xln_tree::Config;

    fn base() -> Tree {
        let mut tree = Tree::new(Config::default());
        for key in [b"a1", b"a2", b"b1"] {
            tree.insert(key, b"base").unwrap();
        }
        tree
    }

    #[test]
    fn a_reverted_call_leaves_what_earlier_calls_wrote() {
        let tree = base();
        let mut overlay = Overlay::new(&tree);
        overlay.put(b"a1", b"first".to_vec());
        let mark = overlay.mark();
        overlay.put(b"a1", b"second".to_vec());
        overlay.remove(b"a2");
        overlay.put(b"a3", b"new".to_vec());
        overlay.revert(mark);
        assert_eq!(overlay.get(b"a1"), Some(&b"first"[..]));
        assert_eq!(overlay.get(b"a2"), Some(&b"base"[..]));
        assert_eq!(overlay.get(b"a3"), None);
    }

    #[test]
    fn changes_name_the_value_before_the_call_and_after_it() {
        let tree = base();
        let mut overlay = Overlay::new(&tree);
        overlay.put(b"a1", b"first".to_vec());
        let mark = overlay.mark();
        overlay.put(b"a1", b"second".to_vec());
        overlay.put(b"a1", b"third".to_vec());
        overlay.put(b"b1", b"passing".to_vec());
        overlay.put(b"b1", b"base".to_vec());
        let changes = overlay.changes_since(mark);
        assert_eq!(
            changes,
            [StateChange { key: b"a1".to_vec(), old: Some(b"first".to_vec()), new: Some(b"third".to_vec()) }]
        );
    }

    proptest! {
        #[test]
        fn an_overlay_reads_and_scans_like_one_map(
            base in prop::collection::btree_map(prop::collection::vec(0_u8..3, 1..4), 0_u8..9, 0..20),
            writes in prop::collection::vec((prop::collection::vec(0_u8..3, 1..4), prop::option::of(0_u8..9)), 0..20),
            prefix in prop::collection::vec(0_u8..3, 0..2),
            after in prop::option::of(prop::collection::vec(0_u8..3, 0..4)),
            limit in 0_usize..6,
        ) {
            let mut tree = Tree::new(Config::default());
            let mut model = MemoryStorage::default();
            for (key, value) in &base {
                tree.insert(key, [*value]).unwrap();
                model.put(key, vec![*value]);
            }
            let mut overlay = Overlay::new(&tree);
            for (key, value) in &writes {
                match value {
                    Some(value) => { overlay.put(key, vec![*value]); model.put(key, vec![*value]); }
                    None => { overlay.remove(key); model.remove(key); }
                }
            }
            prop_assert_eq!(
                overlay.scan(&prefix, after.as_deref(), limit),
                model.scan(&prefix, after.as_deref(), limit)
            );
        }
    }
}
