//! Deadlines: what the passing of time makes the server do.
//!
//! Nothing in a frame reads a clock. When a deadline of some entity has passed, the server puts an input into the next
//! slice. If the depositary's latest frame is older than the deadline, that is a heartbeat of the depositary, which makes
//! its certified time move (safety rule 1); then, with the new frame, the proof that the deadline passed.

use std::collections::{BTreeMap, BTreeSet};

use codec::Encode;
use pallet_channels::Due;
use xln_primitives::{Certificate, EntityId, FrameHeader, Hash, Timestamp};

use crate::{
    ServerInput,
    entity::{Entity, Head},
    proofs::DepositaryProof,
    server::Server,
};

/// The next deadline of every entity that has one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deadlines {
    by_time: BTreeSet<(Timestamp, EntityId)>,
    by_entity: BTreeMap<EntityId, Timestamp>,
}

impl Deadlines {
    /// Takes note of an entity's new state.
    pub(crate) fn update(&mut self, entity: &Entity) {
        if let Some(deadline) = self.by_entity.remove(&entity.id) {
            self.by_time.remove(&(deadline, entity.id));
        }
        let state = entity.state();
        // Damaged state has no deadline; whoever reads it for another reason says so.
        let proposals = pallet_governance::next_due(&state).ok().flatten();
        if let Some(deadline) = pallet_channels::next_due(&state).into_iter().chain(proposals).min() {
            self.by_entity.insert(entity.id, deadline);
            self.by_time.insert((deadline, entity.id));
        }
    }

    /// Entities whose next deadline is at or before `now`, most urgent first.
    fn passed(&self, now: Timestamp) -> impl Iterator<Item = EntityId> {
        self.by_time.iter().take_while(move |(deadline, _)| *deadline <= now).map(|(_, entity)| *entity)
    }
}

impl<'a> FromIterator<&'a Entity> for Deadlines {
    fn from_iter<I: IntoIterator<Item = &'a Entity>>(entities: I) -> Self {
        let mut deadlines = Self::default();
        for entity in entities {
            deadlines.update(entity);
        }
        deadlines
    }
}

/// The input that closes proposals of an entity, if the time of some is over.
fn proposals_expired(entity: &Entity, now: Timestamp) -> Option<ServerInput> {
    let due = pallet_governance::next_due(&entity.state()).ok().flatten()?;
    (due <= now).then_some(ServerInput::ProposalsExpired { entity: entity.id })
}

/// What the time calls for where boards vote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DueBoards {
    /// Entities whose boards have something to put into a frame now.
    pub ready: BTreeSet<EntityId>,
    /// The depositary, if its board votes and something here waits until it has a later frame: its time moves with its
    /// frames.
    pub awaited: Option<EntityId>,
}

impl Server {
    /// Up to `limit` inputs that the time `now` calls for, of entities that execute at once.
    #[must_use]
    pub fn due(&self, now: Timestamp, limit: usize) -> Vec<ServerInput> {
        let (mut inputs, mut waits) = (Vec::new(), false);
        for entity in self.passed(now).filter(|entity| !entity.is_decided()) {
            let left = limit.saturating_sub(inputs.len());
            if left == 0 {
                break;
            }
            inputs.extend(proposals_expired(entity, now));
            for due in pallet_channels::due(&entity.state(), now, left) {
                match self.input(entity.id, &due) {
                    Some(input) => inputs.push(input),
                    None => waits = true,
                }
            }
        }
        if waits && let Some(depositary) = self.depositary().filter(|depositary| !depositary.is_decided()) {
            inputs.push(ServerInput::Heartbeat { entity: depositary.id() });
        }
        inputs
    }

    /// The same of one entity whose board votes: what a proposer puts into the next frame. Of the depositary it is a heartbeat
    /// if somebody here waits for it.
    #[must_use]
    pub fn due_of(&self, entity: EntityId, now: Timestamp, limit: usize) -> Vec<ServerInput> {
        let Some(known) = self.entity(&entity).filter(|known| known.is_decided()) else { return Vec::new() };
        let due = pallet_channels::due(&known.state(), now, limit);
        let due = due.iter().filter_map(|due| self.input(entity, due));
        let mut inputs: Vec<ServerInput> = proposals_expired(known, now).into_iter().chain(due).collect();
        if self.due_boards(now, limit).awaited == Some(entity) {
            inputs.push(ServerInput::Heartbeat { entity });
        }
        inputs
    }

