//! Messages between entities on different servers: at least once, in order, nothing lost when either side crashes.
//!
//! ```text
//!   sender                                                         receiver
//!   slice durable ─► Queue (durable) ─► window ─── Batch ────────► in order? ─► hand on ─► slice ─► fsync
//!                        ▲                ▲                          │ early: wait                    │
//!                        │ forget         │ again after 1, 2, 4 … s  │ known: acknowledge again       │
//!                        └────────────────┴────────── Acknowledgement(upto) ◄─────────────────────────┘
//! ```
//!
//! [`Delivery`] is this machine for all other servers, without clock, socket and disk: the node gives it the time and what
//! arrives, and does what it says. A simulator runs the same code on virtual time.
//!
//! **Positions** are given by the sender. They grow, may have gaps, and a message keeps its position over a crash: the node
//! derives it from the log. A batch says after which position it comes and contains everything from there on, so the
//! receiver sees a gap although positions are not consecutive.
//!
//! **Nothing is lost.** The sender keeps a message until it is acknowledged; the receiver acknowledges it when the node has said
//! that its effect is durable ([`Delivery::durable`]). If the receiver crashes in between, it never acknowledged, and gets the
//! message again. If the sender crashes, its queue still has the message.
//!
//! **At least once.** A receiver drops what it has handed on before. After a crash it does not know that any more: each batch
//! tells how far it has acknowledged, and it goes on from there. What was durable and not yet acknowledged then comes a second
//! time; the runtime refuses it by its sequence number, so the effect is there once.
//!
//! **In order.** Batches are handed on in the order of positions, whatever the network does to them. All messages of an
//! entity to an entity take one way, so they keep their order.
//!
//! **Bounded.** A window limits messages and bytes under way and those that wait for an earlier one. While nothing is
//! acknowledged only one batch is tried, less and less often; a server that is away costs a timer.
//!
//! A sender can only harm the delivery of its own messages: whatever it claims, nobody else's positions are touched.

mod incoming;
mod limits;
mod outgoing;
mod packet;
mod position;
mod queue;

use core::time::Duration;
use std::collections::BTreeMap;

pub use limits::DeliveryLimits;
pub use packet::{Acknowledgement, BATCH_MAX, Batch, Item, Packet};
pub use position::{Position, Stream};
pub use queue::{MemoryQueue, Queue};

use crate::ServerId;
use incoming::Incoming;
use outgoing::Outgoing;

/// What the node has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send a packet to a server. It may get lost.
    Send {
        /// To whom.
        to: ServerId,
        /// What.
        packet: Packet,
    },
    /// Hand messages on, in this order, after all earlier ones of this server. When their effect is durable, say so with
    /// [`Delivery::durable`] and the position of the last one. A message that has no effect, because it is known or
    /// proves nothing, is done with at once: if nobody says so, nothing of its sender is acknowledged any more.
    HandOn {
        /// Who sent them.
        from: ServerId,
        /// The sender's counting of positions.
        stream: Stream,
        /// The messages. Nothing about them is authenticated.
        items: Vec<Item>,
    },
    /// The queue need not keep messages for a server any more.
    Forget {
        /// For whom they were.
        to: ServerId,
        /// Up to this position.
        upto: Position,
    },
}

/// A packet that an honest server does not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// The positions of a batch are not in order.
    #[error("the positions of a batch are not in order")]
    Disordered,
    /// An acknowledgement of what was never there.
    #[error("position {upto} was acknowledged, but {last} is the last that there was")]
    NeverSent {
        /// The position that was acknowledged.
        upto: Position,
        /// The last one.
        last: Position,
    },
    /// More senders than are served.
    #[error("messages are taken from {limit} servers already")]
    TooManySenders {
        /// How many.
        limit: usize,
    },
}

/// The delivery of messages to and from all other servers.
#[derive(Debug, Default)]
pub struct Delivery {
    limits: DeliveryLimits,
    outgoing: BTreeMap<ServerId, Outgoing>,
    incoming: BTreeMap<ServerId, Incoming>,
    connected: std::collections::BTreeSet<ServerId>,
}

