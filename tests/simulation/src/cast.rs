//! Who takes part: validators, two hubs on servers of their own, users on other servers than their hubs.

use std::collections::BTreeSet;

use xln_chain_spec::KnownServer;
use xln_integration::Actor;
use xln_primitives::{
    Amount, AssetId, Board, BoundedVec, EntityId, Hash, Member, MemberId, Network, Permissions, Profile,
    PublicKey, SecretKey, SignerId, Timestamp, crypto::bls, keccak256,
};
use xln_runtime::{
    Genesis,
    genesis::{GenesisAsset, GenesisChannel, GenesisChannelRow, GenesisEntity, GenesisPolicy},
};

use crate::options::Options;

/// When every network begins: some moment in 2026, in ms.
pub(crate) const BEGINNING: u64 = 1_790_000_000_000;

/// What a user has at the depositary, what a channel holds, and how much of it may be used without collateral.
const RESERVE: u128 = 1_000_000;
const COLLATERAL: u128 = 20_000;
const CREDIT: u128 = 5_000;

/// Somebody who pays and is paid.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) actor: Actor,
    /// The server on which it lives.
    pub(crate) home: usize,
    /// Which hub it has a channel with; none if it only speaks of itself.
    pub(crate) hub: Option<usize>,
    /// Whether it is a further member of a board that is a user already: it proposes and votes, and nothing else.
    pub(crate) directs: bool,
    /// Whether it is the operator who changes the depositary's board.
    pub(crate) governs: bool,
}

impl User {
    /// With which key it asks.
    pub(crate) fn signer(&self) -> SignerId {
        self.actor.signer().unwrap()
    }

    /// Whether several servers decide what it does.
    pub(crate) fn is_board(&self) -> bool {
        self.actor.board.votes()
    }
}

/// Everybody.
#[derive(Debug, Clone)]
pub(crate) struct Cast {
    pub(crate) validators: usize,
    /// Whether the depositary's board changes.
    pub(crate) changes: bool,
    /// Whether one validator lies.
    pub(crate) lies: bool,
    /// Whether the chain spec says where the hubs live and not where the users do.
    pub(crate) unlisted: bool,
    pub(crate) hubs: [Actor; 2],
    pub(crate) users: Vec<User>,
    pub(crate) board: Board,
    pub(crate) genesis: Genesis,
}

/// The asset that everybody uses.
pub(crate) fn usd() -> AssetId {
    AssetId::named("usd")
}

/// The terms of both hubs.
pub(crate) fn policy() -> GenesisPolicy {
    GenesisPolicy {
        base_fee: Amount::new(1),
        fee_ppm: 1_000,
        timelock_delta_ms: 40_000,
        htlc_min: Amount::new(1),
        htlc_max: Amount::new(1_000_000),
        pending_max: 50,
    }
}

/// The key with which a validator votes.
pub(crate) fn voting_key(index: usize) -> [u8; 32] {
    // Any number below the order of the group is one.
    let mut scalar: [u8; 32] = *keccak256(format!("validator {index}").as_bytes()).as_bytes();
    scalar[0] = 1;
    scalar
}

/// The key of a server's connections. Nobody connects here, so it need not be one.
pub(crate) fn connection_key(index: usize) -> [u8; 32] {
    *keccak256(format!("server {index}").as_bytes()).as_bytes()
}

pub(crate) fn public_voting_key(index: usize) -> [u8; 48] {
    match SecretKey::Bls(voting_key(index).into()).public().unwrap() {
        PublicKey::Bls(key) => key,
        _ => unreachable!("it is a BLS key"),
    }
}

/// A validator as a member of a board.
pub(crate) fn validator(index: usize) -> Member {
    Member {
        id: MemberId::Signer {
            key: PublicKey::Bls(public_voting_key(index)),
            possession: Some(bls::prove_possession(&voting_key(index)).unwrap()),
        },
        weight: 1,
        permissions: Permissions::ALL,
    }
}

impl Cast {
    /// With so many validators, and with or without entities that several servers decide for, as the options say.
    pub(crate) fn new(options: &Options, seed: u64) -> Self {
        let Options { validators, boards, changes, lies, unlisted, .. } = options;
        let validators = *validators;
        let named = |name: &str| Actor::named(name).unwrap();
        let hubs = [named("hub 0"), named("hub 1")];
        // The hubs live on the two servers behind the validators.
        let user = |name, home, hub| User {
            actor: named(name),
            home,
            hub: Some(hub),
            directs: false,
            governs: false,
        };
        let mut users = vec![
            user("alice", validators + 1, 0),
            user("bob", validators, 1),
            user("carol", 0, 0),
            user("dave", 1, 1),
        ];
        let members = BoundedVec::truncate_from((0..validators).map(validator).collect());
        let board = Board { members, threshold: 1, profile: Profile::Byzantine };
        // Other thresholds make other entities of the same members.
        let member = |name, threshold, home: usize| {
            let secret = SecretKey::Bls(voting_key(home).into());
            Actor::member(name, Board { threshold, ..board.clone() }, secret)
        };
        let company =
            User { actor: member("company", 2, 1), home: 1, hub: Some(0), directs: false, governs: false };
        let club = User { actor: member("club", 3, 2), home: 2, hub: None, directs: false, governs: false };
        let director =
            |home| User { actor: member("company", 2, home), home, hub: None, directs: true, governs: false };
        if *boards {
            users.extend([company, club, director(0), director(2), director(3)]);
        }
        if *changes {
            let actor = member("operator", board.threshold, 0);
            users.push(User { actor, home: 0, hub: None, directs: true, governs: true });
        }
        let genesis = genesis(&board, &hubs, &users, seed);
        Self { validators, changes: *changes, lies: *lies, unlisted: *unlisted, hubs, users, board, genesis }
    }

