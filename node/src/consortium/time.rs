//! The time of an entity whose board votes: it moves with its frames, and somebody may wait for it.
//!
//! A condition in a channel expires once the depositary has a frame after its deadline without the preimage. The board knows
//! nothing of channels: whoever hosts one of the two sides tells it that somebody waits, and it decides a frame with nothing
//! in it but its time. Anybody may say so; it costs the board a frame at most every [`HEARTBEAT_INTERVAL_MS`].

use codec::Encode;
use xln_consensus::Event;
use xln_network::{Code, ServerId};
use xln_primitives::{EntityId, Member, Timestamp};

use super::{environment::Environment, letter::Plea, machine::Machine};

/// The time of an entity is moved for somebody's sake only if it stood still for so long.
const HEARTBEAT_INTERVAL_MS: u64 = 1_000;
/// Entities whose time is looked after at once.
const ENTITIES_MAX: usize = 16;

impl<E: Environment> Machine<E> {
    /// Tells boards for whose time something here waits.
    pub(super) fn tell_time(&mut self) {
        let at = self.env.time();
        let awaited = self.env.server().due_boards(at, ENTITIES_MAX).awaited;
        if let Some(entity) = awaited {
            self.want_time(entity, at);
            let to = self.voters(&entity);
            if !to.is_empty() {
                self.env.send(to, Code::EntityTransaction, Plea::Time { entity, at }.encode());
            }
        }
    }

    /// Somebody waits until the entity has a frame that is not before `at`.
    pub(super) fn want_time(&mut self, entity: EntityId, at: Timestamp) {
        let now = self.env.time();
        let head = {
            let server = self.env.server();
            let known = server.entity(&entity).filter(|known| known.is_decided());
            known.and_then(|known| known.head()).map(|head| head.header.timestamp)
        };
        let Some(head) = head else { return };
        let stood_still = now >= head.saturating_add(HEARTBEAT_INTERVAL_MS);
        if at > head && at <= now && stood_still && self.waiting.contains_key(&entity) {
            self.wanted.insert(entity, at);
            self.events.push_back(Event::Work { entity });
        }
    }

    /// The other servers that vote for an entity.
    pub(super) fn voters(&self, entity: &EntityId) -> Vec<ServerId> {
        let Some(board) = self.board(entity) else { return Vec::new() };
        let keys = board.members.iter().filter_map(Member::bls_key);
        keys.filter_map(|key| self.directory.voter(key)).filter(|server| *server != self.own).collect()
    }
}
