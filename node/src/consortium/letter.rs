//! What one server tells another for an entity: a message with the board of its sender, or that it is time.

use std::sync::Arc;

use codec::{Decode, Encode};
use xln_primitives::{Board, CertifiedMessage, EntityId, Timestamp, decode_exact};
use xln_runtime::{RuntimeMessage, SignedCall};

use super::{home::Home, voting_server::VoterClaim};

/// Most bytes of one.
pub(super) const LETTER_BYTES_MAX: usize = 1 << 20;

/// A message that proves itself to whoever knows its network.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct Letter {
    pub(super) message: Arc<CertifiedMessage<RuntimeMessage>>,
    pub(super) board: Board,
    /// Where its sender lives, if nobody else says so.
    pub(super) home: Option<Home>,
}

impl Letter {
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        decode_exact(bytes, LETTER_BYTES_MAX).ok()
    }
}

/// What a server tells those who vote for an entity.
#[derive(Debug, Clone, Encode, Decode)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub(super) enum Plea {
    /// Somebody said this to the entity.
    #[codec(index = 0)]
    Message(Letter),
    /// Something waits until the entity has a frame that is not before this time.
    #[codec(index = 1)]
    Time { entity: EntityId, at: Timestamp },
    /// A member of the board asks for this.
    #[codec(index = 2)]
    Call(Box<SignedCall>),
    /// The server that says this votes with a key.
    #[codec(index = 3)]
    Voter(Box<VoterClaim>),
}

impl Plea {
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        decode_exact(bytes, LETTER_BYTES_MAX).ok()
    }
}
