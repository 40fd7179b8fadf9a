//! Messages that cannot be judged yet, since the board that certified them is not known here.
//!
//! The board of a lazy entity travels with what it says. That of a registered one, and that of the depositary, is known from
//! following the depositary, and may be known to the sender first. Such a message is neither proven nor forged: it waits until
//! the depositary is followed further, and is looked at again then. So does a message that was proven and whose content, a
//! proof of the depositary, cannot be judged yet; the author gives it back.
//!
//! A proposed frame with such a message is not voted on until then, and not refused: whoever decided it meanwhile was right.
//!
//! **Bounded.** What came by delivery is bounded by the windows of the servers that sent it, who are not acknowledged
//! meanwhile. What was told to a board is told again as long as it waits at its sender, so no more than [`TOLD_MAX`] is kept.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use xln_consensus::Body;
use xln_primitives::{EntityId, FrameHash, Height, Sequence};
use xln_runtime::{Authentic, Inbound, Known, Server, Speaker, authenticate_message};

use super::{environment::Environment, letter::Letter, machine::Machine, waiting::Proven};

/// Most letters that were told and wait to be judged.
const TOLD_MAX: usize = 10_000;

/// Receiver, sender, number, and the frame that says it: whoever claims to have said it first takes no room of another.
type Place = (EntityId, EntityId, Sequence, FrameHash);

/// Most proposed frames of one entity that wait to be judged. Later ones replace them: nobody votes on a round that is over.
const BODIES_MAX: usize = 4;

/// A proposed frame.
#[derive(Debug)]
pub(super) struct Unjudged {
    pub(super) entity: EntityId,
    pub(super) height: Height,
    pub(super) frame: FrameHash,
    pub(super) body: Body,
}

/// What waits to be judged.
#[derive(Debug, Default)]
pub(super) struct Unproven {
    letters: BTreeMap<Place, Letter>,
    /// Proven, and given back by the author.
    early: Vec<Authentic<Inbound>>,
    bodies: BTreeMap<EntityId, VecDeque<Unjudged>>,
}

/// Who stands behind a letter, as far as is known here.
pub(super) enum Judged {
    /// This one; what it says may be checked now.
    By(Speaker),
    /// Nobody knows here yet.
    NotYet,
    /// A board that did not speak for the sender at that height.
    ByAnother,
}

/// Who stands behind a letter.
pub(super) fn judge(server: &Server, letter: &Letter) -> Judged {
    let header = &letter.message.header;
    if server.is_lazy(&header.entity) {
        return Judged::By(Speaker::Travelling(letter.board.clone()));
    }
    match server.board_of(header) {
        Known::Board(board) => Judged::By(Speaker::Known(board)),
        Known::NotYet => Judged::NotYet,
        Known::Never => Judged::ByAnother,
    }
}

fn place(letter: &Letter) -> Place {
    let said = &letter.message.message;
    (said.to, said.from, said.sequence, letter.message.header.hash())
}

impl Unproven {
    fn is_empty(&self) -> bool {
        self.letters.is_empty() && self.early.is_empty() && self.bodies.is_empty()
    }

    /// Keeps a proposed frame that can be judged only by whoever has followed the depositary further.
    pub(super) fn keep_body(&mut self, proposed: Unjudged) {
        let bodies = self.bodies.entry(proposed.entity).or_default();
        while bodies.len() >= BODIES_MAX {
            bodies.pop_front();
        }
        bodies.push_back(proposed);
    }

    /// Keeps what was delivered.
    pub(super) fn keep(&mut self, letter: Letter) {
        self.letters.insert(place(&letter), letter);
    }

    /// Keeps what was told, if there is room.
    pub(super) fn keep_told(&mut self, letter: Letter) {
        if self.letters.len() < TOLD_MAX {
            self.keep(letter);
        }
    }

    /// Keeps what the author could not execute yet.
    pub(super) fn keep_early(&mut self, messages: Vec<Authentic<Inbound>>) {
        self.early.extend(messages);
    }
}

impl<E: Environment> Machine<E> {
    /// Looks again at what could not be judged before.
    pub(super) fn judge_again(&mut self) -> Result<(), E::Error> {
        if self.unproven.is_empty() {
            return Ok(());
        }
        for proposed in core::mem::take(&mut self.unproven.bodies).into_values().flatten() {
            self.judge_body(proposed)?;
        }
        let server = self.state();
        let network = server.facts().network;
        let mut messages = Vec::new();
        for (_, letter) in core::mem::take(&mut self.unproven.letters) {
            let speaker = match judge(&server, &letter) {
                Judged::By(speaker) => speaker,
                Judged::NotYet => {
                    self.unproven.keep(letter);
                    continue;
                }
                Judged::ByAnother => {
                    self.drop_unproven(&letter, &"another board spoke for its sender then");
                    continue;
                }
            };
            let to = letter.message.message.to;
            match authenticate_message(Arc::clone(&letter.message), network, speaker) {
                Ok(message) if self.waiting.contains_key(&to) => {
                    self.put_or_hold(to, Proven { message, board: letter.board });
                }
                Ok(message) => messages.push(message),
                Err(error) => self.drop_unproven(&letter, &error),
            }
        }
        let is_open = |message: &Authentic<Inbound>| {
            let said = &message.get().certified().message;
            server.entity(&said.to).is_some_and(|entity| {
                pallet_entities::inbox(&entity.state(), &said.from).is_ok_and(|last| said.sequence > last)
            })
        };
        messages.extend(core::mem::take(&mut self.unproven.early).into_iter().filter(is_open));
        // In the order of their senders, whatever order they came back in.
        messages.sort_by_key(|message| {
            let said = &message.get().certified().message;
            (said.to, said.from, said.sequence)
        });
        self.env.execute_messages(messages);
        self.acknowledge()
    }

    /// A message proves nothing after all: nobody waits for its effect any more.
    fn drop_unproven(&mut self, letter: &Letter, why: &dyn core::fmt::Display) {
        let (to, from, sequence, _) = place(letter);
        tracing::warn!(%from, %to, sequence, %why, "a message that proves nothing is dropped");
        self.post.is_void((to, from, sequence));
    }
}
