//! What it costs to check that an entity nested three deep stands behind a statement, signed by a hundred people.
//!
//! `cargo bench -p pallet-entities`. The root has 5 companies, each has 4 departments, each has 5 people: 26 boards. Everybody
//! signs, and everybody is needed. *Carried* boards prove themselves, with a proof of possession for each BLS key; boards that the verifier
//! *knows* were checked when it came to know them.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot prepare its values fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    hint::black_box,
};

use codec::Encode;
use criterion::{Criterion, criterion_group, criterion_main};
use pallet_entities::quorum::{Purpose, QuorumProof, Statement, evaluate};
use xln_primitives::{
    Board, EntityId, Hash, Member, MemberId, Network, Permissions, Profile, PublicKey, SecretKey, Signature,
    crypto::bls,
};

/// Which keys the people have.
#[derive(Clone, Copy)]
enum Scheme {
    Bls,
    Ed25519,
}

struct Scene {
    boards: BTreeMap<EntityId, Board>,
    statement: Statement,
    signed: BTreeMap<PublicKey, Signature>,
}

fn board(members: Vec<MemberId>) -> Board {
    let threshold = u32::try_from(members.len()).unwrap();
    let members = members.into_iter().map(|id| Member { id, weight: 1, permissions: Permissions::ALL });
    let members = members.collect::<Vec<_>>().try_into().unwrap();
    Board { members, threshold, profile: Profile::Byzantine }
}

fn person(scheme: Scheme, number: u8) -> (SecretKey, MemberId) {
    let seed = [number; 32];
    let (secret, possession) = match scheme {
        Scheme::Bls => (SecretKey::Bls(seed.into()), Some(bls::prove_possession(&seed).unwrap())),
        Scheme::Ed25519 => (SecretKey::Ed25519(seed.into()), None),
    };
    let key = secret.public().unwrap();
    (secret, MemberId::Signer { key, possession })
}

impl Scene {
    /// Entities are registered, so that the verifier has to know their boards, or lazy.
    fn new(scheme: Scheme, registered: bool) -> Self {
        let people: Vec<_> = (1..=100).map(|number| person(scheme, number)).collect();
        let mut boards = BTreeMap::new();
        let mut add = |board: Board| {
            let number = u64::try_from(boards.len()).unwrap();
            let entity = if registered { EntityId::registered(number) } else { board.entity() };
            boards.insert(entity, board);
            MemberId::Entity { entity, delegate: None }
        };
        let departments: Vec<MemberId> = people
            .chunks(5)
            .map(|people| add(board(people.iter().map(|(_, id)| id.clone()).collect())))
            .collect();
        let companies: Vec<MemberId> =
            departments.chunks(4).map(|departments| add(board(departments.to_vec()))).collect();
        let MemberId::Entity { entity, .. } = add(board(companies)) else { unreachable!() };
        let (network, purpose, hash) = (Network::new([9; 32]), Purpose::new([7; 16]), Hash::new([5; 32]));
        let statement = Statement { network, entity, purpose, hash };
        let sign = |(secret, _): &(SecretKey, MemberId)| {
            (secret.public().unwrap(), secret.sign(&statement.sign_bytes()).unwrap())
        };
        let signed = people.iter().map(sign).collect();
        Self { boards, statement, signed }
    }

    fn proof(&self) -> QuorumProof {
        QuorumProof::assemble(&self.statement.entity, &self.boards, &self.signed).unwrap()
    }
}

fn quorum(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("26 boards, three deep, 100 people");
    group.sample_size(20);
    for (name, scheme, registered) in [
        ("BLS, known boards", Scheme::Bls, true),
        ("BLS, carried boards", Scheme::Bls, false),
        ("ed25519, known boards", Scheme::Ed25519, true),
        ("ed25519, carried boards", Scheme::Ed25519, false),
    ] {
        let scene = Scene::new(scheme, registered);
        let bytes = scene.proof().encode();
        println!("{name}: {} bytes", bytes.len());
        group.bench_function(format!("decode and verify: {name}"), |bencher| {
            bencher.iter(|| {
                let proof = QuorumProof::decode_bounded(&bytes).unwrap();
                let outcome = proof.verify(&scene.boards, &scene.statement).unwrap();
                assert!(black_box(outcome).reached());
            });
        });
    }
    let scene = Scene::new(Scheme::Bls, false);
    let signed: BTreeSet<PublicKey> = scene.signed.keys().copied().collect();
    group.bench_function("evaluate alone", |bencher| {
        bencher.iter(|| black_box(evaluate(&scene.statement.entity, &scene.boards, &signed).unwrap()));
    });
    group.bench_function("assemble, BLS", |bencher| bencher.iter(|| black_box(scene.proof())));
    group.finish();
}

criterion_group!(benches, quorum);
criterion_main!(benches);
