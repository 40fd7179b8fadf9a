//! Sizes of the state, read when somebody asks.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use pallet_channels::view::{self as read, ChannelView};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
};
use xln_primitives::{ChannelId, EntityId};
use xln_runtime::{Entity, Server};

/// Channels that are read at once.
const PAGE: usize = 1_000;

/// The committed state of the node.
#[derive(Clone)]
pub(super) struct State(Arc<RwLock<Server>>);

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

impl State {
    pub(super) fn new(server: Arc<RwLock<Server>>) -> Self {
        Self(server)
    }

    fn entity(&self, id: &EntityId) -> Option<Entity> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).entity(id).cloned()
    }

    /// Channels that are open, each counted at its left side. Looks at all of them.
    pub(super) fn channels(&self) -> usize {
        let entities: Vec<Entity> =
            self.0.read().unwrap_or_else(PoisonError::into_inner).entities().cloned().collect();
        entities.iter().map(open_at_the_left).sum()
    }

    /// Whether an entity is the left side of a channel.
    pub(super) fn is_left(&self, entity: &EntityId, channel: ChannelId) -> bool {
        let stored = self.entity(entity).and_then(|entity| read::channel(&entity.state(), channel).ok());
        stored.flatten().is_some_and(|stored| stored.channel.left == *entity)
    }
}

fn open_at_the_left(entity: &Entity) -> usize {
    let (id, state) = (entity.id(), entity.state());
    let is_counted =
        |stored: &&ChannelView| stored.channel.left == id && !stored.channel.subchannels.is_empty();
    let (mut total, mut after) = (0, None);
    loop {
        let Ok(page) = read::channels(&state, after, PAGE) else { return total };
        total += page.iter().filter(is_counted).count();
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.id),
            _ => return total,
        }
    }
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner).keys();
        let metric = ConstGauge::new(super::gauge(keys));
        let (name, help) = ("xln_state_keys", "Keys of the state");
        metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
    }
}
