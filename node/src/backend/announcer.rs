//! What the author tells, on its way to subscribers: after it is durable, in order, under cursors that last.
//!
//! ```text
//!   author ── slice, events, receipts ──► names, recent outcomes, counters
//!                                    └──► Feed: cursor = slice << 20 | place in the slice
//! ```
//!
//! The author's thread only lists what happened and keeps handles to the states of that moment; the views are made by
//! whoever reads them first. Cursors grow with the slices, also over restarts: one from before a restart is refused, and
//! never means something else.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock},
};

use pallet_channels::{Event, view as read};
use xln_keystore::Keystore;
use xln_primitives::{BlockHeader, ChannelId, EntityId};
use xln_rpc::{
    Feed, Render, Topic,
    view::{Body, PaymentStatus},
};
use xln_runtime::{Entity, EntityEvents, Executed, Receipt, RuntimeEvent, Server};
use xln_store::Store;

use super::{
    chain::{block_view, header_view},
    channels::channel_view,
    directory::Directory,
    events::{changed_channel, changed_proposal},
    invoices::InvoiceBook,
    labels::Labels,
    payments::{forward_view, received_view, sent_view},
    proposals::Proposals,
    receipts::receipt_view,
    recent::Recent,
};
use crate::author::{Observer, system_time};

/// Bits of a cursor that count within a slice.
const CURSOR_BITS: u32 = 20;
/// The place of a block: after everything in its last slice.
const BLOCK_PLACE: u64 = (1 << CURSOR_BITS) - 1;

/// The first cursor after `slice`.
#[must_use]
pub const fn cursor_after(slice: u64) -> u64 {
    slice.saturating_add(1) << CURSOR_BITS
}

/// Tells the backend and its subscribers what the author did.
pub struct Announcer {
    pub(super) server: Arc<RwLock<Server>>,
    pub(super) store: Store,
    pub(super) keystore: Arc<Keystore>,
    pub(super) feed: Arc<Feed>,
    pub(super) directory: Arc<Directory>,
    pub(super) labels: Arc<Labels>,
    pub(super) recent: Arc<Recent>,
}

/// Something to publish.
type Notice = (Vec<Topic>, Render);

impl Observer for Announcer {
    fn slice(&self, executed: &Executed) {
        let (slice, events, receipts) = (executed.slice.number, &executed.events, &executed.receipts);
        self.directory.learn(events);
        self.recent.note(slice, events, receipts.iter().map(AsRef::as_ref));
        let first = slice << CURSOR_BITS;
        for (place, (topics, render)) in (0..BLOCK_PLACE).zip(self.notices(events, receipts)) {
            self.feed.publish_at(first | place, topics, render);
        }
    }

    fn block(&self, header: &BlockHeader) {
        self.recent.note_block();
        let last = header.first_slice.saturating_add(u64::from(header.slices)).saturating_sub(1);
        let (store, header) = (self.store.clone(), header.clone());
        let render = move || match block_view(&store, &header) {
            Ok(view) => Some(Body::Block(view)),
            Err(error) => {
                tracing::warn!(block = header.number, %error, "a block cannot be shown to subscribers");
                None
            }
        };
        self.feed.publish_at(last << CURSOR_BITS | BLOCK_PLACE, vec![Topic::Blocks], Box::new(render));
    }
}

impl Announcer {
    fn entity(&self, id: &EntityId) -> Option<Entity> {
        self.server.read().unwrap_or_else(PoisonError::into_inner).entity(id).cloned()
    }

