//! What went over the wire, for metrics.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use libp2p::Multiaddr;

use crate::{
    Protocol, Refusal,
    refusal::{Refusals, Refused},
};

/// Messages and their bytes on the wire, as whole envelopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages.
    pub messages: u64,
    /// Bytes.
    pub bytes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Meter {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Meter {
    pub(crate) fn add(&self, bytes: usize) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn traffic(&self) -> Traffic {
        Traffic { messages: self.messages.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }
}

/// Both ways of one kind of traffic.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    pub(crate) sent: Meter,
    pub(crate) received: Meter,
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Counters {
    since: Instant,
    refusals: Refusals,
    direct: [Meters; Protocol::ALL.len()],
    pub(crate) gossip: Meters,
    dropped: AtomicU64,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            since: Instant::now(),
            refusals: Refusals::new(Duration::ZERO),
            direct: Default::default(),
            gossip: Meters::default(),
            dropped: AtomicU64::new(0),
        }
    }

    /// Notes that something of `peer` was refused.
    pub(crate) fn refuse(
        &self,
        reason: Refusal,
        peer: &dyn core::fmt::Display,
        address: Option<&Multiaddr>,
        detail: &dyn core::fmt::Display,
    ) {
        self.refusals.note(self.since.elapsed(), reason, peer, address, detail);
    }

    /// Notes a message that was to be sent and was not.
    pub(crate) fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) const fn of(&self, protocol: Protocol) -> &Meters {
        let [consensus, deliver, sync] = &self.direct;
        match protocol {
            Protocol::Consensus => consensus,
            Protocol::Deliver => deliver,
            Protocol::Sync => sync,
        }
    }

    /// How often something was refused for a reason.
    #[must_use]
    pub fn refused(&self, reason: Refusal) -> u64 {
        self.refusals.count(reason)
    }

    /// Who was refused last, newest first: at most a hundred, each once for each reason.
    #[must_use]
    pub fn last_refused(&self) -> Vec<Refused> {
        self.refusals.last()
    }

    /// What was sent by a protocol, answers included.
    #[must_use]
    pub fn sent(&self, protocol: Protocol) -> Traffic {
        self.of(protocol).sent.traffic()
    }

    /// What came by a protocol, answers included.
    #[must_use]
    pub fn received(&self, protocol: Protocol) -> Traffic {
        self.of(protocol).received.traffic()
    }

    /// What was published here.
    #[must_use]
    pub fn published(&self) -> Traffic {
        self.gossip.sent.traffic()
    }

    /// What others published, each gossip once.
    #[must_use]
    pub fn heard(&self) -> Traffic {
        self.gossip.received.traffic()
    }

    /// Messages that were to be sent and were not: to a server that is not connected, or behind too much else.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
