//! Changing entries: the one way in which a tree changes, for a single key as for a million.
//!
//! The operations, sorted by key, go down the tree together; each node hands each child its share, so a node is
//! visited once per batch. On the way back every node takes the one shape that its content demands
//! ([`Child::settle`]).

use std::sync::Arc;

use crate::{
    bits::Bits,
    branch::{Branch, Changes},
    config::Config,
    entry::Entry,
    hash::Memo,
    node::{Child, Node},
    row::{Item, Row},
};

/// Up to this many operations on a leaf are made one by one; more are merged with its entries in one pass, which
/// forgets the hashes between them.
const ONE_BY_ONE_MAX: usize = 8;

/// One change: the key gets a value, or goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation<'a> {
    /// The first 16 bytes of the key: most comparisons end here.
    head: u128,
    bits: Bits<'a>,
    value: Option<&'a [u8]>,
}

impl<'a> Operation<'a> {
    pub(crate) fn new(bits: Bits<'a>, value: Option<&'a [u8]>) -> Self {
        let head = (0..16).fold(0, |head, index| (head << 8) | u128::from(bits.byte(index)));
        Self { head, bits, value }
    }

    fn order(&self, other: &Self) -> core::cmp::Ordering {
        self.head.cmp(&other.head).then_with(|| self.bits.key().cmp(other.bits.key()))
    }
}

/// Sorts operations by key; of those on one key the last stays.
pub(crate) fn sort(operations: &mut Vec<Operation<'_>>) {
    operations.sort_by(Operation::order);
    operations.reverse();
    operations.dedup_by(|a, b| a.order(b).is_eq());
    operations.reverse();
}

/// Whether hashes are computed at once or at the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hashing {
    /// While the nodes are at hand.
    Now,
    /// When they are asked for.
    Later,
}

/// What became of a subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Same,
    Changed,
    /// Nothing is left; the subtree has to be taken out.
    Empty,
}

