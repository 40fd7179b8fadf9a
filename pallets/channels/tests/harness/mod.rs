//! A few entities and the wires between them: everything that a runtime does for channels, in memory.

#![allow(dead_code, unreachable_pub, reason = "shared by test binaries, each of which uses its part")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use codec::Encode;
use pallet_channels::{
    Call, Channel, Config, Credit, DisputeProof, Error, Event, Payment, PaymentHash, PeerMessage, Preimage,
    RouteHop, Settled, SettledRow, Settlement, Subchannel, dispatch, on_settled, receive, seal, view,
};
use xln_primitives::{
    Amount, AssetId, BoundedVec, ChannelId, Delta, EntityId, Environment, Hash, Network, Side, Storage,
    Timestamp, keccak256, storage::MemoryStorage,
};

pub const START: u64 = 1_000_000;

pub fn usd() -> AssetId {
    AssetId::named("usd")
}

pub fn entity(n: u8) -> EntityId {
    EntityId::new([n; 32])
}

/// What the depositary would certify about an HTLC.
pub fn expiry_proof(hash: PaymentHash, deadline: Timestamp) -> Vec<u8> {
    (b"expired", hash, deadline).encode()
}

pub fn lapse_proof(settlement: &Settlement) -> Vec<u8> {
    (b"lapsed", settlement).encode()
}

/// One entity.
#[derive(Clone)]
pub struct Node {
    pub own: EntityId,
    pub storage: MemoryStorage,
    pub now: Timestamp,
    pub events: Vec<Event>,
    pub outbox: Vec<(EntityId, PeerMessage)>,
    pub settlements: Vec<Settlement>,
    pub published: Vec<Preimage>,
    pub allocations: Vec<(EntityId, AssetId, Amount)>,
    pub proofs: Vec<Vec<u8>>,
    pub marked: BTreeSet<ChannelId>,
}

impl Node {
    pub fn new(n: u8) -> Self {
        Self {
            own: entity(n),
            storage: MemoryStorage::default(),
            now: Timestamp::from_millis(START),
            events: Vec::new(),
            outbox: Vec::new(),
            settlements: Vec::new(),
            published: Vec::new(),
            allocations: Vec::new(),
            proofs: Vec::new(),
            marked: BTreeSet::new(),
        }
    }

    pub fn channel(&self, peer: EntityId) -> Channel {
        self.try_channel(peer).expect("the channel exists")
    }

    pub fn try_channel(&self, peer: EntityId) -> Option<Channel> {
        view::channel(&self.storage, ChannelId::between(&self.own, &peer)).unwrap().map(|view| view.channel)
    }

    pub fn row(&self, peer: EntityId) -> Subchannel {
        self.channel(peer).subchannel(&usd()).cloned().expect("the channel has dollars")
    }

    /// `(can send, can receive)` of dollars.
    pub fn capacity(&self, peer: EntityId) -> (u128, u128) {
        let capacity = self.row(peer).capacity(Side::of(&self.own, &peer).unwrap());
        (capacity.out_capacity.get(), capacity.in_capacity.get())
    }

    pub fn payment(&self, number: u64) -> Payment {
        view::payment(&self.storage, number).unwrap().expect("the payment exists")
    }
}

