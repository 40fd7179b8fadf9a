//! Which servers execute what is said to an entity.
//!
//! | the entity | found by |
//! |---|---|
//! | named in the chain spec | [`Directory`](super::Directory) |
//! | with a board that votes | the keys of its board, which travels with what it says; of a registered one the registry has it |
//! | of one key | [its own word](super::home) |
//!
//! What was said to an entity before it was found waits in the outbox, and goes to it then.

use xln_network::ServerId;
use xln_primitives::{Board, EntityId, Member};

use super::{environment::Environment, machine::Machine};
use crate::retained::outbox_number;

/// Entities elsewhere of which the servers are known by their boards.
const LEARNED_MAX: usize = 10_000;
/// Entries of the registry that are read at once.
const REGISTRY_PAGE: usize = 256;

impl<E: Environment> Machine<E> {
    /// The other servers that execute what is said to an entity: one, or all of its board. Of a registered entity the registry
    /// says which board that is now.
    pub(super) fn homes(&self, entity: &EntityId) -> Vec<ServerId> {
        let learned = self.learned.get(entity).into_iter().flatten().copied().chain(self.homes.of(entity));
        let mut homes: Vec<ServerId> = self.directory.homes_of(entity).chain(learned).collect();
        if let Some(board) = self.registered_board(entity) {
            homes.extend(self.homes_by(&board));
        }
        homes.sort_unstable();
        homes.dedup();
        homes.retain(|home| *home != self.own);
        homes
    }

    /// The board that the registry has for an entity now.
    pub(super) fn registered_board(&self, entity: &EntityId) -> Option<Board> {
        let (number, server) = (entity.registry_number()?, self.env.server());
        let state = server.depositary()?.state();
        pallet_entities::registered_board(&state, number).ok().flatten()
    }

    /// Registered entities whose boards vote on other servers, with those servers.
    pub(super) fn registered_homes(&self) -> Vec<(EntityId, ServerId)> {
        let server = self.env.server();
        let Some(depositary) = server.depositary() else { return Vec::new() };
        let (state, mut after, mut homes) = (depositary.state(), None, Vec::new());
        while let Ok(page) = pallet_entities::registrations(&state, after, REGISTRY_PAGE)
            && let Some((last, _)) = page.last()
        {
            after = Some(*last);
            for (number, entry) in page.iter().filter(|(_, entry)| entry.board.votes()) {
                let entity = EntityId::registered(*number);
                homes.extend(self.homes_by(&entry.board).into_iter().map(|home| (entity, home)));
            }
        }
        homes
    }

    /// Where the servers are of an entity that spoke: its board says so, if it votes.
    pub(super) fn learn(&mut self, entity: EntityId, board: &Board) -> Result<(), E::Error> {
        let known = self.waiting.contains_key(&entity)
            || self.learned.contains_key(&entity)
            || self.directory.homes_of(&entity).next().is_some();
        let homes = self.homes_by(board);
        // The identifier of any other entity says nothing of its board.
        if known || board.entity() != entity || homes.is_empty() || self.learned.len() >= LEARNED_MAX {
            return Ok(());
        }
        self.env.learn(board)?;
        self.learned.insert(entity, homes.clone());
        let own = self.own;
        for home in homes.into_iter().filter(|home| *home != own) {
            self.post_backlog(entity, home)?;
        }
        Ok(())
    }

    /// The servers on which a board votes.
    pub(super) fn homes_by(&self, board: &Board) -> Vec<ServerId> {
        let keys = board.members.iter().filter_map(Member::bls_key);
        keys.filter_map(|key| self.directory.voter(key)).collect()
    }

    /// Makes ready to send to a server.
    pub(super) fn open_post(&mut self, server: ServerId) {
        if self.delivery.acknowledged(server).is_none() && server != self.own {
            let before = self.post.begin(server, self.seen);
            self.delivery.resume(server, self.post.stream(), before, before);
        }
    }

    /// Sends to a server what was said to an entity before it was known that it lives there.
    pub(super) fn post_backlog(&mut self, entity: EntityId, home: ServerId) -> Result<(), E::Error> {
        if self.waiting.contains_key(&entity) {
            return Ok(());
        }
        // What later slices say goes the usual way, and after it.
        let end = outbox_number(self.seen.saturating_add(1), 0);
        for (number, message) in self.env.outbox(entity)? {
            let letter = if number < end { self.letter(message) } else { None };
            let Some(letter) = letter else { continue };
            let place = self.post.after_last(home, self.seen);
            // Of very many the rest goes after the next start.
            if place.0 >= end {
                break;
            }
            self.post.append(home, place, (entity, number), &letter);
            self.delivery.appended(home, place);
        }
        Ok(())
    }
}
