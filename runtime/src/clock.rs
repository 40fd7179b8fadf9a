//! Deadlines: what the passing of time makes the server do.
//!
//! Nothing in a frame reads a clock. When a deadline of some entity has passed, the server puts an input into the next
//! slice. If the depositary's latest frame is older than the deadline, that is a heartbeat of the depositary, which makes
//! its certified time move (safety rule 1); then, with the new frame, the proof that the deadline passed.

use std::collections::{BTreeMap, BTreeSet};

use codec::Encode;
use pallet_channels::Due;
use xln_primitives::{EntityId, Hash, Timestamp};

use crate::{ServerInput, entity::Entity, proofs::DepositaryProof, server::Server};

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
        if let Some(deadline) = pallet_channels::next_due(&entity.state()) {
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

impl Server {
    /// Up to `limit` inputs that the time `now` calls for, of entities that execute at once.
    #[must_use]
    pub fn due(&self, now: Timestamp, limit: usize) -> Vec<ServerInput> {
        let (mut inputs, waits) = self.called_for(now, limit, |entity| !entity.is_decided());
        if waits {
            inputs.extend(self.heartbeat(|depositary| !depositary.is_decided()));
        }
        inputs
    }

    /// The same of entities whose boards vote: what a proposer puts into the next frame, and a reason for it. If something
    /// here waits for the depositary's time to move, its heartbeat is among them.
    #[must_use]
    pub fn due_for_boards(&self, now: Timestamp, limit: usize) -> Vec<ServerInput> {
        let (mut inputs, waits) = self.called_for(now, limit, Entity::is_decided);
        if waits || self.called_for(now, limit, |entity| !entity.is_decided()).1 {
            inputs.extend(self.heartbeat(Entity::is_decided));
        }
        inputs
    }

    fn heartbeat(&self, applies: impl Fn(&Entity) -> bool) -> Option<ServerInput> {
        let depositary = self.depositary().filter(|depositary| applies(depositary))?;
        Some(ServerInput::Heartbeat { entity: depositary.id() })
    }

    /// What is due, and whether more would be if the depositary's time were later.
    fn called_for(
        &self,
        now: Timestamp,
        limit: usize,
        of: impl Fn(&Entity) -> bool,
    ) -> (Vec<ServerInput>, bool) {
        let (mut inputs, mut waits) = (Vec::new(), false);
        for id in self.deadlines.passed(now) {
            let Some(entity) = self.entity(&id).filter(|entity| of(entity)) else { continue };
            let left = limit.saturating_sub(inputs.len());
            if left == 0 {
                break;
            }
            for due in pallet_channels::due(&entity.state(), now, left) {
                match self.input(id, &due) {
                    Some(input) => inputs.push(input),
                    None => waits = true,
                }
            }
        }
        (inputs, waits)
    }

    /// The input for something that is due; none as long as the depositary's time is behind the deadline.
    fn input(&self, entity: EntityId, due: &Due) -> Option<ServerInput> {
        match due {
            Due::Expire { channel, slot, hash, deadline } => {
                let (channel, slot, hash) = (*channel, *slot, Hash::new(*hash.as_bytes()));
                let revelation = pallet_reserves::revealed(&self.depositary()?.state(), &hash).ok().flatten();
                if let Some(revelation) = revelation.filter(|revelation| revelation.at < *deadline) {
                    let preimage = revelation.preimage;
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

    /// What the depositary holds under `key`, at its latest frame if that is not before `time`.
    fn prove_at(&self, time: Timestamp, key: &[u8]) -> Option<Vec<u8>> {
        let depositary = self.depositary()?;
        let head = depositary.head().filter(|head| head.header.timestamp >= time)?;
        let certificate = head.certificate.clone()?;
        let path = depositary.tree().prove(key);
        Some(DepositaryProof { header: head.header.clone(), certificate, path }.encode())
    }
}
