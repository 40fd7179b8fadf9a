//! Channel transitions: what executing one costs, when every signature has been checked.
//!
//! `cargo bench -p xln-benches --bench channels`. A hub has [`CHANNELS`] channels; every one advances by a frame of 1,
//! 10 or 100 direct payments.
//!
//! | bench | what the hub does |
//! |---|---|
//! | `propose` | takes the calls and makes the frames |
//! | `acknowledged` | commits its frames when the acknowledgements come |
//! | `receive` | executes the frames of the others and acknowledges |
//! | `slice` | nothing alone: everybody's entity frames in one slice, with trees, roots, receipts; no signature made |

use std::{collections::BTreeMap, hint::black_box};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pallet_channels::{Call, PeerMessage};
use xln_benches::{Sent, Side};
use xln_integration::Actor;
use xln_node::benchmark::Unsigned;
use xln_primitives::{Amount, AssetId, EntityId, Hash, MAX_CALLS, Network, Timestamp};
use xln_runtime::{
    Genesis, RuntimeCall, SliceInputs, authenticate_calls,
    genesis::{GenesisAsset, GenesisChannel, GenesisChannelRow, GenesisEntity},
};

const CHANNELS: u32 = 1_000;
const COLLATERAL: u64 = 1_000_000;
const PER_FRAME: [u32; 3] = [1, 10, 100];
const NETWORK: Network = Network::new([9; 32]);

fn asset() -> AssetId {
    AssetId::named("usd")
}

fn actors() -> (Actor, Vec<Actor>) {
    let named = |name: String| Actor::named(name).expect("a key");
    (named("hub".into()), (0..CHANNELS).map(|n| named(format!("user {n}"))).collect())
}

/// A hub and its users, each with one channel.
fn network() -> (Side, Vec<Side>) {
    let (hub, users) = actors();
    let mut hub = Side::new(hub.id);
    let user = |actor: &Actor| {
        let mut user = Side::new(actor.id);
        hub.open(actor.id, asset(), COLLATERAL).expect("a new channel");
        user.open(hub.id(), asset(), COLLATERAL).expect("a new channel");
        user
    };
    let users = users.iter().map(user).collect();
    (hub, users)
}

/// Pays every peer so often, and ends the frame.
fn propose(side: &mut Side, peers: &[EntityId], times: u32) -> Vec<Sent> {
    for to in peers {
        for _ in 0..times {
            let call = Call::PayDirect { to: *to, asset: asset(), amount: Amount::new(1) };
            pallet_channels::dispatch(side, call).expect("there is capacity");
        }
    }
    side.end_frame().expect("sound state")
}

/// Executes messages of others, and ends the frame.
fn receive(side: &mut Side, messages: Vec<(EntityId, PeerMessage)>) -> Vec<Sent> {
    for (from, message) in messages {
        pallet_channels::receive(side, from, &message).expect("a good message");
    }
    side.end_frame().expect("sound state")
}

/// What each of the users answers to what the hub said.
fn answers(hub: EntityId, users: &[Side], said: Vec<Sent>) -> Vec<(EntityId, PeerMessage)> {
    let mut users: BTreeMap<EntityId, Side> = users.iter().map(|user| (user.id(), user.clone())).collect();
    let answer = |(to, message): Sent| {
        let user = users.get_mut(&to).expect("a user");
        receive(user, vec![(hub, message)]).into_iter().map(|(_, answer)| (to, answer)).collect::<Vec<_>>()
    };
    said.into_iter().flat_map(answer).collect()
}

