//! What entities say to each other about channels and payments.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, AssetId, ChannelId, Hash, Height, Kind, Timestamp};

use crate::{PaymentHash, frame::ChannelFrame, settlement::Settled, transition::Proof};

/// A message to a peer. Indices are the peer message codes of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum PeerMessage {
    /// Proposes a step of the channel.
    #[codec(index = 0x20)]
    Frame(ChannelFrame),
    /// Commits to a step that the peer proposed.
    #[codec(index = 0x21)]
    Ack(Ack),
    /// The depositary ended this life of the channel; sent before anything of the next life.
    #[codec(index = 0x22)]
    Closed {
        /// What the depositary says.
        settled: Settled,
        /// Certified by it.
        proof: Proof,
    },
    /// Asks a payee for a payment hash.
    #[codec(index = 0x23)]
    InvoiceRequest {
        /// The payer's number of the payment.
        request: u64,
        /// Asset to be paid.
        asset: AssetId,
        /// How much the payee shall get.
        amount: Amount,
    },
    /// Answers [`PeerMessage::InvoiceRequest`].
    #[codec(index = 0x24)]
    InvoiceIssued {
        /// The payer's number of the payment.
        request: u64,
        /// The lock.
        hash: PaymentHash,
        /// Until when the payee takes it.
        expires: Timestamp,
    },
}

/// A commitment to the peer's frame, with the next frame if there is something to say.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Ack {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: u32,
    /// The step.
    pub height: Height,
    /// The state after it.
    pub state_hash: Hash,
    /// The next step, proposed by the side that acknowledges. The receiver answers it before it proposes again.
    pub next: Option<ChannelFrame>,
}

impl Kind for PeerMessage {
    fn kind(&self) -> u8 {
        match self {
            Self::Frame(_) => 0x20,
            Self::Ack(_) => 0x21,
            Self::Closed { .. } => 0x22,
            Self::InvoiceRequest { .. } => 0x23,
            Self::InvoiceIssued { .. } => 0x24,
        }
    }
}
