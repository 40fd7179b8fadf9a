//! One entity in memory.

use pallet_entities::{Config, Event};
use xln_primitives::{
    Board, BoundedVec, EntityId, Environment, FrameHash, Hash, Height, Member, MemberId, Network,
    Permissions, Profile, PublicKey, SecretKey, Storage, Timestamp, crypto::bls, storage::MemoryStorage,
};

pub(crate) const DEPOSITARY: EntityId = EntityId::new([0xdd; 32]);

#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) state: MemoryStorage,
    pub(crate) entity: EntityId,
    pub(crate) now: Timestamp,
    pub(crate) events: Vec<Event>,
    /// Number of the frame.
    pub(crate) height: Height,
    /// The frame that says the message which is being executed.
    pub(crate) carrier: Option<(Height, FrameHash)>,
}

impl Machine {
    pub(crate) fn of(entity: EntityId) -> Self {
        let state = MemoryStorage::default();
        let now = Timestamp::from_millis(1_000);
        Self { state, entity, now, events: Vec::new(), height: 1, carrier: None }
    }
}

impl Storage for Machine {
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.state.get(key)
    }
    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        self.state.put(key, value);
    }
    fn remove(&mut self, key: &[u8]) {
        self.state.remove(key);
    }
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.state.scan(prefix, after, limit)
    }
}

impl Environment for Machine {
    fn network(&self) -> Network {
        Network::new([9; 32])
    }
    fn entity(&self) -> EntityId {
        self.entity
    }
    fn now(&self) -> Timestamp {
        self.now
    }
    fn secret(&self, _purpose: &[u8]) -> Hash {
        Hash::ZERO
    }
}

impl Config for Machine {
    fn deposit_event(&mut self, event: Event) {
        self.events.push(event);
    }
    fn depositary(&self) -> EntityId {
        DEPOSITARY
    }
    fn height(&self) -> Height {
        self.height
    }
    fn carrier(&self) -> Option<(Height, FrameHash)> {
        self.carrier
    }
}

pub(crate) fn key(n: u8) -> PublicKey {
    PublicKey::Ed25519([n; 32])
}

pub(crate) fn member(id: MemberId) -> Member {
    Member { id, weight: 1, permissions: Permissions::ALL }
}

pub(crate) fn signer(n: u8) -> Member {
    member(MemberId::Signer { key: key(n), possession: None })
}

pub(crate) fn board(members: Vec<Member>) -> Board {
    Board { members: BoundedVec::truncate_from(members), threshold: 1, profile: Profile::CrashFault }
}

/// A member that votes on frames, with the key made of `n`.
pub(crate) fn voter(n: u8) -> Member {
    let secret = SecretKey::Bls(zeroize::Zeroizing::new([n; 32]));
    let possession = Some(bls::prove_possession(&[n; 32]).unwrap());
    member(MemberId::Signer { key: secret.public().unwrap(), possession })
}

/// A board of such members with the Byzantine profile.
pub(crate) fn voters(numbers: impl IntoIterator<Item = u8>) -> Board {
    Board { profile: Profile::Byzantine, ..board(numbers.into_iter().map(voter).collect()) }
}
