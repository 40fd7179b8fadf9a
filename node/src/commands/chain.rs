//! `build-spec` and `chain-info`.

use std::fmt;

use serde::Serialize;
use xln_chain_spec::{ChainSpec, ChainType};
use xln_primitives::{AssetId, EntityId, Network};

use super::CommandError;
use crate::cli::{BuildSpec, ChainArgs};

/// What a chain spec is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainInfo {
    /// What people call the network.
    pub name: String,
    /// Its short name.
    pub id: String,
    /// What it is for.
    pub chain_type: ChainType,
    /// Hash of the raw form; part of everything that is signed.
    pub genesis_hash: Network,
    /// The entity that keeps reserves and collateral.
    pub depositary: EntityId,
    /// How long a dispute may be answered.
    pub dispute_window_ms: u64,
    /// How often a server seals a block.
    pub block_time_ms: u64,
    /// The assets.
    pub assets: Vec<AssetInfo>,
    /// How many entities there are from the start.
    pub entities: usize,
    /// How many channels are open from the start.
    pub channels: usize,
}

/// An asset.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AssetInfo {
    /// Short name.
    pub symbol: String,
    /// Identifier.
    pub id: AssetId,
    /// Long name.
    pub name: String,
    /// Decimal places.
    pub decimals: u8,
}

/// The spec as a file to edit, or the bytes that are hashed.
pub fn build_spec(args: &BuildSpec) -> Result<Vec<u8>, CommandError> {
    let spec = ChainSpec::load(&args.chain.chain)?;
    if args.raw {
        return Ok(spec.raw()?);
    }
    let mut text = serde_json::to_vec_pretty(&spec).map_err(std::io::Error::from)?;
    text.push(b'\n');
    Ok(text)
}

/// What a chain spec is.
pub fn chain_info(args: &ChainArgs) -> Result<ChainInfo, CommandError> {
    let spec = ChainSpec::load(&args.chain)?;
    let genesis = spec.to_genesis()?;
    let assets = genesis.assets.into_iter().map(|asset| AssetInfo {
        symbol: asset.symbol,
        id: asset.id,
        name: asset.name,
        decimals: asset.decimals,
    });
    Ok(ChainInfo {
        name: spec.name,
        id: spec.id,
        chain_type: spec.chain_type,
        genesis_hash: genesis.network,
        depositary: genesis.depositary,
        dispute_window_ms: genesis.dispute_window_ms,
        block_time_ms: spec.consensus.block_time_ms,
        assets: assets.collect(),
        entities: genesis.entities.len(),
        channels: genesis.channels.len(),
    })
}

impl fmt::Display for ChainInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "name            {} ({:?})", self.name, self.chain_type)?;
        writeln!(f, "id              {}", self.id)?;
        writeln!(f, "genesis hash    {}", self.genesis_hash)?;
        writeln!(f, "depositary      {}", self.depositary)?;
        writeln!(f, "dispute window  {} s", self.dispute_window_ms / 1000)?;
        writeln!(f, "block time      {} ms", self.block_time_ms)?;
        for asset in &self.assets {
            let AssetInfo { symbol, id, name, decimals } = asset;
            writeln!(f, "asset           {symbol}, {name}, {decimals} decimals, {id}")?;
        }
        writeln!(f, "entities        {}", self.entities)?;
        writeln!(f, "channels        {}", self.channels)
    }
}
