//! What two servers say to each other about messages between their entities.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{BoundedVec, ConstU32};

use super::{Position, Stream};
use crate::{Code, Envelope, EnvelopeError};

/// Most messages of a batch.
pub const BATCH_MAX: u32 = 1_000;

/// A message and its place.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Item {
    /// Its place.
    pub position: Position,
    /// The message. Delivery does not look into it.
    pub bytes: Vec<u8>,
}

/// Messages in order: all that the sender has between `after` and the last of them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Batch {
    /// The counting of positions.
    pub stream: Stream,
    /// Up to where the receiver has acknowledged, as far as the sender knows. A receiver that has forgotten where it
    /// stood goes on from here.
    pub acknowledged: Position,
    /// Where the message before the first one stands. Never before `acknowledged`.
    pub after: Position,
    /// The messages, 1 to [`BATCH_MAX`], with growing positions after `after`.
    pub items: BoundedVec<Item, ConstU32<BATCH_MAX>>,
}

/// Everything up to a position is durable at the receiver and need not be kept any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Acknowledgement {
    /// The counting of positions.
    pub stream: Stream,
    /// The position.
    pub upto: Position,
}

/// Either of the two. Each may be lost, repeated and overtaken.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Packet {
    /// From the sender of messages.
    #[codec(index = 0)]
    Batch(Batch),
    /// From their receiver.
    #[codec(index = 1)]
    Acknowledgement(Acknowledgement),
}

impl Packet {
    pub(crate) fn envelope(&self) -> Envelope {
        Envelope { code: self.code(), body: self.encode() }
    }

    pub(crate) fn from_envelope(envelope: &Envelope) -> Result<Self, EnvelopeError> {
        let packet: Self = envelope.value()?;
        let fits = packet.code() == envelope.code;
        if fits { Ok(packet) } else { Err(EnvelopeError::Code(envelope.code as u8)) }
    }

    const fn code(&self) -> Code {
        match self {
            Self::Batch(_) => Code::ChannelMessage,
            Self::Acknowledgement(_) => Code::ChannelAck,
        }
    }
}

impl Batch {
    /// The last position; `None` if the batch is not what it claims to be.
    pub(super) fn last(&self) -> Option<Position> {
        let mut last = self.after;
        if self.items.is_empty() || self.acknowledged > self.after {
            return None;
        }
        for item in &self.items {
            if item.position <= last {
                return None;
            }
            last = item.position;
        }
        Some(last)
    }

    /// Bytes of all messages.
    pub(super) fn bytes(&self) -> usize {
        self.items.iter().map(|item| item.bytes.len()).sum()
    }
}
