//! From names to identifiers: the genesis that a chain spec means, and the raw form that says so.

use std::collections::BTreeMap;

use xln_primitives::{Amount, AssetId, EntityId, Network};
use xln_runtime::genesis::{
    Genesis, GenesisAsset, GenesisChannel, GenesisChannelRow, GenesisEntity, GenesisPolicy,
};

use crate::{
    AssetSpec, BoardSpec, ChainSpec, ChainType, ChannelSpec, ConsensusSpec, DepositarySpec, EntitySpec,
    GenesisSpec, GovernanceSpec, PolicySpec, RowSpec, SpecError,
    names::Names,
    server,
    text::{self, check},
};

/// Largest sum in a channel: capacities are signed.
const MAX_SIGNED: Amount = Amount::new(i128::MAX.unsigned_abs());

/// Checks the whole spec and resolves it. The network is still zero: it is the hash of the result.
pub(crate) fn genesis(spec: &ChainSpec) -> Result<Genesis, SpecError> {
    head(spec)?;
    let names = Names::of(&spec.genesis)?;
    let genesis = &spec.genesis;
    let depositary = names.entity("genesis.depositary.entity", &genesis.depositary.entity)?;
    let window = genesis.depositary.dispute_window_ms;
    check("genesis.depositary.disputeWindowMs", window, window >= 1_000, "it must be at least 1000")?;

    let mut assets = Vec::with_capacity(genesis.assets.len());
    for (position, spec_asset) in genesis.assets.iter().enumerate() {
        let path = format!("genesis.assets[{position}]");
        assets.push(asset(&path, spec_asset, spec.chain_type, &names, depositary)?);
    }
    let mut entities = Vec::with_capacity(genesis.entities.len());
    for (position, spec_entity) in genesis.entities.iter().enumerate() {
        entities.push(entity(&format!("genesis.entities[{position}]"), spec_entity, &names)?);
    }
    let mut channels = BTreeMap::new();
    for (position, spec_channel) in genesis.channels.iter().enumerate() {
        let path = format!("genesis.channels[{position}]");
        let channel = channel(&path, spec_channel, &names)?;
        if let Some(twice) = channels.insert((channel.left, channel.right), channel) {
            let value = format!("the channel of {} and {}", twice.left, twice.right);
            return Err(SpecError::Duplicate { path, value });
        }
    }
    assets.sort_by_key(|asset| asset.id);
    entities.sort_by_key(|entity| entity.id);
    let resolved = Genesis {
        network: Network::ZERO,
        timestamp: genesis.timestamp,
        depositary,
        dispute_window_ms: window,
        hosted: None,
        assets,
        entities,
        channels: channels.into_values().collect(),
    };
    sums(&resolved)?;
    server::can_be_followed(spec, &resolved)?;
    Ok(resolved)
}

fn head(spec: &ChainSpec) -> Result<(), SpecError> {
    text::title("name", &spec.name)?;
    text::name("id", &spec.id)?;
    if let Some(protocol) = &spec.protocol_id {
        text::name("protocolId", protocol)?;
    }
    if let Some(fork) = &spec.fork_id {
        text::name("forkId", fork)?;
    }
    if let Some(properties) = &spec.properties {
        text::title("properties.tokenSymbol", &properties.token_symbol)?;
    }
    let ConsensusSpec { block_time_ms } = spec.consensus;
    let usable = (10..=10_000).contains(&block_time_ms);
    check("consensus.blockTimeMs", block_time_ms, usable, "it must be within 10 and 10000")
}

fn asset(
    path: &str,
    spec: &AssetSpec,
    chain: ChainType,
    names: &Names<'_>,
    depositary: EntityId,
) -> Result<GenesisAsset, SpecError> {
    text::title(&format!("{path}.name"), &spec.name)?;
    check(&format!("{path}.decimals"), spec.decimals, spec.decimals <= 30, "it must be at most 30")?;
    let bridge = match &spec.bridge {
        Some(bridge) => names.entity(&format!("{path}.bridge"), bridge)?,
        None => depositary,
    };
    if let Some(faucet) = &spec.faucet {
        let path = format!("{path}.faucet.max");
        check(&path, faucet.max, chain != ChainType::Live, "a live network has no faucet")?;
        check(&path, faucet.max, !faucet.max.is_zero(), "it must be at least 1")?;
    }
    Ok(GenesisAsset {
        id: AssetId::named(&spec.symbol),
        symbol: spec.symbol.clone(),
        name: spec.name.clone(),
        decimals: spec.decimals,
        bridge,
        faucet_max: spec.faucet.as_ref().map(|faucet| faucet.max),
    })
}

