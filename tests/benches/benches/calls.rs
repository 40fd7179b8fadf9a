//! Signed calls: what it costs to let one in.
//!
//! `cargo bench -p xln-benches --bench calls`. A call is decoded from its bytes, its signature checked together with
//! those of its batch, its signer and nonce checked against the state of its entity. The signatures alone, in the same
//! batches, are the bound.

use std::hint::black_box;

use codec::Encode;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rayon::prelude::*;
use xln_integration::{Actor, World};
use xln_primitives::{
    Amount, AssetId, BoundedVec, Network, Timestamp,
    crypto::{SignatureCheck, verify_batch},
    decode_exact,
};
use xln_runtime::{
    Genesis, Server, SignedCall, authenticate_calls,
    genesis::{GenesisAsset, GenesisEntity},
};

const CALLS: u32 = 8_192;
const BATCH: usize = 1_024;
const NETWORK: Network = Network::new([9; 32]);
/// Most bytes of a call in this bench.
const SIZE_MAX: usize = 1_024;

/// One user for each call, so that each call's nonce is looked up in another state.
fn users() -> Vec<Actor> {
    (0..CALLS).map(|n| Actor::named(format!("user {n}")).expect("a key")).collect()
}

fn world(users: &[Actor]) -> World {
    let entity = |actor: &Actor| GenesisEntity {
        id: actor.id,
        name: actor.name.clone(),
        board: actor.board.clone(),
        reserves: Vec::new(),
        policy: None,
        governance: None,
    };
    let asset = GenesisAsset {
        id: AssetId::named("usd"),
        symbol: "usd".into(),
        name: "US dollar".into(),
        decimals: 2,
        bridge: users[0].id,
        faucet_max: None,
    };
    let genesis = Genesis {
        network: NETWORK,
        timestamp: Timestamp::from_millis(1),
        depositary: users[0].id,
        dispute_window_ms: 10_000,
        hosted: None,
        assets: vec![asset],
        entities: users.iter().map(entity).collect(),
        channels: Vec::new(),
    };
    World::new(genesis, users).expect("a sound genesis")
}

fn calls(users: &[Actor]) -> Vec<Vec<u8>> {
    let call = |user: &Actor| {
        let pay = pallet_channels::Call::Pay {
            to: users[0].id,
            asset: AssetId::named("usd"),
            amount: Amount::new(120),
            route: BoundedVec::truncate_from(vec![pallet_channels::RouteHop {
                via: users[1].id,
                fee: Amount::new(1),
                timelock_delta_ms: 40_000,
            }]),
            hash: None,
            max_fee: Amount::new(1),
            timeout_ms: 60_000,
        };
        user.sign(NETWORK, user.id, 0, vec![pay.into()]).expect("a key signs").encode()
    };
    users.iter().map(call).collect()
}

/// How many of a batch may go on.
fn admit(server: &Server, batch: &[Vec<u8>]) -> usize {
    let decoded = batch.iter().map(|bytes| decode_exact::<SignedCall>(bytes, SIZE_MAX).expect("a call"));
    authenticate_calls(decoded.collect(), NETWORK, Timestamp::from_millis(2), [7; 32])
        .into_iter()
        .filter(|call| {
            let body = &call.as_ref().expect("signed").get().body;
            let entity = server.entity(&body.entity).expect("it lives here");
            entity.authorise(&body.signer, body.nonce).is_ok()
        })
        .count()
}

fn signatures(checks: &[SignatureCheck<[u8; 48]>]) -> usize {
    verify_batch(checks, [7; 32]).into_iter().filter(Result::is_ok).count()
}

fn validate(criterion: &mut Criterion) {
    let users = users();
    let (world, calls) = (world(&users), calls(&users));
    let server = &world.server;
    xln_benches::describe(
        "calls",
        "names of users",
        &format!("{CALLS} calls of {} bytes by as many signers, in batches of {BATCH}", calls[0].len()),
    );
    let checks: Vec<_> = calls
        .iter()
        .map(|bytes| {
            let call: SignedCall = decode_exact(bytes, SIZE_MAX).expect("a call");
            SignatureCheck {
                key: call.body.signer,
                message: call.body.sign_bytes(),
                signature: call.signature,
            }
        })
        .collect();

    let mut group = criterion.benchmark_group("calls");
    group.sample_size(20).throughput(Throughput::Elements(CALLS.into()));
    for cores in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(cores).build().expect("threads");
        group.bench_function(format!("signatures alone/{cores} cores"), |bencher| {
            bencher.iter(|| {
                pool.install(|| black_box(&checks).par_chunks(BATCH).map(signatures).sum::<usize>())
            });
        });
        group.bench_function(format!("validated/{cores} cores"), |bencher| {
            bencher.iter(|| {
                let admitted: usize = pool
                    .install(|| black_box(&calls).par_chunks(BATCH).map(|batch| admit(server, batch)).sum());
                assert_eq!(admitted, calls.len(), "every call is good");
            });
        });
    }
    group.finish();
}

criterion_group!(benches, validate);
criterion_main!(benches);
