//! The first state of a network, as its chain spec resolves to.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, AssetId, Board, EntityId, Network, Timestamp};

/// Everything that exists before the first block. Built by the chain spec, which has checked names and sums.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Genesis {
    /// The network: the hash of the raw chain spec. Part of everything that is signed.
    pub network: Network,
    /// When the network begins; the first frame of every entity is later.
    pub timestamp: Timestamp,
    /// The entity that keeps reserves and collateral.
    pub depositary: EntityId,
    /// How long a dispute may be answered, in milliseconds of depositary time.
    pub dispute_window_ms: u64,
    /// The assets of the depositary.
    pub assets: Vec<GenesisAsset>,
    /// The entities that are there from the start, the depositary among them.
    pub entities: Vec<GenesisEntity>,
    /// The channels that are open from the start.
    pub channels: Vec<GenesisChannel>,
}

/// An asset from the start.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct GenesisAsset {
    /// Its identifier.
    pub id: AssetId,
    /// Short name, such as `usd`; at most 16 bytes.
    pub symbol: String,
    /// Long name; at most 64 bytes.
    pub name: String,
    /// How many decimal places the unit that people use has.
    pub decimals: u8,
    /// The entity that may report deposits and confirm withdrawals.
    pub bridge: EntityId,
    /// Most that anybody may give away at once, on a network for trying things out.
    pub faucet_max: Option<Amount>,
}

/// An entity from the start.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct GenesisEntity {
    /// Its identifier: lazy (the hash of its board) or registered.
    pub id: EntityId,
    /// What it calls itself; at most 64 bytes.
    pub name: String,
    /// Who speaks for it.
    pub board: Board,
    /// What it owns at the depositary.
    pub reserves: Vec<(AssetId, Amount)>,
    /// Its terms for forwarding payments; the default terms if none.
    pub policy: Option<GenesisPolicy>,
}

/// Terms of an entity that forwards payments.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct GenesisPolicy {
    /// Fee per forwarded payment, in the asset's smallest unit.
    pub base_fee: Amount,
    /// Fee in proportion to the sum, in millionths.
    pub fee_ppm: u32,
    /// Least time between the deadlines of its two hops, in milliseconds.
    pub timelock_delta_ms: u64,
    /// Smallest sum that it forwards.
    pub htlc_min: Amount,
    /// Largest sum that it forwards.
    pub htlc_max: Amount,
    /// Most pending conditions per channel.
    pub pending_max: u16,
}

/// A channel that is open from the start.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct GenesisChannel {
    /// The entity with the smaller identifier.
    pub left: EntityId,
    /// The entity with the larger identifier.
    pub right: EntityId,
    /// One row per asset.
    pub rows: Vec<GenesisChannelRow>,
}

/// One asset of a channel that is open from the start.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct GenesisChannelRow {
    /// The asset.
    pub asset: AssetId,
    /// What is locked at the depositary.
    pub collateral: Amount,
    /// How much of the collateral is left's; the rest is right's.
    pub ondelta: Amount,
    /// Most that left may owe.
    pub left_credit: Amount,
    /// Most that right may owe.
    pub right_credit: Amount,
}