fn entity(path: &str, spec: &EntitySpec, names: &Names<'_>) -> Result<GenesisEntity, SpecError> {
    let mut reserves = BTreeMap::new();
    for (asset, amount) in &spec.reserves {
        let path = format!("{path}.reserves.{asset}");
        if reserves.insert(names.asset(&path, asset)?, *amount).is_some() {
            return Err(SpecError::Duplicate { path, value: asset.to_string() });
        }
    }
    let name = format!("{path}.name");
    let id = names.own(&name, &spec.name)?;
    Ok(GenesisEntity {
        id,
        name: spec.name.clone(),
        // Whoever has a name has a board.
        board: names
            .board(&id)
            .cloned()
            .ok_or(SpecError::Duplicate { path: name, value: spec.name.clone() })?,
        reserves: reserves.into_iter().collect(),
        policy: spec.policy.as_ref().map(|terms| policy(&format!("{path}.policy"), terms)).transpose()?,
        governance: spec.governance.as_ref().map(|terms| governance(path, terms)).transpose()?,
    })
}

fn governance(path: &str, spec: &GovernanceSpec) -> Result<pallet_governance::Policy, SpecError> {
    let policy = spec.policy();
    let sound = policy.validate();
    sound.map_err(|source| SpecError::Governance { path: format!("{path}.governance"), source })?;
    Ok(policy)
}

fn policy(path: &str, spec: &PolicySpec) -> Result<GenesisPolicy, SpecError> {
    let PolicySpec { base_fee, fee_ppm, timelock_delta_ms, min_htlc, max_htlc, max_pending } = *spec;
    check(&format!("{path}.feePpm"), fee_ppm, fee_ppm <= 1_000_000, "it must be at most 1000000")?;
    let delta_path = format!("{path}.timelockDeltaMs");
    check(&delta_path, timelock_delta_ms, timelock_delta_ms >= 1, "it must be at least 1")?;
    let order = min_htlc <= max_htlc;
    check(&format!("{path}.minHtlc"), min_htlc, order, "it must not be above maxHtlc")?;
    check(&format!("{path}.maxPending"), max_pending, max_pending >= 1, "it must be at least 1")?;
    Ok(GenesisPolicy {
        base_fee,
        fee_ppm,
        timelock_delta_ms,
        htlc_min: min_htlc,
        htlc_max: max_htlc,
        pending_max: max_pending,
    })
}

fn channel(path: &str, spec: &ChannelSpec, names: &Names<'_>) -> Result<GenesisChannel, SpecError> {
    let left = names.entity(&format!("{path}.left"), &spec.left)?;
    let right = names.entity(&format!("{path}.right"), &spec.right)?;
    if left == right {
        return Err(SpecError::OneSided { path: path.to_owned(), entity: left });
    }
    let mut rows = BTreeMap::new();
    for (asset, row) in &spec.assets {
        let path = format!("{path}.assets.{asset}");
        let asset_id = names.asset(&path, asset)?;
        row_fits(&path, row)?;
        if rows.insert(asset_id, if left < right { row.clone() } else { mirrored(row) }).is_some() {
            return Err(SpecError::Duplicate { path, value: asset.to_string() });
        }
    }
    let rows = rows
        .into_iter()
        .map(|(asset, row)| GenesisChannelRow {
            asset,
            collateral: row.collateral,
            ondelta: row.left_share,
            left_credit: row.left_credit,
            right_credit: row.right_credit,
        })
        .collect();
    Ok(GenesisChannel { left: left.min(right), right: left.max(right), rows })
}

