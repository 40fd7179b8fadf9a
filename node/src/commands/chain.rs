//! `build-spec` and `chain-info`.

use std::fmt;

use serde::Serialize;
use xln_chain_spec::{ChainSpec, ChainType};
use xln_primitives::{AssetId, Board, EntityId, Network, Profile, Weight};

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
    /// Who decides for the depositary.
    pub board: Option<BoardInfo>,
    /// How many servers the file names.
    pub servers: usize,
    /// How many entities there are from the start.
    pub entities: usize,
    /// How many channels are open from the start.
    pub channels: usize,
}

/// A board as it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BoardInfo {
    /// How many members there are.
    pub members: usize,
    /// Their weight together.
    pub weight: Weight,
    /// Weight that a frame needs.
    pub quorum: Weight,
    /// Weight that may be missing while frames are still decided; in the Byzantine profile it may lie, too.
    pub tolerates: Weight,
    /// Which faults its agreement survives.
    pub profile: Profile,
}

impl BoardInfo {
    fn new(board: &Board) -> Self {
        let (weight, quorum) = (board.total_weight(), board.quorum());
        let missing = weight.saturating_sub(quorum);
        let tolerates = match board.profile {
            Profile::Byzantine => missing.min(weight.saturating_sub(1) / 3),
            Profile::CrashFault => missing,
        };
        Self { members: board.members.len(), weight, quorum, tolerates, profile: board.profile }
    }
}

impl fmt::Display for BoardInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { members, weight, quorum, tolerates, profile } = self;
        let (profile, may) = match profile {
            Profile::Byzantine => ("Byzantine", "fail or lie"),
            Profile::CrashFault => ("crash-fault", "fail"),
        };
        write!(f, "{members} of weight {weight}, quorum {quorum}, {profile}: {tolerates} may {may}")
    }
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
    let board = genesis.entities.iter().find(|entity| entity.id == genesis.depositary);
    let board = board.map(|entity| BoardInfo::new(&entity.board));
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
        board,
        servers: spec.servers.len(),
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
        if let Some(board) = &self.board {
            writeln!(f, "validators      {board}")?;
        }
        writeln!(f, "servers         {}", self.servers)?;
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