    /// What a slice gives to tell, in an order that follows from the slice alone: receipts, then per entity its frame,
    /// its channels and
    /// proposals that changed, and its payments.
    fn notices(&self, events: &[EntityEvents], receipts: &[Arc<Receipt>]) -> Vec<Notice> {
        let mut notices: Vec<Notice> = Vec::new();
        for receipt in receipts {
            let (directory, receipt) = (Arc::clone(&self.directory), Arc::clone(receipt));
            let topics = vec![Topic::Events, Topic::Entity(receipt.entity)];
            notices.push((
                topics,
                Box::new(move || Some(Body::Receipt(receipt_view(&directory, &receipt, None)))),
            ));
        }
        let mut by_entity: BTreeMap<EntityId, Vec<&RuntimeEvent>> = BTreeMap::new();
        for receipt in receipts {
            by_entity.entry(receipt.entity).or_default();
        }
        for frame in events {
            by_entity.entry(frame.entity).or_default().extend(&frame.events);
        }
        for (id, own) in by_entity {
            let Some(entity) = self.entity(&id) else { continue };
            if let Some(header) = entity.head().map(|head| head.header.clone()) {
                let directory = Arc::clone(&self.directory);
                let render = move || Some(Body::Frame(header_view(&directory, &header)));
                notices.push((vec![Topic::Entity(id)], Box::new(render)));
            }
            let changed: BTreeSet<ChannelId> =
                own.iter().filter_map(|event| changed_channel(event)).collect();
            for channel in changed {
                notices.push(self.channel(&entity, channel));
            }
            let decided: BTreeSet<u64> = own.iter().filter_map(|event| changed_proposal(event)).collect();
            notices.extend(decided.into_iter().map(|number| self.proposal(&entity, number)));
            for event in own {
                if let RuntimeEvent::Channels(event) = event {
                    notices.extend(self.payment(&entity, event));
                }
            }
        }
        notices
    }

    fn channel(&self, entity: &Entity, channel: ChannelId) -> Notice {
        let (directory, entity) = (Arc::clone(&self.directory), entity.clone());
        let topics = vec![Topic::Channel(channel), Topic::Entity(entity.id())];
        let render = move || {
            let stored = read::channel(&entity.state(), channel).ok().flatten()?;
            Some(Body::Channel(channel_view(&directory, entity.id(), &stored)))
        };
        (topics, Box::new(render))
    }

    /// A proposal as it stands after the slice, however often it changed in it.
    fn proposal(&self, entity: &Entity, number: u64) -> Notice {
        let (directory, labels, entity) =
            (Arc::clone(&self.directory), Arc::clone(&self.labels), entity.clone());
        let topics = vec![Topic::Proposals, Topic::Entity(entity.id())];
        let render = move || {
            let proposals = Proposals { directory: &directory, labels: &labels, now: system_time() };
            proposals.get(&entity, number).ok().flatten().map(Body::Proposal)
        };
        (topics, Box::new(render))
    }

    /// What an event tells of a payment, a forward or an invoice.
    fn payment(&self, entity: &Entity, event: &Event) -> Option<Notice> {
        let (directory, entity) = (Arc::clone(&self.directory), entity.clone());
        let topics = vec![Topic::Payments, Topic::Entity(entity.id())];
        let render: Render = match *event {
            // What is decided in the slice in which it started is told once, by the event that decides it.
            Event::PaymentStarted { payment: number, .. } => Box::new(move || {
                let payment = read::payment(&entity.state(), number).ok().flatten()?;
                let view = sent_view(&directory, entity.id(), &payment);
                (view.status == PaymentStatus::Pending).then_some(Body::Payment(view))
            }),
            Event::PaymentSent { payment: number, .. } | Event::PaymentFailed { payment: number, .. } => {
                Box::new(move || {
                    let payment = read::payment(&entity.state(), number).ok().flatten()?;
                    Some(Body::Payment(sent_view(&directory, entity.id(), &payment)))
                })
            }
            Event::PaymentReceived { hash, .. } | Event::PaymentHeld { hash, .. } => Box::new(move || {
                let invoice = read::invoice(&entity.state(), hash).ok().flatten()?;
                received_view(&directory, entity.id(), &invoice).map(Body::Payment)
            }),
            Event::PaymentForwarded { forward: number, .. }
            | Event::ForwardFailed { forward: number, .. } => Box::new(move || {
                let forward = read::forward(&entity.state(), number).ok().flatten()?;
                forward_view(&directory, &entity, &forward).ok().map(Body::Forward)
            }),
            Event::InvoiceIssued { hash, .. } | Event::InvoiceCancelled { hash } => {
                let keystore = Arc::clone(&self.keystore);
                let network = self.server.read().unwrap_or_else(PoisonError::into_inner).facts().network;
                Box::new(move || {
                    let invoice = read::invoice(&entity.state(), hash).ok().flatten()?;
                    let book = InvoiceBook { directory: &directory, keystore: &keystore, network };
                    Some(Body::Invoice(book.view(&entity, &invoice, system_time())))
                })
            }
            _ => return None,
        };
        Some((topics, render))
    }
}
