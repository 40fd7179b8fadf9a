//! What waits for other servers.

use std::collections::{BTreeMap, VecDeque};

use super::{Item, Position};
use crate::ServerId;

/// The messages that wait for each server, in order. It survives a crash of the process: a message that was sent once is
/// there until [`super::Effect::Forget`] names its position, and stands at the same position after a restart.
///
/// A message is smaller than [`crate::Limits::deliver_bytes`] by the largest batch, [`super::DeliveryLimits::batch_bytes`]: one
/// that fits into no packet would hold up all that come after it.
pub trait Queue {
    /// The messages for `to` that come after `position`, in order: at most `count`, and no more after they have reached
    /// `bytes` together.
    fn after(&self, to: ServerId, position: Position, count: usize, bytes: usize) -> Vec<Item>;
}

/// A queue in memory, for those who can make it anew from what is durable.
#[derive(Debug, Clone, Default)]
pub struct MemoryQueue {
    waiting: BTreeMap<ServerId, VecDeque<Item>>,
}

impl MemoryQueue {
    /// Adds a message for `to` at the end. False, and nothing is added, if the position is not after the last one.
    pub fn append(&mut self, to: ServerId, position: Position, bytes: Vec<u8>) -> bool {
        let waiting = self.waiting.entry(to).or_default();
        let grows = waiting.back().is_none_or(|last| last.position < position);
        if grows {
            waiting.push_back(Item { position, bytes });
        }
        grows
    }

    /// Forgets the messages for `to` up to a position.
    pub fn forget(&mut self, to: ServerId, upto: Position) {
        if let Some(waiting) = self.waiting.get_mut(&to) {
            let keep = waiting.partition_point(|item| item.position <= upto);
            waiting.drain(..keep);
            if waiting.is_empty() {
                self.waiting.remove(&to);
            }
        }
    }

    /// How many messages wait for `to`.
    #[must_use]
    pub fn len(&self, to: ServerId) -> usize {
        self.waiting.get(&to).map_or(0, VecDeque::len)
    }

    /// Where the first and the last of those that wait for `to` stand.
    #[must_use]
    pub fn ends(&self, to: ServerId) -> Option<(Position, Position)> {
        let waiting = self.waiting.get(&to)?;
        Some((waiting.front()?.position, waiting.back()?.position))
    }

    /// The servers for which something waits.
    pub fn servers(&self) -> impl Iterator<Item = ServerId> + '_ {
        self.waiting.keys().copied()
    }
}

impl Queue for MemoryQueue {
    fn after(&self, to: ServerId, position: Position, count: usize, bytes: usize) -> Vec<Item> {
        let Some(waiting) = self.waiting.get(&to) else { return Vec::new() };
        let first = waiting.partition_point(|item| item.position <= position);
        let mut total = 0_usize;
        let wanted = waiting.range(first..).take(count).take_while(|item| {
            let wanted = total < bytes;
            total = total.saturating_add(item.bytes.len());
            wanted
        });
        wanted.cloned().collect()
    }
}
