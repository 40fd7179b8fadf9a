//! The graph that is searched: the channels of hosted entities as they are now, and those elsewhere as the chain spec has
//! them.

use std::{cell::RefCell, collections::BTreeMap};

use pallet_channels::{Policy, Status, view as read};
use xln_primitives::{Amount, AssetId, ChannelId, EntityId};
use xln_rpc::RpcError;
use xln_runtime::Entity;

use super::{PAGE, no_route, search::Graph};
use crate::backend::{NodeBackend, codes::Refused};

/// Most channels that one search looks at.
const CHANNELS_MAX: usize = 100_000;

/// The channels of one asset, read from the committed states as the search needs them.
pub(super) struct Hosted<'a> {
    node: &'a NodeBackend,
    pub(super) asset: AssetId,
    entities: RefCell<BTreeMap<EntityId, Option<Entity>>>,
    looked_at: RefCell<usize>,
}

impl<'a> Hosted<'a> {
    pub(super) fn new(node: &'a NodeBackend, asset: AssetId) -> Self {
        Self { node, asset, entities: RefCell::default(), looked_at: RefCell::new(0) }
    }

    /// An entity as it was when the search first saw it.
    fn entity(&self, id: EntityId) -> Option<Entity> {
        self.entities.borrow_mut().entry(id).or_insert_with(|| self.node.hosted(&id)).clone()
    }

    /// What `from` can send over a channel.
    fn sendable(&self, stored: &read::ChannelView, from: EntityId) -> Option<Amount> {
        if stored.channel.status != Status::Open {
            return None;
        }
        let row = stored.channel.subchannel(&self.asset)?;
        Some(row.out_capacity(stored.channel.side_of(&from)))
    }

    fn channel(&self, one: EntityId, other: EntityId) -> Result<Option<read::ChannelView>, RpcError> {
        let id = ChannelId::between(&one, &other);
        match self.entity(one).or_else(|| self.entity(other)) {
            Some(entity) => read::channel(&entity.state(), id).refused(),
            None => Ok(None),
        }
    }

    fn look(&self) -> Result<(), RpcError> {
        let mut looked_at = self.looked_at.borrow_mut();
        *looked_at = looked_at.saturating_add(1);
        if *looked_at > CHANNELS_MAX {
            return Err(no_route(format!("no route was found among the first {CHANNELS_MAX} channels"))
                .with_hint("name the hops with via"));
        }
        Ok(())
    }
}

impl Graph for Hosted<'_> {
    fn senders(&self, to: EntityId) -> Result<Vec<(EntityId, Amount)>, RpcError> {
        let mut senders = Vec::new();
        let Some(entity) = self.entity(to) else {
            // Its channels are known from their other sides only.
            let hosted: Vec<EntityId> = self.node.read().entities().map(Entity::id).collect();
            for from in hosted {
                self.look()?;
                senders.extend(self.capacity(from, to)?.map(|capacity| (from, capacity)));
            }
            // Nobody here is on either side: what the chain spec says has to do.
            let elsewhere = self.node.known.peers(&to).filter(|from| self.entity(*from).is_none());
            for from in elsewhere {
                self.look()?;
                let capacity = self.node.known.capacity(from, to, &self.asset);
                senders.extend(capacity.map(|capacity| (from, capacity)));
            }
            return Ok(senders);
        };
        let (state, mut after) = (entity.state(), None);
        loop {
            let page = read::channels(&state, after, PAGE).refused()?;
            for stored in &page {
                self.look()?;
                let from = stored.channel.entity(stored.channel.side_of(&to).other());
                senders.extend(self.sendable(stored, from).map(|capacity| (from, capacity)));
            }
            after = page.last().map(|stored| stored.id);
            if page.len() < PAGE {
                return Ok(senders);
            }
        }
    }

    fn capacity(&self, from: EntityId, to: EntityId) -> Result<Option<Amount>, RpcError> {
        if self.entity(from).is_none() && self.entity(to).is_none() {
            return Ok(self.node.known.capacity(from, to, &self.asset));
        }
        Ok(self.channel(from, to)?.and_then(|stored| self.sendable(&stored, from)))
    }

    fn policy(&self, entity: EntityId) -> Result<Option<Policy>, RpcError> {
        match self.entity(entity) {
            Some(entity) => Policy::load(&entity.state()).refused().map(Some),
            None => Ok(self.node.known.policy(&entity)),
        }
    }
}

/// A graph in which whatever the payer's channels lack does not matter.
pub(super) struct Unlimited<'a, G> {
    pub(super) graph: &'a G,
    pub(super) payer: EntityId,
}

impl<G: Graph> Graph for Unlimited<'_, G> {
    fn senders(&self, to: EntityId) -> Result<Vec<(EntityId, Amount)>, RpcError> {
        self.graph.senders(to)
    }

    fn capacity(&self, from: EntityId, to: EntityId) -> Result<Option<Amount>, RpcError> {
        let capacity = self.graph.capacity(from, to)?;
        Ok(if from == self.payer { capacity.map(|_| Amount::MAX) } else { capacity })
    }

    fn policy(&self, entity: EntityId) -> Result<Option<Policy>, RpcError> {
        self.graph.policy(entity)
    }
}
