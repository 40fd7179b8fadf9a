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
//! A branch is one block of links. A link's *path* is the `w` bits of the level in a key below it. All keys below a branch agree on them; those below a
//! leaf agree as far as the lowest fork above it. Between two links stands their split, as between the entries of a
//! [leaf](crate::leaf), and with it the hash of that fork, so that a change hashes only the forks above it.

use std::sync::Arc;

use rayon::prelude::*;

use crate::{
    bits::Bits,
    config::Config,
    hash::{Hash, Memo},
    node::{Child, Node},
};

/// From this number of entries on, a branch with several unhashed children has them hashed in parallel.
const PARALLEL_MIN: usize = 4096;

/// Up to this number of links, all paths are compared: that costs less than a wait for the memory at each step of a
/// binary search.
const COMPARE_ALL_MAX: usize = 32;

/// A subtree with more entries than a leaf may hold: its links in key order, at least two of them, but while a batch is
/// at work. A clone shares them.
#[derive(Debug, Clone)]
pub(crate) struct Branch(Arc<[Link]>);

/// A child, what leads to it, and what parts it from the next.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) child: Child,
    /// Hash of the fork between this link and the next; stale in the last.
    pub(crate) fork: Memo,
    /// Position of that fork; any number in the last.
    pub(crate) split: u16,
    /// The bits of the level in a key below the link; ascending.
    pub(crate) path: u16,
    /// The level of the branch.
    pub(crate) level: u16,
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

impl Link {
    /// A link of a branch of `level`, without a neighbour. Reads the first key.
    pub(crate) fn new(child: Child, level: u16, config: Config) -> Self {
        let path = child.first_key().chunk(level, config.bit_width());
        Self { child, fork: Memo::STALE, split: u16::MAX, path, level }
    }
}

impl Branch {
    pub(crate) fn of(links: Vec<Link>) -> Self {
        Self(links.into())
    }

    /// A branch at the level of `position` over one child. It needs another child to be one that may stay.
    pub(crate) fn above(below: Child, position: u16, config: Config) -> Self {
        let level = position / u16::from(config.bit_width());
        Self([Link::new(below, level, config)].into())
    }

    pub(crate) fn links(&self) -> &[Link] {
        &self.0
    }

