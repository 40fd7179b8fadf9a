//! Which server votes with which key, where the chain spec does not say: of those that joined later.
//!
//! ```text
//!   operator of A: xln peer allow B ─► B connects ─► B: "I vote with this key since then", signed with the key
//!                                                     │
//!                                      A: notes it, on disk, and brings B what is for the boards of that key
//! ```
//!
//! A server says it to everybody it is connected with. The connection proves which server it is, the signature that whoever
//! has the key wants to be found there; being found brings messages and no right: a vote counts by its signature alone, and who
//! may connect the operators say. Of two servers that claim one key the one whose database began later is right, since
//! a key is never moved back.

use std::{collections::BTreeMap, sync::Arc};

use codec::{Decode, Encode};
use xln_consensus::BlsKey;
use xln_keystore::Signer;
use xln_network::ServerId;
use xln_primitives::{Network, PublicKey, Signature};

use super::{environment::Environment, letter::Plea, machine::Machine};

/// Most servers of which such a claim is kept.
const CLAIMS_MAX: usize = 1_024;
const DOMAIN: &[u8; 20] = b"XLN voting server v1";

/// A server says with which key it votes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct VoterClaim {
    /// The key of its connections.
    server: [u8; 32],
    /// The key with which it votes.
    key: BlsKey,
    /// Since when its database counts.
    since: u64,
    /// Of all that, by the key with which it votes.
    signature: [u8; 96],
}

fn sign_bytes(network: Network, server: &[u8; 32], since: u64) -> Vec<u8> {
    [DOMAIN.as_slice(), network.as_ref(), server, &since.to_be_bytes()].concat()
}

impl VoterClaim {
    /// Made by the server itself. None if the key cannot sign it.
    pub(super) fn make(
        network: Network,
        server: ServerId,
        since: u64,
        voter: &Arc<dyn Signer>,
    ) -> Option<Self> {
        let PublicKey::Bls(key) = voter.public() else { return None };
        let server = *server.as_bytes();
        match voter.sign(&sign_bytes(network, &server, since)) {
            Ok(Signature::Bls(signature)) => Some(Self { server, key, since, signature }),
            _ => None,
        }
    }

    fn is_signed(&self, network: Network) -> bool {
        let message = sign_bytes(network, &self.server, self.since);
        PublicKey::Bls(self.key).verify(&message, &Signature::Bls(self.signature)).is_ok()
    }

    /// Which server it is about.
    pub(super) const fn server(&self) -> ServerId {
        ServerId::new(self.server)
    }

    /// The key with which it votes.
    pub(super) const fn key(&self) -> BlsKey {
        self.key
    }

    /// Since when its database counts.
    pub(super) const fn since(&self) -> u64 {
        self.since
    }
}

/// What servers said.
#[derive(Debug, Default)]
pub(super) struct Claims {
    voters: BTreeMap<BlsKey, (ServerId, u64)>,
    keys: BTreeMap<ServerId, BlsKey>,
}

impl Claims {
    pub(super) fn voter(&self, key: &BlsKey) -> Option<ServerId> {
        self.voters.get(key).map(|(server, _)| *server)
    }

    pub(super) fn key(&self, server: &ServerId) -> Option<BlsKey> {
        self.keys.get(server).copied()
    }

    pub(super) fn servers(&self) -> impl Iterator<Item = ServerId> + '_ {
        self.keys.keys().copied()
    }

    /// Notes a claim whose signature holds. False if it says nothing new, or there is no room.
    pub(super) fn note(&mut self, claim: &VoterClaim) -> bool {
        let (server, key) = (claim.server(), claim.key());
        if let Some((known, since)) = self.voters.get(&key)
            && (*known == server || *since >= claim.since())
        {
            return false;
        }
        if !self.keys.contains_key(&server) && self.keys.len() >= CLAIMS_MAX {
            return false;
        }
        if let Some((before, _)) = self.voters.insert(key, (server, claim.since())) {
            self.keys.remove(&before);
        }
        if let Some(other) = self.keys.insert(server, key)
            && other != key
        {
            self.voters.remove(&other);
        }
        true
    }
}

impl<E: Environment> Machine<E> {
    /// Says to a server that has just been connected with which key this one votes.
    pub(super) fn tell_voter(&mut self, server: ServerId) {
        if let Some(claim) = &self.claim {
            let plea = Plea::Voter(Box::new(claim.clone())).encode();
            self.env.send(vec![server], xln_network::Code::EntityTransaction, plea);
        }
    }

    /// A server says with which key it votes.
    pub(super) fn told_voter(&mut self, from: ServerId, claim: &VoterClaim) -> Result<(), E::Error> {
        let is_known = self.directory.voter(&claim.key()) == Some(from);
        if from != claim.server() || is_known || from == self.own {
            return Ok(());
        }
        if !claim.is_signed(self.env.server().facts().network) {
            tracing::warn!(%from, "the key with which a server says that it votes did not sign that");
            return Ok(());
        }
        if !self.directory.note(claim) {
            return Ok(());
        }
        tracing::info!(%from, key = hex::encode(claim.key()), "a server votes with this key");
        self.env.learn_voter(claim)?;
        self.open_post(from);
        Ok(())
    }

    /// Takes up what servers said before the start.
    pub(super) fn resume_voters(&mut self) -> Result<(), E::Error> {
        for claim in self.env.learned_voters()? {
            self.directory.note(&claim);
        }
        Ok(())
    }
}