impl Delivery {
    /// Without anything to deliver, and not connected.
    #[must_use]
    pub fn new(limits: DeliveryLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Begins or goes on to send to a server: after `acknowledged`, up to `last`, as the queue has it. After a restart,
    /// `acknowledged` is any position before the first message that is left and not before the last that is not.
    pub fn resume(&mut self, to: ServerId, stream: Stream, acknowledged: Position, last: Position) {
        let mut outgoing = Outgoing::new(stream, acknowledged, last);
        if self.connected.contains(&to) {
            outgoing.connected();
        }
        self.outgoing.insert(to, outgoing);
    }

    /// The queue for `to` ends at `last` now. False if [`Self::resume`] was never called for it.
    pub fn appended(&mut self, to: ServerId, last: Position) -> bool {
        self.outgoing.get_mut(&to).map(|outgoing| outgoing.appended(last)).is_some()
    }

    /// A server can be reached: what it has not acknowledged is sent, with the next [`Self::poll`].
    pub fn connected(&mut self, server: ServerId) {
        self.connected.insert(server);
        if let Some(outgoing) = self.outgoing.get_mut(&server) {
            outgoing.connected();
        }
    }

    /// A server cannot be reached: nothing is sent to it.
    pub fn disconnected(&mut self, server: ServerId) {
        self.connected.remove(&server);
        if let Some(outgoing) = self.outgoing.get_mut(&server) {
            outgoing.disconnected();
        }
    }

    /// Forgets a server that will never come back, and where delivery from it stood.
    pub fn remove(&mut self, server: ServerId) {
        self.connected.remove(&server);
        self.outgoing.remove(&server);
        self.incoming.remove(&server);
    }

    /// Takes a packet. `now` is the time since a moment that the caller has chosen once; it never goes back.
    ///
    /// # Errors
    /// If an honest server would not have sent it. Nothing has changed then.
    pub fn receive(
        &mut self,
        now: Duration,
        from: ServerId,
        packet: Packet,
    ) -> Result<Vec<Effect>, PacketError> {
        match packet {
            Packet::Batch(batch) => self.receive_batch(from, batch),
            Packet::Acknowledgement(said) => {
                let Some(outgoing) = self.outgoing.get_mut(&from) else { return Ok(Vec::new()) };
                let news = outgoing
                    .acknowledge(now, said, &self.limits)
                    .map_err(|last| PacketError::NeverSent { upto: said.upto, last })?;
                Ok(news.map(|upto| Effect::Forget { to: from, upto }).into_iter().collect())
            }
        }
    }

    fn receive_batch(&mut self, from: ServerId, batch: Batch) -> Result<Vec<Effect>, PacketError> {
        let senders = self.incoming.len();
        let incoming = match self.incoming.entry(from) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(_) if senders >= self.limits.senders => {
                return Err(PacketError::TooManySenders { limit: self.limits.senders });
            }
            std::collections::btree_map::Entry::Vacant(new) => new.insert(Incoming::default()),
        };
        let received = incoming.receive(batch, &self.limits).map_err(|_| PacketError::Disordered)?;
        let mut effects = Vec::new();
        if !received.items.is_empty() {
            effects.push(Effect::HandOn { from, stream: incoming.stream(), items: received.items });
        }
        if let Some(acknowledgement) = received.acknowledgement {
            effects.push(Effect::Send { to: from, packet: Packet::Acknowledgement(acknowledgement) });
        }
        Ok(effects)
    }

    /// The effect of everything that `from` sent up to a position is durable; what is to be sent, if that is news.
    pub fn durable(&mut self, from: ServerId, stream: Stream, upto: Position) -> Option<Effect> {
        let acknowledgement = self.incoming.get_mut(&from)?.durable(stream, upto)?;
        Some(Effect::Send { to: from, packet: Packet::Acknowledgement(acknowledgement) })
    }

    /// What is to be sent now. `now` is as for [`Self::receive`].
    pub fn poll(&mut self, now: Duration, queue: &impl Queue) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (to, outgoing) in &mut self.outgoing {
            while let Some(batch) = outgoing.poll(now, *to, queue, &self.limits) {
                effects.push(Effect::Send { to: *to, packet: Packet::Batch(batch) });
            }
        }
        effects
    }

    /// When [`Self::poll`] has something to do if nothing happens before; zero for at once.
    #[must_use]
    pub fn wake(&self) -> Option<Duration> {
        self.outgoing.values().filter_map(|outgoing| outgoing.wake(&self.limits)).min()
    }

    /// Up to where a server has acknowledged what was sent to it.
    #[must_use]
    pub fn acknowledged(&self, to: ServerId) -> Option<Position> {
        self.outgoing.get(&to).map(Outgoing::acknowledged)
    }

    /// Whether everything that was appended is acknowledged.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.outgoing.values().all(Outgoing::is_idle)
    }
}
