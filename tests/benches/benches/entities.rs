//! Many entities: how long it takes to create them, to load them again, and to let each act.
//!
//! `cargo bench -p xln-benches --bench entities`; `XLN_ENTITIES=1000000` for more. Each entity of the first part has a key of its
//! own and is created by a signed call; the second part has as many entities as `XLN_ONE_SIGNER` says (10,000) under one key.
//! The database is left out: what is loaded are the rows that a snapshot has.

use std::time::Instant;

use xln_integration::{Actor, World};
use xln_primitives::{BoundedVec, Hash, Network, SecretKey, Timestamp, keccak256};
use xln_runtime::{
    Genesis, Restoring, SignedCall, SliceInputs, StateRow, authenticate_calls, genesis::GenesisEntity,
};

const ENTITIES: u32 = 100_000;
const ONE_SIGNER: u32 = 10_000;
/// Calls in one slice.
const SLICE: usize = 8_192;
const NETWORK: Network = Network::new([9; 32]);

fn number(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn timed<T>(what: &str, count: u32, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    let took = began.elapsed().as_secs_f64();
    println!("{what:<44} {took:>7.2} s  {:>8.1} us each", took * 1e6 / f64::from(count.max(1)));
    done
}

fn genesis(depositary: &Actor) -> Genesis {
    let entity = GenesisEntity {
        id: depositary.id,
        name: "depositary".into(),
        board: depositary.board.clone(),
        reserves: Vec::new(),
        policy: None,
        governance: None,
    };
    Genesis {
        network: NETWORK,
        timestamp: Timestamp::from_millis(1),
        depositary: depositary.id,
        dispute_window_ms: 10_000,
        hosted: None,
        assets: Vec::new(),
        entities: vec![entity],
        channels: Vec::new(),
    }
}

/// Executes calls in slices, signatures checked.
fn execute(world: &mut World, calls: Vec<SignedCall>) {
    let now = Timestamp::from_millis(1_000);
    for (index, slice) in (0_u64..).zip(calls.chunks(SLICE)) {
        let calls = authenticate_calls(slice.to_vec(), NETWORK, now, [7; 32]);
        let calls = calls.into_iter().map(|call| call.expect("signed")).collect();
        let entropy = Hash::new(*keccak256(&index.to_be_bytes()).as_bytes());
        let inputs = SliceInputs { calls, ..SliceInputs::default() };
        let executed = world.run(now.saturating_add(index), entropy, inputs).expect("every key is here");
        assert!(
            executed.refused.is_empty() && executed.receipts.iter().all(|receipt| receipt.result.is_ok())
        );
    }
}

fn create(actor: &Actor) -> SignedCall {
    let create = pallet_entities::Call::Create { board: actor.board.clone() };
    actor.sign(NETWORK, actor.id, 0, vec![create.into()]).expect("a key signs")
}

fn rename(actor: &Actor, nonce: u64) -> SignedCall {
    let name = BoundedVec::truncate_from(actor.name.clone().into_bytes());
    let metadata = pallet_entities::Metadata { name, description: BoundedVec::default() };
    let call = pallet_entities::Call::SetMetadata(metadata);
    actor.sign(NETWORK, actor.id, nonce, vec![call.into()]).expect("a key signs")
}

/// Seals a block, takes its rows, and builds the server from them again.
fn reload(world: &mut World, count: u32) {
    let header =
        timed("  seal a block: roots of all of them", count, || world.seal(Timestamp::from_millis(9_000)));
    let header = header.expect("there are slices");
    let changes = world.server.take_changes();
    let rows: Vec<StateRow<'static>> = changes.rows().map(StateRow::into_owned).collect();
    println!("  {} rows", rows.len());
    let restored = timed("  load them from their rows", count, || {
        let mut restoring = Restoring::new();
        for row in &rows {
            restoring.push(row).expect("a row");
        }
        restoring.finish(&world.genesis, header, world.server.slice()).expect("the root fits")
    });
    assert_eq!(restored.entities().len(), world.server.entities().len());
}

fn many_keys(count: u32) {
    let depositary = Actor::named("depositary").expect("a key");
    let actors: Vec<Actor> =
        (0..count).map(|n| Actor::named(format!("entity {n}")).expect("a key")).collect();
    let mut all = actors.clone();
    all.push(depositary.clone());
    let mut world = World::new(genesis(&depositary), &all).expect("a sound genesis");
    let calls: Vec<SignedCall> = actors.iter().map(create).collect();
    timed("create, signatures checked, frames certified", count, || execute(&mut world, calls));
    reload(&mut world, count);
    let calls: Vec<SignedCall> = actors.iter().map(|actor| rename(actor, 1)).collect();
    timed("one call of each", count, || execute(&mut world, calls));
}

fn one_key(count: u32) {
    let depositary = Actor::named("depositary").expect("a key");
    // One key makes one entity of each weight that its board may give it.
    let secret = || SecretKey::Ed25519((*keccak256(b"one signer").as_bytes()).into());
    let first = Actor::named("one signer").expect("a key");
    let actors: Vec<Actor> = (1..=count)
        .map(|weight| {
            let mut board = first.board.clone();
            board.members.iter_mut().for_each(|member| member.weight = weight);
            Actor::member(format!("branch {weight}"), board, secret())
        })
        .collect();
    let all = [depositary.clone(), first];
    let mut world = World::new(genesis(&depositary), &all).expect("a sound genesis");
    let calls: Vec<SignedCall> = actors.iter().map(create).collect();
    timed("create under one signer", count, || execute(&mut world, calls));
    reload(&mut world, count);
    let calls: Vec<SignedCall> = actors.iter().map(|actor| rename(actor, 1)).collect();
    timed("one call of each", count, || execute(&mut world, calls));
}

fn main() {
    let (many, one) = (number("XLN_ENTITIES", ENTITIES), number("XLN_ONE_SIGNER", ONE_SIGNER));
    xln_benches::describe("entities", "names", &format!("{many} entities of a key each, {one} of one key"));
    many_keys(many);
    one_key(one);
}
