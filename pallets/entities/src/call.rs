//! What an entity can be asked to do with itself.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::Board;

use crate::Metadata;

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
    /// [`crate::Error::OriginNotAllowed`], [`crate::Error::Board`].
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
}
