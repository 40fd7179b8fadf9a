//! Nodes: leaves and branches, and the rule that decides which.

use std::sync::Arc;

use crate::{
    branch::Branch,
    config::Config,
    entry::Entry,
    hash::{Hash, Memo},
    row::{Item, Row},
};

/// A subtree with at least one entry.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// At most as many entries as the leaf threshold.
    Leaf(Row<Entry>),
    /// More entries than the leaf threshold.
    Branch(Branch),
}

/// A subtree as its parent holds it: shared, with its hash.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    pub(crate) node: Arc<Node>,
    pub(crate) hash: Memo,
}

impl Node {
    /// The one shape of a subtree with these entries, of which there is at least one.
    pub(crate) fn of(row: Row<Entry>, config: Config) -> Self {
        match row.first_split() {
            Some(split) if row.len() > usize::from(config.leaf_threshold()) => {
                Self::Branch(Branch::of(row, split, config))
            }
            _ => Self::Leaf(row),
        }
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Leaf(row) => row.len(),
            Self::Branch(branch) => branch.len(),
        }
    }

    /// All entries as one row. As deep as the tree.
    pub(crate) fn into_row(self) -> Row<Entry> {
        match self {
            Self::Leaf(row) => row,
            Self::Branch(branch) => branch.into_row(),
        }
    }
}

impl Child {
    /// A subtree of these entries, of which there is at least one.
    pub(crate) fn of(row: Row<Entry>, config: Config) -> Self {
        let hash = row.memo();
        Self { node: Arc::new(Node::of(row, config)), hash }
    }

    pub(crate) fn len(&self) -> usize {
        self.node.len()
    }

    /// Whether both are known to hold the same entries: they are one node, or their hashes, if they are `comparable`
    /// at all, are known and equal.
    pub(crate) fn is_known_to_equal(&self, other: &Self, comparable: bool) -> bool {
        Arc::ptr_eq(&self.node, &other.node)
            || (comparable && self.hash.get().is_some_and(|hash| other.hash.get() == Some(hash)))
    }

    /// Gives the subtree, whose content has changed, the one shape that it has to have. Returns false if no entry
    /// is left, so that it has none.
    pub(crate) fn settle(&mut self, config: Config) -> bool {
        let threshold = usize::from(config.leaf_threshold());
        let settled = match &*self.node {
            Node::Leaf(row) => (1..=threshold).contains(&row.len()),
            Node::Branch(branch) => branch.may_stay(config),
        };
        if settled {
            return true;
        }
        let entries = self.len();
        if entries == 0 {
            return false;
        }
        let node = core::mem::replace(&mut self.node, Arc::new(Node::Leaf(Row::default())));
        let replacement = match Arc::unwrap_or_clone(node) {
            // A branch over one child that is itself a branch: all keys agree on this level.
            Node::Branch(branch) if entries > threshold => branch.into_only_child(),
            // Too large a leaf, or too small a branch.
            node => Some(Self::of(node.into_row(), config)),
        };
        if let Some(replacement) = replacement {
            *self = replacement;
        }
        true
    }
}

impl Item for Child {
    fn refresh(&mut self, config: Config) -> Hash {
        if let Some(hash) = self.hash.get() {
            return hash;
        }
        self.hash = match Arc::make_mut(&mut self.node) {
            Node::Leaf(row) => row.refresh(config),
            Node::Branch(branch) => branch.refresh(config),
        };
        self.hash.get().unwrap_or_default()
    }

    fn memo(&self) -> Memo {
        self.hash
    }
}
