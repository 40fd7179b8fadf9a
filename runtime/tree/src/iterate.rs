//! Entries in key order.

use core::slice;

use crate::{
    bits::Bits,
    branch::{Link, Place, place},
    config::Config,
    leaf::Parts,
    node::Node,
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
    /// A leaf, and the index of the next entry.
    Leaf(Parts<'a>, usize),
    Branch(slice::Iter<'a, Link>),
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
        let mut from = 0;
        loop {
            match node {
                Node::Leaf(leaf) => {
                    let parts = leaf.parts();
                    self.stack.push(Frame::Leaf(parts, parts.first_from(bound.key(), inclusive)));
                    return;
                }
                Node::Branch(branch) => {
                    if let Some(position) = branch.leaves(bound, from, config) {
                        if !bound.bit(position) {
                            self.stack.push(Frame::Branch(branch.links().iter()));
                        }
                        return;
                    }
                    from = branch.end(config);
                    let (on_path, greater) = match place(branch.links(), bound, config) {
                        Place::Into(index) => (branch.links().get(index), index + 1),
                        Place::Beside { before, .. } => (None, before),
                    };
                    let rest = branch.links().get(greater..).unwrap_or_default();
                    self.stack.push(Frame::Branch(rest.iter()));
                    match on_path {
                        Some(link) => node = &link.child.node,
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
                Frame::Leaf(parts, index) if *index < parts.len() => {
                    let (key, value) = parts.pair(*index);
                    if key.starts_with(&self.prefix) {
                        *index += 1;
                        return Some((key, value));
                    }
                    // Keys with one prefix are neighbours, and the first was sought.
                    self.stack.clear();
                }
                Frame::Leaf(..) => drop(self.stack.pop()),
                Frame::Branch(children) => match children.next() {
                    Some(link) => self.stack.push(match &link.child.node {
                        Node::Leaf(leaf) => Frame::Leaf(leaf.parts(), 0),
                        Node::Branch(branch) => Frame::Branch(branch.links().iter()),
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