    /// The links, to be changed. Copies them if they are shared.
    pub(crate) fn links_mut(&mut self) -> &mut [Link] {
        if self.holders() > 1 {
            // To count a holder more, each child has to be in the cache, and counting cannot begin with the next before
            // it is done with one. Reading them all first lets the memory fetch them at once.
            core::hint::black_box(self.0.iter().fold(0, |sum, link| sum ^ link.child.holders()));
        }
        Arc::make_mut(&mut self.0)
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// Reads all links, so that the memory fetches them at once.
    pub(crate) fn fetch(&self) {
        core::hint::black_box(self.0.iter().fold(0, |sum, link| sum ^ link.path));
    }

    /// Which bits of the key this branch consumes, counted in levels.
    pub(crate) fn level(&self) -> u16 {
        self.0.first().map_or(0, |link| link.level)
    }

    /// Position of the first bit that this branch consumes.
    pub(crate) fn start(&self, config: Config) -> u16 {
        self.level() * u16::from(config.bit_width())
    }

    /// Position after the last bit that this branch consumes, at most [`crate::bits::KEY_BITS`] rounded up.
    pub(crate) fn end(&self, config: Config) -> u16 {
        self.start(config) + u16::from(config.bit_width())
    }

    /// The first position at which a key leaves the bits on which all keys here agree before the level; nothing
    /// differs before `from`.
    pub(crate) fn leaves(&self, bits: Bits<'_>, from: u16, config: Config) -> Option<u16> {
        let start = self.start(config);
        if from >= start {
            return None;
        }
        let first = self.0.first()?.child.first_key();
        first.first_difference(bits).filter(|position| *position < start)
    }

    /// The only child on the path of a key, if the key is here at all.
    pub(crate) fn child(&self, bits: Bits<'_>, config: Config) -> Option<&Child> {
        let (index, ..) = near(&self.0, bits.chunk(self.level(), config.bit_width()), config);
        self.0.get(index).map(|link| &link.child)
    }

    /// The hash of the branch with that many entries; computes what is not known.
    pub(crate) fn refresh(&mut self, entries: usize, config: Config) -> Hash {
        let links = self.links_mut();
        let stale = |link: &&Link| link.child.hash.get().is_none();
        if entries >= PARALLEL_MIN && links.iter().filter(stale).count() > 1 {
            links.par_iter_mut().for_each(|link| {
                link.child.refresh(config);
            });
        }
        fold(config, links)
    }

    /// Walks down the forks along a key: calls `step` with the position of each fork and the hash of the side that
    /// the key does not take, and returns the child at the end. Hashes must be known; none if one is not.
    pub(crate) fn walk(&self, bits: Bits<'_>, mut step: impl FnMut(u16, Hash)) -> Option<&Child> {
        let mut links = &*self.0;
        while let Some((top, position)) = lowest(links) {
            let (left, right) = links.split_at(top + 1);
            let (sibling, taken) = if bits.bit(position) { (left, right) } else { (right, left) };
            step(position, memo(sibling).get()?);
            links = taken;
        }
        links.first().map(|link| &link.child)
    }
}

/// The position of the first bit at which two paths of `level` differ; beyond all positions if they do not.
pub(crate) fn split(level: u16, a: u16, b: u16, config: Config) -> u16 {
    // Paths have no more bits than the bit width, so at least `16 - width` leading zeros.
    match u16::try_from((a ^ b).leading_zeros()) {
        Ok(leading) if leading < 16 => (level + 1) * u16::from(config.bit_width()) + leading - 16,
        _ => u16::MAX,
    }
}

/// The link whose path agrees longest with `path`, where `path` first leaves it, and the index of the first link with a
/// greater path. There is at least one link.
fn near(links: &[Link], path: u16, config: Config) -> (usize, u16, usize) {
    let before = if links.len() <= COMPARE_ALL_MAX {
        links.iter().filter(|link| link.path <= path).count()
    } else {
        links.partition_point(|link| link.path <= path)
    };
    // Paths are sorted, so the one that agrees longest is a neighbour.
    let departs = |index: usize| links.get(index).map(|link| split(link.level, link.path, path, config));
    let left = before.checked_sub(1).and_then(|left| Some((left, departs(left)?)));
    match (left, departs(before)) {
        (Some((left, at)), right) if right.is_none_or(|right| at > right) => (left, at, before),
        (_, right) => (before, right.unwrap_or(0), before),
    }
}

/// Where a key belongs that agrees with the bits before the level of these links.
pub(crate) fn place(links: &[Link], bits: Bits<'_>, config: Config) -> Place {
    let level = links.first().map_or(0, |link| link.level);
    let (near, departs, before) = near(links, bits.chunk(level, config.bit_width()), config);
    let forks = [near.checked_sub(1), (near + 1 < links.len()).then_some(near)];
    let deepest = forks.iter().flatten().filter_map(|index| Some(links.get(*index)?.split)).max();
    let inside = match links.get(near).map(|link| &link.child.node) {
        // The bits of the level beyond the forks are the leaf's own matter.
        Some(Node::Leaf(_)) => deepest.is_none_or(|fork| departs > fork),
        _ => departs == u16::MAX,
    };
    if inside { Place::Into(near) } else { Place::Beside { before, left: near < before, split: departs } }
}

/// Index and position of the topmost fork among links, if they are more than one: below the index of the last.
pub(crate) fn lowest(links: &[Link]) -> Option<(usize, u16)> {
    let (_, between) = links.split_last()?;
    between.iter().map(|link| link.split).enumerate().min_by_key(|(_, split)| *split)
}

/// Forgets the hashes of all forks above the links at `indices` (ascending), of which the first link here has index
/// `base`. As deep as the forks.
pub(crate) fn touch(links: &mut [Link], base: usize, indices: &[usize]) {
    if indices.is_empty() {
        return;
    }
    if let Some((top, _)) = lowest(links) {
        let (left, right) = links.split_at_mut(top + 1);
        if let Some(link) = left.last_mut() {
            link.fork = Memo::STALE;
        }
        let middle = indices.partition_point(|index| *index <= base + top);
        let (indices_left, indices_right) = indices.split_at(middle);
        touch(left, base, indices_left);
        touch(right, base + top + 1, indices_right);
    }
}

/// The hash over links, of which there is at least one. As deep as the forks.
fn fold(config: Config, links: &mut [Link]) -> Hash {
    let Some((top, position)) = lowest(links) else {
        return links.first_mut().map_or(Hash::default(), |link| link.child.refresh(config));
    };
    let (left, right) = links.split_at_mut(top + 1);
    if let Some(hash) = left.last().and_then(|link| link.fork.get()) {
        return hash;
    }
    let hash = config.hasher().fork(position, &fold(config, left), &fold(config, right));
    if let Some(link) = left.last_mut() {
        link.fork = Memo::new(hash);
    }
    hash
}

/// The hash over links if it is known.
fn memo(links: &[Link]) -> Memo {
    match lowest(links) {
        Some((top, _)) => links.get(top).map_or(Memo::STALE, |link| link.fork),
        None => links.first().map_or(Memo::STALE, |link| link.child.hash),
    }
}
