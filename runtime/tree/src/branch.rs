//! A branch: the forks at some neighbouring positions, with what is below them.
//!
//! A branch of level `n` and bit width `w` holds forks at positions `n × w` to `n × w + w - 1`: those that are connected
//! and have more below them than a leaf can hold. Below each is another such fork, a leaf, or a branch of a higher level:
//!
//! ```text
//!  bit width 2, level 0                     in memory
//!
//!             fork 0                         links     leaf A     branch of level 2     leaf C
//!            ╱      ╲                        paths       00              10               11
//!        leaf A    fork 1                    splits           0                   1
//!                  ╱    ╲                    forks         (hash)              (hash)
//!      branch of level 2  leaf C
//! ```
//!
//! A link's *path* is the `w` bits of the level in a key below it. All keys below a branch agree on them; those below a
//! leaf agree as far as the lowest fork above it. Between two links stands their split, as between the entries of a
//! [leaf](crate::leaf), and with it the hash of that fork, so that a change hashes only the forks above it.

use rayon::prelude::*;

use crate::{
    bits::{Bits, chunk, prefix},
    config::Config,
    hash::{Hash, Memo},
    node::{Child, Node},
};

/// From this number of entries on, a branch with several unhashed children has them hashed in parallel.
const PARALLEL_MIN: usize = 4096;

/// A subtree with more entries than a leaf may hold.
#[derive(Debug)]
pub(crate) struct Branch {
    level: u16,
    /// The bits on which all keys agree before the level; the rest of the last byte is zero.
    prefix: Box<[u8]>,
    /// Entries in all children.
    pub(crate) entries: usize,
    /// As many as links.
    pub(crate) marks: Vec<Mark>,
    /// At least two, but while a batch is at work.
    pub(crate) links: Vec<Link>,
}

/// What leads to a link, and what parts it from the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    /// The bits of the level in a key below the link; ascending.
    pub(crate) path: u16,
    /// Position of the fork between this link and the next; any number in the last.
    pub(crate) split: u16,
}

/// A child.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) child: Child,
    /// Hash of the fork between this link and the next; stale in the last.
    pub(crate) fork: Memo,
}

/// Where a key belongs in a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Into the child at this index.
    Into(usize),
    /// Beside all children: under a new fork.
    Beside {
        /// Index of the first child with greater keys.
        before: usize,
        /// Whether the fork is above the child before that index rather than the one at it.
        left: bool,
        /// Position of the fork.
        split: u16,
    },
}

impl Clone for Branch {
    fn clone(&self) -> Self {
        // To count a holder more, each child has to be in the cache, and counting cannot begin with the next before
        // it is done with one. Reading them all first lets the memory fetch them at once.
        core::hint::black_box(self.links.iter().fold(0, |sum: usize, link| sum ^ link.child.holders()));
        Self {
            level: self.level,
            prefix: self.prefix.clone(),
            entries: self.entries,
            marks: self.marks.clone(),
            links: self.links.clone(),
        }
    }
}

impl Branch {
    /// A branch whose keys agree with `key` before `level`.
    pub(crate) fn new(
        level: u16,
        key: Bits<'_>,
        marks: Vec<Mark>,
        links: Vec<Link>,
        entries: usize,
        config: Config,
    ) -> Self {
        let prefix = key.prefix(level * u16::from(config.bit_width()));
        Self { level, prefix, entries, marks, links }
    }

    /// A branch at the level of `position` over one child, `below`, whose keys agree on `agreed` beyond it. It needs
    /// another child to be one that may stay.
    pub(crate) fn above(below: Child, agreed: &[u8], position: u16, config: Config) -> Self {
        let width = config.bit_width();
        let level = position / u16::from(width);
        let byte = |index: usize| agreed.get(index).copied().unwrap_or(0);
        Self {
            level,
            prefix: prefix(byte, level * u16::from(width)),
            entries: below.len(),
            marks: vec![Mark { path: chunk(byte, level, width), split: u16::MAX }],
            links: vec![Link { child: below, fork: Memo::STALE }],
        }
    }

    /// Which bits of the key this branch consumes, counted in levels.
    pub(crate) const fn level(&self) -> u16 {
        self.level
    }

    /// Position of the first bit that this branch consumes.
    pub(crate) fn start(&self, config: Config) -> u16 {
        self.level * u16::from(config.bit_width())
    }

    /// Position after the last bit that this branch consumes, at most [`crate::bits::KEY_BITS`] rounded up.
    pub(crate) fn end(&self, config: Config) -> u16 {
        self.start(config) + u16::from(config.bit_width())
    }

    pub(crate) const fn len(&self) -> usize {
        self.entries
    }

    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// The bits of `level`, at most this branch's own, in the first key.
    pub(crate) fn path(&self, level: u16, config: Config) -> u16 {
        match self.marks.first() {
            Some(mark) if level == self.level => mark.path,
            _ => chunk(|index| self.prefix.get(index).copied().unwrap_or(0), level, config.bit_width()),
        }
    }

    /// The first position at which a key leaves the bits on which all keys here agree; nothing differs before
    /// `from`.
    pub(crate) fn leaves(&self, bits: Bits<'_>, from: u16, config: Config) -> Option<u16> {
        bits.leaves(&self.prefix, from, self.start(config))
    }

    /// The position of the first bit at which two paths differ; beyond all positions if they do not.
    pub(crate) fn split(&self, a: u16, b: u16, config: Config) -> u16 {
        // Paths have no more bits than the bit width, so at least `16 - width` leading zeros.
        match u16::try_from((a ^ b).leading_zeros()) {
            Ok(leading) if leading < 16 => self.end(config) + leading - 16,
            _ => u16::MAX,
        }
    }

