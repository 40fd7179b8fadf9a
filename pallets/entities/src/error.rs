//! Why this pallet refuses.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{
    ArithmeticError, BoardError, Corrupt, EntityId, Height, Nonce, Origin, Principal, Sequence, SignerId,
    Weight,
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
    /// The identifier of a lazy entity is the hash of its board.
    #[error("{entity} is the hash of its board and keeps it; register an entity whose board shall change")]
    LazyBoard {
        /// The entity.
        entity: EntityId,
    },
    /// Nobody of that name stands in the board.
    #[error("{who} is not a member of the board")]
    NoSuchMember {
        /// Who is meant.
        who: Principal,
    },
    /// A board has at most 256 members.
    #[error("the board has 256 members already")]
    BoardIsFull,
    /// The board is that already.
    #[error("the board would be the one that it is")]
    NothingChanges,
    /// Too few of those who vote now vote on the new board too: if no newcomer showed up, no frame would ever come.
    #[error(
        "the voters that stay have weight {staying} on the new board, whose quorum is {quorum}: change it in smaller steps"
    )]
    LosesQuorum {
        /// Weight of those who stay, of each the smaller of before and after.
        staying: Weight,
        /// Quorum of the new board.
        quorum: Weight,
    },
    /// Nobody who votes on frames may propose one.
    #[error("none of those who are sure to vote on frames may propose one")]
    NobodyProposes,
    /// The entity would stand on its own board.
    #[error("the board of {entity} leads back to {entity}")]
    Cycle {
        /// The entity.
        entity: EntityId,
    },
    /// Boards stand on boards at too many levels.
    #[error("boards stand on each other at more than {max} levels")]
    TooDeep {
        /// Most levels.
        max: u32,
    },
    /// Too many members in all boards on which this one stands.
    #[error("the boards below this one have more than {max} members together")]
    TooWide {
        /// Most members.
        max: u32,
    },
    /// Not an entity of the registry.
    #[error("{entity} is not in the registry")]
    NotRegistered {
        /// Who asked.
        entity: EntityId,
    },
    /// The registry knows a later board.
    #[error("the board of frame {found} came after that of frame {last}")]
    Outdated {
        /// The frame in which the board changed that is known.
        last: Height,
        /// The frame that was found.
        found: Height,
    },
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
