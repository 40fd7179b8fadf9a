//! Where an entity lives that the chain spec does not place: by its own word, beside what it says.
//!
//! ```text
//!   server A: carol is new here ─► carol's message to the hub, and "I live at A since then", signed with her key
//!                                                │
//!                                   server B of the hub: notes it, on disk; what is said to carol goes to A
//! ```
//!
//! The board of an entity that several servers decide for says where those are; a single key says nothing of the kind. So whatever an
//! entity of one key says to another server carries its home, as long as the chain spec does not name it. Being found brings messages and
//! no right: what an entity says proves itself by its certificate alone, whoever brings it.
//!
//! **Believed** is the server that brings it, if the entity's key signed that it lives there. Of two servers the later word counts, so
//! nobody leads messages to where an entity lived once. What others said to the entity before it was known waits in the outbox, and
//! goes with the first word of its home.

use std::{collections::BTreeMap, sync::Arc};

use codec::{Decode, Encode};
use xln_network::ServerId;
use xln_primitives::{CertifiedMessage, EntityId, Hash, Network, PublicKey, Signature};
use xln_runtime::{RuntimeMessage, Speaker};

use super::{environment::Environment, letter::Letter, machine::Machine};

/// Entities whose homes are kept: a hundred bytes each.
const KNOWN_MAX: usize = 1_000_000;
/// Entities here of which the word is kept, to sign it once.
const SIGNED_MAX: usize = 10_000;
const DOMAIN: &[u8; 18] = b"XLN entity home v1";

/// The word of an entity of one key, that it lives on the server that brings it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Home {
    /// When it was said, ms.
    since: u64,
    /// By its key.
    signature: Signature,
}

/// Where an entity lives, as it was learned.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LearnedHome {
    entity: EntityId,
    server: [u8; 32],
    since: u64,
}

fn sign_bytes(network: Network, entity: &EntityId, server: ServerId, since: u64) -> Vec<u8> {
    [DOMAIN.as_slice(), network.as_ref(), entity.as_ref(), server.as_bytes(), &since.to_be_bytes()].concat()
}

/// Who stands behind a message, and what it says of its home.
pub(super) struct Sender {
    entity: EntityId,
    key: PublicKey,
    home: Home,
}

impl Sender {
    /// Of a letter that says where its sender lives.
    pub(super) fn of(letter: &Letter, speaker: &Speaker) -> Option<Self> {
        let (home, key) = (letter.home.clone()?, *speaker.board().sole_signer()?);
        Some(Self { entity: letter.message.message.from, key, home })
    }
}

/// Homes of entities.
#[derive(Debug, Default)]
pub(super) struct Homes {
    known: BTreeMap<EntityId, (ServerId, u64)>,
    /// What entities here say, with the hash of the board whose key signed it.
    signed: BTreeMap<EntityId, (Hash, Home)>,
}

impl Homes {
    /// Where an entity lives.
    pub(super) fn of(&self, entity: &EntityId) -> Option<ServerId> {
        self.known.get(entity).map(|(server, _)| *server)
    }

    /// All that is known.
    pub(super) fn all(&self) -> impl Iterator<Item = (EntityId, ServerId)> + '_ {
        self.known.iter().map(|(entity, (server, _))| (*entity, *server))
    }

    /// Whether it is news that an entity lives there since then.
    fn is_news(&self, entity: &EntityId, server: ServerId, since: u64) -> bool {
        match self.known.get(entity) {
            Some((known, before)) => *known != server && *before < since,
            None => self.known.len() < KNOWN_MAX,
        }
    }
}

impl<E: Environment> Machine<E> {
    /// A message with what its receiver's server needs to believe it and to answer. None if nobody knows the sender's board.
    pub(super) fn letter(&mut self, message: Arc<CertifiedMessage<RuntimeMessage>>) -> Option<Letter> {
        let from = message.message.from;
        let board = self.board(&from)?;
        let home = board.sole_signer().and_then(|key| self.own_home(from, board.hash(), key));
        Some(Letter { message, board, home })
    }

