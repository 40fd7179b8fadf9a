//! Forwarding: an HTLC from one channel goes on in another, and its end comes back.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, AssetId, ChannelId, Timestamp};

use crate::{
    PaymentHash,
    htlc::{Failure, Slot},
};

/// A payment that this entity carries from one channel to another.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Forward {
    /// Its number; the first is 1.
    pub number: u64,
    /// The lock.
    pub hash: PaymentHash,
    /// The asset.
    pub asset: AssetId,
    /// Where it comes from.
    pub inbound: ChannelId,
    /// Its place there.
    pub inbound_slot: Slot,
    /// Where it goes.
    pub outbound: ChannelId,
    /// What goes on.
    pub amount: Amount,
    /// What stays.
    pub fee: Amount,
    /// How it stands.
    pub status: ForwardStatus,
    /// When it arrived.
    pub created: Timestamp,
    /// When it was decided.
    pub resolved: Option<Timestamp>,
}

/// How a forward stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub enum ForwardStatus {
    /// It is on the way.
    #[codec(index = 0)]
    Pending,
    /// The preimage came back.
    #[codec(index = 1)]
    Succeeded,
    /// It failed.
    #[codec(index = 2)]
    Failed {
        /// Why and where.
        failure: Failure,
    },
}
