//! The first state of a network, as its chain spec resolves to.

use std::collections::BTreeSet;

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, AssetId, Board, EntityId, Network, Timestamp};

use crate::{Facts, Founding, Server};

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
    /// Which of the entities this server hosts, besides the depositary, which every server follows; all if none. Not part
    /// of the network.
    pub hosted: Option<BTreeSet<EntityId>>,
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
    /// What its members may do alone; what suits its board if none.
    pub governance: Option<pallet_governance::Policy>,
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

impl GenesisPolicy {
    /// As the channels of the entity keep them.
    #[must_use]
    pub fn resolve(&self) -> pallet_channels::Policy {
        pallet_channels::Policy {
            fee_base: self.base_fee,
            fee_ppm: self.fee_ppm,
            min_htlc: self.htlc_min,
            max_htlc: self.htlc_max,
            timelock_delta_ms: self.timelock_delta_ms,
            max_pending: self.pending_max,
            ..pallet_channels::Policy::default()
        }
    }
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

impl GenesisChannelRow {
    pub(crate) fn resolve(&self) -> Result<pallet_channels::GenesisRow, GenesisError> {
        Ok(pallet_channels::GenesisRow {
            asset: self.asset,
            collateral: self.collateral,
            ondelta: self.ondelta.to_delta()?,
            left_credit: self.left_credit,
            right_credit: self.right_credit,
        })
    }
}

/// A genesis that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// The depositary is not among the entities.
    #[error("the depositary {entity} is not among the entities")]
    NoDepositary {
        /// The depositary.
        entity: EntityId,
    },
    /// The same entity twice.
    #[error("entity {entity} stands in the genesis twice")]
    DuplicateEntity {
        /// The entity.
        entity: EntityId,
    },
    /// A side of a channel is not among the entities.
    #[error("a channel names entity {entity}, which is not among the entities")]
    UnknownEntity {
        /// The entity.
        entity: EntityId,
    },
    /// Registered entities are numbered from 1, without a gap.
    #[error("entity {entity} is not the next one of the registry, which is {expected}")]
    RegistryNumber {
        /// The entity.
        entity: EntityId,
        /// The next one.
        expected: EntityId,
    },
    /// A text that does not fit.
    #[error("{what} {text:?} is longer than {size_max} bytes")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// The text.
        text: String,
        /// Most bytes.
        size_max: u32,
    },
    /// Of the entities pallet.
    #[error(transparent)]
    Entities(#[from] pallet_entities::Error),
    /// Of the governance pallet.
    #[error(transparent)]
    Governance(#[from] pallet_governance::Error),
    /// Of the channels pallet.
    #[error(transparent)]
    Channels(#[from] pallet_channels::Error),
    /// Of the reserves pallet.
    #[error(transparent)]
    Reserves(#[from] pallet_reserves::Error),
    /// An arithmetic overflow.
    #[error(transparent)]
    Arithmetic(#[from] xln_primitives::ArithmeticError),
}

impl Genesis {
    /// The constants of the network.
    pub fn facts(&self) -> Result<Facts, GenesisError> {
        let depositary = self
            .entities
            .iter()
            .find(|entity| entity.id == self.depositary)
            .ok_or(GenesisError::NoDepositary { entity: self.depositary })?;
        Ok(Facts {
            network: self.network,
            genesis_time: self.timestamp,
            depositary: self.depositary,
            depositary_board_hash: depositary.board.hash(),
            depositary_board: std::sync::Arc::new(depositary.board.clone()),
            dispute_window_ms: self.dispute_window_ms,
        })
    }

    /// The server as it is before its first slice, with every row of its state still to be written down.
    pub fn build(&self) -> Result<Server, GenesisError> {
        let hosts = |id: &EntityId| {
            *id == self.depositary || self.hosted.as_ref().is_none_or(|hosted| hosted.contains(id))
        };
        let mut founding = Founding::new(self.facts()?);
        let mut known = BTreeSet::new();
        for entity in &self.entities {
            if !known.insert(entity.id) {
                return Err(GenesisError::DuplicateEntity { entity: entity.id });
            }
            if hosts(&entity.id) {
                founding.host(entity)?;
            }
        }
        let sides = self.channels.iter().flat_map(|channel| [channel.left, channel.right]);
        if let Some(entity) = sides.into_iter().find(|side| !known.contains(side)) {
            return Err(GenesisError::UnknownEntity { entity });
        }
        founding.register(&self.entities)?;
        founding.assets(&self.assets)?;
        for entity in &self.entities {
            founding.reserves(entity)?;
        }
        founding.copies(&self.channels)?;
        founding.accounts(&self.channels)?;
        let mut server = founding.finish();
        server.unwritten = server.entities.keys().map(|id| (*id, None)).collect();
        Ok(server)
    }
}
