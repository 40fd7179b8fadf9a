//! The chain spec as it is written.

use serde::{Deserialize, Serialize};
use xln_primitives::{Amount, AssetId, Timestamp};

use crate::{ChannelSpec, EntityRef, EntitySpec, ServerSpec};

/// What a network is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChainType {
    /// Trying things out on one machine; keys are known to everybody.
    Development,
    /// Several servers for trying things out.
    Local,
    /// Money.
    Live,
}

/// A chain spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChainSpec {
    /// What people call the network; 1–64 bytes.
    pub name: String,
    /// Short name, used for folders; 1–64 of `a–z 0–9 - _ .`.
    pub id: String,
    /// What the network is for.
    pub chain_type: ChainType,
    /// Short name of the network in protocols; the `id` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_id: Option<String>,
    /// Tells networks apart that are alike in everything else, such as two runs of one test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork_id: Option<String>,
    /// How wallets show sums by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<Properties>,
    /// The rhythm of the servers.
    #[serde(default)]
    pub consensus: ConsensusSpec,
    /// The servers that everybody knows from the start; none means one server that hosts everybody. Not part of the
    /// genesis hash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerSpec>,
    /// The first state.
    pub genesis: GenesisSpec,
}

/// How wallets show sums by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Properties {
    /// Symbol of the asset that is meant when none is named.
    pub token_symbol: String,
    /// Its decimal places.
    pub token_decimals: u8,
}

/// The rhythm of the servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ConsensusSpec {
    /// How often a server seals a block, in milliseconds, 10–10,000.
    pub block_time_ms: u64,
}

impl Default for ConsensusSpec {
    fn default() -> Self {
        Self { block_time_ms: 100 }
    }
}

/// The first state of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisSpec {
    /// When the network begins, in Unix milliseconds; the epoch if left out.
    #[serde(default)]
    pub timestamp: Timestamp,
    /// The assets of the depositary.
    pub assets: Vec<AssetSpec>,
    /// The entities that are there from the start.
    pub entities: Vec<EntitySpec>,
    /// Which of them keeps reserves and collateral, and by which rules.
    pub depositary: DepositarySpec,
    /// The channels that are open from the start.
    #[serde(default)]
    pub channels: Vec<ChannelSpec>,
}

/// An asset of the depositary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssetSpec {
    /// Short name that commands use (`500usd`); 1–16 of `a–z 0–9`, a letter first.
    pub symbol: String,
    /// Its identifier. It follows from the symbol and is checked if stated; the raw form always states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<AssetId>,
    /// Long name; 1–64 bytes.
    pub name: String,
    /// How many decimal places the unit that people use has; at most 30.
    pub decimals: u8,
    /// The entity that reports deposits and confirms withdrawals; the depositary if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<EntityRef>,
    /// Whether anybody may have some for nothing; refused on a live network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faucet: Option<FaucetSpec>,
}

/// Gives an asset away on networks for trying things out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaucetSpec {
    /// Most that one call gives, in the smallest unit.
    pub max: Amount,
}

/// The entity that keeps reserves and collateral.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DepositarySpec {
    /// Which entity.
    pub entity: EntityRef,
    /// How long a dispute may be answered, in milliseconds of depositary time, at least 1,000; 7 days if left out.
    #[serde(default = "DepositarySpec::default_dispute_window_ms")]
    pub dispute_window_ms: u64,
}

impl DepositarySpec {
    const fn default_dispute_window_ms() -> u64 {
        7 * 24 * 60 * 60 * 1000
    }
}
