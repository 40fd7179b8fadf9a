//! Why a call, a message or a move is refused.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{
    Amount, ArithmeticError, AssetId, ChannelId, Corrupt, EntityId, Hash, Height, Side, Timestamp,
};

use crate::{PaymentHash, htlc::Slot};

/// Why a call or message is refused. It changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, thiserror::Error)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Error {
    /// There is no channel with this peer.
    #[error("no channel with {peer}; open one first")]
    UnknownChannel {
        /// The peer.
        peer: EntityId,
    },
    /// There is no such channel here.
    #[error("channel {channel} does not exist here")]
    NoSuchChannel {
        /// The channel.
        channel: ChannelId,
    },
    /// An entity has no channel with itself and cannot pay itself.
    #[error("an entity has no channel with itself")]
    OwnEntity,
    /// The channel is closing.
    #[error("the channel is closing until {expires}")]
    Closing {
        /// When its settlement expires.
        expires: Timestamp,
    },
    /// The channel is frozen after a fault of the peer.
    #[error("the channel is frozen at height {height}; the depositary must decide")]
    Frozen {
        /// Last height that both sides committed to.
        height: Height,
    },
    /// Too many moves wait already.
    #[error("{queued} moves wait for the peer, the limit is {limit}; try again later")]
    QueueFull {
        /// Waiting.
        queued: u64,
        /// The limit.
        limit: u64,
    },
    /// The move is not possible in the present state.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// A call that asks for nothing.
    #[error("the call names no asset")]
    NothingToDo,
    /// A fee or sum does not fit.
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
    /// The route costs more than allowed.
    #[error("the route costs {needed}, at most {max_fee} is allowed")]
    FeeAboveLimit {
        /// Fees of the route.
        needed: Amount,
        /// Limit of the call.
        max_fee: Amount,
    },
    /// The time allowed for a payment is outside of the possible.
    #[error("{found_ms} ms is outside of {min_ms} to {max_ms} ms")]
    TimeoutOutOfRange {
        /// Asked for.
        found_ms: u64,
        /// Shortest.
        min_ms: u64,
        /// Longest.
        max_ms: u64,
    },
    /// The hash was paid, or is being paid.
    #[error("payment hash {hash} is already paid or being paid")]
    DuplicatePayment {
        /// The hash.
        hash: PaymentHash,
    },
    /// The hash has an invoice already.
    #[error("an invoice with hash {hash} exists")]
    DuplicateInvoice {
        /// The hash.
        hash: PaymentHash,
    },
    /// No payment with this hash can be cancelled.
    #[error("no payment or invoice of hash {hash} can be cancelled or fulfilled now")]
    UnknownPayment {
        /// The hash.
        hash: PaymentHash,
    },
    /// No payment with this number waits for an invoice of this payee.
    #[error("no payment {request} waits for an invoice")]
    UnknownRequest {
        /// The payer's number of the payment.
        request: u64,
    },
    /// The deadline passed.
    #[error("the deadline was {deadline}, it is {now}")]
    TooLate {
        /// The deadline.
        deadline: Timestamp,
        /// Time of the frame.
        now: Timestamp,
    },
    /// A policy that contradicts itself.
    #[error("the smallest HTLC {min} is above the largest {max}")]
    InvalidPolicy {
        /// Smallest.
        min: Amount,
        /// Largest.
        max: Amount,
    },
    /// The message is about another channel than that of sender and receiver.
    #[error("channel {channel} is not the one with {from}")]
    ForeignChannel {
        /// Channel in the message.
        channel: ChannelId,
        /// The sender.
        from: EntityId,
    },
    /// The frame names its receiver as proposer.
    #[error("the frame says that {proposer:?} proposed it, the sender is the other side")]
    WrongProposer {
        /// Side in the frame.
        proposer: Side,
    },
    /// The message is of another life of the channel.
    #[error("the message is of epoch {found}, the channel is in epoch {current}")]
    OtherEpoch {
        /// Epoch here.
        current: u32,
        /// Epoch of the message.
        found: u32,
    },
    /// The frame is not the next one.
    #[error("the frame has height {found}, the channel is at height {current}")]
    UnexpectedHeight {
        /// Committed height here.
        current: Height,
        /// Height of the frame.
        found: Height,
    },
    /// The peer proposed again before its last frame was acknowledged.
    #[error("a frame at height {height} arrived before the one before it was acknowledged")]
    TwoFramesInFlight {
        /// Height of the second frame.
        height: Height,
    },
    /// A first frame that does not replay: no channel is made of it.
    #[error("the first frame of the channel is invalid: {0}")]
    InvalidFirstFrame(Box<crate::FrameFault>),
    /// Nothing was proposed at this height.
    #[error("nothing waits for an acknowledgement of state {state} at height {height}")]
    UnexpectedAck {
        /// Height of the acknowledgement.
        height: Height,
        /// Acknowledged state.
        state: Hash,
    },
    /// The depositary's certificate does not prove what it should.
    #[error("the depositary's proof is not valid for this")]
    InvalidProof,
    /// More bytes than a proof may have.
    #[error("a proof of {size} bytes is longer than {size_max}")]
    ProofTooLarge {
        /// Bytes given.
        size: u32,
        /// Bytes allowed.
        size_max: u32,
    },
    /// No HTLC of this entity stands there.
    #[error("slot {slot} has no HTLC that this entity can do this with")]
    UnknownSlot {
        /// The slot.
        slot: Slot,
    },
    /// The depositary ended the channel while HTLCs were pending.
    #[error("{pending} HTLCs are pending in the channel that was closed")]
    ClosedWithConditions {
        /// How many.
        pending: u32,
    },
    /// Stored bytes do not decode.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

