//! Why a quorum proof proves nothing, and what of the nesting counted for nothing.

use xln_primitives::{BoardError, EntityId, Hash, SignatureError, SignerId};

use super::{MAX_BOARDS, MAX_LEVELS, MAX_PROOF_MEMBERS};

/// A part of the boards that contributes nothing, whoever signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NestingFault {
    /// The entity stands in its own board, itself or through other entities: what it says cannot support itself.
    #[error("entity {entity} stands in its own board, through its members; that way it counts for nothing")]
    Cycle {
        /// Which.
        entity: EntityId,
    },
    /// The entity, or the boards that it needs, lie deeper than the levels that count.
    #[error("entity {entity} counts only through {levels} levels of boards; at most {MAX_LEVELS} count")]
    TooDeep {
        /// Which.
        entity: EntityId,
        /// Levels from the root to the people who would make it count.
        levels: usize,
    },
}

/// Why a quorum proof is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    /// The board of the root is not given.
    #[error("the first board of the proof has to be that of entity {root}, whom the statement names")]
    Root {
        /// The entity that the statement names.
        root: EntityId,
    },
    /// More boards than a proof may have.
    #[error("{boards} boards; at most {MAX_BOARDS} are evaluated together")]
    TooManyBoards {
        /// Boards given.
        boards: usize,
    },
    /// More members than the boards of a proof may have together.
    #[error("{members} members of all boards together; at most {MAX_PROOF_MEMBERS} are checked")]
    TooManyMembers {
        /// Members of the boards up to the one that is too much.
        members: usize,
    },
    /// The verifier does not know the board of an entity that does not prove itself by its hash.
    #[error("the board of entity {entity} is not known here; it is read from the depositary's registry")]
    UnknownBoard {
        /// Which.
        entity: EntityId,
    },
    /// The proof was made with another board of the entity than the verifier knows.
    #[error("the proof was made with board {named} of entity {entity}, its board here is {known}")]
    OtherBoard {
        /// Which entity.
        entity: EntityId,
        /// Hash of the board in the proof.
        named: Hash,
        /// Hash of the board that the verifier knows.
        known: Hash,
    },
    /// A board that cannot exist.
    #[error("the board of entity {entity} is unsound: {reason}")]
    Unsound {
        /// Whose.
        entity: EntityId,
        /// Why.
        reason: BoardError,
    },
    /// The same entity's board twice.
    #[error("the board of entity {entity} is in the proof twice")]
    BoardTwice {
        /// Whose.
        entity: EntityId,
    },
    /// A board of an entity that is no member of an earlier board of the proof.
    #[error("entity {entity} is no member of any earlier board of the proof")]
    NotNested {
        /// Which.
        entity: EntityId,
    },
    /// A bitmap of another length than the board needs.
    #[error("{bytes} bytes of marks for the board of entity {entity}, which needs {expected}")]
    Bitmap {
        /// Whose board.
        entity: EntityId,
        /// Bytes given.
        bytes: usize,
        /// Bytes needed: one bit per member.
        expected: usize,
    },
    /// A mark at a position without a member.
    #[error("a mark at position {position} of the board of entity {entity}, where nobody is")]
    UnknownMember {
        /// Whose board.
        entity: EntityId,
        /// Position in it.
        position: usize,
    },
    /// A mark at a member that is an entity: its own board says whether it signed.
    #[error(
        "a mark at position {position} of the board of entity {entity}, where an entity stands, which has no key"
    )]
    NotAPerson {
        /// Whose board.
        entity: EntityId,
        /// Position in it.
        position: usize,
    },
    /// A mark at a member who may not vote.
    #[error("a mark at position {position} of the board of entity {entity}, whose member may not vote")]
    MayNotVote {
        /// Whose board.
        entity: EntityId,
        /// Position in it.
        position: usize,
    },
    /// A mark at a second place of a person: it is marked where it stands first, and counts in every board.
    #[error(
        "a mark at position {position} of the board of entity {entity}, whose member stands in an earlier board too; mark it there only"
    )]
    Duplicate {
        /// Whose board.
        entity: EntityId,
        /// Position in it.
        position: usize,
    },
    /// Not one signature for each marked person whose key is no BLS key.
    #[error("{given} single signatures for {signers} marked keys of ed25519 or secp256k1")]
    SignatureCount {
        /// Signatures given.
        given: usize,
        /// Signatures needed.
        signers: usize,
    },
    /// An aggregate although no BLS key is marked, or none although some are.
    #[error("{signers} BLS keys are marked, and the aggregate of their signatures is {}", if *signers == 0 { "there" } else { "missing" })]
    Aggregate {
        /// BLS keys marked.
        signers: usize,
    },
    /// A single signature that its signer did not make over this statement.
    #[error("signature of {signer}: {reason}")]
    Signature {
        /// Whose.
        signer: SignerId,
        /// Why.
        reason: SignatureError,
    },
    /// The aggregate is not the sum of the signatures of all marked BLS keys over this statement.
    #[error("aggregate of {signers} signatures: {reason}")]
    AggregateSignature {
        /// BLS keys marked.
        signers: usize,
        /// Why.
        reason: SignatureError,
    },
}
