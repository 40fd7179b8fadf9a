//! What slices leave beside the state: the proofs of channels, and messages to entities that are not here.
//!
//! ```text
//!   slice is durable ─► in memory, by channel and by receiver ─► with the next snapshot: on disk
//!                                     ▲
//!   start: slices since the snapshot are executed again
//! ```
//!
//! Both follow from the log, so a slice writes neither: what came since the last mutable snapshot is had by executing the
//! log again, and is written once, with the next snapshot, if it still matters then. A channel that moved a thousand times
//! in between leaves one proof.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use codec::{Decode, Encode};
use xln_primitives::{CertifiedMessage, ChannelId, EntityId, Sequence};
use xln_runtime::{
    Authentic, Delivery, Executed, Inbound, KeptProof, Known, RuntimeMessage, Server, Speaker,
    authenticate_message,
};
use xln_store::{PeerId, SnapshotWriter, Store, StoreError};

/// Bits of an outbox number that count the messages of one slice.
pub(crate) const OUTBOX_BITS: u32 = 24;

/// The number of message `place` of a slice.
pub(crate) const fn outbox_number(slice: u64, place: u64) -> u64 {
    slice << OUTBOX_BITS | place
}

/// A certified message.
type Certified = Arc<CertifiedMessage<RuntimeMessage>>;

/// Proofs and messages since the last snapshot, over those that are on disk.
pub struct Retained {
    store: Store,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// With the number of the slice that brought them.
    proofs: BTreeMap<(EntityId, ChannelId), (u64, KeptProof)>,
    /// By receiver and number: slice ‖ place in the slice.
    outbox: BTreeMap<(EntityId, u64), Delivery>,
    /// Messages that are on disk and were delivered.
    done: Vec<(EntityId, u64)>,
    /// Numbers of messages that were given to the author again, by receiver, sender and sequence.
    handed: BTreeMap<(EntityId, EntityId, Sequence), u64>,
}

/// What a snapshot writes, as of one slice.
pub struct Rows {
    slice: u64,
    proofs: Vec<KeptProof>,
    outbox: Vec<((EntityId, u64), Delivery)>,
    done: Vec<(EntityId, u64)>,
}

impl Retained {
    /// Over what is on disk.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every critical section is a sequence of independent insertions and removals.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what a durable slice left.
    pub fn keep(&self, executed: &Executed) {
        let slice = executed.slice.number;
        let mut inner = self.lock();
        for proof in &executed.proofs {
            inner.proofs.insert((proof.entity, proof.channel), (slice, proof.clone()));
        }
        for (place, delivery) in (0_u64..).zip(&executed.outbox) {
            inner.outbox.insert((delivery.to(), outbox_number(slice, place)), delivery.clone());
        }
        if inner.handed.is_empty() {
            return;
        }
        for certified in &executed.slice.messages {
            let message = &certified.message;
            if let Some(number) = inner.handed.remove(&(message.to, message.from, message.sequence)) {
                inner.delivered(message.to, number);
            }
        }
    }

    /// The encoded [`xln_runtime::DisputeProof`] that an entity holds for a channel.
    pub fn proof(&self, entity: EntityId, channel: ChannelId) -> Result<Option<Vec<u8>>, StoreError> {
        let fresh = self.lock().proofs.get(&(entity, channel)).and_then(|(_, kept)| kept.proof());
        match fresh {
            Some(proof) => Ok(Some(proof.encode())),
            None => self.store.proof(&entity, &channel),
        }
    }

    /// Messages that wait for this entity, oldest first, with their numbers.
    pub fn waiting(&self, entity: EntityId) -> Result<Vec<(u64, Certified)>, StoreError> {
        let mut waiting: BTreeMap<u64, Certified> = BTreeMap::new();
        let done: Vec<u64> =
            self.lock().done.iter().filter(|(to, _)| *to == entity).map(|(_, number)| *number).collect();
        for row in self.store.outbox(&PeerId::new(*entity.as_bytes()), 0) {
            let (number, bytes) = row?;
            if let Ok(message) = CertifiedMessage::decode(&mut bytes.as_slice())
                && !done.contains(&number)
            {
                waiting.insert(number, Arc::new(message));
            }
        }
        for ((_, number), delivery) in self.lock().outbox.range((entity, 0)..=(entity, u64::MAX)) {
            waiting.extend(delivery.certified().map(|certified| (*number, certified)));
        }
        Ok(waiting.into_iter().collect())
    }

    /// A message has reached its receiver for good.
    pub fn delivered(&self, entity: EntityId, number: u64) {
        self.lock().delivered(entity, number);
    }

    /// What waits for entities that are here now and were not, or had no key here. It goes on waiting until a durable
    /// slice has executed it.
    pub fn redeliver(
        &self,
        server: &Server,
        entities: &[EntityId],
    ) -> Result<Vec<Authentic<Inbound>>, StoreError> {
        let mut messages = Vec::new();
        for entity in entities {
            for (number, certified) in self.waiting(*entity)? {
                let message = Arc::clone(&certified.message);
                // Whatever is in the outbox an entity here has said, with its board of then.
                let Known::Board(board) = server.board_of(&certified.header) else { continue };
                match authenticate_message(certified, server.facts().network, Speaker::Known(board)) {
                    Ok(inbound) => messages.push(inbound),
                    Err(error) => {
                        tracing::error!(%entity, number, %error, "a message in the outbox proves nothing");
                        continue;
                    }
                }
                self.lock().handed.insert((message.to, message.from, message.sequence), number);
            }
        }
        if !messages.is_empty() {
            tracing::info!(messages = messages.len(), "delivering what had to wait");
        }
        Ok(messages)
    }

    /// What has to be on disk before the snapshot of the latest durable slice, `slice`, counts.
    #[must_use]
    pub fn rows(&self, slice: u64) -> Rows {
        let inner = self.lock();
        Rows {
            slice,
            proofs: inner.proofs.values().map(|(_, proof)| proof.clone()).collect(),
            outbox: inner.outbox.iter().map(|(place, delivery)| (*place, delivery.clone())).collect(),
            done: inner.done.clone(),
        }
    }

    /// These rows are on disk: they need not be kept in memory.
    pub fn written(&self, rows: &Rows) {
        let mut inner = self.lock();
        inner.proofs.retain(|_, (slice, _)| *slice > rows.slice);
        for (place, _) in &rows.outbox {
            // What was delivered meanwhile is on disk now.
            if inner.outbox.remove(place).is_none() {
                inner.done.push(*place);
            }
        }
        let written = rows.done.len();
        inner.done.drain(..written);
    }
}

impl Inner {
    fn delivered(&mut self, entity: EntityId, number: u64) {
        if self.outbox.remove(&(entity, number)).is_none() {
            self.done.push((entity, number));
        }
    }
}

impl Rows {
    /// Writes the rows with a snapshot.
    pub fn put(&self, snapshot: &mut SnapshotWriter<'_>) -> Result<(), StoreError> {
        for kept in &self.proofs {
            if let Some(proof) = kept.proof() {
                snapshot.put_proof(&kept.entity, &kept.channel, &proof.encode())?;
            }
        }
        let done = self.done.iter().map(|place| (*place, None));
        let waiting = self.outbox.iter().map(|(place, delivery)| (*place, delivery.certified()));
        let changes: BTreeMap<(EntityId, u64), Option<Certified>> = done.chain(waiting).collect();
        for ((to, number), certified) in changes {
            let message = certified.map(|certified| certified.encode());
            snapshot.put_outbox(&PeerId::new(*to.as_bytes()), number, message.as_deref())?;
        }
        Ok(())
    }
}
