//! Blocks: what one server did in 100 ms. No agreement is needed; a block is a checkpoint of a log.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};

use crate::{Hash, Timestamp, keccak256};

/// The header of a server's block.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct BlockHeader {
    /// Its number; the genesis block is 0.
    pub number: u64,
    /// Hash of the block before; zero for the genesis block.
    pub parent: Hash,
    /// When it was sealed.
    pub timestamp: Timestamp,
    /// Number of the first slice in it; slices are numbered over all blocks, from 1.
    pub first_slice: u64,
    /// How many slices it has.
    pub slices: u32,
    /// Merkle root over the hashes of its slices.
    pub inputs_root: Hash,
    /// Root of the server's tree over the heads of its entities.
    pub state_root: Hash,
    /// Merkle root over the hashes of its receipts.
    pub receipts_root: Hash,
}

impl BlockHeader {
    /// keccak-256 of the SCALE encoding.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.using_encoded(keccak256)
    }
}
