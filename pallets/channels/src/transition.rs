//! The moves of a channel.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, AssetId, BoundedVec, ConstU32, Timestamp};

use crate::{
    PaymentHash, Preimage,
    htlc::{Failure, Onward, Slot},
    settlement::Settled,
};

/// Most bytes of a proof from the depositary.
pub const MAX_PROOF_BYTES: u32 = 16 * 1024;

/// What the depositary certified, opaque to this crate.
pub type Proof = BoundedVec<u8, ConstU32<MAX_PROOF_BYTES>>;

/// One move. Its effect depends on the state, on the side that proposes it, and on nothing else.
///
/// Indices 7–11 are kept for swaps and subcontracts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Transition {
    /// Adds a subchannel of which nothing is locked, owed or allowed.
    #[codec(index = 0)]
    AddAsset {
        /// The asset.
        asset: AssetId,
    },
    /// Sets the most that the *other* side may owe. Any value, also below what it owes already: then nothing more
    /// can be drawn.
    #[codec(index = 1)]
    SetCreditLimit {
        /// The asset.
        asset: AssetId,
        /// The limit.
        limit: Amount,
    },
    /// Pays the other side at once.
    #[codec(index = 2)]
    Pay {
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
    /// Holds a sum of the proposer for whoever shows the preimage; it takes the lowest free slot.
    #[codec(index = 3)]
    HtlcAdd {
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// The lock.
        hash: PaymentHash,
        /// Until when, in depositary time.
        deadline: Timestamp,
        /// Where it goes from the other side.
        onward: Onward,
    },
    /// The beneficiary takes the sum.
    #[codec(index = 4)]
    HtlcFulfil {
        /// Which.
        slot: Slot,
        /// What opens the lock.
        preimage: Preimage,
    },
    /// The beneficiary gives up; at any time.
    #[codec(index = 5)]
    HtlcFail {
        /// Which.
        slot: Slot,
        /// Why and where.
        failure: Failure,
    },
    /// The payer takes the sum back, with proof that the deadline passed without the preimage at the depositary.
    #[codec(index = 6)]
    HtlcExpire {
        /// Which.
        slot: Slot,
        /// Certified by the depositary.
        proof: Proof,
    },
    /// Asks the other side to lock collateral for what it owes or will owe.
    #[codec(index = 12)]
    RequestCollateral {
        /// The asset.
        asset: AssetId,
        /// How much more.
        amount: Amount,
    },
    /// Takes over what the depositary says of collateral and `ondelta`.
    #[codec(index = 13)]
    SettlementApplied {
        /// What it says.
        settled: Settled,
        /// Certified by the depositary.
        proof: Proof,
    },
    /// Ends the life of the channel: each side gets its part of the collateral. Both sides derive the same
    /// settlement from the state.
    #[codec(index = 14)]
    CooperativeClose {
        /// Depositary time until which the settlement may be executed.
        expires: Timestamp,
    },
    /// Reopens a closing channel, with proof that its settlement expired without being executed.
    #[codec(index = 15)]
    SettlementLapsed {
        /// Certified by the depositary.
        proof: Proof,
    },
}