    /// The child whose path agrees longest with `path`, where `path` first leaves it, and the index of the first child
    /// with a greater path. There is at least one child.
    fn near(&self, path: u16, config: Config) -> (usize, u16, usize) {
        let before = self.marks.partition_point(|mark| mark.path <= path);
        // Paths are sorted, so the one that agrees longest is a neighbour.
        let departs = |index: usize| self.marks.get(index).map(|mark| self.split(mark.path, path, config));
        let left = before.checked_sub(1).and_then(|left| Some((left, departs(left)?)));
        match (left, departs(before)) {
            (Some((left, at)), right) if right.is_none_or(|right| at > right) => (left, at, before),
            (_, right) => (before, right.unwrap_or(0), before),
        }
    }

    /// The only child on the path of a key, if the key is here at all.
    pub(crate) fn child(&self, bits: Bits<'_>, config: Config) -> Option<&Child> {
        let (index, ..) = self.near(bits.chunk(self.level, config.bit_width()), config);
        self.links.get(index).map(|link| &link.child)
    }

    /// Where a key belongs that agrees with the bits before the level.
    pub(crate) fn place(&self, bits: Bits<'_>, config: Config) -> Place {
        let (near, departs, before) = self.near(bits.chunk(self.level, config.bit_width()), config);
        let after = self.links.len().checked_sub(1).filter(|last| near < *last);
        let forks = [near.checked_sub(1), after.map(|_| near)];
        let deepest = forks.iter().flatten().filter_map(|index| Some(self.marks.get(*index)?.split)).max();
        let inside = match self.links.get(near).map(|link| &link.child.node) {
            // The bits of the level beyond the forks are the leaf's own matter.
            Some(Node::Leaf(_)) => deepest.is_none_or(|fork| departs > fork),
            _ => departs == u16::MAX,
        };
        if inside { Place::Into(near) } else { Place::Beside { before, left: near < before, split: departs } }
    }

    /// Forgets the hashes of all forks above the links at `indices` (ascending).
    pub(crate) fn touch(&mut self, indices: &[usize]) {
        touch(&self.marks, &mut self.links, 0, indices);
    }

    /// The hash of the branch; computes what is not known.
    pub(crate) fn refresh(&mut self, config: Config) -> Hash {
        if self.entries >= PARALLEL_MIN
            && self.links.iter().filter(|link| link.child.hash.get().is_none()).count() > 1
        {
            self.links.par_iter_mut().for_each(|link| {
                link.child.refresh(config);
            });
        }
        fold(config, &self.marks, &mut self.links)
    }

    /// Walks down the forks along a key: calls `step` with the position of each fork and the hash of the side that
    /// the key does not take, and returns the child at the end. Hashes must be known; none if one is not.
    pub(crate) fn walk(&self, bits: Bits<'_>, mut step: impl FnMut(u16, Hash)) -> Option<&Child> {
        let (mut marks, mut links) = (&*self.marks, &*self.links);
        while let Some((top, position)) = lowest(marks) {
            let (marks_left, marks_right) = marks.split_at(top + 1);
            let (links_left, links_right) = links.split_at(top + 1);
            let (sibling, taken) = if bits.bit(position) {
                (memo(marks_left, links_left), (marks_right, links_right))
            } else {
                (memo(marks_right, links_right), (marks_left, links_left))
            };
            step(position, sibling.get()?);
            (marks, links) = taken;
        }
        links.first().map(|link| &link.child)
    }
}

/// Index and position of the topmost fork among links, if they are more than one: below the index of the last.
pub(crate) fn lowest(marks: &[Mark]) -> Option<(usize, u16)> {
    let (_, between) = marks.split_last()?;
    between.iter().map(|mark| mark.split).enumerate().min_by_key(|(_, split)| *split)
}

/// See [`Branch::touch`]; `base` is the index of the first link. As deep as the forks.
fn touch(marks: &[Mark], links: &mut [Link], base: usize, indices: &[usize]) {
    if indices.is_empty() {
        return;
    }
    if let Some((top, _)) = lowest(marks) {
        // There are as many links as marks, and `top` is the index of one before the last.
        links[top].fork = Memo::STALE;
        let (marks_left, marks_right) = marks.split_at(top + 1);
        let (left, right) = links.split_at_mut(top + 1);
        let (indices_left, indices_right) =
            indices.split_at(indices.partition_point(|index| *index <= base + top));
        touch(marks_left, left, base, indices_left);
        touch(marks_right, right, base + top + 1, indices_right);
    }
}

/// The hash over links, of which there is at least one. As deep as the forks.
fn fold(config: Config, marks: &[Mark], links: &mut [Link]) -> Hash {
    let Some((top, position)) = lowest(marks) else {
        return links.first_mut().map_or(Hash::default(), |link| link.child.refresh(config));
    };
    // There are as many links as marks, and `top` is the index of one before the last.
    if let Some(hash) = links[top].fork.get() {
        return hash;
    }
    let (marks_left, marks_right) = marks.split_at(top + 1);
    let (links_left, links_right) = links.split_at_mut(top + 1);
    let left = fold(config, marks_left, links_left);
    let right = fold(config, marks_right, links_right);
    let hash = config.hasher().fork(position, &left, &right);
    links[top].fork = Memo::new(hash);
    hash
}

/// The hash over links if it is known.
fn memo(marks: &[Mark], links: &[Link]) -> Memo {
    let index = lowest(marks).map(|(top, _)| top);
    match index {
        Some(top) => links.get(top).map_or(Memo::STALE, |link| link.fork),
        None => links.first().map_or(Memo::STALE, |link| link.child.hash),
    }
}
