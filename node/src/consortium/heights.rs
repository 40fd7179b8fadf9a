//! Where the entities stand elsewhere: a digest of heights, between every two servers that are connected.
//!
//! Frames are told to everybody when they are decided. Who missed one learns it here: every server asks each of those that it is
//! connected with, when they meet and every [`PERIOD`], where they have the entities that it follows, and says where it
//! has them itself. One question and its answer serve all entities, so a thousand that are idle cost one message.
//!
//! ```text
//!   question: (entity, height, frame) of what I follow    ─►  the other notes it, and whether it is behind
//!   answer:   (entity, height, frame) of what it shares   ─►  noted here: who has later frames of what
//!                                                              │                  │ from a member of its board
//!                                                              ▼                  ▼
//!                                                          catch up           Event::Heard
//! ```
//!
//! What another says proves nothing. The worst that a false height does is a question that it cannot answer.

use std::time::Duration;

use xln_consensus::Event;
use xln_network::{Answer, Digest, HEIGHTS_MAX, Question, ServerId, Standing};
use xln_primitives::{BoundedVec, EntityId, FrameHash};
use xln_runtime::{Entity, Server};

use super::{environment::Environment, machine::Machine};

/// Entities of a digest, unknown here, whose first frame is asked for at once.
const UNKNOWN_MAX: usize = 16;

/// How often connected servers are asked.
pub(super) const PERIOD: Duration = Duration::from_secs(10);

impl<E: Environment> Machine<E> {
    /// Asks all who are connected.
    pub(super) fn ask_heights(&mut self) {
        let digest = self.digest();
        for server in self.connected.clone() {
            // It may have been lost.
            self.tell_voter(server);
            self.env.ask(server, Question::Heights(digest.clone()));
        }
    }

    /// Asks a server that has just been connected.
    pub(super) fn ask_height(&mut self, server: ServerId) {
        let digest = self.digest();
        self.env.ask(server, Question::Heights(digest));
    }

    /// Where the followed entities stand here. More than fit take turns.
    fn digest(&mut self) -> Digest {
        use std::ops::Bound::{Excluded, Unbounded};
        let most = usize::try_from(HEIGHTS_MAX).unwrap_or(usize::MAX);
        let after = self.digest_after.map_or(Unbounded, Excluded);
        let chosen: Vec<EntityId> =
            self.followed.range((after, Unbounded)).take(most).map(|(entity, _)| *entity).collect();
        let is_last = chosen.len() < most;
        self.digest_after = chosen.last().copied().filter(|_| !is_last);
        standings(&self.env.server(), chosen.iter())
    }

    /// A server asks where entities stand here, and says where it has them.
    pub(super) fn answer_heights(&mut self, from: ServerId, digest: &[Standing]) -> Result<Answer, E::Error> {
        self.heard_heights(from, digest)?;
        let shared = digest.iter().map(|standing| &standing.entity);
        let shared = shared.filter(|entity| self.followed.contains_key(entity));
        Ok(Answer::Heights(standings(&self.env.server(), shared)))
    }

    /// A server says where it has entities.
    pub(super) fn heard_heights(&mut self, from: ServerId, digest: &[Standing]) -> Result<(), E::Error> {
        let member = self.directory.key(&from);
        let mut unknown = 0;
        for Standing { entity, height, .. } in digest {
            let Some(followed) = self.followed.get_mut(entity) else {
                // Its first frame says whether we are on its board: who lost its disk has lost that too.
                let is_foreign = self.foreign.contains(entity) && !self.is_registered_on(entity);
                let is_asked = self.own_key.is_some() && *height > 0 && !is_foreign;
                if is_asked && unknown < UNKNOWN_MAX {
                    unknown += 1;
                    self.ask_first(*entity, from);
                }
                continue;
            };
            // It may have what it did not have before.
            followed.lacking.remove(&from);
            followed.stateless.remove(&from);
            if *height >= followed.next {
                followed.ahead.insert(from, *height);
                self.catch_up(*entity, Some(from))?;
            } else {
                followed.ahead.remove(&from);
            }
            if let Some(member) = member {
                let (entity, height) = (*entity, height.saturating_add(1));
                self.events.push_back(Event::Heard { entity, member, height });
            }
        }
        Ok(())
    }
}

fn standings<'a>(server: &Server, entities: impl Iterator<Item = &'a EntityId>) -> Digest {
    // One that is being founded has no frame yet.
    let standing = |id: &EntityId| {
        let head = server.entity(id).and_then(Entity::head).map(|head| &head.header);
        let (height, frame) = head.map_or((0, FrameHash::ZERO), |header| (header.height, header.hash()));
        Standing { entity: *id, height, frame }
    };
    BoundedVec::truncate_from(entities.map(standing).collect())
}
