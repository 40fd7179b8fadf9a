//! Building a subtree of sorted entries.
//!
//! From the top: what fits becomes a leaf, what does not is cut at its topmost fork. Both halves of a large cut are
//! built at once where there are processors for it; the result is the same.

use crate::{
    batch::Hashing,
    branch::{Branch, Link},
    config::Config,
    entry::Entry,
    leaf::{Leaf, fits},
    node::Child,
};

/// From this number of entries on, the two sides of a fork are built in parallel.
const PARALLEL_MIN: usize = 1024;

/// How subtrees are built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Builder {
    pub(crate) config: Config,
    pub(crate) hashing: Hashing,
}

impl Builder {
    /// The subtree of sorted entries; none if there are none. Their hashes are computed where they are missing, if they
    /// are to be known at once. As deep as the tree.
    pub(crate) fn build(self, entries: &mut [Entry<'_>]) -> Option<Child> {
        let mut child = match lowest(entries) {
            _ if entries.is_empty() => return None,
            Some((_, position)) if !fits(entries, self.config) => {
                let mut links = Vec::new();
                self.cut(entries, position / u16::from(self.config.bit_width()), &mut links);
                Child::branch(Branch::of(links))
            }
            _ => Child::leaf(self.leaf(entries)),
        };
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

    /// Cuts entries at the forks of `level` and adds the pieces.
    fn cut(self, entries: &mut [Entry<'_>], level: u16, links: &mut Vec<Link>) {
        let width = u16::from(self.config.bit_width());
        let top = lowest(entries).filter(|(_, position)| position / width == level);
        let Some((top, position)) = top.filter(|_| !fits(entries, self.config)) else {
            links.extend(self.build(entries).map(|child| Link::new(child, level, self.config)));
            return;
        };
        let parallel = entries.len() >= PARALLEL_MIN;
        // `top` is below the index of the last entry.
        let (left, right) = entries.split_at_mut(top + 1);
        let mut others = Vec::new();
        if parallel {
            rayon::join(|| self.cut(left, level, links), || self.cut(right, level, &mut others));
        } else {
            self.cut(left, level, links);
        }
        if let Some(link) = links.last_mut() {
            link.split = position;
        }
        if parallel {
            links.append(&mut others);
        } else {
            self.cut(right, level, links);
        }
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