/// Makes sorted operations, one per key, on the tree under `root`.
pub(crate) fn apply(
    root: &mut Option<Child>,
    operations: &[Operation<'_>],
    config: Config,
    hashing: Hashing,
) {
    let batch = Batch { config, hashing };
    match root {
        None => *root = batch.build(operations),
        Some(child) => {
            if batch.child(child, 0, operations) == Outcome::Empty {
                *root = None;
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Batch {
    config: Config,
    hashing: Hashing,
}

impl Batch {
    /// A subtree of what the operations put.
    fn build(self, operations: &[Operation<'_>]) -> Option<Child> {
        let put = |operation: &Operation<'_>| Some(Entry::new(operation.bits, operation.value?));
        let entries: Vec<Entry> = operations.iter().filter_map(put).collect();
        if entries.is_empty() {
            return None;
        }
        let mut child = Child::of(row_of(entries), self.config);
        if self.hashing == Hashing::Now {
            child.refresh(self.config);
        }
        Some(child)
    }

    /// Operations on a subtree, whose keys do not differ before `from` from those in it. Calls itself through
    /// [`Batch::branch`], at most once per level of the tree.
    fn child(self, child: &mut Child, from: u16, mut operations: &[Operation<'_>]) -> Outcome {
        if let Node::Branch(branch) = &*child.node {
            let put = operations.iter().filter(|operation| operation.value.is_some());
            let leaves = put.filter_map(|operation| branch.leaves(operation.bits, from, self.config)).min();
            if let Some(position) = leaves {
                let above = Branch::above(child.clone(), branch.prefix(), position, self.config);
                *child = Child { node: Arc::new(Node::Branch(above)), hash: Memo::STALE };
            }
        }
        if let Node::Branch(branch) = &*child.node {
            operations = self.within(branch, from, operations);
        }
        let changed = match Arc::make_mut(&mut child.node) {
            Node::Leaf(row) => leaf(row, operations),
            Node::Branch(branch) => self.branch(branch, operations),
        };
        if !changed {
            return Outcome::Same;
        }
        child.hash = Memo::STALE;
        if !child.settle(self.config) {
            return Outcome::Empty;
        }
        if self.hashing == Hashing::Now {
            child.refresh(self.config);
        }
        Outcome::Changed
    }

    /// The operations on keys that agree with the prefix of a branch. The others find nothing: they are removals, as
    /// the branch stands above every key that is put.
    fn within<'a, 'b>(
        self,
        branch: &Branch,
        from: u16,
        operations: &'a [Operation<'b>],
    ) -> &'a [Operation<'b>] {
        let agrees = |operation: &Operation<'_>| branch.leaves(operation.bits, from, self.config).is_none();
        // Keys with one prefix are neighbours.
        match (operations.iter().position(agrees), operations.iter().rposition(agrees)) {
            (Some(first), Some(last)) => operations.get(first..=last).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Operations on the children of a branch, which agree with its prefix. Returns whether anything changed.
    fn branch(self, branch: &mut Branch, operations: &[Operation<'_>]) -> bool {
        let (level, width, end) = (branch.level(), self.config.bit_width(), branch.end(self.config));
        let slot = |operation: &Operation<'_>| operation.bits.chunk(level, width);
        let mut changes = Changes { entries: branch.len(), ..Changes::default() };
        for share in operations.chunk_by(|a, b| slot(a) == slot(b)) {
            let Some(first) = share.first() else { continue };
            let slot = slot(first);
            let Ok(index) = branch.slots().binary_search(&slot) else {
                if let Some(child) = self.build(share) {
                    changes.entries += child.len();
                    changes.born.push((slot, child));
                }
                continue;
            };
            let Some(child) = branch.child_mut(index) else { continue };
            let before = child.len();
            match self.child(child, end, share) {
                Outcome::Same => {}
                Outcome::Empty => {
                    changes.entries -= before;
                    changes.emptied.push(index);
                }
                Outcome::Changed => {
                    changes.entries = changes.entries - before + child.len();
                    changes.touched.push(index);
                }
            }
        }
        if changes.is_empty() {
            return false;
        }
        branch.replace(changes, self.config);
        true
    }
}

/// Operations on a leaf, which may come out empty or too large. Returns whether anything changed.
fn leaf(row: &mut Row<Entry>, operations: &[Operation<'_>]) -> bool {
    if operations.len() > ONE_BY_ONE_MAX {
        let entries = core::mem::take(row).into_items();
        *row = row_of(merge(entries, operations));
        return true;
    }
    let mut changed = false;
    for operation in operations {
        changed |= one(row, operation);
    }
    changed
}

/// One operation on a leaf. Returns whether anything changed.
fn one(row: &mut Row<Entry>, operation: &Operation<'_>) -> bool {
    let near = row.find(operation.bits);
    let Some(entry) = row.items_mut().get_mut(near) else {
        // The leaf is empty.
        let Some(value) = operation.value else { return false };
        row.insert(0, Entry::new(operation.bits, value), None, None);
        return true;
    };
    match (entry.bits().first_difference(operation.bits), operation.value) {
        (None, Some(value)) => {
            let changed = entry.set(value);
            if changed {
                row.touch(&[near]);
            }
            changed
        }
        (None, None) => row.remove(near).is_some(),
        (Some(position), Some(value)) => {
            let (index, left, right) = row.place(near, position, operation.bits.bit(position));
            row.insert(index, Entry::new(operation.bits, value), left, right);
            true
        }
        (Some(_), None) => false,
    }
}

/// Sorted entries after sorted operations on them.
fn merge(entries: Vec<Entry>, operations: &[Operation<'_>]) -> Vec<Entry> {
    let mut merged = Vec::with_capacity(entries.len() + operations.len());
    let mut entries = entries.into_iter().peekable();
    for operation in operations {
        while let Some(entry) = entries.next_if(|entry| entry.key() < operation.bits.key()) {
            merged.push(entry);
        }
        let present = entries.next_if(|entry| entry.key() == operation.bits.key());
        match (present, operation.value) {
            (Some(mut entry), Some(value)) => {
                entry.set(value);
                merged.push(entry);
            }
            (None, Some(value)) => merged.push(Entry::new(operation.bits, value)),
            (_, None) => {}
        }
    }
    merged.extend(entries);
    merged
}

/// A row of sorted entries.
fn row_of(entries: Vec<Entry>) -> Row<Entry> {
    let next = entries.iter().skip(1);
    // Two entries never have the same key.
    let splits = entries.iter().zip(next).filter_map(|(a, b)| a.bits().first_difference(b.bits())).collect();
    Row::new(entries, splits)
}
