//! What the two sides tell the depositary together, and what it tells them.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{Amount, AssetId, BoundedVec, ChannelId, ConstU32, Delta, EntityId, Timestamp};

/// Most assets in one settlement and most assets that users may add to a channel.
pub const MAX_ASSETS: u32 = 64;

/// A change of reserves and collateral that both sides agree to. The depositary executes it when it has the
/// identical body from both, its `nonce` is the next one of the channel and its time is before `expires`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Settlement {
    /// The channel.
    pub channel: ChannelId,
    /// Its left entity.
    pub left: EntityId,
    /// Its right entity.
    pub right: EntityId,
    /// The life of the channel that it belongs to.
    pub epoch: u32,
    /// One more than the last nonce that the depositary has for the channel.
    pub nonce: u64,
    /// Depositary time from which on it is refused.
    pub expires: Timestamp,
    /// Whether the channel ends with it.
    pub close: bool,
    /// Per asset, what moves.
    pub rows: BoundedVec<SettlementRow, ConstU32<MAX_ASSETS>>,
}

/// What a settlement moves of one asset; `left + right + collateral = 0`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct SettlementRow {
    /// The asset.
    pub asset: AssetId,
    /// Change of left's reserve.
    pub left_reserve_diff: Delta,
    /// Change of right's reserve.
    pub right_reserve_diff: Delta,
    /// Change of the channel's collateral.
    pub collateral_diff: Delta,
    /// Change of the channel's `ondelta`.
    pub ondelta_diff: Delta,
}

/// The depositary's view of a channel after an event: absolute values of every asset that it knows of the channel, so
/// that a later one says all that an earlier one said.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Settled {
    /// The channel.
    pub channel: ChannelId,
    /// Its left entity.
    pub left: EntityId,
    /// Its right entity.
    pub right: EntityId,
    /// The life of the channel in which it happened; the one that ended, if `closed`.
    pub epoch: u32,
    /// Number of the event among those of this channel; it keeps counting over all lives.
    pub nonce: u64,
    /// Whether this life of the channel ended.
    pub closed: bool,
    /// The assets.
    pub rows: BoundedVec<SettledRow, ConstU32<MAX_ASSETS>>,
}

/// The depositary's part of a subchannel.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct SettledRow {
    /// The asset.
    pub asset: AssetId,
    /// Locked for the channel.
    pub collateral: Amount,
    /// Left's claim as far as settlements moved it.
    pub ondelta: Delta,
}