/// Why a move is not possible. In a frame of the peer it freezes the channel; an own move is dropped before it is
/// sent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, thiserror::Error)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum TransitionError {
    /// The channel has no such subchannel.
    #[error("the channel has no asset {asset}; add it first")]
    UnknownAsset {
        /// The asset.
        asset: AssetId,
    },
    /// The subchannel exists.
    #[error("the channel has asset {asset} already")]
    AssetExists {
        /// The asset.
        asset: AssetId,
    },
    /// No room for another asset.
    #[error("the channel has its {limit} assets")]
    TooManyAssets {
        /// Most assets.
        limit: u32,
    },
    /// Nothing to pay or ask for.
    #[error("the amount is zero")]
    ZeroAmount,
    /// The proposer cannot send so much.
    #[error("needs {needed}, can send {available}: {collateral} collateral + {credit} credit − {held} held")]
    InsufficientCapacity {
        /// The sum.
        needed: Amount,
        /// What can be sent.
        available: Amount,
        /// Part of it that is collateral or owed by the peer.
        collateral: Amount,
        /// Part of it that is credit.
        credit: Amount,
        /// Held by pending HTLCs.
        held: Amount,
    },
    /// No room for another HTLC.
    #[error("the channel has its {limit} pending HTLCs")]
    TooManyConditions {
        /// Most HTLCs.
        limit: u32,
    },
    /// Nothing stands in this slot.
    #[error("slot {slot} is empty")]
    EmptySlot {
        /// The slot.
        slot: Slot,
    },
    /// The slot has another HTLC than the one that was meant.
    #[error("slot {slot} was reused at height {added}")]
    SlotReused {
        /// The slot.
        slot: Slot,
        /// When.
        added: Height,
    },
    /// Only the beneficiary may do this.
    #[error("only the beneficiary of slot {slot} may fulfil or fail it")]
    NotBeneficiary {
        /// The slot.
        slot: Slot,
    },
    /// Only the payer may do this.
    #[error("only the payer of slot {slot} may expire it")]
    NotPayer {
        /// The slot.
        slot: Slot,
    },
    /// The preimage opens another lock.
    #[error("the preimage does not open {hash} in slot {slot}")]
    WrongPreimage {
        /// The slot.
        slot: Slot,
        /// Its lock.
        hash: PaymentHash,
    },
    /// The payer has proof that the HTLC expired.
    #[error("slot {slot} expired at {deadline}, proven by the depositary")]
    ExpiryProven {
        /// The slot.
        slot: Slot,
        /// Its deadline.
        deadline: Timestamp,
    },
    /// Too late for this entity to use its preimage.
    #[error("slot {slot} was due at {deadline}, it is {now}")]
    TooLate {
        /// The slot.
        slot: Slot,
        /// Its deadline.
        deadline: Timestamp,
        /// Time of the frame.
        now: Timestamp,
    },
    /// The depositary's certificate does not prove what it should.
    #[error("the depositary's proof is not valid for this")]
    InvalidProof,
    /// The depositary's notice is of another channel or life, or ends this one.
    #[error("the depositary's notice does not belong here")]
    ForeignSettlement,
    /// The depositary's notice is known, or one before it is missing.
    #[error("the channel knows the depositary's event {applied}, this is {found}")]
    SettlementOutOfOrder {
        /// Last event applied.
        applied: u64,
        /// This one.
        found: u64,
    },
    /// The channel is closing; its sums are held.
    #[error("the channel is closing until {expires}")]
    Closing {
        /// When its settlement expires.
        expires: Timestamp,
    },
    /// The channel is not closing.
    #[error("the channel is not closing")]
    NotClosing,
    /// A channel closes only without pending HTLCs.
    #[error("{pending} HTLCs are pending; they must be fulfilled, failed or expired first")]
    ConditionsPending {
        /// How many.
        pending: u32,
    },
    /// A channel closes only without debt beyond its collateral.
    #[error("{side:?} owes {owed} of {asset} beyond the collateral; pay or collateralise it first")]
    DebtOutstanding {
        /// The asset.
        asset: AssetId,
        /// Who owes.
        side: Side,
        /// How much.
        owed: Amount,
    },
    /// A sum does not fit.
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
    /// Stored bytes do not decode.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}
