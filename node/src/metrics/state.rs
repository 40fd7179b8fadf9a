//! Sizes of the state, read when somebody asks.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
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
pub(super) struct State {
    server: Arc<RwLock<Server>>,
    /// Channels that were counted before their first frame, such as those of genesis, which report later that they opened.
    counted_early: Arc<Mutex<BTreeSet<ChannelId>>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

impl State {
    pub(super) fn new(server: Arc<RwLock<Server>>) -> Self {
        Self { server, counted_early: Arc::default() }
    }

    fn entity(&self, id: &EntityId) -> Option<Entity> {
        self.server.read().unwrap_or_else(PoisonError::into_inner).entity(id).cloned()
    }

    /// Channels that are open, each counted at its left side. Looks at all of them.
    pub(super) fn channels(&self) -> usize {
        let entities: Vec<Entity> =
            self.server.read().unwrap_or_else(PoisonError::into_inner).entities().cloned().collect();
        let mut early = BTreeSet::new();
        let total = entities.iter().map(|entity| open_at_the_left(entity, &mut early)).sum();
        *self.counted_early.lock().unwrap_or_else(PoisonError::into_inner) = early;
        total
    }

    /// Whether a channel that reports its first frame was counted before it.
    pub(super) fn was_counted(&self, channel: &ChannelId) -> bool {
        self.counted_early.lock().unwrap_or_else(PoisonError::into_inner).remove(channel)
    }

    /// Whether an entity is the left side of a channel.
    pub(super) fn is_left(&self, entity: &EntityId, channel: ChannelId) -> bool {
        let stored = self.entity(entity).and_then(|entity| read::channel(&entity.state(), channel).ok());
        stored.flatten().is_some_and(|stored| stored.channel.left == *entity)
    }
}

fn open_at_the_left(entity: &Entity, early: &mut BTreeSet<ChannelId>) -> usize {
    let (id, state) = (entity.id(), entity.state());
    let is_counted =
        |stored: &&ChannelView| stored.channel.left == id && !stored.channel.subchannels.is_empty();
    let (mut total, mut after) = (0, None);
    loop {
        let Ok(page) = read::channels(&state, after, PAGE) else { return total };
        for stored in page.iter().filter(is_counted) {
            total += 1;
            if stored.channel.height == 0 {
                early.insert(stored.id);
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.id),
            _ => return total,
        }
    }
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let keys = self.server.read().unwrap_or_else(PoisonError::into_inner).keys();
        let metric = ConstGauge::new(super::gauge(keys));
        let (name, help) = ("xln_state_keys", "Keys of the state");
        metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
    }
}
