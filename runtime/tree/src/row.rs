//! The binary Merkle tree inside a node.
//!
//! A row holds items in key order (entries of a leaf, children of a branch). Between two neighbours stands their
//! *split*: the first bit position at which keys on the left and on the right differ. The lowest split of a row is
//! its topmost fork, the lowest on either side of it the next, and so on:
//!
//! ```text
//!  items    A   B   C   D            fork 3
//!  splits     7   3   5       =     ╱      ╲
//!                               fork 7    fork 5
//!                               ╱   ╲     ╱   ╲
//!                              A     B   C     D
//! ```
//!
//! The lowest split is unique. Were it twice in a row, the bit at that position would turn from clear to set twice
//! among keys that agree on all bits before it, and a set bit followed by a clear one is not in order.
//!
//! Each fork's hash is kept at the index of its split, so that a change hashes only the forks above it.

use crate::{
    bits::Bits,
    config::Config,
    hash::{Hash, Hasher, Memo},
};

/// What a row is made of: something with a hash.
pub(crate) trait Item {
    /// The hash, computed if it is not known.
    fn refresh(&mut self, config: Config) -> Hash;

    /// The hash if it is known.
    fn memo(&self) -> Memo;
}

/// Items in key order and the forks between them.
///
/// Invariant: `splits` and `forks` have one element less than `items` (none if there are no items).
#[derive(Debug, Clone)]
pub(crate) struct Row<T> {
    items: Vec<T>,
    splits: Vec<u16>,
    forks: Vec<Memo>,
}

impl<T> Default for Row<T> {
    fn default() -> Self {
        Self { items: Vec::new(), splits: Vec::new(), forks: Vec::new() }
    }
}

impl<T> Row<T> {
    /// A row of `items` with the given splits between them.
    pub(crate) fn new(items: Vec<T>, splits: Vec<u16>) -> Self {
        debug_assert_eq!(splits.len(), items.len().saturating_sub(1), "one split between neighbours");
        let forks = vec![Memo::STALE; splits.len()];
        Self { items, splits, forks }
    }

    pub(crate) fn items(&self) -> &[T] {
        &self.items
    }

    /// The items, to be changed in place; [`Row::touch`] those whose hash changes.
    pub(crate) fn items_mut(&mut self) -> &mut [T] {
        &mut self.items
    }

