//! A branch: children by the next bits of the key.

use std::sync::Arc;

use crate::{
    bits::{Bits, chunk, prefix},
    config::Config,
    entry::Entry,
    hash::Memo,
    node::Child,
    row::Row,
};

/// A subtree with more entries than a leaf may hold.
///
/// All of its keys agree on the bits of all levels before `level` and differ in the bits of `level` itself: levels
/// at which they agree have no branch (path compression).
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    level: u16,
    /// The bits on which all keys agree, [`Branch::start`] of them; the rest of the last byte is zero.
    prefix: Box<[u8]>,
    /// Entries in all children.
    entries: usize,
    /// The bits of `level` that lead to each child, ascending; as many as children.
    slots: Vec<u16>,
    children: Row<Child>,
}

impl Branch {
    /// The branch over `row`, whose lowest split is `split`.
    pub(crate) fn of(row: Row<Entry>, split: u16, config: Config) -> Self {
        let width = config.bit_width();
        let level = split / u16::from(width);
        let entries = row.len();
        let start = level * u16::from(width);
        let prefix = row.items().first().map(|entry| entry.bits().prefix(start)).unwrap_or_default();
        // A level starts at most at position 1,023 and has at most 16 bits.
        let (pieces, splits, forks) = row.cut(start + u16::from(width));
        let slot = |piece: &Row<Entry>| piece.items().first().map_or(0, |e| e.bits().chunk(level, width));
        let slots = pieces.iter().map(slot).collect();
        // A loop, since an iterator's frames add up over the levels of a deep tree.
        let mut children = Vec::with_capacity(pieces.len());
        for piece in pieces {
            children.push(Child::of(piece, config));
        }
        Self { level, prefix, entries, slots, children: Row::with_forks(children, splits, forks) }
    }

    /// A branch at the level of `position` over one child, `below`, whose keys agree on `agreed` beyond it. It needs
    /// another child to be one that may stay.
    pub(crate) fn above(below: Child, agreed: &[u8], position: u16, config: Config) -> Self {
        let width = config.bit_width();
        let level = position / u16::from(width);
        let byte = |index: usize| agreed.get(index).copied().unwrap_or(0);
        let slots = vec![chunk(byte, level, width)];
        let prefix = prefix(byte, level * u16::from(width));
        Self { level, prefix, entries: below.len(), slots, children: Row::new(vec![below], Vec::new()) }
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

    pub(crate) fn slots(&self) -> &[u16] {
        &self.slots
    }

    pub(crate) const fn children(&self) -> &Row<Child> {
        &self.children
    }

    /// The first position at which a key leaves the bits on which all keys here agree; nothing differs before
    /// `from`.
    pub(crate) fn leaves(&self, bits: Bits<'_>, from: u16, config: Config) -> Option<u16> {
        bits.leaves(&self.prefix, from, self.start(config))
    }

    /// The only child on the path of a key, whether or not the key agrees with the bits before.
    pub(crate) fn child(&self, bits: Bits<'_>, config: Config) -> Option<&Child> {
        let index = self.slots.binary_search(&bits.chunk(self.level, config.bit_width())).ok()?;
        self.children.items().get(index)
    }

    /// The child at `index`, to be changed: say so with [`Branch::replace`].
    pub(crate) fn child_mut(&mut self, index: usize) -> Option<&mut Child> {
        self.children.items_mut().get_mut(index)
    }

    pub(crate) fn refresh(&mut self, config: Config) -> Memo {
        self.children.refresh(config)
    }

    pub(crate) fn into_row(self) -> Row<Entry> {
        self.children.flat_map(|child| Arc::unwrap_or_clone(child.node).into_row())
    }

    /// Takes note of what happened to the children.
    pub(crate) fn replace(&mut self, changes: Changes, config: Config) {
        let Changes { mut touched, mut emptied, born, entries } = changes;
        self.entries = entries;
        touched.sort_unstable();
        self.children.touch(&touched);
        if emptied.len() + born.len() > Self::ONE_BY_ONE_MAX {
            emptied.sort_unstable();
            return self.rebuild(&emptied, born, config);
        }
        emptied.sort_unstable_by(|a, b| b.cmp(a));
        for index in emptied {
            if self.children.remove(index).is_some() {
                self.slots.remove(index);
            }
        }
        for (slot, child) in born {
            let index = self.slots.partition_point(|present| *present < slot);
            let left = index.checked_sub(1).and_then(|left| self.slots.get(left));
            let left = left.map(|left| self.split(*left, slot, config));
            let right = self.slots.get(index).map(|right| self.split(slot, *right, config));
            self.slots.insert(index, slot);
            self.children.insert(index, child, left, right);
        }
    }

    /// Above this number of children that come or go, moving the others aside costs more than hashing all forks.
    const ONE_BY_ONE_MAX: usize = 16;

    fn rebuild(&mut self, emptied: &[usize], born: Vec<(u16, Child)>, config: Config) {
        let old = core::mem::take(&mut self.children).into_items();
        let slots = core::mem::take(&mut self.slots);
        let stay = slots.into_iter().zip(old).enumerate();
        let stay = stay.filter(|(index, _)| emptied.binary_search(index).is_err()).map(|(_, pair)| pair);
        let mut pairs: Vec<(u16, Child)> = stay.chain(born).collect();
        pairs.sort_by_key(|(slot, _)| *slot);
        let (slots, children): (Vec<u16>, Vec<Child>) = pairs.into_iter().unzip();
        let splits =
            slots.iter().zip(slots.iter().skip(1)).map(|(a, b)| self.split(*a, *b, config)).collect();
        self.slots = slots;
        self.children = Row::new(children, splits);
    }

    /// The position of the first bit at which two slots differ. They do.
    fn split(&self, a: u16, b: u16, config: Config) -> u16 {
        // Slots have no more bits than the bit width, so at least `16 - width` leading zeros.
        let leading = u16::try_from((a ^ b).leading_zeros()).unwrap_or(u16::MAX);
        self.end(config) + leading - 16
    }

    /// Whether a branch has to stand here: more entries than a leaf holds, and at least two children.
    pub(crate) fn may_stay(&self, config: Config) -> bool {
        self.entries > usize::from(config.leaf_threshold()) && self.slots.len() > 1
    }

    /// The only child, if there is one and no other.
    pub(crate) fn into_only_child(self) -> Option<Child> {
        let mut children = self.children.into_items();
        let only = children.pop();
        only.filter(|_| children.is_empty())
    }
}

/// What a batch did to the children of a branch.
#[derive(Default)]
pub(crate) struct Changes {
    /// Indices of children with other content.
    pub(crate) touched: Vec<usize>,
    /// Indices of children without entries.
    pub(crate) emptied: Vec<usize>,
    /// Children that are new.
    pub(crate) born: Vec<(u16, Child)>,
    /// Entries in all children.
    pub(crate) entries: usize,
}

impl Changes {
    pub(crate) const fn is_empty(&self) -> bool {
        self.touched.is_empty() && self.emptied.is_empty() && self.born.is_empty()
    }
}