impl Storage for Node {
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

impl Environment for Node {
    fn network(&self) -> Network {
        Network::new([9; 32])
    }
    fn entity(&self) -> EntityId {
        self.own
    }
    fn now(&self) -> Timestamp {
        self.now
    }
    fn secret(&self, purpose: &[u8]) -> Hash {
        (self.own, purpose).using_encoded(keccak256)
    }
}

impl Config for Node {
    fn deposit_event(&mut self, event: Event) {
        self.events.push(event);
    }
    fn send(&mut self, to: EntityId, message: PeerMessage) {
        self.outbox.push((to, message));
    }
    fn depositary(&self) -> EntityId {
        entity(0xdd)
    }
    fn submit_settlement(&mut self, settlement: Settlement) {
        self.settlements.push(settlement);
    }
    fn publish_preimage(&mut self, preimage: Preimage) {
        self.published.push(preimage);
    }
    fn allocate(&mut self, peer: EntityId, asset: AssetId, amount: Amount) {
        self.allocations.push((peer, asset, amount));
    }
    fn verify_settled(&self, settled: &Settled, proof: &[u8]) -> bool {
        proof == settled.encode()
    }
    fn verify_expired(&self, hash: &PaymentHash, deadline: Timestamp, proof: &[u8]) -> bool {
        proof == expiry_proof(*hash, deadline)
    }
    fn verify_settlement_expired(&self, settlement: &Settlement, proof: &[u8]) -> bool {
        proof == lapse_proof(settlement)
    }
    fn keep_proof(&mut self, _channel: ChannelId, proof: Vec<u8>) {
        self.proofs.push(proof);
    }
    fn mark(&mut self, channel: ChannelId) {
        self.marked.insert(channel);
    }
    fn take_marked(&mut self) -> Vec<ChannelId> {
        std::mem::take(&mut self.marked).into_iter().collect()
    }
}

/// Entities and what is on the way between them, in order per direction.
#[derive(Clone)]
pub struct World {
    pub nodes: BTreeMap<EntityId, Node>,
    pub wires: BTreeMap<(EntityId, EntityId), VecDeque<PeerMessage>>,
}

impl World {
    pub fn new(entities: &[u8]) -> Self {
        Self { nodes: entities.iter().map(|n| (entity(*n), Node::new(*n))).collect(), wires: BTreeMap::new() }
    }

    pub fn node(&mut self, n: u8) -> &mut Node {
        self.nodes.get_mut(&entity(n)).expect("a known entity")
    }

    /// One frame of an entity: what it executes, then `seal`; everything or nothing, as in the runtime.
    pub fn frame(
        &mut self,
        n: u8,
        execute: impl FnOnce(&mut Node) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let before = self.node(n).clone();
        let node = self.node(n);
        let result = execute(node);
        if result.is_err() {
            *node = before;
        }
        seal(node).expect("sealing never fails");
        pallet_channels::try_state(&node.storage).expect("the state is consistent");
        let own = node.own;
        for (to, message) in std::mem::take(&mut node.outbox) {
            self.wires.entry((own, to)).or_default().push_back(message);
        }
        result
    }

    pub fn call(&mut self, n: u8, call: Call) -> Result<(), Error> {
        self.frame(n, |node| dispatch(node, call))
    }

    /// Several calls in one frame of the entity.
    pub fn calls(&mut self, n: u8, calls: Vec<Call>) -> Result<(), Error> {
        self.frame(n, |node| calls.into_iter().try_for_each(|call| dispatch(node, call)))
    }

    pub fn in_flight(&self, from: u8, to: u8) -> usize {
        self.wires.get(&(entity(from), entity(to))).map_or(0, VecDeque::len)
    }

    /// Takes the next message off the wire without delivering it.
    pub fn intercept(&mut self, from: u8, to: u8) -> PeerMessage {
        self.wires.get_mut(&(entity(from), entity(to))).and_then(VecDeque::pop_front).expect("a message")
    }

    pub fn inject(&mut self, from: u8, to: u8, message: PeerMessage) -> Result<(), Error> {
        self.frame(to, |node| receive(node, entity(from), &message))
    }

    /// Delivers the next message of a direction.
    pub fn deliver(&mut self, from: u8, to: u8) -> Result<(), Error> {
        let message = self.intercept(from, to);
        self.inject(from, to, message)
    }

    /// Delivers everything until nothing is on the way.
    pub fn settle(&mut self) {
        while let Some((from, to)) = self.next_wire(0) {
            self.deliver_between(from, to).expect("honest entities understand each other");
        }
    }

    /// One of the directions that have something on the way.
    pub fn next_wire(&self, choice: usize) -> Option<(EntityId, EntityId)> {
        let busy: Vec<_> = self.wires.iter().filter(|(_, q)| !q.is_empty()).map(|(k, _)| *k).collect();
        if busy.is_empty() { None } else { Some(busy[choice % busy.len()]) }
    }

