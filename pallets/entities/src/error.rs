//! Why this pallet refuses.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{
    ArithmeticError, BoardError, Corrupt, EntityId, Nonce, Origin, Sequence, SignerId, Weight,
};

/// A refusal. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, thiserror::Error)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Error {
    /// The board cannot exist.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The members of a board of several sign one aggregated certificate, so a quorum of them needs BLS keys.
    #[error(
        "members with BLS keys who may vote have weight {voting} of the {quorum} that order frames: the others need the \
         delegate key of a server"
    )]
    CannotAgree {
        /// Weight of those who can vote on frames.
        voting: Weight,
        /// The quorum.
        quorum: Weight,
    },
    /// The entity has a board already.
    #[error("the entity has been founded already")]
    AlreadyFounded,
    /// The entity was created already.
    #[error("{entity} has been created already")]
    AlreadyCreated {
        /// The entity.
        entity: EntityId,
    },
    /// The entity does not exist here.
    #[error("the entity has no board here: create it first")]
    NotFounded,
    /// The board that was sent names another entity than the one that was called.
    #[error("this board is that of entity {found}, but the call was sent to {expected}")]
    OtherBoard {
        /// The entity that was called.
        expected: EntityId,
        /// The entity of the board.
        found: EntityId,
    },
    /// Somebody who may not ask for this.
    #[error("{} may not ask for this: only the entity's own board may", describe(.origin))]
    OriginNotAllowed {
        /// Who asked.
        origin: Origin,
    },
    /// The signer is no member of the board.
    #[error("signer {signer} is not a member of the entity's board")]
    NotAMember {
        /// The signer.
        signer: SignerId,
    },
    /// The nonce was used before.
    #[error("nonce {found} was used already, the next one is {expected}")]
    NonceTooLow {
        /// The nonce that is next.
        expected: Nonce,
        /// The nonce of the call.
        found: Nonce,
    },
    /// Calls before this one are missing.
    #[error("nonce {found} leaves a gap, the next one is {expected}: send the calls between first")]
    NonceGap {
        /// The nonce that is next.
        expected: Nonce,
        /// The nonce of the call.
        found: Nonce,
    },
    /// A message that was executed already.
    #[error("message {found} from {from} was executed already, the last one was {last}")]
    Repeated {
        /// The sender.
        from: EntityId,
        /// The sequence that was executed last.
        last: Sequence,
        /// The sequence of the message.
        found: Sequence,
    },
    /// Messages before this one are missing.
    #[error("message {found} from {from} leaves a gap, the next one is {expected}")]
    SequenceGap {
        /// The sender.
        from: EntityId,
        /// The sequence that is next.
        expected: Sequence,
        /// The sequence of the message.
        found: Sequence,
    },
    /// Metadata that is no text.
    #[error("name and description must be UTF-8 text without control characters")]
    NotText,
    /// A counter is at its end.
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
    /// The state is damaged.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

fn describe(origin: &Origin) -> String {
    match origin {
        Origin::Signer(signer) => format!("signer {signer}"),
        Origin::Entity(entity) => format!("entity {entity}"),
        Origin::Board => "the board".into(),
        Origin::Server => "the server".into(),
    }
}
