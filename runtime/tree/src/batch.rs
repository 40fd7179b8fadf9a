//! Changing entries: the one way in which a tree changes, for a single key as for a million.
//!
//! The operations, sorted by key, go down the tree together; each branch hands each child its share, so a node is
//! visited once per batch, and large shares of different children are worked on in parallel. On the way back every
//! node is hashed and takes the one shape that its content demands.

use crate::{
    bits::Bits,
    branch::{Branch, Link, Place, place},
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

/// The share of one child, or of a new one, and what became of it.
struct Share<'t, 'o> {
    operations: &'t [Operation<'o>],
    target: Target<'t>,
}

enum Target<'t> {
    /// The child at an index.
    Old { index: usize, link: &'t mut Link, before: usize, outcome: Outcome },
    /// What the operations put before the child at an index, beside all children.
    New { before: usize, child: Option<Child> },
}

impl Target<'_> {
    /// Takes note of what became of it in a branch of `level`.
    fn note(self, level: u16, changes: &mut Changes) {
        match self {
            Self::Old { outcome: Outcome::Same, .. } | Self::New { child: None, .. } => {}
            Self::New { before, child: Some(child) } => {
                changes.added += child.entries;
                changes.born.push((before, child));
            }
            Self::Old { index, before, outcome: Outcome::Empty, .. } => {
                changes.removed += before;
                changes.shrunk = true;
                changes.emptied.push(index);
            }
            Self::Old { index, link, before, outcome: Outcome::Changed } => {
                let now = link.child.entries;
                changes.added += now;
                changes.removed += before;
                changes.shrunk |= now < before;
                changes.grown |= link.child.is_of_level(level);
                changes.touched.push(index);
            }
        }
    }
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
            *child = Child::branch(Branch::above(child.clone(), position, config));
        }
        let shape = match &mut child.node {
            Node::Leaf(leaf) => self.leaf(leaf, operations),
            Node::Branch(branch) => {
                let operations = self.within(branch, from, operations);
                self.branch(branch, operations).map(|(shape, changes)| {
                    child.entries = child.entries + changes.added - changes.removed;
                    shape
                })
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
    fn branch(self, branch: &mut Branch, operations: &[Operation<'_>]) -> Option<(Shape, Changes)> {
        let config = self.0.config;
        let level = branch.level();
        let links = branch.links_mut();
        let mut shares = self.shares(links, operations);
        if shares.len() > 1 {
            // The memory fetches what several children need at once; one after the other they would wait for it.
            for share in &shares {
                if let Target::Old { link, .. } = &share.target {
                    link.child.fetch();
                }
            }
        }
        self.run(&mut shares);
        let mut changes = Changes::default();
        shares.into_iter().for_each(|share| share.target.note(level, &mut changes));
        if changes.is_empty() { None } else { Some((reshape(links, &changes, config), changes)) }
    }

    /// The first operations that belong in one place, this place, and the other operations.
    fn next_share<'a, 'o>(
        self,
        links: &[Link],
        operations: &'a [Operation<'o>],
    ) -> Option<(Place, &'a [Operation<'o>], &'a [Operation<'o>])> {
        let place = |operation: &Operation<'_>| place(links, operation.bits, self.0.config);
        let first = place(operations.first()?);
        // Keys are sorted, so those that belong in one place are neighbours.
        let count = operations.partition_point(|operation| place(operation) == first);
        let (share, rest) = operations.split_at_checked(count.max(1))?;
        Some((first, share, rest))
    }

    /// The shares of all children.
    fn shares<'t, 'o>(self, links: &'t mut [Link], operations: &'t [Operation<'o>]) -> Vec<Share<'t, 'o>> {
        let mut places = Vec::new();
        let mut rest = operations;
        while let Some((place, operations, later)) = self.next_share(links, rest) {
            places.push((place, operations));
            rest = later;
        }
        let mut links = links.iter_mut().enumerate();
        let share = |(place, operations)| {
            let target = match place {
                Place::Into(place) => {
                    let (index, link) = links.find(|(index, _)| *index == place)?;
                    Target::Old { index, before: link.child.entries, link, outcome: Outcome::Same }
                }
                Place::Beside { before, .. } => Target::New { before, child: None },
            };
            Some(Share { operations, target })
        };
        places.into_iter().filter_map(share).collect()
    }

    /// Works on all shares.
    fn run(self, shares: &mut [Share<'_, '_>]) {
        if shares.len() > 1
            && shares.iter().map(|share| share.operations.len()).sum::<usize>() >= PARALLEL_MIN
        {
            let (left, right) = shares.split_at_mut(shares.len() / 2);
            rayon::join(|| self.run(left), || self.run(right));
            return;
        }
        for Share { operations, target } in shares {
            match target {
                Target::Old { link, outcome, .. } => *outcome = self.link(link, operations),
                Target::New { child, .. } => *child = self.build(operations),
            }
        }
    }

    /// Operations on the child behind a link.
    fn link(self, link: &mut Link, operations: &[Operation<'_>]) -> Outcome {
        let config = self.0.config;
        let was_leaf = matches!(link.child.node, Node::Leaf(_));
        let outcome =
            self.child(&mut link.child, (link.level + 1) * u16::from(config.bit_width()), operations);
        // The key that gave a leaf its path may be gone.
        if was_leaf && outcome == Outcome::Changed {
            link.path = link.child.first_key().chunk(link.level, config.bit_width());
        }
        outcome
    }

    /// Operations on a leaf. None if nothing changed.
    fn leaf(self, leaf: &mut Leaf, operations: &[Operation<'_>]) -> Option<Shape> {
        leaf.fetch();
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
