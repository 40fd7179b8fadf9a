//! Payments of this entity.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, AssetId, BoundedVec, ConstU32, EntityId, Timestamp};

use crate::{
    PaymentHash, Preimage,
    call::RouteHop,
    htlc::{Failure, MAX_HOPS},
};

/// A payment with a condition, made by this entity.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Payment {
    /// Its number; the first is 1.
    pub number: u64,
    /// The lock; `None` until the payee answered.
    pub hash: Option<PaymentHash>,
    /// The payee.
    pub to: EntityId,
    /// The asset.
    pub asset: AssetId,
    /// What the payee gets.
    pub amount: Amount,
    /// What the forwarders take.
    pub fee: Amount,
    /// The forwarders.
    pub route: BoundedVec<RouteHop, ConstU32<MAX_HOPS>>,
    /// How long the payee has, in ms.
    pub timeout_ms: u64,
    /// How it stands.
    pub status: PaymentStatus,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it succeeded or failed.
    pub resolved: Option<Timestamp>,
}

/// How a payment stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub enum PaymentStatus {
    /// It waits for the payee's hash; nothing is held.
    #[codec(index = 0)]
    Requested,
    /// Its HTLC is on the way.
    #[codec(index = 1)]
    Pending,
    /// The payee was paid.
    #[codec(index = 2)]
    Succeeded {
        /// The proof of payment.
        preimage: Preimage,
    },
    /// Nothing was paid.
    #[codec(index = 3)]
    Failed {
        /// Why and where.
        failure: Failure,
    },
}
