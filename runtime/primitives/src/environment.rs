//! What a pallet sees of the machine that runs it.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};

use crate::{EntityId, Hash, Network, SignerId, Storage, Timestamp};

/// On whose behalf a call runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Origin {
    /// A member of the entity's board, by a signed call.
    #[codec(index = 0)]
    Signer(SignerId),
    /// Another entity, by an authenticated message.
    #[codec(index = 1)]
    Entity(EntityId),
    /// The entity's board as a whole, by a decided proposal.
    #[codec(index = 2)]
    Board,
    /// The server itself, by a logged input that proves itself (an expired deadline, say).
    #[codec(index = 3)]
    Server,
}

/// The state of one entity and the facts of the frame that is being made.
///
/// Everything is an input of the frame: two machines that execute the same frame see the same environment.
pub trait Environment: Storage {
    /// The network.
    fn network(&self) -> Network;
    /// The entity whose frame it is.
    fn entity(&self) -> EntityId;
    /// The frame's timestamp; grows strictly from frame to frame.
    fn now(&self) -> Timestamp;
    /// A secret that nobody could know before this frame, different for each `purpose`. It is derived from
    /// randomness that the server logged as an input.
    fn secret(&self, purpose: &[u8]) -> Hash;
}
