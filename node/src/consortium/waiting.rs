//! Messages and calls that wait for an entity whose board decides its frames: what a proposer puts into the next one.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use xln_primitives::{
    Board, CallHash, CertifiedMessage, EntityId, Message, Nonce, Sequence, SignerId, Timestamp,
};
use xln_runtime::{Authentic, Entity, Inbound, RuntimeMessage, SignedCall, SliceNumber};

use super::{
    in_order::{InOrder, Limits},
    telling::Telling,
};

/// Messages that wait for one entity. The window of a sender is that of [`xln_network::delivery`]: what comes that way is not
/// said again as long as this server runs.
const MESSAGES: Limits = Limits { window: 20_000, usual: 50_000, most: 100_000 };
/// Calls that wait for one entity.
const CALLS: Limits = Limits { window: 1_000, usual: 10_000, most: 20_000 };
/// Most messages in one frame, and most calls.
const FRAME_MAX: usize = 2_000;

/// A message that has proven itself, with the board that stands behind it.
#[derive(Debug, Clone)]
pub(super) struct Proven {
    pub(super) message: Authentic<Inbound>,
    pub(super) board: Board,
}

/// What waits for one entity. Methods take the entity as the durable state has it; none before it is founded.
#[derive(Debug)]
pub(super) struct Waiting {
    messages: InOrder<EntityId, Put>,
    /// When the entity advanced last, or somebody who votes for it came back.
    moved: Duration,
    calls: InOrder<SignerId, Asked>,
}

/// A message that waits.
#[derive(Debug)]
struct Put {
    proven: Proven,
    telling: Telling,
}

/// A call that waits.
#[derive(Debug)]
struct Asked {
    call: Authentic<SignedCall>,
    /// Whether it was submitted to this server, which tells the others and whoever asked for it.
    ours: bool,
    /// The slice up to which everything has to be looked at before it is known that another call took its place.
    overtaken: Option<SliceNumber>,
}

/// What became of a call that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adding {
    /// It waits.
    New,
    /// It waited already.
    Known,
    /// Another one of the same signer and nonce waits: the first counts.
    Taken,
    /// Too many wait, or are missing before it.
    NoRoom,
}

/// A call that was submitted here and will not be executed, since the entity expects a later one of its signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overtaken {
    pub(super) call: CallHash,
    pub(super) expected: Nonce,
    pub(super) found: Nonce,
}

/// Where a message belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is executed, or there.
    Known,
    /// There is none: too much waits, or too much is missing before it.
    NoRoom,
    /// It can be added.
    Free,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { messages: InOrder::new(MESSAGES), moved: Duration::ZERO, calls: InOrder::new(CALLS) }
    }
}

/// The next message of each sender that the entity will execute.
fn next_message(entity: Option<&Entity>) -> impl Fn(&EntityId) -> Option<Sequence> {
    let state = entity.map(Entity::state);
    move |from| match &state {
        None => Some(1),
        Some(state) => pallet_entities::inbox(state, from).ok()?.checked_add(1),
    }
}

/// The next call of each signer that the entity will execute. A call that founds it is the first of its signer.
fn next_call(entity: Option<&Entity>) -> impl Fn(&SignerId) -> Option<Nonce> {
    let state = entity.map(Entity::state);
    move |signer| match &state {
        None => Some(0),
        Some(state) => pallet_entities::nonce(state, signer).ok(),
    }
}

impl Waiting {
    /// The nonce of the next call of a signer; none if the state is damaged.
    pub(super) fn expected_nonce(entity: Option<&Entity>, signer: &SignerId) -> Option<Nonce> {
        next_call(entity)(signer)
    }

    /// What would become of a message.
    pub(super) fn place(&self, entity: Option<&Entity>, message: &Message<RuntimeMessage>) -> Place {
        let (from, sequence) = (&message.from, message.sequence);
        let Some(next) = next_message(entity)(from) else { return Place::Known };
        if sequence < next || self.messages.get(from, sequence).is_some() {
            Place::Known
        } else if self.messages.has_room(sequence, next) {
            Place::Free
        } else {
            Place::NoRoom
        }
    }

    /// Adds a message of which the place is free. Who said it has told the others now.
    pub(super) fn add(&mut self, proven: Proven, now: Duration) {
        let message = &proven.message.get().certified().message;
        let (from, sequence) = (message.from, message.sequence);
        self.messages.add(from, sequence, Put { proven, telling: Telling::new(now) });
    }

