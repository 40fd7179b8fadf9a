//! The Merkle root over what a frame says, and the path that proves one message.
//!
//! ```text
//!          root = H(0x02 ‖ count ‖ top)
//!                        │
//!                 H(0x01 ‖ a ‖ b)          an odd node is carried up unchanged
//!                 /               \
//!   leaf 0 = H(0x00 ‖ …)    leaf 1 = …
//! ```
//!
//! H is the [`commitment`] hash. Index and count are committed, so a leaf has one place and a path one length. The same tree commits to a
//! frame's inputs and to the receipts of a block.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use sp_core::{ConstU32, bounded::BoundedVec};

use crate::{Hash, commitment};

/// Longest path: enough for 2³² leaves.
pub const MAX_PATH: u32 = 32;

/// Proves that a leaf stands at `index` under a root over `count` leaves.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct MerklePath {
    /// Position of the leaf.
    pub index: u32,
    /// Number of leaves.
    pub count: u32,
    /// The neighbours on the way up, lowest first.
    pub siblings: BoundedVec<Hash, ConstU32<MAX_PATH>>,
}

fn join(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left.as_ref());
    bytes[33..].copy_from_slice(right.as_ref());
    commitment(&bytes)
}

fn seal(count: u32, top: &Hash) -> Hash {
    let mut bytes = [2; 37];
    bytes[1..5].copy_from_slice(&count.to_be_bytes());
    bytes[5..].copy_from_slice(top.as_ref());
    commitment(&bytes)
}

/// All levels of the tree over a list of leaves, for making paths.
#[derive(Debug, Clone)]
pub struct MerkleTree {
    /// Leaves first; the last level is one node, or none for no leaves.
    levels: Vec<Vec<Hash>>,
    count: u32,
}

impl MerkleTree {
    /// The tree over `leaves`; at most 2³² − 1 of them are counted.
    #[must_use]
    pub fn new(leaves: Vec<Hash>) -> Self {
        let count = u32::try_from(leaves.len()).unwrap_or(u32::MAX);
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let above = level
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => join(left, right),
                    [odd, ..] => *odd,
                    [] => Hash::ZERO, // `chunks` yields no empty chunk
                })
                .collect();
            levels.push(above);
        }
        Self { levels, count }
    }

    /// The root; that of no leaves is sealed over zero.
    #[must_use]
    pub fn root(&self) -> Hash {
        let top = self.levels.last().and_then(|level| level.first()).copied().unwrap_or(Hash::ZERO);
        seal(self.count, &top)
    }

    /// The leaves, in order.
    #[must_use]
    pub fn leaves(&self) -> &[Hash] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// The path of the leaf at `index`, if there is one.
    #[must_use]
    pub fn path(&self, index: u32) -> Option<MerklePath> {
        if index >= self.count {
            return None;
        }
        let mut position = usize::try_from(index).ok()?;
        let mut siblings = Vec::new();
        for level in &self.levels {
            if let Some(sibling) = level.get(position ^ 1) {
                siblings.push(*sibling);
            }
            position /= 2;
        }
        Some(MerklePath { index, count: self.count, siblings: siblings.try_into().ok()? })
    }
}

/// The root over `leaves`.
#[must_use]
pub fn merkle_root(leaves: Vec<Hash>) -> Hash {
    MerkleTree::new(leaves).root()
}

impl MerklePath {
    /// The root that this path leads to from `leaf`; `None` if the path does not have the one shape that its
    /// index and count allow.
    #[must_use]
    pub fn root(&self, leaf: Hash) -> Option<Hash> {
        if self.index >= self.count {
            return None;
        }
        let (mut position, mut width) = (self.index, self.count);
        let mut node = leaf;
        let mut siblings = self.siblings.iter();
        while width > 1 {
            if position % 2 == 1 {
                node = join(siblings.next()?, &node);
            } else if position.saturating_add(1) < width {
                node = join(&node, siblings.next()?);
            }
            position /= 2;
            width = width.div_ceil(2);
        }
        siblings.next().is_none().then(|| seal(self.count, &node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|n| commitment(&[n])).collect()
    }

    #[test]
    fn every_leaf_has_a_path_to_the_root_and_no_other_place() {
        for count in 1..=33 {
            let tree = MerkleTree::new(leaves(count));
            for index in 0..u32::from(count) {
                let path = tree.path(index).unwrap();
                let leaf = leaves(count)[index as usize];
                assert_eq!(path.root(leaf), Some(tree.root()), "leaf {index} of {count}");
                let moved = MerklePath { index: (index + 1) % u32::from(count), ..path.clone() };
                assert!(count == 1 || moved.root(leaf) != Some(tree.root()));
                let recounted = MerklePath { count: u32::from(count) + 1, ..path.clone() };
                assert_ne!(recounted.root(leaf), Some(tree.root()));
                assert_ne!(path.root(Hash::ZERO), Some(tree.root()));
            }
            assert_eq!(tree.path(u32::from(count)), None);
        }
    }

    #[test]
    fn no_leaves_and_a_zero_leaf_have_different_roots() {
        assert_ne!(merkle_root(vec![]), merkle_root(vec![Hash::ZERO]));
    }

    #[test]
    fn a_path_with_a_node_too_many_is_refused() {
        let mut path = MerkleTree::new(leaves(4)).path(1).unwrap();
        path.siblings.try_push(Hash::ZERO).unwrap();
        assert_eq!(path.root(leaves(4)[1]), None);
    }
}
