//! What this pallet reports.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{EntityId, Hash, Height};

use crate::{Error, Metadata};

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
    /// Another board speaks for the entity.
    BoardChanged {
        /// Its hash.
        board_hash: Hash,
        /// The last height that the board before certifies.
        last_height: Height,
    },
    /// The depositary's registry has another board for an entity.
    Updated {
        /// Whose.
        entity: EntityId,
        /// Its hash.
        board_hash: Hash,
        /// The last height that the board before certifies.
        last_height: Height,
    },
    /// The board that an entity has now stands on itself, or nests deeper or wider than is evaluated.
    NestingFault {
        /// Which entity.
        entity: EntityId,
        /// What is wrong.
        fault: Error,
    },
}
