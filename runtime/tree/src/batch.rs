//! Changing entries: the one way in which a tree changes, for a single key as for a million.
//!
//! The operations, sorted by key, go down the tree together; each branch hands each child its share, so a node is
//! visited once per batch, and large shares of different children are worked on in parallel. On the way back every
//! node is hashed and takes the one shape that its content demands.

use std::sync::Arc;

use crate::{
    bits::Bits,
    branch::{Branch, Place},
    build::Builder,
    config::Config,
    entry::{Entry, push},
    hash::Memo,
    leaf::Leaf,
    node::{Child, Node},
    reshape::{Changes, Shape, reshape},
};

/// From this number of operations on, the shares of several children are worked on in parallel.
const PARALLEL_MIN: usize = 256;

/// Up to this many operations on a leaf are looked for one by one; more are merged with its entries.
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
        let head = match bits.key().first_chunk() {
            Some(head) => u128::from_be_bytes(*head),
            None => (0..16).fold(0, |head, index| (head << 8) | u128::from(bits.byte(index))),
        };
        Self { head, bits, value }
    }

    pub(crate) fn order(&self, other: &Self) -> core::cmp::Ordering {
        self.head.cmp(&other.head).then_with(|| self.bits.key().cmp(other.bits.key()))
    }
}

/// Sorts operations by key; of those on one key the last stays.
pub(crate) fn sort(operations: &mut Vec<Operation<'_>>) {
    if operations.is_sorted_by(|a, b| a.order(b).is_lt()) {
        return;
    }
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
    let batch = Batch(Builder { config, hashing });
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
struct Batch(Builder);

/// The share of one child, or of a new one.
struct Share<'t, 'o> {
    operations: &'t [Operation<'o>],
    target: Target<'t>,
}

enum Target<'t> {
    /// The child at an index, the number of entries it had, and what became of it.
    Child { index: usize, child: &'t mut Child, before: usize, outcome: Outcome },
    /// What the operations put before the child at an index, beside all children.
    New { before: usize, child: Option<Child> },
}

