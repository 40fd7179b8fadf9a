//! The receiver's side towards one server.

use std::collections::BTreeMap;

use super::{Acknowledgement, Batch, DeliveryLimits, Item, Position, Stream};

/// Where the receiving from one server stands.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    stream: Stream,
    /// Up to here everything was handed on.
    received: Position,
    /// Up to here everything is durable.
    durable: Position,
    /// Batches that came before their turn, by the position after which they come.
    early: BTreeMap<Position, Batch>,
    early_count: usize,
    early_bytes: usize,
}

/// What a batch brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    /// What is to be handed on, in order.
    pub(super) items: Vec<Item>,
    /// What the sender seems not to know.
    pub(super) acknowledgement: Option<Acknowledgement>,
}

/// A batch whose positions are not in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Disordered;

impl Incoming {
    pub(super) fn receive(&mut self, batch: Batch, limits: &DeliveryLimits) -> Result<Received, Disordered> {
        let last = batch.last().ok_or(Disordered)?;
        if batch.stream < self.stream {
            return Ok(Received::default());
        }
        if batch.stream > self.stream {
            *self = Self { stream: batch.stream, ..Self::default() };
        }
        // Acknowledged is what was durable here, even if it is forgotten now.
        self.received = self.received.max(batch.acknowledged);
        self.durable = self.durable.max(batch.acknowledged);
        let mut received = Received::default();
        if last <= self.received {
            if self.durable > batch.acknowledged {
                received.acknowledgement = Some(self.acknowledgement());
            }
        } else if batch.after <= self.received {
            self.take(batch, last, &mut received.items);
        } else {
            self.keep(batch, limits);
        }
        self.take_early(&mut received.items);
        Ok(received)
    }

    fn take(&mut self, batch: Batch, last: Position, items: &mut Vec<Item>) {
        let received = core::mem::replace(&mut self.received, last);
        items.extend(batch.items.into_iter().filter(|item| item.position > received));
    }

    /// Takes what came early and is next now.
    fn take_early(&mut self, items: &mut Vec<Item>) {
        while let Some(entry) = self.early.first_entry()
            && *entry.key() <= self.received
        {
            let batch = entry.remove();
            self.early_count = self.early_count.saturating_sub(batch.items.len());
            self.early_bytes = self.early_bytes.saturating_sub(batch.bytes());
            if let Some(last) = batch.last().filter(|last| *last > self.received) {
                self.take(batch, last, items);
            }
        }
    }

    /// Keeps a batch until those before it are there; what has no room is sent again.
    fn keep(&mut self, batch: Batch, limits: &DeliveryLimits) {
        let count = self.early_count.saturating_add(batch.items.len());
        let bytes = self.early_bytes.saturating_add(batch.bytes());
        // A sender keeps to the window; a longer batch at the same place brings nothing that is not sent again.
        if count > limits.window || bytes > limits.window_bytes.saturating_add(limits.batch_bytes) {
            return;
        }
        if let std::collections::btree_map::Entry::Vacant(place) = self.early.entry(batch.after) {
            place.insert(batch);
            (self.early_count, self.early_bytes) = (count, bytes);
        }
    }

    /// Takes what was handed on as durable up to a position; the acknowledgement, if that is news.
    pub(super) fn durable(&mut self, stream: Stream, upto: Position) -> Option<Acknowledgement> {
        let upto = upto.min(self.received);
        if stream != self.stream || upto <= self.durable {
            return None;
        }
        self.durable = upto;
        Some(self.acknowledgement())
    }

    const fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { stream: self.stream, upto: self.durable }
    }

    pub(super) const fn stream(&self) -> Stream {
        self.stream
    }
}
