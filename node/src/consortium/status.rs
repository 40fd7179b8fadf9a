//! What the node tells of its boards.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use xln_consensus::{Evidence, Refusal};
use xln_network::ServerId;
use xln_primitives::{EntityId, Height, Round};

use super::{environment::Environment, machine::Machine};

/// Most pieces of evidence that are kept.
const EVIDENCE_MAX: usize = 1_000;

/// Where an entity stands whose board votes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardStatus {
    /// Which entity.
    pub entity: EntityId,
    /// Height of the next frame.
    pub height: Height,
    /// The round in which it is being decided; none while nothing is to be decided.
    pub round: Option<Round>,
    /// Messages that wait for it here.
    pub waiting: usize,
    /// Whether this server votes.
    pub votes: bool,
    /// Why this server takes part no more.
    pub halted: Option<String>,
}

/// Another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Who it is.
    pub server: ServerId,
    /// What the chain spec calls it.
    pub name: String,
    /// Whether it is connected.
    pub connected: bool,
    /// Whether it votes.
    pub validator: bool,
}

/// What is known of other servers and of all boards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The other servers of the chain spec.
    pub peers: Vec<Peer>,
    /// Every entity that is followed here.
    pub boards: Vec<BoardStatus>,
    /// Messages of others that were refused, by reason.
    pub refused: BTreeMap<Refusal, u64>,
}

/// Shared with those who answer questions.
#[derive(Debug, Default)]
pub struct Shared {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    status: Status,
    halted: BTreeMap<EntityId, String>,
    evidence: Vec<Evidence>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of all boards.
    pub fn status(&self) -> Status {
        self.lock().status.clone()
    }

    /// Proof of members who signed two things for one place, oldest first.
    pub fn evidence(&self) -> Vec<Evidence> {
        self.lock().evidence.clone()
    }

    pub(super) fn add_evidence(&self, evidence: Evidence) {
        let mut inner = self.lock();
        if inner.evidence.len() < EVIDENCE_MAX {
            inner.evidence.push(evidence);
        }
    }

    pub(super) fn refused(&self, reason: Refusal) {
        let mut inner = self.lock();
        let count = inner.status.refused.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn halted(&self, entity: EntityId, reason: String) {
        self.lock().halted.insert(entity, reason);
    }
}

impl<E: Environment> Machine<E> {
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
        let mut inner = self.shared.lock();
        let halted = inner.halted.clone();
        let others = self.directory.servers().filter(|server| *server != self.own);
        inner.status.peers = others
            .map(|server| Peer {
                server,
                name: self.directory.name(&server).unwrap_or_default().to_owned(),
                connected: self.connected.contains(&server),
                validator: self.directory.key(&server).is_some(),
            })
            .collect();
        inner.status.boards = self
            .followed
            .iter()
            .map(|(entity, followed)| BoardStatus {
                entity: *entity,
                height: followed.next,
                round: rounds.get(entity).copied(),
                waiting: self.waiting.get(entity).map_or(0, super::waiting::Waiting::len),
                votes: votes.contains(entity),
                halted: halted.get(entity).cloned(),
            })
            .collect();
    }
}