    /// Adds a call, if there is room. A call that is there becomes ours if it is submitted here too.
    pub(super) fn add_call(
        &mut self,
        entity: Option<&Entity>,
        call: Authentic<SignedCall>,
        ours: bool,
    ) -> Adding {
        let (signer, nonce) = (call.get().signer(), call.get().body.nonce);
        if let Some(there) = self.calls.get_mut(&signer, nonce) {
            if there.call.get() != call.get() {
                return Adding::Taken;
            }
            there.ours |= ours;
            return Adding::Known;
        }
        if !next_call(entity)(&signer).is_some_and(|next| self.calls.has_room(nonce, next)) {
            return Adding::NoRoom;
        }
        self.calls.add(signer, nonce, Asked { call, ours, overtaken: None });
        Adding::New
    }

    /// A frame with this call is durable. Returns what was submitted here with the same signer and nonce, if it is another one.
    pub(super) fn decided(&mut self, call: &SignedCall) -> Option<CallHash> {
        let asked = self.calls.remove(&call.signer(), call.body.nonce)?;
        (asked.ours && asked.call.get() != call).then(|| asked.call.get().hash())
    }

    /// Forgets calls that were submitted here and that the entity, as it is after slice `durable`, will not execute any more.
    ///
    /// Of a call that was executed a frame tells ([`Waiting::decided`]), but not if the frames were skipped for a state. The
    /// durable state may be ahead of the slices that have been looked at, up to `seen`; the frame may still come.
    pub(super) fn overtaken(
        &mut self,
        entity: &Entity,
        durable: SliceNumber,
        seen: SliceNumber,
    ) -> Vec<Overtaken> {
        let next = next_call(Some(entity));
        let mut overtaken = Vec::new();
        self.calls.retain(|signer, found, asked| {
            let Some(expected) = next(signer).filter(|expected| asked.ours && found < *expected) else {
                return true;
            };
            let keep = *asked.overtaken.get_or_insert(durable) > seen;
            if !keep {
                overtaken.push(Overtaken { call: asked.call.get().hash(), expected, found });
            }
            keep
        });
        overtaken
    }

    /// Forgets calls whose time is over. Returns those that were submitted here, with the last moment of each.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<(CallHash, Timestamp)> {
        let mut expired = Vec::new();
        self.calls.retain(|_, _, asked| {
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
        self.calls.get(&call.signer(), call.body.nonce).is_some_and(|asked| asked.call.get() == call)
    }

    /// Forgets what the entity has executed. Calls that were submitted here stay until it is known what became of them.
    pub(super) fn executed(&mut self, entity: &Entity) {
        self.messages.forget(next_message(Some(entity)), |_| false);
        self.calls.forget(next_call(Some(entity)), |asked| asked.ours);
    }

    /// Whether the entity could execute anything of this now: a message that comes after one that is missing waits, and is
    /// no reason to begin a height.
    pub(super) fn is_ready(&self, entity: Option<&Entity>) -> bool {
        // Before it is founded only a call can found it.
        self.calls.is_ready(next_call(entity))
            || entity.is_some() && self.messages.is_ready(next_message(entity))
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len().saturating_add(self.calls.len())
    }

    /// Messages for the next frame, in the order of senders and sequences, with the boards of their senders.
    pub(super) fn next(
        &self,
        entity: Option<&Entity>,
    ) -> (Vec<Authentic<Inbound>>, BTreeMap<EntityId, Board>) {
        let (mut messages, mut boards) = (Vec::new(), BTreeMap::new());
        for (from, Put { proven, .. }) in self.messages.ready(next_message(entity)).take(FRAME_MAX) {
            messages.push(proven.message.clone());
            boards.entry(*from).or_insert_with(|| proven.board.clone());
        }
        (messages, boards)
    }

    /// Calls for the next frame, of each signer in the order of nonces. One that founds the entity comes first.
    pub(super) fn next_calls(&self, entity: Option<&Entity>) -> Vec<Authentic<SignedCall>> {
        let ready = self.calls.ready(next_call(entity)).take(FRAME_MAX);
        let mut calls: Vec<_> = ready.map(|(_, asked)| asked.call.clone()).collect();
        calls.sort_by_key(|call| xln_runtime::created_board(call.get()).is_none());
        calls
    }

    /// The others may act on what they are told: the entity has advanced, or somebody who votes for it has come back.
    pub(super) const fn moved(&mut self, now: Duration) {
        self.moved = now;
    }

    /// At most `limit` messages of these senders that are to be told to others again now.
    pub(super) fn tell_again(
        &mut self,
        now: Duration,
        limit: usize,
        whose: impl Fn(&EntityId) -> bool,
    ) -> Vec<Arc<CertifiedMessage<RuntimeMessage>>> {
        let moved = self.moved;
        let due = self.messages.values_mut().filter(|put| put.telling.is_due(now, moved));
        let ours = due.filter(|put| whose(&put.proven.message.get().certified().message.from));
        let tell = |put: &mut Put| {
            put.telling.tell(now, moved);
            Arc::clone(put.proven.message.get().certified())
        };
        ours.take(limit).map(tell).collect()
    }
}
