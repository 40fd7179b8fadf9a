//! Messages that wait for an entity whose board decides its frames: what a proposer puts into the next one.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
    sync::Arc,
};

use xln_primitives::{Board, CertifiedMessage, EntityId, Message, Sequence};
use xln_runtime::{Authentic, Inbound, RuntimeMessage, Server};

/// Most messages that wait for one entity.
const WAITING_MAX: usize = 50_000;
/// Most messages in one frame.
const FRAME_MAX: usize = 2_000;

/// A message that has proven itself, with the board that stands behind it.
#[derive(Debug, Clone)]
pub(super) struct Proven {
    pub(super) message: Authentic<Inbound>,
    pub(super) board: Board,
}

/// What waits for one entity, by sender and sequence.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    messages: BTreeMap<(EntityId, Sequence), Proven>,
}

impl Waiting {
    /// Adds a message, unless it is there or there is no room.
    pub(super) fn add(&mut self, proven: Proven) -> bool {
        let message = &proven.message.get().certified().message;
        let (place, room) = ((message.from, message.sequence), self.messages.len() < WAITING_MAX);
        match self.messages.entry(place) {
            Entry::Vacant(vacant) if room => {
                vacant.insert(proven);
                true
            }
            _ => false,
        }
    }

    /// Whether this very message waits.
    pub(super) fn knows(&self, message: &Message<RuntimeMessage>) -> bool {
        let same = |proven: &Proven| *proven.message.get().certified().message == *message;
        self.messages.get(&(message.from, message.sequence)).is_some_and(same)
    }

    /// Forgets what the entity has executed.
    pub(super) fn executed(&mut self, server: &Server, entity: &EntityId) {
        let Some(entity) = server.entity(entity) else { return };
        let state = entity.state();
        self.messages.retain(|(from, sequence), _| {
            pallet_entities::inbox(&state, from).is_ok_and(|executed| *sequence > executed)
        });
    }

    /// Whether the entity could execute anything of this now: a message that comes after one that is missing waits, and is
    /// no reason to begin a height.
    pub(super) fn is_ready(&self, server: &Server, entity: &EntityId) -> bool {
        let Some(entity) = server.entity(entity) else { return false };
        let state = entity.state();
        let mut after = None;
        loop {
            let from = after.map_or(Bound::Unbounded, |sender| Bound::Excluded((sender, Sequence::MAX)));
            let Some(((sender, first), _)) = self.messages.range((from, Bound::Unbounded)).next() else {
                return false;
            };
            if pallet_entities::inbox(&state, sender).is_ok_and(|last| last.checked_add(1) == Some(*first)) {
                return true;
            }
            after = Some(*sender);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Messages for the next frame, in the order of senders and sequences, with the boards of their senders.
    pub(super) fn next(&self) -> (Vec<Authentic<Inbound>>, BTreeMap<EntityId, Board>) {
        let (mut messages, mut boards) = (Vec::new(), BTreeMap::new());
        for ((from, _), proven) in self.messages.iter().take(FRAME_MAX) {
            messages.push(proven.message.clone());
            boards.entry(*from).or_insert_with(|| proven.board.clone());
        }
        (messages, boards)
    }

    /// What waits, to be told to others again.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Arc<CertifiedMessage<RuntimeMessage>>, &Board)> {
        self.messages.values().map(|proven| (proven.message.get().certified(), &proven.board))
    }
}
