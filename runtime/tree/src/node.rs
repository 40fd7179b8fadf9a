//! Nodes: leaves and branches, and the pointer to either.

use crate::{
    bits::Bits,
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
    Branch(Branch),
}

/// A subtree as its parent holds it: shared, with its hash and size.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    pub(crate) node: Node,
    /// Number of entries.
    pub(crate) entries: usize,
    pub(crate) hash: Memo,
}

impl Child {
    /// A leaf whose hash is not known.
    pub(crate) fn leaf(leaf: Leaf) -> Self {
        Self { entries: leaf.len(), node: Node::Leaf(leaf), hash: Memo::STALE }
    }

    /// A branch whose hash is not known.
    pub(crate) fn branch(branch: Branch) -> Self {
        let entries = branch.links().iter().map(|link| link.child.entries).sum();
        Self { entries, node: Node::Branch(branch), hash: Memo::STALE }
    }

    /// The least key.
    pub(crate) fn first_key(&self) -> Bits<'_> {
        let mut node = &self.node;
        loop {
            match node {
                Node::Leaf(leaf) => return Bits::of_bound(leaf.parts().key(0)),
                Node::Branch(branch) => match branch.links().first() {
                    Some(link) => node = &link.child.node,
                    None => return Bits::of_bound(&[]),
                },
            }
        }
    }

    /// Whether this is a branch of that level.
    pub(crate) fn is_of_level(&self, level: u16) -> bool {
        matches!(&self.node, Node::Branch(branch) if branch.level() == level)
    }

    /// How many hold the node. It lies at the beginning of the node, so asking brings that into the cache.
    pub(crate) fn holders(&self) -> usize {
        match &self.node {
            Node::Leaf(leaf) => leaf.holders(),
            Node::Branch(branch) => branch.holders(),
        }
    }

    /// Reads the node, so that the memory fetches all of it at once and not piece by piece.
    pub(crate) fn fetch(&self) {
        match &self.node {
            Node::Leaf(leaf) => leaf.fetch(),
            Node::Branch(branch) => branch.fetch(),
        }
    }

    /// Whether both are known to hold the same entries: they are one node, or their hashes, if they are `comparable`
    /// at all, are known and equal.
    pub(crate) fn is_known_to_equal(&self, other: &Self, comparable: bool) -> bool {
        let same = match (&self.node, &other.node) {
            (Node::Leaf(a), Node::Leaf(b)) => a.is(b),
            (Node::Branch(a), Node::Branch(b)) => a.is(b),
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
            Node::Branch(branch) => branch.refresh(self.entries, config),
        };
        self.hash = Memo::new(hash);
        hash
    }
}
