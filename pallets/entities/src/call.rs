//! What an entity can be asked to do with itself.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::Board;

use crate::{BoardChange, Metadata};

/// A call of this pallet. The codes are those of the wire.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Call {
    /// Creates an entity with this board.
    ///
    /// Signed to the lazy entity `board.entity()` itself, it declares that entity created, once, and emits
    /// [`crate::Event::Created`]. At the depositary, from one of its signers or by message from any entity, it
    /// registers the board under the next number and emits [`crate::Event::Registered`].
    ///
    /// Errors: [`crate::Error::OtherBoard`], [`crate::Error::AlreadyCreated`], [`crate::Error::NotFounded`],
    /// [`crate::Error::OriginNotAllowed`], [`crate::Error::Board`], [`crate::Error::Cycle`], [`crate::Error::TooDeep`],
    /// [`crate::Error::TooWide`].
    #[codec(index = 0x01)]
    Create {
        /// Who shall speak for the entity.
        board: Board,
    },
    /// Replaces what the entity says of itself; by its own board only.
    ///
    /// Errors: [`crate::Error::OriginNotAllowed`], [`crate::Error::NotText`].
    #[codec(index = 0x02)]
    SetMetadata(Metadata),
    /// Changes the board of a registered entity, or of the depositary; by its own board only. Emits
    /// [`crate::Event::BoardChanged`]. The next frame is certified by the new board.
    ///
    /// Errors: [`crate::Error::OriginNotAllowed`], [`crate::Error::LazyBoard`], [`crate::Error::NoSuchMember`],
    /// [`crate::Error::BoardIsFull`], [`crate::Error::NothingChanges`], [`crate::Error::Cycle`], [`crate::Error::Board`],
    /// [`crate::Error::CannotAgree`], [`crate::Error::NobodyProposes`], [`crate::Error::LosesQuorum`].
    #[codec(index = 0x03)]
    ChangeBoard(BoardChange),
    /// Tells the depositary's registry the board that speaks for a registered entity after the frame that says this; by
    /// message of that entity only. Emits [`crate::Event::Updated`].
    ///
    /// The entity has changed already, so a board that stands on itself or nests too deep is entered all the same, with
    /// [`crate::Event::NestingFault`]: members who lead back contribute nothing wherever it is evaluated.
    ///
    /// Errors: [`crate::Error::OriginNotAllowed`], [`crate::Error::NotRegistered`], [`crate::Error::Outdated`],
    /// [`crate::Error::Board`].
    #[codec(index = 0x04)]
    Update {
        /// Who speaks for it now.
        board: Board,
    },
}
