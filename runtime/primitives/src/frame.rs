//! Frames: the steps in which an entity advances.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};

use crate::{EntityId, Hash, Timestamp, id::fixed_bytes, keccak256};

fixed_bytes! {
    /// The hash of a frame header.
    FrameHash
}

/// The number of a frame of one entity; its first frame has height 1.
pub type Height = u64;

/// The header of an entity's frame: fixed width, and everything that the entity says follows from it.
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
pub struct FrameHeader {
    /// Whose frame.
    pub entity: EntityId,
    /// Its number.
    pub height: Height,
    /// Hash of the frame before; zero for the first.
    pub parent: FrameHash,
    /// When, after the parent's.
    pub timestamp: Timestamp,
    /// Hash of the board that certifies this frame.
    pub board_hash: Hash,
    /// Merkle root of the inputs that it executed.
    pub inputs_root: Hash,
    /// Root of the entity's state after it.
    pub state_root: Hash,
    /// Root of the messages that it sends, see [`crate::outputs`].
    pub outputs_root: Hash,
}

impl FrameHeader {
    /// keccak-256 over the eight fields as 32-byte ABI words, integers big-endian and padded on the left:
    /// `keccak256(abi.encode(entity, height, parent, timestamp, boardHash, inputsRoot, stateRoot, outputsRoot))`.
    #[must_use]
    pub fn hash(&self) -> FrameHash {
        fn word(number: u64) -> [u8; 32] {
            let mut word = [0; 32];
            word[24..].copy_from_slice(&number.to_be_bytes());
            word
        }
        let words = [
            *self.entity.as_bytes(),
            word(self.height),
            *self.parent.as_bytes(),
            word(self.timestamp.as_millis()),
            *self.board_hash.as_bytes(),
            *self.inputs_root.as_bytes(),
            *self.state_root.as_bytes(),
            *self.outputs_root.as_bytes(),
        ];
        FrameHash::new(*keccak256(words.as_flattened()).as_bytes())
    }
}