    pub fn deliver_between(&mut self, from: EntityId, to: EntityId) -> Result<(), Error> {
        self.deliver(from.as_bytes()[0], to.as_bytes()[0])
    }

    pub fn advance(&mut self, millis: u64) {
        for node in self.nodes.values_mut() {
            node.now = node.now.saturating_add(millis);
        }
    }

    /// The depositary tells both sides of an event.
    pub fn notify(&mut self, one: u8, other: u8, settled: &Settled) {
        for n in [one, other] {
            self.frame(n, |node| on_settled(node, settled.clone(), settled.encode())).unwrap();
        }
    }

    /// Locks collateral; `ondelta` of it is left's.
    pub fn fund(&mut self, one: u8, other: u8, nonce: u64, collateral: u128, ondelta: i128) {
        let settled = funded(one, other, 0, nonce, collateral, ondelta);
        self.notify(one, other, &settled);
        self.settle();
    }

    /// Both grant each other credit.
    pub fn open(&mut self, one: u8, other: u8, credit_to_other: u128, credit_to_one: u128) {
        self.call(one, grant(other, credit_to_other)).unwrap();
        self.settle();
        self.call(other, grant(one, credit_to_one)).unwrap();
        self.settle();
    }

    /// Both copies of a channel say the same.
    pub fn assert_agreement(&mut self, one: u8, other: u8) {
        let strip = |channel: Channel| Channel { acknowledged: None, ..channel };
        let first = strip(self.node(one).channel(entity(other)));
        let second = strip(self.node(other).channel(entity(one)));
        assert_eq!(first, second);
    }
}

pub fn funded(one: u8, other: u8, epoch: u32, nonce: u64, collateral: u128, ondelta: i128) -> Settled {
    let (left, right) = (entity(one.min(other)), entity(one.max(other)));
    let row = SettledRow { asset: usd(), collateral: Amount::new(collateral), ondelta: Delta::new(ondelta) };
    Settled {
        channel: ChannelId::between(&left, &right),
        left,
        right,
        epoch,
        nonce,
        closed: false,
        rows: vec![row].try_into().unwrap(),
    }
}

pub fn grant(peer: u8, limit: u128) -> Call {
    let credit = Credit { asset: usd(), limit: Amount::new(limit) };
    Call::Open { peer: entity(peer), credits: vec![credit].try_into().unwrap() }
}

pub fn pay_direct(to: u8, amount: u128) -> Call {
    Call::PayDirect { to: entity(to), asset: usd(), amount: Amount::new(amount) }
}

/// A payment over forwarders that take `fee` each.
pub fn pay(to: u8, amount: u128, via: &[u8], fee: u128, hash: Option<PaymentHash>) -> Call {
    let route: Vec<_> = via
        .iter()
        .map(|n| RouteHop { via: entity(*n), fee: Amount::new(fee), timelock_delta_ms: 40_000 })
        .collect();
    Call::Pay {
        to: entity(to),
        asset: usd(),
        amount: Amount::new(amount),
        max_fee: Amount::new(fee * via.len() as u128),
        route: route.try_into().unwrap(),
        hash,
        timeout_ms: 120_000,
    }
}

/// An invoice whose preimage the test keeps.
pub fn hold_invoice(hash: PaymentHash) -> Call {
    Call::CreateInvoice {
        asset: usd(),
        amount: None,
        hash: Some(hash),
        description: BoundedVec::new(),
        expires: Timestamp::from_millis(START + 3_600_000),
    }
}

pub fn preimage(n: u8) -> Preimage {
    Preimage::new([n; 32])
}

/// Every proof that a node kept opens the state that the peer committed to.
pub fn dispute_proofs(node: &Node) -> Vec<DisputeProof> {
    use codec::Decode;
    node.proofs.iter().filter_map(|proof| DisputeProof::decode(&mut proof.as_slice()).ok()).collect()
}
