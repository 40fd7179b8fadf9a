//! Channels as one of their two entities sees them.

use xln_primitives::{Amount, AssetId, ChannelId, Delta, Hash, Side, Timestamp};

use super::{PartyView, payment::Direction, views};
use crate::U64;

views! {
    /// Where a channel is in its life.
    #[derive(Copy)]
    pub enum ChannelStatus {
        /// Proposed; the other side has not acknowledged yet.
        Opening,
        /// Pays.
        Open,
        /// All sums are held until the depositary has settled a close, or the close has expired.
        Closing,
        /// The peer broke the protocol: nothing new is accepted, only the depositary can end it.
        Frozen,
    }

    /// One asset of a channel. `left` and `right` are the sides; `out`, `in`, `own` and `peer` are seen from the
    /// channel view's `entity`.
    pub struct SubchannelView {
        /// Which asset.
        pub asset: AssetId,
        /// Its symbol.
        pub symbol: String,
        /// Digits after the decimal point of one unit.
        pub decimals: u8,
        /// Locked at the depositary.
        pub collateral: Amount,
        /// Part of Δ that settlements moved.
        pub ondelta: Delta,
        /// Part of Δ that payments moved.
        pub offdelta: Delta,
        /// Δ: what left may claim, counted from its zero.
        pub delta: Delta,
        /// Most that left may owe right, set by right.
        pub left_credit_limit: Amount,
        /// Most that right may owe left, set by left.
        pub right_credit_limit: Amount,
        /// Locked by left's pending payments.
        pub left_hold: Amount,
        /// Locked by right's pending payments.
        pub right_hold: Amount,
        /// Collateral that is the entity's.
        pub out_collateral: Amount,
        /// Collateral that is the peer's.
        pub in_collateral: Amount,
        /// What the entity owes.
        pub in_own_credit: Amount,
        /// What it may still owe.
        pub out_own_credit: Amount,
        /// What the peer owes it.
        pub out_peer_credit: Amount,
        /// What the peer may still owe it.
        pub in_peer_credit: Amount,
        /// What the entity can send now.
        pub out_capacity: Amount,
        /// What it can receive now.
        pub in_capacity: Amount,
        /// All that the channel can carry.
        pub total: Amount,
        /// The capacity bar from the entity's view, to scale: `.` its zero, `|` Δ, `-` credit, `=` collateral.
        pub bar: String,
    }

    /// What an entity asks of those whose payments it carries, in all of its channels.
    pub struct PolicyView {
        /// Charged per forwarded payment, in smallest units.
        pub fee_base: Amount,
        /// Charged per million of the amount.
        pub fee_ppm: u32,
        /// Smallest HTLC taken.
        pub min_htlc: Amount,
        /// Largest HTLC taken.
        pub max_htlc: Amount,
        /// Time that it needs between the deadlines of an incoming and an outgoing HTLC.
        pub timelock_delta_ms: u64,
        /// Most HTLCs in flight per channel, both directions together.
        pub max_pending: u32,
        /// Collateral that it locks on request without asking, per channel, asset and life.
        pub auto_collateral: Amount,
    }

    /// A channel as `entity` sees it.
    pub struct ChannelView {
        /// Its identifier.
        pub id: ChannelId,
        /// The entity with the smaller identifier.
        pub left: PartyView,
        /// The entity with the larger identifier.
        pub right: PartyView,
        /// Whose view this is.
        pub entity: PartyView,
        /// The other one.
        pub peer: PartyView,
        /// Which side `entity` is.
        pub side: Side,
        /// Where it is in its life.
        pub status: ChannelStatus,
        /// Height of the last frame that both sides signed.
        pub height: U64,
        /// Which life of the channel, raised by each close.
        pub epoch: U64,
        /// Its assets.
        pub assets: Vec<SubchannelView>,
        /// HTLCs in flight, both directions.
        pub pending_htlcs: u32,
        /// Transitions that wait for the other side's acknowledgement or for their turn.
        pub queued: u32,
    }

    /// A conditional payment in flight over one channel.
    pub struct HtlcView {
        /// Its place in the channel.
        pub slot: u32,
        /// SHA-256 of the preimage that claims it.
        pub hash: Hash,
        /// The channel.
        pub channel: ChannelId,
        /// Seen from the entity that asked.
        pub direction: Direction,
        /// Which asset.
        pub asset: AssetId,
        /// Its symbol.
        pub symbol: String,
        /// Digits after the decimal point of one unit.
        pub decimals: u8,
        /// How much.
        pub amount: Amount,
        /// When the payer may take it back, in depositary time.
        pub expires: Timestamp,
    }
}
