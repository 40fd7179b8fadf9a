//! Invoices of this entity: what it waits to be paid for.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, AssetId, BoundedVec, ChannelId, ConstU32, Timestamp};

use crate::{PaymentHash, Preimage, call::MAX_DESCRIPTION, htlc::Slot};

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Invoice {
    /// Its lock.
    pub hash: PaymentHash,
    /// What opens it; `None` if the preimage is kept elsewhere. Not to be shown to anybody but the entity.
    pub preimage: Option<Preimage>,
    /// The asset.
    pub asset: AssetId,
    /// How much; `None` for any sum.
    pub amount: Option<Amount>,
    /// For the payer to read, UTF-8.
    pub description: BoundedVec<u8, ConstU32<MAX_DESCRIPTION>>,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it can be paid.
    pub expires: Timestamp,
    /// How it stands.
    pub status: InvoiceStatus,
}

/// How an invoice stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub enum InvoiceStatus {
    /// It can be paid until it expires.
    #[codec(index = 0)]
    Open,
    /// An HTLC for it is pending.
    #[codec(index = 1)]
    Accepted {
        /// In this channel.
        channel: ChannelId,
        /// At this place.
        slot: Slot,
        /// The sum.
        amount: Amount,
    },
    /// It was paid.
    #[codec(index = 2)]
    Paid {
        /// The sum.
        amount: Amount,
        /// When.
        at: Timestamp,
    },
    /// It was withdrawn.
    #[codec(index = 3)]
    Cancelled,
}
