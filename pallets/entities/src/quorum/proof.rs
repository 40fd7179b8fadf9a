//! The form of a quorum proof.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{
    Board, BoundedVec, ConstU32, DecodeError, EntityId, Hash, MAX_MEMBERS, Signature, decode_exact,
};

use super::{MAX_BOARDS, MAX_PROOF_BYTES, MAX_PROOF_MEMBERS};

/// How the verifier comes to the board of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
#[allow(clippy::large_enum_variant, reason = "a board is a list; the variants differ by a few words")]
pub enum BoardEvidence {
    /// The board of the lazy entity that it hashes to.
    #[codec(index = 0)]
    Carried(Board),
    /// A board that the verifier knows, from the depositary's registry or because it hosts the entity.
    #[codec(index = 1)]
    Known {
        /// Whose board.
        entity: EntityId,
        /// Hash of the board that the proof was made with.
        board: Hash,
    },
}

/// A board, and who of its people signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct SignedBoard {
    /// The board.
    pub evidence: BoardEvidence,
    /// One bit per member, bit `i % 8` of byte `i / 8` for the member at position `i`: set for a person who signed and stands
    /// in no earlier board of the proof with the right to vote.
    pub marks: BoundedVec<u8, ConstU32<{ MAX_MEMBERS / 8 }>>,
}

/// Proof that an entity stands behind a [`Statement`](super::Statement), by the people behind its members.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct QuorumProof {
    /// The root's board, then the boards of the entities that are counted, each after a board in which it is a member.
    pub boards: BoundedVec<SignedBoard, ConstU32<MAX_BOARDS>>,
    /// The sum of the signatures of all marked BLS keys; none if none is marked.
    pub aggregate: Option<[u8; 96]>,
    /// One signature for each other marked key, in the order of the marks.
    pub signatures: BoundedVec<Signature, ConstU32<MAX_PROOF_MEMBERS>>,
}

impl QuorumProof {
    /// Decodes a proof of at most [`MAX_PROOF_BYTES`].
    pub fn decode_bounded(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_exact(bytes, MAX_PROOF_BYTES)
    }
}