    pub(crate) fn into_items(self) -> Vec<T> {
        self.items
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The first position at which keys of this row differ; none if there are fewer than two items.
    pub(crate) fn first_split(&self) -> Option<u16> {
        self.splits.iter().min().copied()
    }

    /// The index of the item to which the forks lead for a key. If any item is on the key's path, it is this one.
    ///
    /// One pass from left to right: at a split whose bit is set the path moves past it; at one whose bit is clear
    /// everything up to the next lower split is under the fork's right side and skipped.
    pub(crate) fn find(&self, bits: Bits<'_>) -> usize {
        let mut found = 0;
        let mut skip_above = u16::MAX;
        for (index, &split) in self.splits.iter().enumerate() {
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

    /// Where a key belongs that differs from item `near`, the one that [`Row::find`] names, first at `position`:
    /// the index, and the splits to its left and right neighbours.
    pub(crate) fn place(&self, near: usize, position: u16, set: bool) -> (usize, Option<u16>, Option<u16>) {
        let (before, after) = self.splits.split_at(near.min(self.splits.len()));
        // The new fork stands above all neighbours of `near` that agree with it beyond `position`.
        if set {
            let index = near + 1 + after.iter().take_while(|split| **split > position).count();
            (index, Some(position), self.splits.get(index - 1).copied())
        } else {
            let index = near - before.iter().rev().take_while(|split| **split > position).count();
            (index, index.checked_sub(1).and_then(|left| self.splits.get(left)).copied(), Some(position))
        }
    }

    /// Puts an item at `index`, between neighbours from which it differs first at `left` and `right` (none at an
    /// end of the row).
    pub(crate) fn insert(&mut self, index: usize, item: T, left: Option<u16>, right: Option<u16>) {
        // `index` is at most the number of items, and a neighbour on a side means a split exists there.
        self.items.insert(index, item);
        match (left, right) {
            (None, None) => {}
            (Some(split), None) | (None, Some(split)) => {
                let fork = index.min(self.splits.len());
                self.splits.insert(fork, split);
                self.forks.insert(fork, Memo::STALE);
            }
            (Some(left), Some(right)) => {
                self.splits[index - 1] = left;
                self.forks[index - 1] = Memo::STALE;
                self.splits.insert(index, right);
                self.forks.insert(index, Memo::STALE);
            }
        }
        self.touch(&[index]);
    }

    /// Takes the item at `index` out, if there is one.
    pub(crate) fn remove(&mut self, index: usize) -> Option<T> {
        if index >= self.items.len() {
            return None;
        }
        self.touch(&[index]);
        // The item's own fork, the deeper of its neighbours, goes with it.
        let left = index.checked_sub(1).and_then(|left| self.splits.get(left));
        let fork = match (left, self.splits.get(index)) {
            (None, None) => None,
            (Some(left), Some(right)) if left < right => Some(index),
            (None, Some(_)) => Some(index),
            (Some(_), _) => Some(index - 1),
        };
        if let Some(fork) = fork {
            self.splits.remove(fork);
            self.forks.remove(fork);
        }
        Some(self.items.remove(index))
    }

    /// Forgets the hashes of all forks above the items at `indices` (ascending).
    pub(crate) fn touch(&mut self, indices: &[usize]) {
        touch(&self.splits, &mut self.forks, 0, indices);
    }

    /// The parts of a row between splits below `position`, and those splits with the hashes of their forks.
    pub(crate) fn cut(self, position: u16) -> (Vec<Self>, Vec<u16>, Vec<Memo>) {
        let (mut pieces, mut splits, mut forks) = (Vec::new(), Vec::new(), Vec::new());
        let mut items = self.items.into_iter();
        let mut piece = Self::default();
        piece.items.extend(items.next());
        for ((item, split), fork) in items.zip(self.splits).zip(self.forks) {
            if split < position {
                splits.push(split);
                forks.push(fork);
                pieces.push(core::mem::take(&mut piece));
            } else {
                piece.splits.push(split);
                piece.forks.push(fork);
            }
            piece.items.push(item);
        }
        pieces.push(piece);
        (pieces, splits, forks)
    }

    /// The same forks over other items, one for one.
    pub(crate) fn with_forks(items: Vec<T>, splits: Vec<u16>, forks: Vec<Memo>) -> Self {
        debug_assert!(
            splits.len() == forks.len() && splits.len() + 1 == items.len(),
            "one fork between items"
        );
        Self { items, splits, forks }
    }

    /// Replaces each item by a row and joins the rows: the inverse of [`Row::cut`].
    pub(crate) fn flat_map<U>(self, mut row: impl FnMut(T) -> Row<U>) -> Row<U> {
        let mut whole = Row::default();
        let mut between = self.splits.into_iter().zip(self.forks);
        for (index, item) in self.items.into_iter().enumerate() {
            if index > 0
                && let Some((split, fork)) = between.next()
            {
                whole.splits.push(split);
                whole.forks.push(fork);
            }
            let piece = row(item);
            whole.items.extend(piece.items);
            whole.splits.extend(piece.splits);
            whole.forks.extend(piece.forks);
        }
        whole
    }
}

impl<T: Item> Row<T> {
    /// The hash of the whole row; computes what is not known. A row without items has none: unknown.
    pub(crate) fn refresh(&mut self, config: Config) -> Memo {
        if self.items.is_empty() {
            return Memo::STALE;
        }
        Memo::new(fold(config, &mut self.items, &self.splits, &mut self.forks))
    }

    /// The hash of the whole row if it is known.
    pub(crate) fn memo(&self) -> Memo {
        memo(&self.items, &self.splits, &self.forks)
    }

    /// Walks down the forks along a key: calls `step` with the position of each fork and the hash of the side that
    /// the key does not take, and returns the item at the end. Hashes must be known; none if one is not.
    pub(crate) fn walk(&self, bits: Bits<'_>, mut step: impl FnMut(u16, Hash)) -> Option<&T> {
        let (mut items, mut splits, mut forks) = (&*self.items, &*self.splits, &*self.forks);
        while let Some(top) = lowest(splits) {
            // `top` is an index of `splits` and `forks`, so `top + 1` is at most the number of items.
            let (items_left, items_right) = items.split_at(top + 1);
            let (splits_left, splits_right) = (&splits[..top], &splits[top + 1..]);
            let (forks_left, forks_right) = (&forks[..top], &forks[top + 1..]);
            let (sibling, taken) = if bits.bit(splits[top]) {
                (memo(items_left, splits_left, forks_left), (items_right, splits_right, forks_right))
            } else {
                (memo(items_right, splits_right, forks_right), (items_left, splits_left, forks_left))
            };
            step(splits[top], sibling.get()?);
            (items, splits, forks) = taken;
        }
        items.first()
    }
}

/// Index of the lowest split, if there is any.
fn lowest(splits: &[u16]) -> Option<usize> {
    let lowest = splits.iter().min()?;
    splits.iter().position(|split| split == lowest)
}

/// See [`Row::touch`]; `base` is the index of the first item. As deep as the forks: below the number of items.
fn touch(splits: &[u16], forks: &mut [Memo], base: usize, indices: &[usize]) {
    if indices.is_empty() {
        return;
    }
    if let Some(top) = lowest(splits) {
        // `forks` is as long as `splits`, of which `top` is an index.
        forks[top] = Memo::STALE;
        let (left, right) = forks.split_at_mut(top);
        let middle = indices.partition_point(|index| *index <= base + top);
        touch(&splits[..top], left, base, &indices[..middle]);
        touch(&splits[top + 1..], &mut right[1..], base + top + 1, &indices[middle..]);
    }
}

/// The hash over `items`, of which there is at least one. As deep as the forks: below the number of items.
fn fold<T: Item>(config: Config, items: &mut [T], splits: &[u16], forks: &mut [Memo]) -> Hash {
    let Some(top) = lowest(splits) else {
        // Without a split there is exactly one item.
        return items[0].refresh(config);
    };
    if let Some(hash) = forks[top].get() {
        return hash;
    }
    let (items_left, items_right) = items.split_at_mut(top + 1);
    let (forks_left, forks_right) = forks.split_at_mut(top);
    let left = fold(config, items_left, &splits[..top], forks_left);
    let right = fold(config, items_right, &splits[top + 1..], &mut forks_right[1..]);
    let hash = Hasher::fork(config.hasher(), splits[top], &left, &right);
    forks[top] = Memo::new(hash);
    hash
}

/// The hash over `items` if it is known.
fn memo<T: Item>(items: &[T], splits: &[u16], forks: &[Memo]) -> Memo {
    match lowest(splits) {
        Some(top) => forks[top],
        None => items.first().map_or(Memo::STALE, Item::memo),
    }
}
