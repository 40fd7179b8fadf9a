//! Who there is: a hub, its depositary, its users, and the servers that host them.
//!
//! ```text
//!   hub's server                          users' server
//!   ┌──────────────────────────────┐      ┌──────────────────────────┐
//!   │ hub: a copy of every channel │ ◄──► │ user 0, user 1, … user U │   each with one channel, to the hub
//!   │ depositary: the collateral   │      └──────────────────────────┘
//!   └──────────────────────────────┘      idle channels: their users are on no server at all
//! ```
//!
//! Both servers stand for one network, of which each hosts a part and has the keys of that part only. A channel whose
//! user takes part in payments has collateral, half of it each side's. An idle channel, which is there for its weight, has
//! credit instead.

use std::collections::HashMap;

use codec::Encode;
use rayon::prelude::*;
use xln_keystore::{Keystore, KeystoreError};
use xln_primitives::{
    Amount, AssetId, Board, Certificate, EntityId, FrameHeader, Hash, Network, PublicKey, SecretKey,
    SignatureError, Timestamp, Vote, keccak256,
};
use xln_runtime::{
    Certifier, CertifyError, Facts, Founding, Server,
    genesis::{GenesisAsset, GenesisChannel, GenesisChannelRow, GenesisEntity, GenesisError},
};
use zeroize::Zeroizing;

use super::{Plan, progress};

/// When the network begins, in milliseconds since the Unix epoch.
const GENESIS_MS: u64 = 1_800_000_000_000;
/// What each side has in a channel at the start: more than anybody can pay in a run.
const SHARE: u128 = 1 << 40;
/// Channels that are founded at once.
const PORTION: usize = 10_000;

/// An entity with its key.
#[derive(Debug, Clone)]
pub struct Party {
    secret: SecretKey,
    key: PublicKey,
    board: Board,
    id: EntityId,
}

impl Party {
    fn new(seed: u64, role: &str, number: u32) -> Result<Self, SignatureError> {
        let secret = SecretKey::Ed25519(Zeroizing::new(*derived(seed, role, number.into()).as_bytes()));
        let key = secret.public()?;
        let board = Board::single(key);
        Ok(Self { id: board.entity(), key, board, secret })
    }

    /// Who it is.
    #[must_use]
    pub const fn id(&self) -> EntityId {
        self.id
    }

    /// Who speaks for it.
    #[must_use]
    pub const fn board(&self) -> &Board {
        &self.board
    }

    /// The key of its only signer.
    #[must_use]
    pub const fn key(&self) -> PublicKey {
        self.key
    }

    /// Its secret key, which everybody can derive from the seed.
    #[must_use]
    pub const fn secret(&self) -> &SecretKey {
        &self.secret
    }

    fn genesis(&self, name: String) -> GenesisEntity {
        let (id, board) = (self.id, self.board.clone());
        GenesisEntity { id, name, board, reserves: Vec::new(), policy: None, governance: None }
    }
}

/// What a seed gives for a purpose.
fn derived(seed: u64, purpose: &str, number: u64) -> Hash {
    ("XLN benchmark", seed, purpose, number).using_encoded(keccak256)
}

/// Everybody who takes part.
#[derive(Debug)]
pub struct Parties {
    plan: Plan,
    hub: Party,
    depositary: Party,
    users: Vec<Party>,
}

impl Parties {
    /// Makes the keys.
    pub fn new(plan: Plan) -> Result<Self, SignatureError> {
        let users: Result<_, _> =
            (0..plan.users).into_par_iter().map(|number| Party::new(plan.seed, "user", number)).collect();
        let (hub, depositary) = (Party::new(plan.seed, "hub", 0)?, Party::new(plan.seed, "depositary", 0)?);
        Ok(Self { plan, hub, depositary, users: users? })
    }

    /// The sizes.
    #[must_use]
    pub const fn plan(&self) -> Plan {
        self.plan
    }

    /// The hub.
    #[must_use]
    pub const fn hub(&self) -> &Party {
        &self.hub
    }

    /// Who keeps the collateral.
    #[must_use]
    pub const fn depositary(&self) -> &Party {
        &self.depositary
    }

    /// The users who take part in payments.
    #[must_use]
    pub fn users(&self) -> &[Party] {
        &self.users
    }

    /// The user with a number; the hub's own number is none.
    #[must_use]
    pub fn user(&self, number: u32) -> Option<&Party> {
        self.users.get(usize::try_from(number).ok()?)
    }

    /// What is paid with.
    #[must_use]
    pub fn asset(&self) -> AssetId {
        AssetId::named("usd")
    }

    /// The network; another one for every seed.
    #[must_use]
    pub fn network(&self) -> Network {
        Network::new(*derived(self.plan.seed, "network", 0).as_bytes())
    }