    /// How many servers there are.
    pub(crate) const fn servers(&self) -> usize {
        self.validators + 2
    }

    /// The key with which a server votes, if it does now or may one day.
    pub(crate) fn voter(&self, index: usize) -> Option<SecretKey> {
        let votes = index < self.validators + usize::from(self.changes);
        votes.then(|| SecretKey::Bls(voting_key(index).into()))
    }

    /// The entities that live on a server alone.
    pub(crate) fn hosted(&self, server: usize) -> Vec<Actor> {
        let alone = self.users.iter().filter(|user| user.home == server && !user.is_board());
        let users = alone.map(|user| user.actor.clone());
        let hub = server.checked_sub(self.validators).and_then(|hub| self.hubs.get(hub)).cloned();
        users.chain(hub).collect()
    }

    /// What a chain spec would say of the servers.
    pub(crate) fn known_servers(&self) -> Vec<KnownServer> {
        let known = |index: usize| KnownServer {
            name: format!("server {index}"),
            key: connection_key(index),
            validator: (index < self.validators).then(|| public_voting_key(index)),
            addresses: Vec::new(),
            hosts: self.listed_on(index),
        };
        (0..self.servers()).map(known).collect()
    }

    fn listed_on(&self, server: usize) -> BTreeSet<EntityId> {
        let mut listed = self.ids_on(server);
        if self.unlisted {
            let is_user =
                |id: &EntityId| self.users.iter().any(|user| user.actor.id == *id && !user.is_board());
            listed.retain(|id| !is_user(id));
        }
        listed
    }

    /// The genesis as a server has it.
    pub(crate) fn genesis_of(&self, server: usize) -> Genesis {
        Genesis { hosted: Some(self.ids_on(server)), ..self.genesis.clone() }
    }

    /// The entities of the genesis that a server executes, but for the depositary.
    fn ids_on(&self, server: usize) -> BTreeSet<EntityId> {
        let boards = self.users.iter().filter(|user| user.is_board() && user.hub.is_some());
        let boards = boards.filter(|_| server < self.validators).map(|user| user.actor.id);
        self.hosted(server).iter().map(|actor| actor.id).chain(boards).collect()
    }

    /// Every entity whose board votes, with its board.
    pub(crate) fn boards(&self) -> Vec<(EntityId, Board)> {
        let users = self.users.iter().filter(|user| user.is_board() && !user.directs);
        let of_users = users.map(|user| (user.actor.id, user.actor.board.clone()));
        core::iter::once((self.genesis.depositary, self.board.clone())).chain(of_users).collect()
    }

    /// Everybody who owns something.
    pub(crate) fn owners(&self) -> Vec<EntityId> {
        let users = self.users.iter().filter(|user| !user.directs).map(|user| user.actor.id);
        self.hubs.iter().map(|hub| hub.id).chain(users).collect()
    }
}

fn genesis(board: &Board, hubs: &[Actor; 2], users: &[User], seed: u64) -> Genesis {
    let depositary = board.entity();
    let entity = |actor: &Actor, policy| GenesisEntity {
        id: actor.id,
        name: actor.name.clone(),
        board: actor.board.clone(),
        reserves: vec![(usd(), Amount::new(RESERVE))],
        policy,
        governance: None,
    };
    let mut entities = vec![GenesisEntity {
        id: depositary,
        name: "depositary".into(),
        board: board.clone(),
        reserves: Vec::new(),
        policy: None,
        governance: None,
    }];
    entities.extend(hubs.iter().map(|hub| entity(hub, Some(policy()))));
    // The club is founded later.
    entities.extend(users.iter().filter(|user| user.hub.is_some()).map(|user| entity(&user.actor, None)));
    let mut channels = vec![channel(hubs[0].id, hubs[1].id)];
    let channels_of = users.iter().filter_map(|user| Some(channel(user.actor.id, hubs[user.hub?].id)));
    channels.extend(channels_of);
    let network: Hash = keccak256(format!("simulation {seed}").as_bytes());
    Genesis {
        network: Network::new(*network.as_bytes()),
        timestamp: Timestamp::from_millis(BEGINNING),
        depositary,
        dispute_window_ms: 10_000,
        hosted: None,
        assets: vec![GenesisAsset {
            id: usd(),
            symbol: "usd".into(),
            name: "US dollar".into(),
            decimals: 2,
            bridge: depositary,
            faucet_max: None,
        }],
        entities,
        channels,
    }
}

fn channel(one: EntityId, other: EntityId) -> GenesisChannel {
    let row = GenesisChannelRow {
        asset: usd(),
        collateral: Amount::new(COLLATERAL),
        ondelta: Amount::new(COLLATERAL / 2),
        left_credit: Amount::new(CREDIT),
        right_credit: Amount::new(CREDIT),
    };
    GenesisChannel { left: one.min(other), right: one.max(other), rows: vec![row] }
}
