//! `server.*` and `system.*`: what this server is and how it does.

use std::{
    collections::HashSet,
    sync::{PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use xln_primitives::{CALL_VERSION, StorageType};
use xln_rpc::{
    RpcError, U64,
    params::NoParams,
    view::{HealthView, ServerInfo, ServerStats, VersionView},
};
use xln_runtime::{Entity, Server};

use super::NodeBackend;
use crate::author::system_time;

/// How long a count of all channels is good.
const CENSUS_AGE: Duration = Duration::from_secs(5);
/// Where an entity keeps the rows of its channels: behind this, the identifier of the channel and the kind of row.
const CHANNELS: [u8; 2] = [StorageType::Channels as u8, 0x00];
/// Bytes of the identifier.
const ID: usize = 32;
/// The kinds of row of a channel itself, and of its HTLCs.
const CHANNEL: u8 = 0x00;
const HTLC: u8 = 0x01;

/// Channels and HTLCs of all hosted entities, each counted once, also if both sides are hosted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Census {
    at: Instant,
    channels: u64,
    htlcs: u64,
}

/// Sum of the heights of all entities: the number of frames that they ever made.
pub(super) fn heights(server: &Server) -> u64 {
    let height = |entity: &Entity| entity.head().map_or(0, |head| head.header.height);
    server.entities().map(height).fold(0, u64::saturating_add)
}

/// How many channels an entity has, open or not. Goes from one to the next.
pub(super) fn channel_count(entity: &Entity) -> u32 {
    u32::try_from(entity.tree().view(&CHANNELS, ID).count()).unwrap_or(u32::MAX)
}

/// How many rows of a kind there are; one that both sides of a channel have counts once.
fn count(entities: &[Entity], kind: u8) -> u64 {
    let rows = entities.iter().flat_map(|entity| entity.tree().iter_prefix(&CHANNELS));
    let keys =
        rows.filter(|(key, _)| key.get(CHANNELS.len() + ID) == Some(&kind)).map(|(key, _)| key.to_vec());
    u64::try_from(keys.collect::<HashSet<_>>().len()).unwrap_or(u64::MAX)
}

impl NodeBackend {
    pub(super) fn server_get_info(&self, _: NoParams) -> Result<ServerInfo, RpcError> {
        let server = self.read();
        let (facts, head, identity) = (server.facts(), server.head(), &self.identity);
        Ok(ServerInfo {
            name: identity.name.clone(),
            version: identity.version.clone(),
            role: identity.role,
            network: facts.network,
            chain_name: identity.chain_name.clone(),
            chain_id: identity.chain_id.clone(),
            chain_type: identity.chain_type.clone(),
            depositary: facts.depositary,
            default_entity: identity.default_entity,
            block: U64(head.number),
            slice: U64(server.slice()),
            state_root: head.state_root,
            time: head.timestamp,
            uptime_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            unsafe_methods: identity.unsafe_methods,
        })
    }

    pub(super) fn server_get_stats(&self, _: NoParams) -> Result<ServerStats, RpcError> {
        let Census { channels, htlcs, .. } = self.census();
        let counters = &self.recent.counters;
        let server = self.read();
        Ok(ServerStats {
            signers: number(self.keystore.list().len()),
            entities: number(server.entities().len()),
            channels,
            pending_htlcs: htlcs,
            pending_calls: number(self.pool.len()),
            blocks: counters.blocks.load(Ordering::Relaxed),
            slices: server.slice().saturating_sub(self.slices_before),
            frames: heights(&server).saturating_sub(self.frames_before),
            calls_succeeded: counters.calls_succeeded.load(Ordering::Relaxed),
            calls_failed: counters.calls_failed.load(Ordering::Relaxed),
            payments_succeeded: counters.payments_succeeded.load(Ordering::Relaxed),
            payments_failed: counters.payments_failed.load(Ordering::Relaxed),
            state_keys: number(server.keys()),
            block_interval_p50_ms: self.recent.interval_ms(50),
            block_interval_p99_ms: self.recent.interval_ms(99),
        })
    }

    /// Counting looks at every channel, so a count is used for some seconds.
    fn census(&self) -> Census {
        let mut census = self.census.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(census) = census.filter(|census| census.at.elapsed() < CENSUS_AGE) {
            return census;
        }
        let entities: Vec<Entity> = self.read().entities().cloned().collect();
        let fresh =
            Census { at: Instant::now(), channels: count(&entities, CHANNEL), htlcs: count(&entities, HTLC) };
        *census.insert(fresh)
    }

    pub(super) fn system_health(&self, _: NoParams) -> Result<HealthView, RpcError> {
        let (block, sealed) = {
            let server = self.read();
            (server.head().number, server.head().timestamp)
        };
        let reason = self.health.status().err();
        Ok(HealthView {
            ready: reason.is_none(),
            reason,
            block: U64(block),
            block_age_ms: system_time().as_millis().saturating_sub(sealed.as_millis()),
            pending_calls: number(self.pool.len()),
            peers: u32::try_from(self.others.status().connected).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn system_version(&self, _: NoParams) -> Result<VersionView, RpcError> {
        Ok(VersionView {
            name: "xln-node".into(),
            version: self.identity.version.clone(),
            call_version: CALL_VERSION,
        })
    }
}

pub(super) fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
