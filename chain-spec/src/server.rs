//! The servers of a network: who they are, where they listen, whom they host.
//!
//! None of it is part of the genesis hash: a server that moves to another address does not make another network.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xln_primitives::{EntityId, PublicKey};
use xln_runtime::Genesis;

use crate::{
    ChainSpec, EntityRef, SpecError,
    names::Names,
    text::{self, check},
};

/// Most servers that a file names.
const SERVERS_MAX: usize = 1_024;
/// Most addresses of a server.
const ADDRESSES_MAX: usize = 16;

/// A server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServerSpec {
    /// What people call it; 1–64 of `a–z 0–9 - _ .`.
    pub name: String,
    /// The ed25519 key of its connections, `ed25519:0x…`. A server makes one when it first starts.
    pub key: PublicKey,
    /// The BLS key with which it votes on boards, `bls:0x…`; none for a server that only follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<PublicKey>,
    /// Where it listens, such as `/ip4/10.0.0.1/tcp/30333`.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The entities of the genesis that live there, besides the depositary, which every server follows.
    #[serde(default)]
    pub hosts: Vec<EntityRef>,
}

/// A server, with identifiers instead of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownServer {
    /// What people call it.
    pub name: String,
    /// The ed25519 key of its connections.
    pub key: [u8; 32],
    /// The BLS key with which it votes on boards.
    pub validator: Option<[u8; 48]>,
    /// Where it listens, as libp2p writes addresses.
    pub addresses: Vec<String>,
    /// The entities of the genesis that live there.
    pub hosts: BTreeSet<EntityId>,
}

impl ChainSpec {
    /// The servers that the file names. None means one server that hosts everybody.
    ///
    /// Errors: a name, key or entity that stands there twice; a key of another scheme; an entity that the genesis does not
    /// have; a depositary that servers cannot follow, since its board is one key without agreement.
    pub fn known_servers(&self) -> Result<Vec<KnownServer>, SpecError> {
        let names = Names::of(&self.genesis)?;
        let depositary = names.entity("genesis.depositary.entity", &self.genesis.depositary.entity)?;
        check("servers", self.servers.len(), self.servers.len() <= SERVERS_MAX, "at most 1024 servers")?;
        let (mut servers, mut known) = (Vec::with_capacity(self.servers.len()), BTreeSet::new());
        let (mut keys, mut hosts) = (BTreeSet::new(), BTreeMap::new());
        let boards = voting_boards(self, &names, depositary)?;
        for (position, spec) in self.servers.iter().enumerate() {
            let path = format!("servers[{position}]");
            text::name(&format!("{path}.name"), &spec.name)?;
            let PublicKey::Ed25519(key) = spec.key else {
                let rule = "the key of a server's connections is an ed25519 key";
                return Err(SpecError::Range {
                    path: format!("{path}.key"),
                    value: spec.key.to_string(),
                    rule,
                });
            };
            for (field, new) in [("name", known.insert(&spec.name)), ("key", keys.insert(key))] {
                if !new {
                    let value = if field == "name" { spec.name.clone() } else { spec.key.to_string() };
                    return Err(SpecError::Duplicate { path: format!("{path}.{field}"), value });
                }
            }
            let validator = match spec.validator {
                None => None,
                Some(PublicKey::Bls(key)) => Some(key),
                Some(other) => {
                    let path = format!("{path}.validator");
                    return Err(SpecError::Range {
                        path,
                        value: other.to_string(),
                        rule: "boards vote with BLS keys",
                    });
                }
            };
            let few = spec.addresses.len() <= ADDRESSES_MAX;
            check(&format!("{path}.addresses"), spec.addresses.len(), few, "at most 16 addresses")?;
            let mut hosted = BTreeSet::new();
            for (place, reference) in spec.hosts.iter().enumerate() {
                let path = format!("{path}.hosts[{place}]");
                let entity = names.entity(&path, reference)?;
                let rule = "every server follows the depositary; it lives nowhere";
                check(&path, reference.as_str(), entity != depositary, rule)?;
                let rule = "its board votes: it lives on the servers whose `validator` keys are on the board";
                check(&path, reference.as_str(), boards.iter().all(|board| board.0 != entity), rule)?;
                if hosts.insert(entity, position).is_some() {
                    return Err(SpecError::Duplicate { path, value: reference.as_str().to_owned() });
                }
                hosted.insert(entity);
            }
            // Every server whose key is on a board executes what the board decides.
            let votes = |keys: &[[u8; 48]]| validator.as_ref().is_some_and(|own| keys.contains(own));
            hosted.extend(boards.iter().filter(|(_, keys)| votes(keys)).map(|(entity, _)| *entity));
            let (name, addresses) = (spec.name.clone(), spec.addresses.clone());
            servers.push(KnownServer { name, key, validator, addresses, hosts: hosted });
        }
        Ok(servers)
    }
}

/// An entity whose board votes, with the keys on its board.
type VotingBoard = (EntityId, Vec<[u8; 48]>);

/// Of all entities but the depositary.
fn voting_boards(
    spec: &ChainSpec,
    names: &Names<'_>,
    depositary: EntityId,
) -> Result<Vec<VotingBoard>, SpecError> {
    let mut boards = Vec::new();
    for (position, entity) in spec.genesis.entities.iter().enumerate() {
        let path = format!("genesis.entities[{position}]");
        let id = names.own(&format!("{path}.name"), &entity.name)?;
        let Some(board) = names.board(&id).filter(|board| id != depositary && board.votes()) else {
            continue;
        };
        boards
            .push((id, board.members.iter().filter_map(xln_primitives::Member::bls_key).copied().collect()));
    }
    Ok(boards)
}