fn pallet(criterion: &mut Criterion) {
    let (hub, users) = network();
    let peers: Vec<EntityId> = users.iter().map(Side::id).collect();
    xln_benches::describe(
        "channels",
        "names of users",
        &format!("{CHANNELS} channels of one hub, {PER_FRAME:?} payments per frame"),
    );
    for (name, run) in [("propose", 0), ("acknowledged", 1), ("receive", 2)] {
        let mut group = criterion.benchmark_group(format!("channels/{name}"));
        group.sample_size(10);
        for times in PER_FRAME {
            group.throughput(Throughput::Elements(u64::from(CHANNELS) * u64::from(times)));
            let id = BenchmarkId::from_parameter(times);
            match run {
                0 => group.bench_function(id, |bencher| {
                    bencher.iter_batched(
                        || hub.clone(),
                        |mut hub| black_box(propose(&mut hub, &peers, times)),
                        BatchSize::PerIteration,
                    );
                }),
                1 => {
                    let mut proposed = hub.clone();
                    let acknowledgements = answers(hub.id(), &users, propose(&mut proposed, &peers, times));
                    group.bench_function(id, |bencher| {
                        bencher.iter_batched(
                            || (proposed.clone(), acknowledgements.clone()),
                            |(mut hub, messages)| black_box(receive(&mut hub, messages)),
                            BatchSize::PerIteration,
                        );
                    })
                }
                _ => {
                    let frames: Vec<_> = users
                        .iter()
                        .flat_map(|user| {
                            let mut user = user.clone();
                            let said = propose(&mut user, &[hub.id()], times);
                            said.into_iter().map(move |(_, message)| (user.id(), message)).collect::<Vec<_>>()
                        })
                        .collect();
                    group.bench_function(id, |bencher| {
                        bencher.iter_batched(
                            || (hub.clone(), frames.clone()),
                            |(mut hub, frames)| black_box(receive(&mut hub, frames)),
                            BatchSize::PerIteration,
                        );
                    })
                }
            };
        }
        group.finish();
    }
}

fn genesis(hub: &Actor, users: &[Actor]) -> Genesis {
    let entity = |actor: &Actor| GenesisEntity {
        id: actor.id,
        name: actor.name.clone(),
        board: actor.board.clone(),
        reserves: Vec::new(),
        policy: None,
        governance: None,
    };
    let channel = |user: &Actor| GenesisChannel {
        left: user.id.min(hub.id),
        right: user.id.max(hub.id),
        rows: vec![GenesisChannelRow {
            asset: asset(),
            collateral: Amount::new(COLLATERAL.into()),
            ondelta: Amount::new((COLLATERAL / 2).into()),
            left_credit: Amount::ZERO,
            right_credit: Amount::ZERO,
        }],
    };
    Genesis {
        network: NETWORK,
        timestamp: Timestamp::from_millis(1),
        depositary: hub.id,
        dispute_window_ms: 10_000,
        hosted: None,
        assets: vec![GenesisAsset {
            id: asset(),
            symbol: "usd".into(),
            name: "US dollar".into(),
            decimals: 2,
            bridge: hub.id,
            faucet_max: None,
        }],
        entities: [hub].into_iter().chain(users).map(entity).collect(),
        channels: users.iter().map(channel).collect(),
    }
}

/// Payments of one user to the hub, in as many signed calls as it takes.
fn payments(hub: &Actor, user: &Actor, times: u32) -> Vec<xln_runtime::SignedCall> {
    let pay =
        || -> RuntimeCall { Call::PayDirect { to: hub.id, asset: asset(), amount: Amount::new(1) }.into() };
    let mut signed = Vec::new();
    for (nonce, first) in (0..).zip((0..times).step_by(usize::try_from(MAX_CALLS).expect("small"))) {
        let calls = (first..times.min(first + MAX_CALLS)).map(|_| pay()).collect();
        signed.push(user.sign(NETWORK, user.id, nonce, calls).expect("a key signs"));
    }
    signed
}

fn slice(criterion: &mut Criterion) {
    let (hub, users) = actors();
    let server = genesis(&hub, &users).build().expect("a sound genesis");
    let (now, entropy) = (Timestamp::from_millis(1_000), Hash::new([1; 32]));
    let mut group = criterion.benchmark_group("channels/slice");
    group.sample_size(10);
    for cores in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(cores).build().expect("threads");
        for times in PER_FRAME {
            let calls = users.iter().flat_map(|user| payments(&hub, user, times)).collect();
            let authentic = authenticate_calls(calls, NETWORK, now, [7; 32]);
            let calls: Vec<_> = authentic.into_iter().map(|call| call.expect("signed")).collect();
            let inputs = SliceInputs { calls, ..SliceInputs::default() };
            group.throughput(Throughput::Elements(u64::from(CHANNELS) * u64::from(times)));
            group.bench_function(BenchmarkId::new(format!("{cores} cores"), times), |bencher| {
                bencher.iter_batched(
                    || inputs.clone(),
                    // Never committed, so every iteration starts from the same state.
                    |inputs| {
                        let run = || server.execute(now, entropy, inputs, &Unsigned).expect("certified");
                        black_box(pool.install(run))
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, pallet, slice);
criterion_main!(benches);
