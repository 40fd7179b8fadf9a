//! What members of a board send each other, directly, to decide one height.

use std::sync::Arc;

use codec::{Decode, Encode};
use xln_primitives::{Certificate, DecodeError, EntityId, FrameHash, Height, Round, decode_exact};

use crate::{Ballot, MESSAGE_BYTES_MAX, Offer, Polka, RoundCertificate, Signed};

/// The bytes of a frame: header and inputs, as the runtime encodes them. Opaque here; shared, since one body is in the
/// instance, in the log and on the wire at once.
pub type Body = Arc<Vec<u8>>;

/// A message about one height of one entity.
///
/// Who sent it is known from the connection. Proposals and votes are signed by their authors and may be carried by
/// others; certificates consist of such votes; a request is answered to whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BoardMessage {
    /// Whose board.
    pub entity: EntityId,
    /// Which height.
    pub height: Height,
    /// What.
    pub content: Content,
}

/// What is said about a height.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Content {
    /// A proposal, with the body of its frame.
    #[codec(index = 0x10)]
    Proposal {
        /// The signed proposal.
        offer: Signed<Offer>,
        /// The frame.
        body: Body,
    },
    /// A vote.
    #[codec(index = 0x11)]
    Vote(Signed<Ballot>),
    /// The frame that was decided, for whoever still votes on it.
    #[codec(index = 0x12)]
    Decided {
        /// Its hash.
        frame: FrameHash,
        /// The board's commitment to it.
        certificate: Certificate,
        /// The frame.
        body: Body,
    },
    /// Prevotes of a quorum, so that everybody may lock on, or be freed for, the frame.
    #[codec(index = 0x13)]
    Polka(Polka),
    /// Votes that let a member enter a round.
    #[codec(index = 0x14)]
    RoundCertificate(RoundCertificate),
    /// "Send me the proposal of this frame in this round": it was voted on and never arrived.
    #[codec(index = 0x15)]
    Request {
        /// The round.
        round: Round,
        /// The frame.
        frame: FrameHash,
    },
}

impl BoardMessage {
    /// Reads one message: at most [`MESSAGE_BYTES_MAX`] bytes, and only the bytes that encoding produces.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_exact(bytes, MESSAGE_BYTES_MAX)
    }
}
