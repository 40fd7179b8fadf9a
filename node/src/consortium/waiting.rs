//! Messages and calls that wait for an entity whose board decides its frames: what a proposer puts into the next one.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
    sync::Arc,
};

use xln_primitives::{
    Board, CallHash, CertifiedMessage, EntityId, Message, Nonce, Sequence, SignerId, Timestamp,
};
use xln_runtime::{Authentic, Inbound, RuntimeMessage, Server, SignedCall};

/// Most messages that wait for one entity.
const WAITING_MAX: usize = 50_000;
/// Most messages in one frame, and most calls.
const FRAME_MAX: usize = 2_000;
/// Most calls that wait for one entity, and that wait of one of its signers.
const CALLS_MAX: usize = 10_000;
const CALLS_OF_SIGNER_MAX: usize = 1_000;

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
    calls: BTreeMap<(SignerId, Nonce), Asked>,
}

/// A call that waits.
#[derive(Debug)]
struct Asked {
    call: Authentic<SignedCall>,
    /// Whether it was submitted to this server, which tells the others.
    ours: bool,
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

    /// Adds a call, unless it is there or there is no room. What was there stays: of two calls with one nonce the first counts.
    pub(super) fn add_call(&mut self, call: Authentic<SignedCall>, ours: bool) -> bool {
        let (signer, nonce) = (call.get().signer(), call.get().body.nonce);
        let of_signer = self.calls.range((signer, 0)..=(signer, Nonce::MAX)).count();
        let room = self.calls.len() < CALLS_MAX && of_signer < CALLS_OF_SIGNER_MAX;
        match self.calls.entry((signer, nonce)) {
            Entry::Vacant(vacant) if room => {
                vacant.insert(Asked { call, ours });
                true
            }
            _ => false,
        }
    }

    /// Forgets calls whose time is over. Returns those that were submitted here, with the last moment of each.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<(CallHash, Timestamp)> {
        let mut expired = Vec::new();
        self.calls.retain(|_, asked| {
            let call = asked.call.get();
            let keep = call.body.valid_until >= now;
            if !keep && asked.ours {
                expired.push((call.hash(), call.body.valid_until));
            }
            keep
        });
        expired
    }

    /// Calls that were submitted here, to be told to others again.
    pub(super) fn our_calls(&self) -> impl Iterator<Item = &SignedCall> {
        self.calls.values().filter(|asked| asked.ours).map(|asked| asked.call.get())
    }

    /// Whether this very call waits.
    pub(super) fn knows_call(&self, call: &SignedCall) -> bool {
        self.calls.get(&(call.signer(), call.body.nonce)).is_some_and(|asked| asked.call.get() == call)
    }

    /// Forgets what the entity has executed.
    pub(super) fn executed(&mut self, server: &Server, entity: &EntityId) {
        let Some(entity) = server.entity(entity) else { return };
        let state = entity.state();
        self.messages.retain(|(from, sequence), _| {
            pallet_entities::inbox(&state, from).is_ok_and(|executed| *sequence > executed)
        });
        self.calls.retain(|(signer, nonce), _| {
            pallet_entities::nonce(&state, signer).is_ok_and(|expected| *nonce >= expected)
        });
    }

    /// Whether the entity could execute anything of this now: a message that comes after one that is missing waits, and is
    /// no reason to begin a height.
    pub(super) fn is_ready(&self, server: &Server, entity: &EntityId) -> bool {
        // A call that founds it is the first of its signer.
        let Some(entity) = server.entity(entity) else {
            return self.calls.keys().any(|(_, nonce)| *nonce == 0);
        };
        let state = entity.state();
        if self.has_next_call(|signer| pallet_entities::nonce(&state, signer).ok()) {
            return true;
        }
        let mut after = None;
        loop {
            let from = after.map_or(Bound::Unbounded, |sender| Bound::Excluded((sender, Sequence::MAX)));
            let Some(((sender, _), _)) = self.messages.range((from, Bound::Unbounded)).next() else {
                return false;
            };
            let next = pallet_entities::inbox(&state, sender).ok().and_then(|last| last.checked_add(1));
            // Not the first of the sender: what was executed may have been told again.
            if next.is_some_and(|next| self.messages.contains_key(&(*sender, next))) {
                return true;
            }
            after = Some(*sender);
        }
    }

    fn has_next_call(&self, expected: impl Fn(&SignerId) -> Option<Nonce>) -> bool {
        let mut after = None;
        loop {
            let from = after.map_or(Bound::Unbounded, |signer| Bound::Excluded((signer, Nonce::MAX)));
            let Some((signer, _)) = self.calls.range((from, Bound::Unbounded)).next().map(|(key, _)| *key)
            else {
                return false;
            };
            if expected(&signer).is_some_and(|nonce| self.calls.contains_key(&(signer, nonce))) {
                return true;
            }
            after = Some(signer);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len().saturating_add(self.calls.len())
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

    /// Calls for the next frame, of each signer in the order of nonces. One that founds the entity comes first.
    pub(super) fn next_calls(&self) -> Vec<Authentic<SignedCall>> {
        let mut calls: Vec<_> = self.calls.values().take(FRAME_MAX).map(|asked| asked.call.clone()).collect();
        calls.sort_by_key(|call| xln_runtime::created_board(call.get()).is_none());
        calls
    }

    /// What waits, to be told to others again.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Arc<CertifiedMessage<RuntimeMessage>>, &Board)> {
        self.messages.values().map(|proven| (proven.message.get().certified(), &proven.board))
    }
}