/// Several servers agree on the depositary's frames, so that its board has to consist of BLS keys.
pub(crate) fn can_be_followed(spec: &ChainSpec, genesis: &Genesis) -> Result<(), SpecError> {
    spec.known_servers()?;
    let board =
        genesis.entities.iter().find(|entity| entity.id == genesis.depositary).map(|entity| &entity.board);
    let agrees = |board: &xln_primitives::Board| board.votes() && board.voting_weight() >= board.quorum();
    let followed = spec.servers.is_empty() || board.is_some_and(agrees);
    let rule =
        "with several servers a quorum of its board has BLS keys, which agree on what every server follows";
    check("genesis.depositary.entity", spec.genesis.depositary.entity.as_str(), followed, rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A member with the BLS key of a secret that everybody knows, and its proof.
    fn voter(secret: u8) -> String {
        let scalar = [secret; 32];
        let key = xln_primitives::SecretKey::Bls(scalar.into()).public().unwrap();
        let proof = xln_primitives::crypto::bls::prove_possession(&scalar).unwrap();
        let proof: String = proof.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(r#"{{ "key": "{key}", "proofOfPossession": "0x{proof}" }}"#)
    }

    /// With a depositary that can be followed, a hub, and a company with a board of two.
    fn spec(servers: &str) -> Result<ChainSpec, SpecError> {
        ChainSpec::from_json(&format!(
            r#"{{"name": "Test", "id": "test", "chainType": "Local", "servers": {servers}, "genesis": {{
                "assets": [], "depositary": {{ "entity": "bank" }}, "entities": [
                    {{ "name": "bank", "board": {{ "members": [{}] }} }},
                    {{ "name": "hub", "board": {{ "members": [{{ "key": "ed25519:0x{}" }}] }} }},
                    {{ "name": "company", "board": {{ "members": [{}, {}] }} }}
                ] }} }}"#,
            voter(5),
            "11".repeat(32),
            voter(6),
            voter(7),
        ))
    }

    /// A server that votes with the key of such a secret.
    fn validator(name: &str, key: u8, secret: u8) -> String {
        let public = xln_primitives::SecretKey::Bls([secret; 32].into()).public().unwrap();
        server(name, key, "[]").replacen('{', &format!(r#"{{"validator": "{public}", "#), 1)
    }

    fn server(name: &str, key: u8, hosts: &str) -> String {
        format!(
            r#"{{"name": "{name}", "key": "ed25519:0x{}", "hosts": {hosts}}}"#,
            format!("{key:02x}").repeat(32)
        )
    }

    #[test]
    fn servers_are_known_by_key_and_do_not_make_another_network() {
        let alone = spec("[]").unwrap();
        let two = spec(&format!("[{}, {}]", server("one", 1, r#"["hub"]"#), server("two", 2, "[]"))).unwrap();
        assert_eq!(alone.network().unwrap(), two.network().unwrap());
        let servers = two.known_servers().unwrap();
        assert_eq!((servers[0].key, servers[0].hosts.len(), servers[1].hosts.len()), ([1; 32], 1, 0));
        assert_eq!(
            ChainSpec::from_json(&String::from_utf8(two.raw().unwrap()).unwrap()).unwrap().servers.len(),
            2
        );
    }

    #[test]
    fn servers_that_contradict_each_other_are_refused_by_place() {
        let refused = |servers: String| spec(&servers).unwrap_err().to_string();
        let one = server("one", 1, r#"["hub"]"#);
        assert!(refused(format!("[{one}, {}]", server("one", 2, "[]"))).contains("servers[1].name"));
        assert!(refused(format!("[{one}, {}]", server("two", 1, "[]"))).contains("servers[1].key"));
        assert!(
            refused(format!("[{one}, {}]", server("two", 2, r#"["hub"]"#))).contains("servers[1].hosts[0]")
        );
        assert!(refused(format!("[{}]", server("one", 1, r#"["bank"]"#))).contains("follows the depositary"));
        assert!(
            refused(format!("[{}]", server("one", 1, r#"["ghost"]"#))).contains("no entity is called ghost")
        );
    }

    #[test]
    fn who_has_a_board_lives_on_the_servers_that_vote_on_it_and_is_listed_nowhere() {
        let (one, two) = (validator("one", 1, 6), validator("two", 2, 7));
        let (bank, other) = (validator("three", 3, 5), server("four", 4, r#"["hub"]"#));
        let file = spec(&format!("[{one}, {two}, {bank}, {other}]")).unwrap();
        let names = Names::of(&file.genesis).unwrap();
        let id = |name: &str| names.entity("", &name.into()).unwrap();
        let hosts: Vec<BTreeSet<EntityId>> =
            file.known_servers().unwrap().into_iter().map(|known| known.hosts).collect();
        let company = BTreeSet::from([id("company")]);
        assert_eq!(hosts, [company.clone(), company, BTreeSet::new(), BTreeSet::from([id("hub")])]);

        let listed = server("five", 5, r#"["company"]"#);
        let refused = spec(&format!("[{one}, {two}, {listed}]")).unwrap_err().to_string();
        assert!(refused.contains("servers[2].hosts[0]") && refused.contains("its board votes"), "{refused}");
    }

    #[test]
    fn a_depositary_of_one_key_without_agreement_cannot_be_followed() {
        let mut dev = ChainSpec::dev().unwrap();
        let one = serde_json::from_str(&server("one", 1, "[]")).unwrap();
        dev.servers = vec![one];
        assert!(dev.validate().unwrap_err().to_string().contains("BLS keys"));
    }
}
