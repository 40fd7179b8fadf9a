//! Nodes: leaves and branches, and the pointer to either.

use std::sync::Arc;

use crate::{
    branch::Branch,
    config::Config,
    hash::{Hash, Memo},
    leaf::Leaf,
};

/// A subtree with at least one entry. A clone shares it.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// At most as many entries as the leaf threshold.
    Leaf(Leaf),
    /// What does not fit a leaf.
    Branch(Arc<Branch>),
}

/// A subtree as its parent holds it: shared, with its hash.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    pub(crate) node: Node,
    pub(crate) hash: Memo,
}

impl Child {
    /// A subtree whose hash is not known.
    pub(crate) const fn new(node: Node) -> Self {
        Self { node, hash: Memo::STALE }
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        match &self.node {
            Node::Leaf(leaf) => leaf.len(),
            Node::Branch(branch) => branch.len(),
        }
    }

    /// The bits of `level` in the first key.
    pub(crate) fn path(&self, level: u16, config: Config) -> u16 {
        match &self.node {
            Node::Leaf(leaf) => {
                crate::bits::Bits::of_bound(leaf.parts().key(0)).chunk(level, config.bit_width())
            }
            Node::Branch(branch) => branch.path(level, config),
        }
    }

    /// How many hold the node. Asked only to bring it near before it is needed.
    pub(crate) fn holders(&self) -> usize {
        match &self.node {
            Node::Leaf(leaf) => leaf.holders(),
            Node::Branch(branch) => Arc::strong_count(branch),
        }
    }

    /// Whether both are known to hold the same entries: they are one node, or their hashes, if they are `comparable`
    /// at all, are known and equal.
    pub(crate) fn is_known_to_equal(&self, other: &Self, comparable: bool) -> bool {
        let same = match (&self.node, &other.node) {
            (Node::Leaf(a), Node::Leaf(b)) => a.is(b),
            (Node::Branch(a), Node::Branch(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        same || (comparable && self.hash.get().is_some_and(|hash| other.hash.get() == Some(hash)))
    }

    /// The hash, computed if it is not known.
    pub(crate) fn refresh(&mut self, config: Config) -> Hash {
        if let Some(hash) = self.hash.get() {
            return hash;
        }
        let hash = match &mut self.node {
            Node::Leaf(leaf) => leaf.refresh(config),
            Node::Branch(branch) => Arc::make_mut(branch).refresh(config),
        };
        self.hash = Memo::new(hash);
        hash
    }
}
