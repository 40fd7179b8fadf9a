//! The pool: what gets in, in which order it comes out, and what a full pool answers.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, RwLock};

use tokio::sync::oneshot::error::TryRecvError;
use xln_chain_spec::ChainSpec;
use xln_keystore::dev_key;
use xln_node::pool::{Limits, Outcome, Pool, PoolError};
use xln_primitives::{
    Amount, Board, BoundedVec, CALL_VERSION, CallError, EntityId, Network, SecretKey, Timestamp,
};
use xln_runtime::{CallBody, Receipt, Refusal, Server, SignedCall};

const NOW: Timestamp = Timestamp::from_millis(1_000);

struct Fixture {
    network: Network,
    pool: Pool,
}

fn entity(key: &SecretKey) -> EntityId {
    Board::single(key.public().unwrap()).entity()
}

impl Fixture {
    fn new(limits: Limits) -> Self {
        let genesis = ChainSpec::dev().unwrap().to_genesis().unwrap();
        let server: Server = genesis.build().unwrap();
        Self { network: genesis.network, pool: Pool::new(Arc::new(RwLock::new(server)), limits) }
    }

    fn body(&self, who: &str, nonce: u64, tip: u128) -> CallBody {
        let key = dev_key(who);
        CallBody {
            version: CALL_VERSION,
            network: self.network,
            signer: key.public().unwrap(),
            entity: entity(&key),
            nonce,
            valid_until: Timestamp::from_millis(2_000),
            calls: BoundedVec::truncate_from(vec![
                pallet_entities::Call::SetMetadata(Default::default()).into(),
            ]),
            tip: Amount::new(tip),
        }
    }

    fn call(&self, who: &str, nonce: u64, tip: u128) -> SignedCall {
        self.body(who, nonce, tip).sign(&dev_key(who)).unwrap()
    }

    /// Hands in one call.
    fn submit(&self, call: SignedCall) -> Result<(), PoolError> {
        self.pool.submit(vec![call], NOW, [7; 32]).pop().unwrap().map(drop)
    }

    fn refusal(&self, call: SignedCall) -> Refusal {
        match self.submit(call) {
            Err(PoolError::Refused(refusal)) => refusal,
            other => panic!("expected a refusal, found {other:?}"),
        }
    }

    /// Takes everything; nonces with the first byte of the entity.
    fn taken(&self, limit: usize) -> Vec<(EntityId, u64)> {
        let calls = self.pool.take(limit);
        calls.iter().map(|call| (call.get().body.entity, call.get().body.nonce)).collect()
    }
}

fn included(call: &SignedCall) -> Outcome {
    let (call, entity) = (call.hash(), call.body.entity);
    let receipt =
        Receipt { call, entity, height: 1, result: Ok(()), events: Vec::new(), changes: Vec::new() };
    Outcome::Included { receipt: Arc::new(receipt), answers: Vec::new(), awaited: Vec::new() }
}

#[test]
fn a_wrong_signature_among_more_calls_than_one_batch_is_found_and_those_behind_it_have_a_gap() {
    let fixture = Fixture::new(Limits::default());
    let mut calls: Vec<SignedCall> = (0..1_100).map(|nonce| fixture.call("alice", nonce, 0)).collect();
    calls[1_050] = fixture.call("bob", 1_050, 0);
    calls[1_050].body.signer = calls[0].body.signer;
    calls[1_050].body.entity = calls[0].body.entity;
    let results = fixture.pool.submit(calls, NOW, [7; 32]);
    assert!(results[..1_050].iter().all(Result::is_ok));
    let Err(PoolError::Refused(Refusal::Form(CallError::Signature(_)))) = &results[1_050] else {
        panic!("the forged call: {:?}", results[1_050].as_ref().err());
    };
    assert!(results[1_051..].iter().all(Result::is_err), "nothing is queued behind a gap");
    assert_eq!(fixture.taken(2_000).len(), 1_050);
}

#[test]
fn a_wrong_signature_is_refused_and_takes_none_of_its_neighbours_with_it() {
    let fixture = Fixture::new(Limits::default());
    let mut forged = fixture.call("alice", 0, 0);
    forged.signature = fixture.call("alice", 1, 0).signature;
    let results = fixture.pool.submit(
        vec![fixture.call("bob", 0, 0), forged, fixture.call("carol", 0, 0)],
        NOW,
        [7; 32],
    );
    let accepted: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(accepted, [true, false, true]);
    assert!(matches!(&results[1], Err(PoolError::Refused(Refusal::Form(CallError::Signature(_))))));
    assert_eq!(fixture.pool.len(), 2, "what is refused takes no place");
}

#[test]
fn another_networks_call_an_expired_one_and_another_format_are_refused_with_the_numbers() {
    let fixture = Fixture::new(Limits::default());
    let sign = |change: fn(&mut CallBody)| {
        let mut body = fixture.body("alice", 0, 0);
        change(&mut body);
        body.sign(&dev_key("alice")).unwrap()
    };
    assert!(matches!(
        fixture.refusal(sign(|body| body.network = Network::ZERO)),
        Refusal::Form(CallError::Network { found: Network::ZERO, .. })
    ));
    let late = Timestamp::from_millis(999);
    assert_eq!(
        fixture.refusal(sign(|body| body.valid_until = Timestamp::from_millis(999))),
        Refusal::Form(CallError::Expired { valid_until: late, now: NOW })
    );
    assert_eq!(
        fixture.refusal(sign(|body| body.version = 9)),
        Refusal::Form(CallError::Version { found: 9 })
    );
    assert_eq!(fixture.refusal(sign(|body| body.calls = BoundedVec::new())), Refusal::Form(CallError::Empty));
    assert!(fixture.pool.is_empty());
}

