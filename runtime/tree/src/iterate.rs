//! Entries in key order.

use core::slice;

use crate::{
    bits::Bits,
    config::Config,
    entry::Entry,
    node::{Child, Node},
    tree::Tree,
};

/// Entries in the order of their keys' bytes.
///
/// Holds one position per level of the tree.
#[derive(Clone)]
pub struct Iter<'a> {
    stack: Vec<Frame<'a>>,
    prefix: Box<[u8]>,
}

/// What is left of one node.
#[derive(Clone)]
enum Frame<'a> {
    Leaf(slice::Iter<'a, Entry>),
    Branch(slice::Iter<'a, Child>),
}

impl Tree {
    /// All entries in key order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        self.iter_prefix(&[])
    }

    /// The entries whose key begins with `prefix`, in key order.
    #[must_use]
    pub fn iter_prefix(&self, prefix: &[u8]) -> Iter<'_> {
        self.range(prefix, None)
    }

    /// The entries whose key begins with `prefix` and is greater than `after`, in key order: the next page after the
    /// one that ended with that key, whether or not the key is still there.
    ///
    /// Goes down one path to start, and takes each entry when it is asked for it.
    #[must_use]
    pub fn range(&self, prefix: &[u8], after: Option<&[u8]>) -> Iter<'_> {
        let mut iter = Iter { stack: Vec::new(), prefix: prefix.into() };
        if let Some(child) = self.top() {
            match after {
                // Every key with the prefix is greater than a bound before it.
                Some(after) if after >= prefix => {
                    iter.seek(&child.node, Bits::of_bound(after), false, self.config());
                }
                _ => iter.seek(&child.node, Bits::of_bound(prefix), true, self.config()),
            }
        }
        iter
    }
}

impl<'a> Iter<'a> {
    /// Goes to the first key that is greater than the bound, or equal to it if `inclusive`.
    fn seek(&mut self, mut node: &'a Node, bound: Bits<'_>, inclusive: bool, config: Config) {
        loop {
            match node {
                Node::Leaf(row) => {
                    let before = |entry: &Entry| {
                        entry.key() < bound.key() || (!inclusive && entry.key() == bound.key())
                    };
                    let first = row.items().partition_point(before);
                    let rest = row.items().get(first..).unwrap_or_default();
                    self.stack.push(Frame::Leaf(rest.iter()));
                    return;
                }
                Node::Branch(branch) => {
                    let children = branch.children().items();
                    if let Some(position) = branch.leaves(bound, 0, config) {
                        if !bound.bit(position) {
                            self.stack.push(Frame::Branch(children.iter()));
                        }
                        return;
                    }
                    let slot = bound.chunk(branch.level(), config.bit_width());
                    let greater = branch.slots().partition_point(|present| *present <= slot);
                    let rest = children.get(greater..).unwrap_or_default();
                    self.stack.push(Frame::Branch(rest.iter()));
                    match branch.child(bound, config) {
                        Some(child) => node = &child.node,
                        None => return,
                    }
                }
            }
        }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.stack.last_mut()? {
                Frame::Leaf(entries) => match entries.next() {
                    Some(entry) if entry.key().starts_with(&self.prefix) => return Some(entry.parts()),
                    // Keys with one prefix are neighbours, and the first was sought.
                    Some(_) => self.stack.clear(),
                    None => drop(self.stack.pop()),
                },
                Frame::Branch(children) => match children.next() {
                    Some(child) => self.stack.push(match &*child.node {
                        Node::Leaf(row) => Frame::Leaf(row.items().iter()),
                        Node::Branch(branch) => Frame::Branch(branch.children().items().iter()),
                    }),
                    None => drop(self.stack.pop()),
                },
            }
        }
    }
}

impl core::iter::FusedIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Tree {
    type Item = (&'a [u8], &'a [u8]);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl core::fmt::Debug for Iter<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Iter").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
