//! Building a subtree of sorted entries.
//!
//! From the top: what fits becomes a leaf, what does not is cut at its topmost fork. Both halves of a large cut are
//! built at once where there are processors for it; the result is the same.

use std::sync::Arc;

use crate::{
    batch::Hashing,
    branch::{Branch, Link, Mark},
    config::Config,
    entry::Entry,
    hash::Memo,
    leaf::{Leaf, fits},
    node::{Child, Node},
};

/// From this number of entries on, the two sides of a fork are built in parallel.
const PARALLEL_MIN: usize = 1024;

/// How subtrees are built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Builder {
    pub(crate) config: Config,
    pub(crate) hashing: Hashing,
}

/// Links in the making.
type Row = (Vec<Mark>, Vec<Link>);

impl Builder {
    /// The subtree of sorted entries; none if there are none. Their hashes are computed where they are missing, if they
    /// are to be known at once. As deep as the tree.
    pub(crate) fn build(self, entries: &mut [Entry<'_>]) -> Option<Child> {
        let first = entries.first()?.bits();
        let node = match lowest(entries) {
            Some((_, position)) if !fits(entries, self.config) => {
                let width = u16::from(self.config.bit_width());
                let level = position / width;
                let mut row = (Vec::new(), Vec::new());
                self.cut(entries, level, &mut row);
                let (marks, links) = row;
                let branch = Branch::new(level, first, marks, links, entries.len(), self.config);
                Node::Branch(Arc::new(branch))
            }
            _ => Node::Leaf(self.leaf(entries)),
        };
        let mut child = Child::new(node);
        if self.hashing == Hashing::Now {
            child.refresh(self.config);
        }
        Some(child)
    }

    fn leaf(self, entries: &mut [Entry<'_>]) -> Leaf {
        if self.hashing == Hashing::Now {
            for entry in entries.iter_mut().filter(|entry| entry.hash.get().is_none()) {
                entry.hash = entry.hash(self.config.hasher());
            }
        }
        Leaf::of(entries)
    }

    /// Cuts entries at the forks of `level` and adds the pieces to the row.
    fn cut(self, entries: &mut [Entry<'_>], level: u16, row: &mut Row) {
        let width = u16::from(self.config.bit_width());
        let top = lowest(entries).filter(|(_, position)| position / width == level);
        let Some((top, position)) = top.filter(|_| !fits(entries, self.config)) else {
            let path = entries.first().map_or(0, |entry| entry.bits().chunk(level, self.config.bit_width()));
            if let Some(child) = self.build(entries) {
                row.0.push(Mark { path, split: u16::MAX });
                row.1.push(Link { child, fork: Memo::STALE });
            }
            return;
        };
        let parallel = entries.len() >= PARALLEL_MIN;
        // `top` is below the index of the last entry.
        let (left, right) = entries.split_at_mut(top + 1);
        if parallel {
            let mut other = (Vec::new(), Vec::new());
            rayon::join(|| self.cut(left, level, row), || self.cut(right, level, &mut other));
            join(row, position);
            row.0.append(&mut other.0);
            row.1.append(&mut other.1);
        } else {
            self.cut(left, level, row);
            join(row, position);
            self.cut(right, level, row);
        }
    }
}

/// Puts a fork behind the last link.
fn join(row: &mut Row, position: u16) {
    if let Some(mark) = row.0.last_mut() {
        mark.split = position;
    }
}

/// Index and position of the topmost fork among entries, if they are more than one: below the index of the last.
fn lowest(entries: &[Entry<'_>]) -> Option<(usize, u16)> {
    let (last, between) = entries.split_last()?;
    let first = between.first()?;
    // All keys agree as far as the first and the last do, and part there.
    let position = first.bits().first_difference(last.bits())?;
    Some((between.partition_point(|entry| !entry.bits().bit(position)).checked_sub(1)?, position))
}
