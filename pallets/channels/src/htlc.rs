//! Pending payments: a sum that is held until a preimage is shown, its beneficiary gives up, or its expiry is
//! proven.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{
    Amount, AssetId, BoundedVec, ConstU32, EntityId, Hash, Height, Side, Timestamp, commitment,
};

use crate::{PaymentHash, Preimage};

/// Place of an HTLC in its channel; always the lowest free one when it was added.
pub type Slot = u16;

/// Most hops of a route.
pub const MAX_HOPS: u32 = 20;

/// The agreed terms of an HTLC, as the state commits to them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct HtlcTerms {
    /// Who pays.
    pub payer: Side,
    /// Of which asset.
    pub asset: AssetId,
    /// How much.
    pub amount: Amount,
    /// The lock.
    pub hash: PaymentHash,
    /// Depositary time from which on the payer may take it back, with proof.
    pub deadline: Timestamp,
}

impl HtlcTerms {
    /// The leaf of the conditions' root: [`commitment`] hash over ABI words
    /// `(uint256 kind = 0, bool payerIsLeft, bytes32 asset, uint256 amount, bytes32 hash, uint256 deadline)`.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        let mut words = [[0; 32]; 6];
        words[1][31] = u8::from(self.payer == Side::Left);
        words[2] = *self.asset.as_bytes();
        words[3][16..].copy_from_slice(&self.amount.get().to_be_bytes());
        words[4] = *self.hash.as_bytes();
        words[5][24..].copy_from_slice(&self.deadline.as_millis().to_be_bytes());
        commitment(words.as_flattened())
    }
}

/// One step of the way from the beneficiary of an HTLC to the payee.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Hop {
    /// To whom it goes.
    pub to: EntityId,
    /// How much.
    pub amount: Amount,
    /// Until when.
    pub deadline: Timestamp,
}

/// The rest of the way; empty for the payee.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Onward {
    /// The hops, nearest first.
    pub hops: BoundedVec<Hop, ConstU32<MAX_HOPS>>,
}

/// Why a payment did not go through, and where.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, thiserror::Error)]
#[error("{reason} (at hop {hop})")]
pub struct Failure {
    /// Hops from the payer to where it failed: 0 is the payer itself, 1 its first peer.
    pub hop: u8,
    /// Why.
    pub reason: FailReason,
}

impl Failure {
    /// A failure at the entity that reports it.
    #[must_use]
    pub fn here(reason: FailReason) -> Self {
        Self { hop: 0, reason }
    }

    /// The same failure, told one hop further back.
    #[must_use]
    pub fn one_hop_back(self) -> Self {
        Self { hop: self.hop.saturating_add(1), ..self }
    }
}

/// Why a payment did not go through.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, thiserror::Error)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum FailReason {
    /// The fee is below the forwarder's policy.
    #[error("the forwarder takes a fee of {needed}, {offered} was offered; raise the fee of that hop")]
    FeeTooLow {
        /// Fee by its policy.
        needed: Amount,
        /// Fee in the route.
        offered: Amount,
    },
    /// The next channel cannot carry the sum.
    #[error("needs {needed}, the channel can carry {available} now")]
    InsufficientCapacity {
        /// The sum.
        needed: Amount,
        /// What can be sent.
        available: Amount,
    },
    /// Not enough time between this deadline and the next one, or until it.
    #[error("the deadline must be at {needed} or later, it is at {found}")]
    DeadlineTooSoon {
        /// Earliest acceptable deadline.
        needed: Timestamp,
        /// Deadline found.
        found: Timestamp,
    },
    /// It would lock the sum for too long.
    #[error("the deadline must be at {limit} or earlier, it is at {found}")]
    DeadlineTooFar {
        /// Latest acceptable deadline.
        limit: Timestamp,
        /// Deadline found.
        found: Timestamp,
    },
    /// The forwarder has no channel of this asset with the next hop.
    #[error("no channel with {to} in this asset")]
    UnknownNextHop {
        /// The next hop.
        to: EntityId,
    },
    /// The payee has no invoice of this hash.
    #[error("the payee knows no invoice of this hash")]
    UnknownInvoice,
    /// The invoice was paid, or is being paid.
    #[error("the invoice is already paid or being paid")]
    AlreadyPaid,
    /// The invoice is not payable any more.
    #[error("the invoice expired at {expired}")]
    InvoiceExpired {
        /// When.
        expired: Timestamp,
    },
    /// The invoice asks for another sum.
    #[error("the invoice asks for {expected}, {found} arrived")]
    WrongAmount {
        /// Sum of the invoice.
        expected: Amount,
        /// Sum of the HTLC.
        found: Amount,
    },
    /// The invoice asks for another asset.
    #[error("the invoice asks for asset {expected}")]
    WrongAsset {
        /// Asset of the invoice.
        expected: AssetId,
    },
    /// Below or above what the receiver takes in one HTLC.
    #[error("{found} is outside of {min} to {max} per HTLC")]
    OutsideLimits {
        /// Smallest sum.
        min: Amount,
        /// Largest sum.
        max: Amount,
        /// Sum of the HTLC.
        found: Amount,
    },
    /// The receiver has too many pending HTLCs in this channel.
    #[error("{pending} HTLCs are pending, the limit is {limit}; try again later")]
    TooManyPending {
        /// Pending now.
        pending: u32,
        /// The limit.
        limit: u32,
    },
    /// The channel is closing, frozen or has a full queue.
    #[error("the channel takes no payments now")]
    ChannelUnavailable,
    /// The deadline passed, proven by the depositary.
    #[error("expired at {deadline}")]
    Expired {
        /// The deadline.
        deadline: Timestamp,
    },
    /// The payee or payer gave up.
    #[error("cancelled")]
    Cancelled,
}

/// What one side remembers of an HTLC beside its terms.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum HtlcRole {
    /// This entity pays it.
    #[codec(index = 0)]
    Outbound(Cause),
    /// This entity is its beneficiary.
    #[codec(index = 1)]
    Inbound(Progress),
}

/// Why this entity pays an HTLC.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Cause {
    /// A payment of its own, by number.
    #[codec(index = 0)]
    Payment(u64),
    /// It forwards, by number.
    #[codec(index = 1)]
    Forward(u64),
    /// Its expiry was proven and whoever waited was told; only its removal is open.
    #[codec(index = 2)]
    ExpiryProven,
}

/// What the beneficiary does about an HTLC.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Progress {
    /// It waits for its invoice's preimage or for the user's decision.
    #[codec(index = 0)]
    Held,
    /// It was forwarded, by number.
    #[codec(index = 1)]
    Forwarded(u64),
    /// The preimage is known and the fulfilment on its way.
    #[codec(index = 2)]
    Fulfilling {
        /// The preimage.
        preimage: Preimage,
        /// Whether it was also published at the depositary, before the deadline.
        revealed: bool,
        /// Number of the forward that it completes, if it is one.
        forward: Option<u64>,
    },
    /// The failure is on its way.
    #[codec(index = 3)]
    Failing,
}

/// An HTLC as one side stores it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Htlc {
    /// What both sides agreed.
    pub terms: HtlcTerms,
    /// Height of the channel frame that added it; tells it from an earlier one in the same slot.
    pub added: Height,
    /// This side's part.
    pub role: HtlcRole,
}
