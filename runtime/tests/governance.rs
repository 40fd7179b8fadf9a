//! A DAO of companies: people decide for their companies, companies for the DAO, and the DAO for what it owns.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod network;

use std::{collections::BTreeMap, sync::Arc};

use codec::Encode;
use network::{Network, USD};
use pallet_governance::{
    Actions, Call as Governance, Error, Event, MemberAct, Policy, Preset, SpendingLimit, Status, proposal,
};
use xln_primitives::{
    Amount, AssetId, Board, CALL_VERSION, Certificate, CertifiedMessage, Delegate, EntityId, FrameHeader,
    Hash, Member, MemberId, Permissions, Profile, PublicKey, SecretKey, Signature, Timestamp, Vote, Weight,
    crypto::bls, keccak256,
};
use xln_runtime::{
    CallBody, DecidedFrame, Executed, Genesis, Receipt, RuntimeCall, RuntimeError, RuntimeEvent,
    RuntimeMessage, Server, ServerInput, SignedCall, SliceInputs, authenticate_calls, authenticate_messages,
    genesis::GenesisEntity, invariants,
};

/// Secret of the server that orders frames for everybody here.
const SERVER: [u8; 32] = [7; 32];

fn person(name: &str) -> SecretKey {
    SecretKey::Ed25519(zeroize::Zeroizing::new(*keccak256(name.as_bytes()).as_bytes()))
}

fn server_key() -> SecretKey {
    SecretKey::Bls(zeroize::Zeroizing::new(SERVER))
}

fn delegate() -> Delegate {
    let PublicKey::Bls(key) = server_key().public().unwrap() else { unreachable!() };
    Delegate { key, possession: bls::prove_possession(&SERVER).unwrap() }
}

fn director(name: &str, weight: Weight) -> Member {
    let id = MemberId::Delegating { key: person(name).public().unwrap(), delegate: delegate() };
    Member { id, weight, permissions: Permissions::ALL }
}

fn company(entity: EntityId, weight: Weight) -> Member {
    Member {
        id: MemberId::Entity { entity, delegate: Some(delegate()) },
        weight,
        permissions: Permissions::ALL,
    }
}

fn board(members: Vec<Member>, threshold: Weight) -> Board {
    Board { members: members.try_into().unwrap(), threshold, profile: Profile::Byzantine }
}

fn mill() -> Board {
    board(vec![director("ann", 1), director("ben", 1), director("cid", 1)], 2)
}

fn bakery() -> Board {
    board(vec![director("dan", 1), director("eve", 1)], 2)
}

/// Two companies and a person.
fn dao() -> Board {
    let members = vec![company(mill().entity(), 2), company(bakery().entity(), 2), director("flo", 1)];
    board(members, 3)
}

/// One server, on which all of them live.
struct World {
    keys: Network,
    server: Server,
    now: Timestamp,
    nonces: BTreeMap<(EntityId, String), u64>,
    waiting: Vec<Arc<CertifiedMessage<RuntimeMessage>>>,
    receipts: Vec<Arc<Receipt>>,
    events: Vec<(EntityId, RuntimeEvent)>,
}

impl World {
    fn new() -> Self {
        let keys = Network::new();
        let mut genesis: Genesis = keys.genesis.clone();
        for (name, board, reserve) in [("mill", mill(), 0), ("bakery", bakery(), 0), ("dao", dao(), 1_000)] {
            let id = board.entity();
            let reserves = vec![(AssetId::named(USD), Amount::new(reserve))];
            genesis.entities.push(GenesisEntity {
                id,
                name: name.into(),
                board,
                reserves,
                policy: None,
                governance: None,
            });
        }
        let server = genesis.build().unwrap();
        let now = Timestamp::from_millis(100);
        let (waiting, receipts, events) = (Vec::new(), Vec::new(), Vec::new());
        Self { keys, server, now, nonces: BTreeMap::new(), waiting, receipts, events }
    }

    fn call(&mut self, who: &str, entity: EntityId, calls: Vec<RuntimeCall>) -> SignedCall {
        let nonce = self.nonces.entry((entity, who.to_owned())).or_default();
        let body = CallBody {
            version: CALL_VERSION,
            network: self.keys.id_of_network(),
            signer: person(who).public().unwrap(),
            entity,
            nonce: *nonce,
            valid_until: Timestamp::MAX,
            calls: calls.try_into().unwrap(),
            tip: Amount::ZERO,
        };
        *nonce += 1;
        body.sign(&person(who)).unwrap()
    }

    fn certify(&self, header: &FrameHeader) -> Certificate {
        let message = Vote::precommit(self.keys.id_of_network(), header, 0).sign_bytes();
        let Signature::Bls(signature) = server_key().sign(&message).unwrap() else { unreachable!() };
        // The first member's delegate is everybody's, so that one bit is all of the weight.
        Certificate::Aggregate { round: 0, signers: vec![0b1].try_into().unwrap(), signature }
    }

