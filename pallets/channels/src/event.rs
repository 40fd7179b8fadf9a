//! What happened, for whoever subscribes. Nothing is reported before both sides committed to it.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, AssetId, ChannelId, EntityId, Hash, Height, Timestamp};

use crate::{
    FrameFault, PaymentHash, Preimage,
    error::TransitionError,
    htlc::{Failure, Slot},
};

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Event {
    /// The first frame of a channel's life was committed.
    ChannelOpened {
        /// The channel.
        channel: ChannelId,
        /// The other side.
        peer: EntityId,
        /// Its life.
        epoch: u32,
    },
    /// A subchannel exists.
    AssetAdded {
        /// The channel.
        channel: ChannelId,
        /// The asset.
        asset: AssetId,
    },
    /// An entity may owe up to a new limit.
    CreditLimitSet {
        /// The channel.
        channel: ChannelId,
        /// The asset.
        asset: AssetId,
        /// Who may owe.
        debtor: EntityId,
        /// The limit.
        limit: Amount,
    },
    /// A frame was acknowledged, by us or by the peer.
    FrameCommitted {
        /// The channel.
        channel: ChannelId,
        /// The height reached.
        height: Height,
        /// The state reached.
        state_hash: Hash,
        /// Moves in it.
        transitions: u32,
    },
    /// An own move became impossible while it waited; it was not sent.
    TransitionDropped {
        /// The channel.
        channel: ChannelId,
        /// Why.
        error: TransitionError,
    },
    /// A direct payment was made.
    PaidDirect {
        /// The channel.
        channel: ChannelId,
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// Who paid.
        from: EntityId,
        /// Who was paid.
        to: EntityId,
    },
    /// A direct payment became impossible while it waited; nothing was paid.
    DirectPaymentFailed {
        /// The channel.
        channel: ChannelId,
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// Why.
        error: TransitionError,
    },
    /// A payment of this entity started, or waits for its invoice.
    PaymentStarted {
        /// Its number.
        payment: u64,
        /// Its lock, if known already.
        hash: Option<PaymentHash>,
        /// The payee.
        to: EntityId,
        /// The asset.
        asset: AssetId,
        /// What the payee gets.
        amount: Amount,
    },
    /// A payment of this entity arrived.
    PaymentSent {
        /// Its number.
        payment: u64,
        /// Its lock.
        hash: PaymentHash,
        /// The proof of payment.
        preimage: Preimage,
        /// The payee.
        to: EntityId,
        /// The asset.
        asset: AssetId,
        /// What the payee got.
        amount: Amount,
        /// What the forwarders took.
        fee: Amount,
    },
    /// A payment of this entity failed; nothing was paid.
    PaymentFailed {
        /// Its number.
        payment: u64,
        /// Its lock, if it came so far.
        hash: Option<PaymentHash>,
        /// Why and where.
        failure: Failure,
    },
    /// This entity was paid for an invoice.
    PaymentReceived {
        /// The channel.
        channel: ChannelId,
        /// The invoice.
        hash: PaymentHash,
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
    /// This entity forwarded a payment and was paid for it.
    PaymentForwarded {
        /// Number of the forward.
        forward: u64,
        /// From this channel.
        inbound: ChannelId,
        /// To this channel.
        outbound: ChannelId,
        /// The asset.
        asset: AssetId,
        /// What went on.
        amount: Amount,
        /// What stayed.
        fee: Amount,
    },
    /// A forward came back.
    ForwardFailed {
        /// Number of the forward.
        forward: u64,
        /// Its lock.
        hash: PaymentHash,
        /// Why and where.
        failure: Failure,
    },
    /// A sum is held.
    HtlcAdded {
        /// The channel.
        channel: ChannelId,
        /// Where.
        slot: Slot,
        /// The lock.
        hash: PaymentHash,
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// Until when.
        deadline: Timestamp,
        /// Who pays.
        payer: EntityId,
    },
    /// A held sum was taken by its beneficiary.
    HtlcFulfilled {
        /// The channel.
        channel: ChannelId,
        /// Where it was.
        slot: Slot,
        /// The lock.
        hash: PaymentHash,
    },
    /// A held sum went back, given up by its beneficiary.
    HtlcFailed {
        /// The channel.
        channel: ChannelId,
        /// Where it was.
        slot: Slot,
        /// The lock.
        hash: PaymentHash,
        /// Why and where.
        failure: Failure,
    },
    /// A held sum went back, its expiry proven.
    HtlcExpired {
        /// The channel.
        channel: ChannelId,
        /// Where it was.
        slot: Slot,
        /// The lock.
        hash: PaymentHash,
    },
    /// A preimage was published at the depositary because the peer was silent.
    PreimagePublished {
        /// The channel of the silent peer.
        channel: ChannelId,
        /// The slot.
        slot: Slot,
        /// The lock.
        hash: PaymentHash,
    },
    /// An invoice was made.
    InvoiceIssued {
        /// Its lock.
        hash: PaymentHash,
        /// The asset.
        asset: AssetId,
        /// How much; `None` for any sum.
        amount: Option<Amount>,
        /// Until when.
        expires: Timestamp,
    },
    /// An invoice was withdrawn.
    InvoiceCancelled {
        /// Its lock.
        hash: PaymentHash,
    },
    /// A payment waits for `Fulfil` or `Cancel`.
    PaymentHeld {
        /// The channel.
        channel: ChannelId,
        /// The slot.
        slot: Slot,
        /// The invoice.
        hash: PaymentHash,
        /// How much.
        amount: Amount,
        /// Until when.
        deadline: Timestamp,
    },
    /// Fees and limits changed.
    PolicySet,
    /// One side asks the other for collateral.
    CollateralRequested {
        /// The channel.
        channel: ChannelId,
        /// The asset.
        asset: AssetId,
        /// How much more.
        amount: Amount,
        /// Who asks.
        by: EntityId,
        /// Whether this entity locks it now, by its policy.
        granted: bool,
    },
    /// Collateral and `ondelta` follow a depositary event.
    SettlementApplied {
        /// The channel.
        channel: ChannelId,
        /// Number of the event.
        nonce: u64,
    },
    /// Both sides agreed to end the channel; the settlement is on its way.
    ChannelClosing {
        /// The channel.
        channel: ChannelId,
        /// Depositary time until which it may be executed.
        expires: Timestamp,
    },
    /// The settlement was not executed in time, or can no longer be; the channel works again.
    ChannelReopened {
        /// The channel.
        channel: ChannelId,
    },
    /// The life of the channel ended; a new one may start.
    ChannelClosed {
        /// The channel.
        channel: ChannelId,
        /// The life that ended.
        epoch: u32,
    },
    /// The peer broke the protocol; the evidence is kept and the channel stands still.
    ChannelFrozen {
        /// The channel.
        channel: ChannelId,
        /// What it did.
        fault: FrameFault,
    },
}