    /// Which boards the time `now` gives a reason to decide a frame. It looks at no more than `limit` entities whose boards
    /// vote and as many others, most urgent first, and proves nothing.
    #[must_use]
    pub fn due_boards(&self, now: Timestamp, limit: usize) -> DueBoards {
        let (mut boards, mut waits) = (DueBoards::default(), false);
        let (mut voting, mut others) = (limit, limit);
        for entity in self.passed(now) {
            if voting == 0 && (others == 0 || waits) {
                break;
            }
            let left = if entity.is_decided() { &mut voting } else { &mut others };
            if *left == 0 {
                continue;
            }
            *left = left.saturating_sub(1);
            if entity.is_decided() && proposals_expired(entity, now).is_some() {
                boards.ready.insert(entity.id);
            }
            for due in pallet_channels::due(&entity.state(), now, limit) {
                if !self.is_ready(&due) {
                    waits = true;
                } else if entity.is_decided() {
                    boards.ready.insert(entity.id);
                }
            }
        }
        let depositary = self.depositary().filter(|depositary| waits && depositary.is_decided());
        boards.awaited = depositary.map(Entity::id);
        boards
    }

    /// Entities of which a deadline is at or before `now`, most urgent first.
    fn passed(&self, now: Timestamp) -> impl Iterator<Item = &Entity> {
        self.deadlines.passed(now).filter_map(|id| self.entity(&id))
    }

    /// Whether there is an input for something that is due; there is none as long as the depositary's time is behind the
    /// deadline.
    fn is_ready(&self, due: &Due) -> bool {
        match due {
            Due::Expire { hash, deadline, .. } => {
                self.published(&Hash::new(*hash.as_bytes()), *deadline).is_some()
                    || self.certified_at(*deadline).is_some()
            }
            Due::Settlement { settlement, .. } => self.certified_at(settlement.expires).is_some(),
            Due::Reveal { .. } => true,
        }
    }

    /// That input.
    fn input(&self, entity: EntityId, due: &Due) -> Option<ServerInput> {
        match due {
            Due::Expire { channel, slot, hash, deadline } => {
                let (channel, slot, hash) = (*channel, *slot, Hash::new(*hash.as_bytes()));
                if let Some(preimage) = self.published(&hash, *deadline) {
                    return Some(ServerInput::PreimagePublished { entity, channel, slot, preimage });
                }
                let proof = self.prove_at(*deadline, pallet_reserves::reveal_key(&hash).as_ref())?;
                Some(ServerInput::ConditionExpired { entity, channel, slot, proof })
            }
            Due::Settlement { channel, settlement } => {
                let key = pallet_reserves::channel_key(channel);
                let proof = self.prove_at(settlement.expires, key.as_ref())?;
                Some(ServerInput::SettlementExpired { entity, channel: *channel, proof })
            }
            Due::Reveal { channel, slot, .. } => {
                Some(ServerInput::Reveal { entity, channel: *channel, slot: *slot })
            }
        }
    }

    /// The preimage that the depositary knew before a deadline.
    fn published(&self, hash: &Hash, deadline: Timestamp) -> Option<[u8; 32]> {
        let revelation = pallet_reserves::revealed(&self.depositary()?.state(), hash).ok().flatten()?;
        (revelation.at < deadline).then_some(revelation.preimage)
    }

    /// The depositary with its latest frame and the certificate of that, if it is not before `time`.
    fn certified_at(&self, time: Timestamp) -> Option<(&Entity, &FrameHeader, &Certificate)> {
        let depositary = self.depositary()?;
        let Head { header, certificate } = depositary.head().filter(|head| head.header.timestamp >= time)?;
        Some((depositary, header, certificate.as_ref()?))
    }

    /// What the depositary holds under `key`, at its latest frame if that is not before `time`.
    fn prove_at(&self, time: Timestamp, key: &[u8]) -> Option<Vec<u8>> {
        let (depositary, header, certificate) = self.certified_at(time)?;
        let path = depositary.tree().prove(key);
        Some(DepositaryProof { header: header.clone(), certificate: certificate.clone(), path }.encode())
    }
}