    fn run(&mut self, inputs: SliceInputs) -> Executed {
        let executed =
            self.server.execute(self.now, Hash::new([5; 32]), inputs, self.keys.certifier()).unwrap();
        self.server.commit(&executed);
        self.now = self.now.saturating_add(10);
        self.waiting.extend(executed.outbox.iter().map(|delivery| delivery.certified().unwrap()));
        self.receipts.extend(executed.receipts.iter().cloned());
        for frame in &executed.events {
            self.events.extend(frame.events.iter().map(|event| (frame.entity, event.clone())));
        }
        invariants::check(&self.server).unwrap();
        executed
    }

    /// One frame of an entity whose board votes, from these inputs.
    fn decide(&mut self, entity: EntityId, inputs: SliceInputs) {
        let boards: BTreeMap<EntityId, Board> =
            self.server.entities().map(|entity| (entity.id(), entity.board().clone())).collect();
        let proposed = self.server.propose(entity, self.now, Hash::new([3; 32]), inputs, &boards).unwrap();
        let (body, header) = proposed.unwrap();
        let frame = DecidedFrame { certificate: self.certify(&header), body, header };
        frame.verify(self.keys.id_of_network(), &boards[&entity]).unwrap();
        let executed = self.run(SliceInputs { frames: vec![frame], ..Default::default() });
        assert_eq!(executed.unfit, []);
    }

    /// Delivers until nobody has anything to read.
    fn settle(&mut self) {
        while !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            let mut by_receiver: BTreeMap<EntityId, Vec<_>> = BTreeMap::new();
            for message in waiting {
                by_receiver.entry(message.message.to).or_default().push(message);
            }
            for (entity, messages) in by_receiver {
                let board = |from: &EntityId| self.server.entity(from).unwrap().board().clone();
                let pairs =
                    messages.into_iter().map(|message| (Arc::clone(&message), board(&message.message.from)));
                let messages = authenticate_messages(pairs.collect(), self.keys.id_of_network(), [2; 32]);
                let messages = messages.into_iter().map(Result::unwrap).collect();
                self.decide(entity, SliceInputs { messages, ..Default::default() });
            }
        }
    }

    /// What a member asks of an entity, to the end of all that follows from it.
    fn ask(&mut self, who: &str, entity: EntityId, calls: Vec<RuntimeCall>) -> Result<(), RuntimeError> {
        let call = self.call(who, entity, calls);
        let hash = call.hash();
        let calls = authenticate_calls(vec![call], self.keys.id_of_network(), self.now, [1; 32]);
        let calls = calls.into_iter().map(Result::unwrap).collect();
        self.decide(entity, SliceInputs { calls, ..Default::default() });
        self.settle();
        self.receipts.iter().find(|receipt| receipt.call == hash).unwrap().result.clone()
    }

    fn propose(&mut self, who: &str, entity: EntityId, calls: &[RuntimeCall]) -> Result<(), RuntimeError> {
        self.ask(who, entity, vec![Governance::Propose { calls: encoded(calls), lifetime_ms: None }.into()])
    }

    fn vote(&mut self, who: &str, entity: EntityId, proposal: u64, approve: bool) {
        self.ask(who, entity, vec![Governance::Vote { proposal, approve }.into()]).unwrap();
    }

    fn status(&self, entity: EntityId, id: u64) -> Status {
        proposal(&self.server.entity(&entity).unwrap().state(), id).unwrap().unwrap().status
    }

    fn reserve(&self, of: EntityId) -> u128 {
        let depositary = self.server.depositary().unwrap();
        pallet_reserves::reserve(&depositary.state(), &of, &AssetId::named(USD)).unwrap().get()
    }

    fn said(&self, entity: EntityId, wanted: impl Fn(&Event) -> bool) -> bool {
        let governance =
            |event: &RuntimeEvent| matches!(event, RuntimeEvent::Governance(event) if wanted(event));
        self.events.iter().any(|(of, event)| *of == entity && governance(event))
    }
}

fn encoded(calls: &[RuntimeCall]) -> Actions {
    calls.iter().map(|call| call.encode().try_into().unwrap()).collect::<Vec<_>>().try_into().unwrap()
}

fn transfer(to: EntityId, amount: u128) -> RuntimeCall {
    pallet_reserves::Call::Transfer { to, asset: AssetId::named(USD), amount: Amount::new(amount) }.into()
}

fn instruct(entity: EntityId, act: MemberAct) -> RuntimeCall {
    Governance::Instruct { entity, act }.into()
}