impl Batch {
    /// A subtree of what the operations put.
    fn build(self, operations: &[Operation<'_>]) -> Option<Child> {
        let mut entries = Vec::with_capacity(operations.len());
        for operation in operations {
            if let Some(value) = operation.value {
                push(&mut entries, Entry::new(operation.bits.key(), value));
            }
        }
        self.0.build(&mut entries)
    }

    /// Operations on a subtree, whose keys do not differ before `from` from those in it. Calls itself through
    /// [`Batch::branch`], at most once per level of the tree.
    fn child(self, child: &mut Child, from: u16, operations: &[Operation<'_>]) -> Outcome {
        let Builder { config, hashing } = self.0;
        if let Node::Branch(branch) = &child.node
            && let Some(position) = self.departs(branch, from, operations)
        {
            let above = Branch::above(child.clone(), branch.prefix(), position, config);
            *child = Child::new(Node::Branch(Arc::new(above)));
        }
        let shape = match &mut child.node {
            Node::Leaf(leaf) => self.leaf(leaf, operations),
            Node::Branch(branch) => {
                let operations = self.within(branch, from, operations);
                if operations.is_empty() {
                    return Outcome::Same;
                }
                self.branch(Arc::make_mut(branch), operations)
            }
        };
        match shape {
            None => return Outcome::Same,
            Some(Shape::Empty) => return Outcome::Empty,
            Some(Shape::Kept) => child.hash = Memo::STALE,
            Some(Shape::Other(other)) => *child = other,
        }
        if hashing == Hashing::Now {
            child.refresh(config);
        }
        Outcome::Changed
    }

    /// The first position at which a key that is put leaves the prefix of a branch.
    fn departs(self, branch: &Branch, from: u16, operations: &[Operation<'_>]) -> Option<u16> {
        let mut put = operations.iter().filter(|operation| operation.value.is_some());
        // Keys are sorted, so one at an end agrees with the prefix for the shortest.
        let ends = [put.next(), put.next_back()];
        let departs = |operation: &Operation<'_>| branch.leaves(operation.bits, from, self.0.config);
        ends.into_iter().flatten().filter_map(departs).min()
    }

    /// The operations on keys that agree with the prefix of a branch. The others find nothing: they are removals, as
    /// the branch stands above every key that is put.
    fn within<'a, 'b>(
        self,
        branch: &Branch,
        from: u16,
        operations: &'a [Operation<'b>],
    ) -> &'a [Operation<'b>] {
        let agrees = |operation: &Operation<'_>| branch.leaves(operation.bits, from, self.0.config).is_none();
        // Keys with one prefix are neighbours.
        match (operations.iter().position(agrees), operations.iter().rposition(agrees)) {
            (Some(first), Some(last)) => operations.get(first..=last).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Operations on the children of a branch, which agree with its prefix. None if nothing changed.
    fn branch(self, branch: &mut Branch, operations: &[Operation<'_>]) -> Option<Shape> {
        let config = self.0.config;
        let end = branch.end(config);
        let places: Vec<Place> =
            operations.iter().map(|operation| branch.place(operation.bits, config)).collect();
        let mut shares = Vec::new();
        let mut children = branch.links.iter_mut().enumerate();
        let mut rest = operations;
        for same in places.chunk_by(|a, b| a == b) {
            let Some((operations, later)) = rest.split_at_checked(same.len()) else { break };
            rest = later;
            let target = match same.first() {
                Some(Place::Into(place)) => {
                    children.find(|(index, _)| index == place).map(|(index, link)| {
                        let child = &mut link.child;
                        Target::Child { index, before: child.len(), child, outcome: Outcome::Same }
                    })
                }
                Some(Place::Beside { before, .. }) => Some(Target::New { before: *before, child: None }),
                None => None,
            };
            shares.extend(target.map(|target| Share { operations, target }));
        }
        self.run(&mut shares, end);

        let mut changes = Changes::default();
        let mut entries = branch.entries;
        for share in shares {
            match share.target {
                Target::Child { outcome: Outcome::Same, .. } | Target::New { child: None, .. } => {}
                Target::New { before, child: Some(child) } => {
                    entries += child.len();
                    changes.born.push((before, child));
                }
                Target::Child { index, before, outcome: Outcome::Empty, .. } => {
                    entries -= before;
                    changes.emptied.push(index);
                    changes.shrunk = true;
                }
                Target::Child { index, child, before, outcome: Outcome::Changed } => {
                    let now = child.len();
                    entries = entries - before + now;
                    changes.touched.push(index);
                    changes.shrunk |= now < before;
                }
            }
        }
        if changes.touched.is_empty() && changes.emptied.is_empty() && changes.born.is_empty() {
            return None;
        }
        branch.entries = entries;
        Some(reshape(branch, changes, config))
    }

    /// Works on all shares, which end at bit `end`.
    fn run(self, shares: &mut [Share<'_, '_>], end: u16) {
        if shares.len() > 1
            && shares.iter().map(|share| share.operations.len()).sum::<usize>() >= PARALLEL_MIN
        {
            let (left, right) = shares.split_at_mut(shares.len() / 2);
            rayon::join(|| self.run(left, end), || self.run(right, end));
            return;
        }
        for Share { operations, target } in shares {
            match target {
                Target::Child { child, outcome, .. } => *outcome = self.child(child, end, operations),
                Target::New { child, .. } => *child = self.build(operations),
            }
        }
    }

    /// Operations on a leaf. None if nothing changed.
    fn leaf(self, leaf: &mut Leaf, operations: &[Operation<'_>]) -> Option<Shape> {
        if operations.len() <= ONE_BY_ONE_MAX
            && let Some(values) = new_values(leaf, operations)
        {
            if values.is_empty() {
                return None;
            }
            for (index, entry) in values {
                let hash = match self.0.hashing {
                    Hashing::Now => entry.hash(self.0.config.hasher()),
                    Hashing::Later => Memo::STALE,
                };
                leaf.set(index, entry.value, hash);
            }
            return Some(Shape::Kept);
        }
        let mut entries = merge(leaf, operations);
        Some(self.0.build(&mut entries).map_or(Shape::Empty, Shape::Other))
    }
}

/// The entries whose value changes, if all that the operations do is to give entries values of the same length.
fn new_values<'a>(leaf: &Leaf, operations: &[Operation<'a>]) -> Option<Vec<(usize, Entry<'a>)>> {
    let parts = leaf.parts();
    let mut values = Vec::new();
    for operation in operations {
        let index = parts.find(operation.bits);
        let (key, value) = parts.pair(index);
        let found = key == operation.bits.key();
        match operation.value {
            Some(new) if found && new == value => {}
            Some(new) if found && new.len() == value.len() => {
                values.push((index, Entry::new(operation.bits.key(), new)));
            }
            None if !found => {}
            _ => return None,
        }
    }
    Some(values)
}

/// The entries of a leaf after sorted operations on them.
fn merge<'a>(leaf: &'a Leaf, operations: &[Operation<'a>]) -> Vec<Entry<'a>> {
    let parts = leaf.parts();
    let mut merged = Vec::with_capacity(parts.len() + operations.len());
    let mut entries = parts.entries().peekable();
    for operation in operations {
        let key = operation.bits.key();
        while let Some(entry) = entries.next_if(|entry| entry.key < key) {
            push(&mut merged, entry);
        }
        let present = entries.next_if(|entry| entry.key == key);
        match (present, operation.value) {
            (Some(entry), Some(value)) if entry.value == value => push(&mut merged, entry),
            (_, Some(value)) => push(&mut merged, Entry::new(key, value)),
            (_, None) => {}
        }
    }
    entries.for_each(|entry| push(&mut merged, entry));
    merged
}
