//! What an entity's signers may ask it to do with its channels.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, AssetId, BoundedVec, ConstU32, EntityId, Timestamp};

use crate::{PaymentHash, Preimage, htlc::MAX_HOPS, policy::Policy, settlement::MAX_ASSETS};

/// Longest description of an invoice, in bytes of UTF-8.
pub const MAX_DESCRIPTION: u32 = 640;

/// A call; indices are the transaction type codes of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Call {
    /// Opens a channel, or adds assets to one, and grants the peer credit: the peer may owe us up to the limits.
    /// Emits `ChannelOpened` and `CreditLimitSet` once the peer acknowledged.
    #[codec(index = 0x10)]
    Open {
        /// With whom.
        peer: EntityId,
        /// The assets and what the peer may owe of each.
        credits: BoundedVec<Credit, ConstU32<MAX_ASSETS>>,
    },
    /// Changes what the peer may owe.
    #[codec(index = 0x11)]
    SetCreditLimit {
        /// Whose limit.
        peer: EntityId,
        /// The new limit.
        credit: Credit,
    },
    /// Ends the channel by agreement and settles with the depositary. Fails while HTLCs are pending or somebody
    /// owes more than the collateral.
    #[codec(index = 0x12)]
    Close {
        /// With whom.
        peer: EntityId,
    },
    /// Asks the peer to lock collateral.
    #[codec(index = 0x13)]
    RequestCollateral {
        /// Whom.
        peer: EntityId,
        /// The asset.
        asset: AssetId,
        /// How much more.
        amount: Amount,
    },
    /// Sets the entity's fees and limits.
    #[codec(index = 0x14)]
    SetPolicy {
        /// The new policy.
        policy: Policy,
    },
    /// Pays the peer of a channel at once, without a condition.
    #[codec(index = 0x20)]
    PayDirect {
        /// The peer.
        to: EntityId,
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
    /// Pays somebody along a route. Without a hash, the payee is asked for one first.
    #[codec(index = 0x21)]
    Pay {
        /// The payee.
        to: EntityId,
        /// The asset.
        asset: AssetId,
        /// What the payee gets.
        amount: Amount,
        /// The forwarders, nearest first; empty for the peer of a channel.
        route: BoundedVec<RouteHop, ConstU32<MAX_HOPS>>,
        /// The lock of the payee's invoice.
        hash: Option<PaymentHash>,
        /// The most that all forwarders together may take.
        max_fee: Amount,
        /// How long the payee has to fulfil, in ms; forwarders' times are added.
        timeout_ms: u64,
    },
    /// Shows the preimage of an invoice that was made with a hash only.
    #[codec(index = 0x22)]
    Fulfil {
        /// The preimage.
        preimage: Preimage,
    },
    /// Gives up a payment: as payee, an HTLC that waits for a preimage; as payer, a payment that waits for its
    /// invoice. What was sent binds and cannot be cancelled by its payer.
    /// From its deadline on, an HTLC waits until the depositary's word is in: the preimage may have been published.
    #[codec(index = 0x23)]
    Cancel {
        /// The payment.
        hash: PaymentHash,
    },
    /// Makes an invoice. Emits `InvoiceIssued`.
    #[codec(index = 0x24)]
    CreateInvoice {
        /// The asset.
        asset: AssetId,
        /// How much; `None` for any sum.
        amount: Option<Amount>,
        /// The lock, if the preimage is kept elsewhere: the payment then waits for `Fulfil` or `Cancel`.
        hash: Option<PaymentHash>,
        /// For the payer to read.
        description: BoundedVec<u8, ConstU32<MAX_DESCRIPTION>>,
        /// Until when it can be paid.
        expires: Timestamp,
    },
    /// Withdraws an invoice that is not being paid.
    #[codec(index = 0x25)]
    CancelInvoice {
        /// The invoice.
        hash: PaymentHash,
    },
    /// Gives up a payment that still waits for an invoice.
    #[codec(index = 0x26)]
    CancelPayment {
        /// Its number.
        payment: u64,
    },
}

/// What the peer may owe of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Credit {
    /// The asset.
    pub asset: AssetId,
    /// The limit.
    pub limit: Amount,
}

/// A forwarder on a route, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct RouteHop {
    /// The forwarder.
    pub via: EntityId,
    /// Its fee.
    pub fee: Amount,
    /// Its time between incoming and outgoing deadline, in ms.
    pub timelock_delta_ms: u64,
}
