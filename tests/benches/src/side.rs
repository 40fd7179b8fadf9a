//! One entity's channels in memory, without frames, certificates and trees around them.

use std::collections::BTreeSet;

use pallet_channels::{
    Call, Config, Error, Event, GenesisRow, PaymentHash, PeerMessage, Preimage, Settled, Settlement,
};
use xln_primitives::{
    Amount, AssetId, ChannelId, Delta, EntityId, Environment, Hash, Network, Storage, Timestamp, keccak256,
    storage::MemoryStorage,
};

/// A message and its receiver.
pub type Sent = (EntityId, PeerMessage);

/// An entity with its channels. Believes every proof: proofs are checked before they are measured.
#[derive(Debug, Clone)]
pub struct Side {
    own: EntityId,
    /// Its state.
    pub storage: MemoryStorage,
    sent: Vec<Sent>,
    marked: BTreeSet<ChannelId>,
    events: usize,
}

impl Side {
    /// An entity without channels.
    #[must_use]
    pub fn new(own: EntityId) -> Self {
        Self { own, storage: MemoryStorage::default(), sent: Vec::new(), marked: BTreeSet::new(), events: 0 }
    }

    /// The entity of a number, without channels.
    #[must_use]
    pub fn numbered(number: u32) -> Self {
        Self::new(keccak256(&number.to_be_bytes()).into())
    }

    /// The entity.
    #[must_use]
    pub const fn id(&self) -> EntityId {
        self.own
    }

    /// Opens a channel that is there from the start: collateral that belongs half to each side, no credit.
    pub fn open(&mut self, peer: EntityId, asset: AssetId, collateral: u64) -> Result<(), Error> {
        let row = GenesisRow {
            asset,
            collateral: Amount::new(collateral.into()),
            ondelta: Delta::new((collateral / 2).into()),
            left_credit: Amount::ZERO,
            right_credit: Amount::ZERO,
        };
        pallet_channels::genesis_channel(&mut self.storage, self.own, peer, &[row])
    }

    /// Ends a frame and takes what it says.
    pub fn end_frame(&mut self) -> Result<Vec<Sent>, Error> {
        pallet_channels::seal(self)?;
        self.events = 0;
        Ok(core::mem::take(&mut self.sent))
    }

    /// Pays another side directly, delivered to the end.
    ///
    /// # Panics
    ///
    /// If there is no capacity.
    pub fn pay(&mut self, payee: &mut Self, asset: AssetId, amount: u128) {
        let call = Call::PayDirect { to: payee.own, asset, amount: Amount::new(amount) };
        pallet_channels::dispatch(self, call).expect("there is capacity");
        let mut said = self.end_frame().expect("sound state");
        let (mut speaker, mut listener) = (self, payee);
        while !said.is_empty() {
            for (_, message) in said {
                pallet_channels::receive(listener, speaker.own, &message).expect("a good message");
            }
            said = listener.end_frame().expect("sound state");
            core::mem::swap(&mut speaker, &mut listener);
        }
    }
}

impl Storage for Side {
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.storage.get(key)
    }

    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        self.storage.put(key, value);
    }

    fn remove(&mut self, key: &[u8]) {
        self.storage.remove(key);
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.storage.scan(prefix, after, limit)
    }
}

impl Environment for Side {
    fn network(&self) -> Network {
        Network::new([9; 32])
    }

    fn entity(&self) -> EntityId {
        self.own
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1)
    }

    fn secret(&self, purpose: &[u8]) -> Hash {
        keccak256(purpose)
    }
}

impl Config for Side {
    fn deposit_event(&mut self, _event: Event) {
        self.events = self.events.saturating_add(1);
    }

    fn send(&mut self, to: EntityId, message: PeerMessage) {
        self.sent.push((to, message));
    }

    fn depositary(&self) -> EntityId {
        EntityId::ZERO
    }

    fn submit_settlement(&mut self, _settlement: Settlement) {}

    fn publish_preimage(&mut self, _preimage: Preimage) {}

    fn allocate(&mut self, _peer: EntityId, _asset: AssetId, _amount: Amount) {}

    fn verify_settled(&self, _settled: &Settled, _proof: &[u8]) -> bool {
        true
    }

    fn verify_expired(&self, _hash: &PaymentHash, _deadline: Timestamp, _proof: &[u8]) -> bool {
        true
    }

    fn verify_settlement_expired(&self, _settlement: &Settlement, _proof: &[u8]) -> bool {
        true
    }

    fn keep_proof(&mut self, _channel: ChannelId, _proof: Vec<u8>) {}

    fn mark(&mut self, channel: ChannelId) {
        self.marked.insert(channel);
    }

    fn take_marked(&mut self) -> Vec<ChannelId> {
        core::mem::take(&mut self.marked).into_iter().collect()
    }
}
