//! What this pallet reports.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{EntityId, Hash};

use crate::Metadata;

/// Something that happened to an entity.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Event {
    /// A lazy entity exists.
    Created {
        /// The entity: the hash of its board.
        entity: EntityId,
    },
    /// The depositary's registry has a new entry.
    Registered {
        /// The identifier that it gave.
        entity: EntityId,
        /// Hash of the board that speaks for it.
        board_hash: Hash,
    },
    /// The entity says something new of itself.
    MetadataSet(Metadata),
}