fn row_fits(path: &str, row: &RowSpec) -> Result<(), SpecError> {
    let share = row.left_share <= row.collateral;
    check(&format!("{path}.leftShare"), row.left_share, share, "it must not be above collateral")?;
    for credit in [row.left_credit, row.right_credit] {
        let total = row.collateral.add(credit).ok().filter(|total| *total <= MAX_SIGNED);
        if total.is_none() {
            return Err(SpecError::Overflow { path: path.to_owned(), what: "collateral plus credit" });
        }
    }
    Ok(())
}

/// The same row seen from the other side.
fn mirrored(row: &RowSpec) -> RowSpec {
    RowSpec {
        collateral: row.collateral,
        left_share: row.collateral.saturating_sub(row.left_share),
        left_credit: row.right_credit,
        right_credit: row.left_credit,
    }
}

/// Everything of one asset together must fit, or conservation could not be checked.
fn sums(genesis: &Genesis) -> Result<(), SpecError> {
    let reserves = genesis.entities.iter().flat_map(|entity| entity.reserves.iter().copied());
    let rows = genesis.channels.iter().flat_map(|channel| &channel.rows);
    let mut totals: BTreeMap<AssetId, Amount> = BTreeMap::new();
    for (asset, amount) in reserves.chain(rows.map(|row| (row.asset, row.collateral))) {
        let total = totals.entry(asset).or_default();
        *total = total.add(amount).map_err(|_| SpecError::Overflow {
            path: "genesis".to_owned(),
            what: "the sum of all reserves and collateral of an asset",
        })?;
    }
    Ok(())
}

/// The spec that says what `genesis` is, without defaults and names.
pub(crate) fn raw_form(spec: &ChainSpec, genesis: &Genesis) -> ChainSpec {
    let assets = genesis.assets.iter().map(|asset| AssetSpec {
        symbol: asset.symbol.clone(),
        id: Some(asset.id),
        name: asset.name.clone(),
        decimals: asset.decimals,
        bridge: Some(asset.bridge.into()),
        faucet: asset.faucet_max.map(|max| crate::FaucetSpec { max }),
    });
    let entities = genesis.entities.iter().map(|entity| EntitySpec {
        name: entity.name.clone(),
        id: Some(entity.id),
        registered: entity.id.registry_number().is_some(),
        board: BoardSpec::from(&entity.board),
        reserves: entity.reserves.iter().map(|(asset, amount)| ((*asset).into(), *amount)).collect(),
        policy: entity.policy.as_ref().map(|terms| PolicySpec {
            base_fee: terms.base_fee,
            fee_ppm: terms.fee_ppm,
            timelock_delta_ms: terms.timelock_delta_ms,
            min_htlc: terms.htlc_min,
            max_htlc: terms.htlc_max,
            max_pending: terms.pending_max,
        }),
        governance: entity.governance.clone().map(|policy| GovernanceSpec::Own(Box::new(policy))),
    });
    let channels = genesis.channels.iter().map(|channel| ChannelSpec {
        left: channel.left.into(),
        right: channel.right.into(),
        assets: channel.rows.iter().map(|row| (row.asset.into(), row_spec(row))).collect(),
    });
    ChainSpec {
        name: spec.name.clone(),
        id: spec.id.clone(),
        chain_type: spec.chain_type,
        protocol_id: Some(spec.protocol_id.clone().unwrap_or_else(|| spec.id.clone())),
        fork_id: spec.fork_id.clone(),
        properties: spec.properties.clone(),
        consensus: spec.consensus.clone(),
        servers: spec.servers.clone(),
        genesis: GenesisSpec {
            timestamp: genesis.timestamp,
            assets: assets.collect(),
            entities: entities.collect(),
            depositary: DepositarySpec {
                entity: genesis.depositary.into(),
                dispute_window_ms: genesis.dispute_window_ms,
            },
            channels: channels.collect(),
        },
    }
}

fn row_spec(row: &GenesisChannelRow) -> RowSpec {
    RowSpec {
        collateral: row.collateral,
        left_share: row.ondelta,
        left_credit: row.left_credit,
        right_credit: row.right_credit,
    }
}
