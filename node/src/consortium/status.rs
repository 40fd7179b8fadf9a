//! What the node tells of its boards.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use xln_consensus::{Event, Refusal};
use xln_network::ServerId;
use xln_primitives::{EntityId, Height, Round};
use xln_runtime::DecidedFrame;
use xln_store::{Store, StoreError};

use super::{
    environment::Environment,
    evidence::EvidenceLog,
    fetch::Fetch,
    machine::Machine,
    pace::{Class, Pace},
    peers::Peers,
};

/// Where an entity stands whose board votes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardStatus {
    /// Which entity.
    pub entity: EntityId,
    /// Whether it is the depositary.
    pub class: Class,
    /// Height of the next frame.
    pub height: Height,
    /// The round in which it is being decided; none while nothing is to be decided.
    pub round: Option<Round>,
    /// Frames that its board has certified and this server has not executed, as far as it has heard.
    pub behind: u64,
    /// Messages that wait for it here.
    pub waiting: usize,
    /// Whether this server votes.
    pub votes: bool,
    /// Why this server takes part no more.
    pub halted: Option<String>,
    /// The state that is on its way here from another server.
    pub fetching: Option<Fetching>,
}

/// A state that is on its way here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetching {
    /// Who gives it.
    pub from: ServerId,
    /// How much of it has come.
    pub progress: Progress,
}

/// How much of a state has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is known of it yet.
    Asked,
    /// Its chunks come.
    Chunks {
        /// Chunks that have come.
        done: u32,
        /// Chunks of the state.
        count: u32,
    },
    /// All of it; it is being taken over.
    Complete,
}

/// What is known of other servers and of all boards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// How many of the chain spec's other servers are connected.
    pub connected: usize,
    /// Messages for entities on other servers that are not acknowledged.
    pub outbox: usize,
    /// Every entity that is followed here.
    pub boards: Vec<BoardStatus>,
    /// Messages of others that were refused, by reason.
    pub refused: BTreeMap<Refusal, u64>,
    /// States of others that were not what their boards certified, by server.
    pub refused_states: BTreeMap<ServerId, u64>,
}

/// Shared with those who answer questions.
#[derive(Debug, Default)]
pub struct Shared {
    inner: Mutex<Inner>,
    evidence: EvidenceLog,
    pace: Pace,
    peers: Mutex<Option<Arc<Peers>>>,
}

#[derive(Debug, Default)]
struct Inner {
    status: Status,
    halted: BTreeMap<EntityId, String>,
    /// The largest height of which a certified frame was seen.
    seen: BTreeMap<EntityId, Height>,
}

impl Shared {
    /// With the evidence that is on disk.
    pub fn open(store: Store) -> Result<Self, StoreError> {
        Ok(Self { evidence: EvidenceLog::open(store)?, ..Self::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of all boards.
    pub fn status(&self) -> Status {
        self.lock().status.clone()
    }

    /// Proof of members who signed two things for one place.
    pub const fn evidence(&self) -> &EvidenceLog {
        &self.evidence
    }

    /// How fast boards decide.
    pub const fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The connections to other servers; none on a server that runs alone, or has stopped.
    pub fn peers(&self) -> Option<Arc<Peers>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Connections are there, or not any more.
    pub(super) fn connect(&self, peers: Option<Peers>) {
        *self.peers.lock().unwrap_or_else(PoisonError::into_inner) = peers.map(Arc::new);
    }

    /// A frame with a certificate that holds was seen.
    pub(super) fn seen(&self, entity: EntityId, height: Height) {
        let mut inner = self.lock();
        let seen = inner.seen.entry(entity).or_default();
        *seen = height.max(*seen);
    }

    pub(super) fn refused(&self, reason: Refusal) {
        let mut inner = self.lock();
        let count = inner.status.refused.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn refused_state(&self, from: ServerId) {
        let mut inner = self.lock();
        let count = inner.status.refused_states.entry(from).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn halted(&self, entity: EntityId, reason: String) {
        self.lock().halted.insert(entity, reason);
    }
}

impl<E: Environment> Machine<E> {
    /// Notes since when there is something to decide.
    pub(super) fn note_work(&self, events: &[Event]) {
        for event in events {
            if let Event::Work { entity } = event {
                self.shared.pace.work(*entity, self.env.now());
            }
        }
    }

    /// Notes that a frame of a board is durable.
    pub(super) fn note_decided(&self, frame: &DecidedFrame) {
        let is_depositary = self.env.server().facts().depositary == frame.body.entity;
        let class = if is_depositary { Class::Depositary } else { Class::Entity };
        self.shared.pace.decided(class, frame, self.env.now());
    }

    /// Notes where everything stands, for those who ask.
    pub(super) fn report(&self) {
        let rounds: BTreeMap<EntityId, Round> = match &self.host {
            Some(host) => host.active().map(|(entity, _, round)| (entity, round)).collect(),
            None => BTreeMap::new(),
        };
        let votes: Vec<EntityId> = self
            .host
            .as_ref()
            .map_or_else(Vec::new, |host| host.heights().map(|(entity, _)| entity).collect());
        let depositary = self.env.server().facts().depositary;
        let mut inner = self.shared.lock();
        let halted = inner.halted.clone();
        let behind: BTreeMap<EntityId, u64> = inner
            .seen
            .iter()
            .filter_map(|(entity, seen)| {
                let next = self.followed.get(entity)?.next;
                Some((*entity, seen.saturating_add(1).saturating_sub(next)))
            })
            .collect();
        inner.status.connected = self.connected.len();
        inner.status.outbox = self.post.len();
        inner.status.boards = self
            .followed
            .iter()
            .map(|(entity, followed)| BoardStatus {
                entity: *entity,
                class: if *entity == depositary { Class::Depositary } else { Class::Entity },
                height: followed.next,
                behind: behind.get(entity).copied().unwrap_or_default(),
                round: rounds.get(entity).copied(),
                waiting: self.waiting.get(entity).map_or(0, super::waiting::Waiting::len),
                votes: votes.contains(entity),
                halted: halted.get(entity).cloned(),
                fetching: self.fetches.get(entity).map(Fetch::progress),
            })
            .collect();
    }
}
