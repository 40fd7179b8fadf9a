//! Who is where: which server hosts an entity, and with which key it votes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use xln_chain_spec::KnownServer;
use xln_consensus::BlsKey;
use xln_network::{Multiaddr, ServerAddress, ServerId};
use xln_primitives::EntityId;

use super::voting_server::{Claims, VoterClaim};

/// The servers of the chain spec, and those that said with which key they vote.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    names: BTreeMap<ServerId, String>,
    homes: BTreeMap<EntityId, BTreeSet<ServerId>>,
    voters: BTreeMap<BlsKey, ServerId>,
    keys: BTreeMap<ServerId, BlsKey>,
    addresses: Vec<ServerAddress>,
    /// What servers said of their keys, shared by all who look.
    claims: Arc<RwLock<Claims>>,
}

/// An address of a server that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("chain spec: the address {address} of server {server} is none: {reason}")]
pub struct BadAddress {
    server: String,
    address: String,
    reason: String,
}

impl Directory {
    /// Of the servers that a chain spec names.
    pub fn new(servers: &[KnownServer]) -> Result<Self, BadAddress> {
        let mut directory = Self::default();
        for known in servers {
            let server = ServerId::new(known.key);
            directory.names.insert(server, known.name.clone());
            for entity in &known.hosts {
                directory.homes.entry(*entity).or_default().insert(server);
            }
            if let Some(key) = known.validator {
                directory.voters.insert(key, server);
                directory.keys.insert(server, key);
            }
            for text in &known.addresses {
                let address: Multiaddr = text.parse().map_err(|reason| BadAddress {
                    server: known.name.clone(),
                    address: text.clone(),
                    reason: format!("{reason}"),
                })?;
                directory.addresses.push(ServerAddress { server, address });
            }
        }
        Ok(directory)
    }

    /// All servers of the chain spec.
    pub fn servers(&self) -> impl Iterator<Item = ServerId> + '_ {
        self.names.keys().copied()
    }

    /// Servers that are known by their own word alone.
    #[must_use]
    pub fn claimants(&self) -> Vec<ServerId> {
        let claims = self.claims();
        claims.servers().filter(|server| !self.names.contains_key(server)).collect()
    }

    /// What people call a server.
    #[must_use]
    pub fn name(&self, server: &ServerId) -> Option<&str> {
        self.names.get(server).map(String::as_str)
    }

    /// Which entity lives where; one whose board votes, on several servers.
    pub fn homes(&self) -> impl Iterator<Item = (EntityId, ServerId)> + '_ {
        self.homes.iter().flat_map(|(entity, servers)| servers.iter().map(|server| (*entity, *server)))
    }

    /// Where an entity lives.
    pub fn homes_of(&self, entity: &EntityId) -> impl Iterator<Item = ServerId> + '_ {
        self.homes.get(entity).into_iter().flatten().copied()
    }

    /// The server that votes with a key, by its own word or by the chain spec.
    #[must_use]
    pub fn voter(&self, key: &BlsKey) -> Option<ServerId> {
        self.claims().voter(key).or_else(|| self.voters.get(key).copied())
    }

    /// The key with which a server votes.
    #[must_use]
    pub fn key(&self, server: &ServerId) -> Option<BlsKey> {
        self.claims().key(server).or_else(|| self.keys.get(server).copied())
    }

    fn claims(&self) -> RwLockReadGuard<'_, Claims> {
        self.claims.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a server says of its key. False if it says nothing new.
    pub(super) fn note(&self, claim: &VoterClaim) -> bool {
        let known = self.voters.get(&claim.key()) == Some(&claim.server())
            && self.claims().voter(&claim.key()).is_none();
        !known && self.claims.write().unwrap_or_else(PoisonError::into_inner).note(claim)
    }

    /// Where servers listen.
    #[must_use]
    pub fn addresses(&self) -> &[ServerAddress] {
        &self.addresses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str, key: u8, validator: Option<u8>, address: &str, hosts: &[u8]) -> KnownServer {
        KnownServer {
            name: name.to_owned(),
            key: [key; 32],
            validator: validator.map(|byte| [byte; 48]),
            addresses: vec![address.to_owned()],
            hosts: hosts.iter().map(|byte| EntityId::new([*byte; 32])).collect(),
        }
    }

    #[test]
    fn entities_and_votes_lead_to_their_servers() {
        let voter = known("one", 1, Some(7), "/ip4/127.0.0.1/tcp/1", &[]);
        let hub = known("two", 2, None, "/ip4/127.0.0.1/udp/2/quic-v1", &[5, 6]);
        let directory = Directory::new(&[voter, hub]).unwrap();
        let (one, two) = (ServerId::new([1; 32]), ServerId::new([2; 32]));
        assert_eq!((directory.name(&one), directory.servers().count()), (Some("one"), 2));
        assert_eq!(
            (directory.voter(&[7; 48]), directory.key(&one), directory.key(&two)),
            (Some(one), Some([7; 48]), None)
        );
        assert_eq!(directory.homes_of(&EntityId::new([5; 32])).collect::<Vec<_>>(), [two]);
        assert_eq!(directory.homes_of(&EntityId::new([9; 32])).count(), 0);
        assert_eq!(directory.homes().filter(|(_, server)| *server == two).count(), 2);
        assert_eq!(directory.addresses().len(), 2);
    }

    #[test]
    fn an_address_that_is_none_is_named_with_its_server() {
        let error = Directory::new(&[known("one", 1, None, "over there", &[])]).unwrap_err().to_string();
        assert!(error.contains("one") && error.contains("over there"), "{error}");
    }
}