#[test]
fn a_dao_of_companies_spends_what_people_in_its_companies_decided() {
    let mut world = World::new();
    let (mill, bakery, dao, bob) = (mill().entity(), bakery().entity(), dao().entity(), world.keys.id("bob"));

    let wish = MemberAct::Propose { calls: encoded(&[transfer(bob, 300)]), lifetime_ms: None };
    world.propose("ann", mill, &[instruct(dao, wish)]).unwrap();
    assert_eq!(world.status(mill, 1), Status::Pending, "the mill has not decided yet");
    world.vote("cid", mill, 1, true);
    assert_eq!((world.status(mill, 1), world.status(dao, 1)), (Status::Executed, Status::Pending));
    assert!(
        world.said(bakery, |event| matches!(event, Event::AskedToVote { by, proposal: 1, .. } if *by == dao))
    );
    assert_eq!(world.reserve(dao), 1_000);

    world.propose("dan", bakery, &[instruct(dao, MemberAct::Vote { proposal: 1, approve: true })]).unwrap();
    assert_eq!(world.status(dao, 1), Status::Pending);
    world.vote("eve", bakery, 1, true);
    assert_eq!(world.status(dao, 1), Status::Executed);
    assert_eq!((world.reserve(dao), world.reserve(bob)), (700, 1_300));
}

#[test]
fn nobody_spends_alone_what_needs_a_vote() {
    let mut world = World::new();
    let (dao, bob) = (dao().entity(), world.keys.id("bob"));
    let alone = world.ask("flo", dao, vec![transfer(bob, 1)]);
    assert_eq!(alone, Err(RuntimeError::Governance(Error::NeedsVote { code: 0x43 })));
    assert_eq!(world.reserve(dao), 1_000);
}

#[test]
fn a_proposal_whose_calls_fail_changes_nothing_and_says_why() {
    let mut world = World::new();
    let mill = mill().entity();
    let gone = pallet_channels::Call::Close { peer: world.keys.id("bob") };
    let set = pallet_entities::Call::SetMetadata(pallet_entities::Metadata {
        name: b"new".to_vec().try_into().unwrap(),
        description: Default::default(),
    });
    world.propose("ann", mill, &[set.into(), gone.into()]).unwrap();
    world.vote("ben", mill, 1, true);
    let Status::Failed { reason } = world.status(mill, 1) else { panic!("{:?}", world.status(mill, 1)) };
    assert!(reason.to_string().contains("channel"), "{reason}");
    let name = pallet_entities::metadata(&world.server.entity(&mill).unwrap().state()).unwrap().name;
    assert_eq!(name.as_slice(), b"mill", "what went before the failing call is undone too");
}

#[test]
fn limits_bound_what_a_director_pays_alone() {
    let mut world = World::new();
    let (mill, hub, usd) = (mill().entity(), world.keys.id("hub"), AssetId::named(USD));
    let limit = SpendingLimit { asset: usd, amount: Amount::new(50), period_ms: 60_000 };
    let policy = Policy { limits: vec![limit].try_into().unwrap(), ..Preset::Company.policy() };
    world.propose("ann", mill, &[Governance::SetPolicy(policy).into()]).unwrap();
    world.vote("ben", mill, 1, true);
    let pay = |amount| pallet_channels::Call::PayDirect { to: hub, asset: usd, amount: Amount::new(amount) };
    let refused = world.ask("ann", mill, vec![pay(51).into()]);
    assert!(matches!(refused, Err(RuntimeError::Governance(Error::SpendingLimit { .. }))), "{refused:?}");
    // Within the limit it is the channel that is missing.
    let refused = world.ask("ann", mill, vec![pay(50).into()]);
    assert!(matches!(refused, Err(RuntimeError::Channels(_))), "{refused:?}");
}

#[test]
fn time_closes_what_nobody_decided() {
    let mut world = World::new();
    let mill = mill().entity();
    let propose = Governance::Propose { calls: encoded(&[transfer(mill, 1)]), lifetime_ms: Some(5_000) };
    world.ask("ann", mill, vec![propose.into()]).unwrap();
    assert!(world.server.due_of(mill, world.now, 10).is_empty());
    world.now = world.now.saturating_add(6_000);
    assert!(world.server.due_boards(world.now, 10).ready.contains(&mill));
    let server = world.server.due_of(mill, world.now, 10);
    assert_eq!(server, [ServerInput::ProposalsExpired { entity: mill }]);
    world.decide(mill, SliceInputs { server, ..Default::default() });
    assert_eq!(world.status(mill, 1), Status::Expired);
    assert!(world.server.due_of(mill, world.now, 10).is_empty());
}

#[test]
fn a_refused_party_leaves_a_record_although_the_call_changes_nothing() {
    let mut world = World::new();
    let (mill, bob) = (mill().entity(), world.keys.id("bob"));
    let block = Governance::SetListing { entity: bob, listing: Some(pallet_governance::Listing::Blocked) };
    world.ask("ann", mill, vec![block.into()]).unwrap();
    let pay =
        pallet_channels::Call::PayDirect { to: bob, asset: AssetId::named(USD), amount: Amount::new(1) };
    let refused = world.ask("ben", mill, vec![pay.into()]);
    assert_eq!(refused, Err(RuntimeError::Governance(Error::Screened { party: bob })));
    let records = pallet_governance::audit(&world.server.entity(&mill).unwrap().state(), None, 10).unwrap();
    assert_eq!((records.len(), records[0].1.code), (1, 0x20));
}
