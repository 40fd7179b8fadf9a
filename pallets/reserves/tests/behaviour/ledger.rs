//! A depositary in memory that rolls back what fails and checks its invariants after every call.

use pallet_reserves::{
    AssetInfo, AssetKind, Call, Config, Error, Event, Notice, dispatch, genesis_asset, genesis_reserve,
    reserve, try_state,
};
use xln_primitives::{
    Amount, AssetId, BoundedVec, ChannelId, EntityId, Environment, Hash, Network, Storage, Timestamp,
    storage::MemoryStorage,
};

pub(crate) const LEFT: EntityId = EntityId::new([1; 32]);
pub(crate) const RIGHT: EntityId = EntityId::new([2; 32]);
pub(crate) const OTHER: EntityId = EntityId::new([3; 32]);
pub(crate) const BRIDGE: EntityId = EntityId::new([0xbb; 32]);

/// Deposited by the bridge only.
pub(crate) const USD: AssetId = AssetId::new([0xa0; 32]);
/// With a faucet of 1000 per call.
pub(crate) const TOY: AssetId = AssetId::new([0xa1; 32]);
/// Exists once.
pub(crate) const ART: AssetId = AssetId::new([0xa2; 32]);
pub(crate) const UNKNOWN: AssetId = AssetId::new([0xee; 32]);

#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) state: MemoryStorage,
    pub(crate) now: u64,
    pub(crate) events: Vec<Event>,
    pub(crate) notices: Vec<(EntityId, Notice)>,
}

impl Ledger {
    /// Left and right have 100 USD each.
    pub(crate) fn new() -> Self {
        let mut state = MemoryStorage::default();
        for (id, kind, faucet_max) in [
            (USD, AssetKind::Fungible, None),
            (TOY, AssetKind::Native, Some(amount(1_000))),
            (ART, AssetKind::NonFungible, None),
        ] {
            genesis_asset(&mut state, id, &info(kind, faucet_max)).unwrap();
        }
        for entity in [LEFT, RIGHT] {
            genesis_reserve(&mut state, &entity, &USD, amount(100)).unwrap();
        }
        Self { state, now: 1_000, events: Vec::new(), notices: Vec::new() }
    }

    /// Executes a call as the runtime does: what fails leaves no trace. Then the books must balance.
    pub(crate) fn call(&mut self, origin: EntityId, call: Call) -> Result<(), Error> {
        let before = self.clone();
        let result = dispatch(self, origin, call);
        if result.is_err() {
            *self = before;
        }
        assert_eq!(try_state(&self.state), Ok(()));
        result
    }

    pub(crate) fn reserve(&self, entity: EntityId, asset: AssetId) -> u128 {
        reserve(&self.state, &entity, &asset).unwrap().get()
    }
}

pub(crate) fn info(kind: AssetKind, faucet_max: Option<Amount>) -> AssetInfo {
    AssetInfo {
        symbol: BoundedVec::truncate_from(b"sym".to_vec()),
        name: BoundedVec::truncate_from(b"Name".to_vec()),
        decimals: 2,
        kind,
        bridge: BRIDGE,
        faucet_max,
    }
}

pub(crate) fn amount(units: u128) -> Amount {
    Amount::new(units)
}

pub(crate) fn channel() -> ChannelId {
    ChannelId::between(&LEFT, &RIGHT)
}

impl Storage for Ledger {
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

impl Environment for Ledger {
    fn network(&self) -> Network {
        Network::new([9; 32])
    }
    fn entity(&self) -> EntityId {
        EntityId::new([0xdd; 32])
    }
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }
    fn secret(&self, _purpose: &[u8]) -> Hash {
        Hash::ZERO
    }
}

impl Config for Ledger {
    fn deposit_event(&mut self, event: Event) {
        self.events.push(event);
    }
    fn notify(&mut self, to: EntityId, notice: Notice) {
        self.notices.push((to, notice));
    }
}
