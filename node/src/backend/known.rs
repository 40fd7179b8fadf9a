//! What the chain spec says of entities that live on other servers: their names, their terms, their first channels.
//!
//! It is how the network began, not how it is: good enough to look for a way, and every hop decides for itself.

use std::collections::{BTreeMap, BTreeSet};

use pallet_channels::{Policy, Subchannel};
use xln_primitives::{Amount, AssetId, Delta, EntityId, Side};
use xln_runtime::Genesis;

/// Entities and channels of the genesis.
#[derive(Debug, Default)]
pub struct Known {
    names: Vec<(EntityId, String)>,
    policies: BTreeMap<EntityId, Policy>,
    channels: BTreeMap<(EntityId, EntityId), Vec<Subchannel>>,
    peers: BTreeMap<EntityId, BTreeSet<EntityId>>,
}

impl Known {
    /// What a genesis says.
    #[must_use]
    pub fn new(genesis: &Genesis) -> Self {
        let mut known = Self::default();
        for entity in &genesis.entities {
            known.names.push((entity.id, entity.name.clone()));
            let policy = entity.policy.as_ref().map(xln_runtime::genesis::GenesisPolicy::resolve);
            known.policies.insert(entity.id, policy.unwrap_or_default());
        }
        for channel in &genesis.channels {
            let rows = channel.rows.iter().map(|row| Subchannel {
                asset: row.asset,
                collateral: row.collateral,
                ondelta: row.ondelta.to_delta().unwrap_or(Delta::ZERO),
                offdelta: Delta::ZERO,
                left_credit_limit: row.left_credit,
                right_credit_limit: row.right_credit,
                left_hold: Amount::ZERO,
                right_hold: Amount::ZERO,
            });
            known.channels.insert((channel.left, channel.right), rows.collect());
            for (one, other) in [(channel.left, channel.right), (channel.right, channel.left)] {
                known.peers.entry(one).or_default().insert(other);
            }
        }
        known
    }

    /// Entities with their names.
    pub(super) fn names(&self) -> impl Iterator<Item = (EntityId, &str)> {
        self.names.iter().map(|(entity, name)| (*entity, name.as_str()))
    }

    /// The terms on which an entity began to forward.
    pub(super) fn policy(&self, entity: &EntityId) -> Option<Policy> {
        self.policies.get(entity).cloned()
    }

    /// Who had a channel with an entity.
    pub(super) fn peers(&self, entity: &EntityId) -> impl Iterator<Item = EntityId> + '_ {
        self.peers.get(entity).into_iter().flatten().copied()
    }

    /// What one entity could send another over their channel.
    pub(super) fn capacity(&self, from: EntityId, to: EntityId, asset: &AssetId) -> Option<Amount> {
        let rows = self.channels.get(&(from.min(to), from.max(to)))?;
        let side = Side::of(&from, &to)?;
        Some(rows.iter().find(|row| row.asset == *asset)?.out_capacity(side))
    }
}