    /// What an entity that lives here alone says of its home, unless the chain spec says it.
    fn own_home(&mut self, entity: EntityId, board: Hash, key: &PublicKey) -> Option<Home> {
        if self.directory.homes_of(&entity).next().is_some() {
            return None;
        }
        if let Some((of, home)) = self.homes.signed.get(&entity)
            && *of == board
        {
            return Some(home.clone());
        }
        let (since, network) = (self.env.time().as_millis(), self.env.server().facts().network);
        let bytes = sign_bytes(network, &entity, self.own, since);
        let home = Home { since, signature: self.env.sign(&key.signer_id(), &bytes)? };
        if self.homes.signed.len() >= SIGNED_MAX {
            self.homes.signed.pop_first();
        }
        self.homes.signed.insert(entity, (board, home.clone()));
        Some(home)
    }

    /// Entities that proved what they said live on the server that brought it, if they say so.
    pub(super) fn learn_homes(&mut self, from: ServerId, senders: Vec<Sender>) -> Result<(), E::Error> {
        let mut news: Vec<LearnedHome> = Vec::new();
        for Sender { entity, key, home: Home { since, signature } } in senders {
            let is_told = news.iter().any(|known| known.entity == entity);
            let is_elsewhere = self.directory.homes_of(&entity).next().is_none()
                && self.env.server().entity(&entity).is_none();
            if is_told || !is_elsewhere || !self.homes.is_news(&entity, from, since) {
                continue;
            }
            let network = self.env.server().facts().network;
            if key.verify(&sign_bytes(network, &entity, from, since), &signature).is_err() {
                tracing::warn!(%from, %entity, "the key of an entity did not sign that it lives on this server");
                continue;
            }
            news.push(LearnedHome { entity, server: *from.as_bytes(), since });
        }
        if news.is_empty() {
            return Ok(());
        }
        tracing::debug!(%from, entities = news.len(), "entities live on this server");
        self.env.learn_homes(&news)?;
        self.open_post(from);
        for LearnedHome { entity, since, .. } in news {
            self.homes.known.insert(entity, (from, since));
            self.post_backlog(entity, from)?;
        }
        Ok(())
    }

    /// Takes up what was learned before the start. Of each entity the last word counts.
    pub(super) fn resume_homes(&mut self) -> Result<(), E::Error> {
        for LearnedHome { entity, server, since } in self.env.learned_homes()? {
            if self.homes.is_news(&entity, ServerId::new(server), since) {
                self.homes.known.insert(entity, (ServerId::new(server), since));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAROL: EntityId = EntityId::new([3; 32]);

    const fn server(byte: u8) -> ServerId {
        ServerId::new([byte; 32])
    }

    #[test]
    fn the_later_word_counts_and_an_old_one_leads_nowhere() {
        let mut homes = Homes::default();
        assert!(homes.is_news(&CAROL, server(1), 10));
        homes.known.insert(CAROL, (server(1), 10));
        assert!(!homes.is_news(&CAROL, server(1), 99), "she lives there already");
        assert!(!homes.is_news(&CAROL, server(2), 10) && !homes.is_news(&CAROL, server(2), 9));
        assert!(homes.is_news(&CAROL, server(2), 11));
        assert_eq!((homes.of(&CAROL), homes.of(&EntityId::new([4; 32]))), (Some(server(1)), None));
        assert_eq!(homes.all().collect::<Vec<_>>(), [(CAROL, server(1))]);
    }

    #[test]
    fn a_home_is_signed_for_one_network_one_entity_one_server_and_one_time() {
        let (network, other) = (Network::new([1; 32]), Network::new([2; 32]));
        let bytes = sign_bytes(network, &CAROL, server(1), 10);
        for differs in [
            sign_bytes(other, &CAROL, server(1), 10),
            sign_bytes(network, &EntityId::new([4; 32]), server(1), 10),
            sign_bytes(network, &CAROL, server(2), 10),
            sign_bytes(network, &CAROL, server(1), 11),
        ] {
            assert_ne!(bytes, differs);
        }
    }
}
