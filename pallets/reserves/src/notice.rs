//! What the depositary tells entities.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{Amount, AssetId, BoundedVec, ChannelId, ConstU32, Delta, EntityId};

use crate::{MAX_ROWS, Reference, WithdrawalId};

/// Something at the depositary that concerns the entity that it is sent to.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Notice {
    /// To both sides of a channel: its rows have changed.
    #[codec(index = 0)]
    Settled(Settled),
    /// To the owner of a reserve: it grew from outside.
    #[codec(index = 1)]
    Deposited {
        /// The asset.
        asset: AssetId,
        /// By how much.
        amount: Amount,
        /// What it is called outside.
        reference: Reference,
    },
    /// To the receiver of a transfer: its reserve grew.
    #[codec(index = 2)]
    Received {
        /// Who sent it.
        from: EntityId,
        /// The asset.
        asset: AssetId,
        /// By how much.
        amount: Amount,
    },
    /// To the owner: the withdrawal was paid out.
    #[codec(index = 3)]
    WithdrawalFinal {
        /// The withdrawal.
        id: WithdrawalId,
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
    /// To the owner: the withdrawal was not paid out, its amount is back in the reserve.
    #[codec(index = 4)]
    WithdrawalReturned {
        /// The withdrawal.
        id: WithdrawalId,
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
}

/// The state of a channel at the depositary after a change of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Settled {
    /// The channel.
    pub channel: ChannelId,
    /// Its left side.
    pub left: EntityId,
    /// Its right side.
    pub right: EntityId,
    /// The epoch in which the change happened; after a close the next one has begun.
    pub epoch: u32,
    /// The nonce that the change took.
    pub nonce: u64,
    /// Whether it closed the channel. Its rows are then all zero, and gone.
    pub closed: bool,
    /// The absolute values of all rows of the channel, by asset.
    pub rows: BoundedVec<SettledRow, ConstU32<MAX_ROWS>>,
}

/// One asset of a channel at the depositary.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct SettledRow {
    /// The asset.
    pub asset: AssetId,
    /// What is locked.
    pub collateral: Amount,
    /// Left's claim as far as settlement moved it.
    pub ondelta: Delta,
}