#[test]
fn a_replayed_or_gapped_nonce_is_refused_with_the_one_that_is_next() {
    let fixture = Fixture::new(Limits::default());
    fixture.submit(fixture.call("alice", 0, 0)).unwrap();
    assert_eq!(
        fixture.refusal(fixture.call("alice", 0, 0)),
        Refusal::Unauthorised(pallet_entities::Error::NonceTooLow { expected: 1, found: 0 })
    );
    assert_eq!(
        fixture.refusal(fixture.call("alice", 2, 0)),
        Refusal::Unauthorised(pallet_entities::Error::NonceGap { expected: 1, found: 2 })
    );
    assert_eq!(
        fixture.pool.next_nonce(dev_key("alice").public().unwrap().signer_id(), entity(&dev_key("alice"))),
        Ok(1)
    );
}

#[test]
fn higher_tips_come_first_and_each_signers_calls_in_nonce_order() {
    let fixture = Fixture::new(Limits::default());
    let calls = vec![
        fixture.call("alice", 0, 0),
        fixture.call("alice", 1, 9),
        fixture.call("bob", 0, 5),
        fixture.call("carol", 0, 0),
    ];
    assert!(fixture.pool.submit(calls, NOW, [7; 32]).iter().all(Result::is_ok));
    let (alice, bob, carol) = (entity(&dev_key("alice")), entity(&dev_key("bob")), entity(&dev_key("carol")));
    // Alice's second call offers most, but waits for her first, which came before carol's.
    assert_eq!(fixture.taken(9), [(bob, 0), (alice, 0), (alice, 1), (carol, 0)]);
}

#[test]
fn a_full_pool_and_a_full_queue_say_so_and_have_room_again_afterwards() {
    let fixture = Fixture::new(Limits { calls_max: 3, calls_per_queue_max: 2, ..Limits::default() });
    fixture.submit(fixture.call("alice", 0, 0)).unwrap();
    fixture.submit(fixture.call("alice", 1, 0)).unwrap();
    assert_eq!(
        fixture.submit(fixture.call("alice", 2, 0)),
        Err(PoolError::Busy { what: "calls of this signer", used: 2, limit: 2 })
    );
    fixture.submit(fixture.call("bob", 0, 0)).unwrap();
    assert_eq!(
        fixture.submit(fixture.call("carol", 0, 0)),
        Err(PoolError::Busy { what: "calls", used: 3, limit: 3 })
    );
    let calls = [fixture.call("alice", 0, 0), fixture.call("alice", 1, 0), fixture.call("bob", 0, 0)];
    assert_eq!(fixture.pool.take(9).len(), 3);
    let done: Vec<_> =
        calls.iter().map(|call| (call.hash(), (call.body.signer.signer_id(), call.body.entity))).collect();
    fixture.pool.conclude(&done, |hash| calls.iter().find(|call| call.hash() == *hash).map(included));
    assert!(fixture.pool.is_empty());
    fixture.submit(fixture.call("carol", 0, 0)).unwrap();
}

#[test]
fn whoever_waits_is_told_and_a_refusal_takes_the_calls_behind_it_along() {
    let fixture = Fixture::new(Limits::default());
    let calls = vec![fixture.call("alice", 0, 0), fixture.call("alice", 1, 0)];
    let mut results = fixture.pool.submit(calls.clone(), NOW, [7; 32]).into_iter();
    let (mut first, mut second) = (results.next().unwrap().unwrap(), results.next().unwrap().unwrap());
    let mut watched = fixture.pool.watch(calls[0].hash()).unwrap();
    assert_eq!(fixture.pool.take(1).len(), 1);
    assert!(matches!(first.try_recv(), Err(TryRecvError::Empty)));
    let refusal = Refusal::UnknownEntity { entity: calls[0].body.entity };
    let done = [(calls[0].hash(), (calls[0].body.signer.signer_id(), calls[0].body.entity))];
    fixture.pool.conclude(&done, |_| Some(Outcome::Refused(refusal.clone())));
    assert!(matches!(first.try_recv(), Ok(Outcome::Refused(found)) if found == refusal));
    assert!(matches!(watched.try_recv(), Ok(Outcome::Refused(_))));
    assert!(matches!(
        second.try_recv(),
        Ok(Outcome::Refused(Refusal::Unauthorised(pallet_entities::Error::NonceGap { .. })))
    ));
    assert!(fixture.pool.is_empty());
    fixture.submit(fixture.call("alice", 0, 0)).expect("the nonce is free again");
}

#[test]
fn a_closed_pool_takes_nothing_and_lets_nobody_wait() {
    let fixture = Fixture::new(Limits::default());
    let call = fixture.call("alice", 0, 0);
    let mut waiting = fixture.pool.submit(vec![call], NOW, [7; 32]).pop().unwrap().unwrap();
    fixture.pool.close();
    assert!(matches!(waiting.try_recv(), Err(TryRecvError::Closed)));
    assert_eq!(fixture.submit(fixture.call("bob", 0, 0)), Err(PoolError::Stopped));
    assert!(fixture.pool.is_empty());
}