    /// The fixed clock: the time of a step.
    #[must_use]
    pub const fn time(&self, step: u64) -> Timestamp {
        Timestamp::from_millis(GENESIS_MS).saturating_add(STEP_MS.saturating_mul(step.saturating_add(1)))
    }

    /// The fixed randomness of a step.
    #[must_use]
    pub fn entropy(&self, server: &str, step: u64) -> Hash {
        derived(self.plan.seed, server, step)
    }

    fn facts(&self) -> Facts {
        Facts {
            network: self.network(),
            genesis_time: Timestamp::from_millis(GENESIS_MS),
            depositary: self.depositary.id,
            depositary_board: self.depositary.board.clone().into(),
            depositary_board_hash: self.depositary.board.hash(),
            dispute_window_ms: 10_000,
        }
    }

    fn channel(&self, user: EntityId, collateral: bool) -> GenesisChannel {
        let sum = |condition: bool, sum: u128| Amount::new(if condition { sum } else { 0 });
        let row = GenesisChannelRow {
            asset: self.asset(),
            collateral: sum(collateral, SHARE * 2),
            ondelta: sum(collateral, SHARE),
            left_credit: sum(!collateral, SHARE),
            right_credit: sum(!collateral, SHARE),
        };
        let (left, right) = (user.min(self.hub.id), user.max(self.hub.id));
        GenesisChannel { left, right, rows: vec![row] }
    }

    /// The hub's server before its first slice, with all channels.
    pub fn hub_server(&self) -> Result<Server, GenesisError> {
        let bar = progress::bar("found the hub", self.plan.channels);
        let mut founding = Founding::new(self.facts());
        founding.host(&self.depositary.genesis("depositary".into()))?;
        founding.host(&self.hub.genesis("hub".into()))?;
        founding.assets(&[GenesisAsset {
            id: self.asset(),
            symbol: "usd".into(),
            name: "US dollar".into(),
            decimals: 2,
            bridge: self.depositary.id,
            faucet_max: None,
        }])?;
        for users in self.users.chunks(PORTION) {
            let channels: Vec<_> = users.iter().map(|user| self.channel(user.id, true)).collect();
            founding.copies(&channels)?;
            founding.accounts(&channels)?;
            bar.inc(channels.len() as u64);
        }
        let mut idle = 0..self.plan.idle();
        while !idle.is_empty() {
            let portion = idle.by_ref().take(PORTION);
            let id = |number| EntityId::new(*derived(self.plan.seed, "idle", number).as_bytes());
            let channels: Vec<_> = portion.map(|number| self.channel(id(number), false)).collect();
            founding.copies(&channels)?;
            bar.inc(channels.len() as u64);
        }
        let server = founding.finish();
        bar.finish_and_clear();
        Ok(server)
    }

    /// The users' server before its first slice.
    pub fn users_server(&self) -> Result<Server, GenesisError> {
        let bar = progress::bar("found the users", self.users.len() as u64);
        let mut founding = Founding::new(self.facts());
        for users in self.users.chunks(PORTION) {
            let mut channels = Vec::with_capacity(users.len());
            for user in users {
                founding.host(&user.genesis(String::new()))?;
                channels.push(self.channel(user.id, true));
            }
            founding.copies(&channels)?;
            bar.inc(channels.len() as u64);
        }
        bar.finish_and_clear();
        Ok(founding.finish())
    }

    /// The keystore of the hub's server: the hub's and the depositary's key.
    pub fn hub_keystore(&self) -> Result<Keystore, KeystoreError> {
        let keystore = Keystore::in_memory();
        keystore.insert(self.hub.secret.clone())?;
        keystore.insert(self.depositary.secret.clone())?;
        Ok(keystore)
    }

    /// Signs the frames of users.
    #[must_use]
    pub fn user_keys(&self) -> UserKeys<'_> {
        let of_user = self.users.iter().map(|user| (user.id, &user.secret)).collect();
        UserKeys { network: self.network(), of_user }
    }
}

/// Milliseconds between two steps of the fixed clock.
const STEP_MS: u64 = 10;

/// The keys of all users.
pub struct UserKeys<'a> {
    network: Network,
    of_user: HashMap<EntityId, &'a SecretKey>,
}

impl Certifier for UserKeys<'_> {
    fn can_certify(&self, entity: EntityId, _board: &Board) -> bool {
        self.of_user.contains_key(&entity)
    }

    fn certify(
        &self,
        _ordinal: usize,
        _board: &Board,
        header: &FrameHeader,
    ) -> Result<Certificate, CertifyError> {
        let refused = |reason: String| CertifyError { entity: header.entity, height: header.height, reason };
        let secret = self.of_user.get(&header.entity).ok_or_else(|| refused("it is no user".into()))?;
        let vote = Vote::precommit(self.network, header, 0);
        let signature = secret.sign(&vote.sign_bytes()).map_err(|error| refused(error.to_string()))?;
        Ok(Certificate::Single(signature))
    }
}
