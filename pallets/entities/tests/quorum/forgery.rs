//! Proofs changed at random, in their structure and in their bytes: none may panic, take long, or prove more than the people
//! who signed amount to.
//!
//! `XLN_FUZZ_SECONDS=600 XLN_SEED=7 cargo test -p pallet-entities --test quorum forgery` goes on for longer, from another seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use codec::Encode;
use pallet_entities::quorum::{BoardEvidence, MAX_LEVELS, QuorumProof, evaluate};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use xln_primitives::{Board, EntityId, MemberId, PublicKey, Signature, Weight};

use crate::{
    model::Model,
    people::{PEOPLE, person, signatures, statement},
    worlds::{World, worlds},
};

/// A slow check is as good as none: an attacker sends many.
const SLOWEST: Duration = Duration::from_secs(2);

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        let drawn = usize::try_from(self.0.next_u32()).unwrap();
        drawn.checked_rem(end).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.0.next_u32().to_be_bytes()[0]
    }
}

/// Changes the bytes of an encoding at a few places.
fn corrupt(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let place = random.below(bytes.len());
        match random.below(6) {
            0 | 1 => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
            2 => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte = random.byte()),
            3 => bytes.truncate(place),
            4 => bytes.insert(place, random.byte()),
            _ => {
                let from = random.below(bytes.len());
                let part: Vec<u8> = bytes.iter().skip(from).take(random.below(64)).copied().collect();
                bytes.splice(place..place, part);
            }
        }
    }
}

/// Changes what a proof says, in a form that decodes.
fn forge(proof: &mut QuorumProof, random: &mut Random) {
    let count = proof.boards.len();
    let (one, other) = (random.below(count), random.below(count));
    match random.below(9) {
        0 => proof.boards.as_mut().swap(one, other),
        1 => drop(proof.boards.remove(one)),
        2 => {
            let copy = proof.boards[one].clone();
            let _ = proof.boards.try_push(copy);
        }
        3 => {
            let bit = random.below(8);
            proof.boards[one].marks.iter_mut().take(1).for_each(|byte| *byte ^= 1 << bit);
        }
        4 => {
            let signature = person(random.below(PEOPLE)).sign(&statement(EntityId::ZERO));
            match signature {
                Signature::Bls(bytes) => proof.aggregate = Some(bytes),
                single => drop(proof.signatures.try_push(single)),
            }
        }
        5 => proof.aggregate = None,
        6 => proof.signatures.truncate(random.below(4)),
        7 => {
            if let BoardEvidence::Carried(board) = &mut proof.boards[one].evidence {
                board.threshold = 1;
                if let Some(member) = board.members.iter_mut().next() {
                    member.weight = Weight::MAX / 2;
                }
            }
        }
        _ => {
            if let BoardEvidence::Carried(board) = &mut proof.boards[one].evidence
                && let Some(member) = board.members.iter_mut().last()
            {
                member.id = MemberId::Entity { entity: EntityId::registered(1), delegate: None };
            }
        }
    }
}

/// What the people who signed amount to, by the model.
fn honest_weight(world: &World, signed: &BTreeSet<PublicKey>) -> Weight {
    Model { boards: &world.boards, signed, levels: MAX_LEVELS }.weight(&mut vec![world.root])
}

#[test]
fn forged_proofs_neither_panic_nor_hang_nor_lie() {
    let seed = number("XLN_SEED", 1);
    let deadline = Instant::now() + Duration::from_secs(number("XLN_FUZZ_SECONDS", 3));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let mut random = Random(ChaCha8Rng::from_seed(bytes));
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let strategy = worlds(7, 5, 45);
    let (mut tried, mut decoded, mut accepted) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < deadline {
        let world = strategy.new_tree(&mut runner).unwrap().current();
        let statement = statement(world.root);
        let signed = signatures(world.signing.iter().copied(), &statement);
        let proof = QuorumProof::assemble(&world.root, &world.boards, &signed).unwrap();
        let known: BTreeMap<EntityId, Board> = world.boards.clone();
        let honest = honest_weight(&world, &world.signed());
        for _ in 0..40 {
            let mut forged = proof.clone();
            if random.below(2) == 0 && !forged.boards.is_empty() {
                forge(&mut forged, &mut random);
            }
            let mut bytes = forged.encode();
            if random.below(2) == 0 {
                corrupt(&mut bytes, &mut random);
            }
            tried += 1;
            let started = Instant::now();
            let Ok(read) = QuorumProof::decode_bounded(&bytes) else { continue };
            decoded += 1;
            let outcome = read.verify(&known, &statement);
            assert!(started.elapsed() < SLOWEST, "seed {seed}, case {tried}: took {:?}", started.elapsed());
            if let Ok(outcome) = outcome {
                accepted += 1;
                assert!(outcome.weight <= honest, "seed {seed}, case {tried}: {outcome:?}, honest {honest}");
            }
        }
    }
    assert!(decoded * 10 > tried && accepted > 0, "{tried} tried, {decoded} decoded, {accepted} accepted");
}

proptest! {
    #[test]
    fn random_bytes_are_no_proof_and_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(proof) = QuorumProof::decode_bounded(&bytes) {
            let nothing: BTreeMap<EntityId, Board> = BTreeMap::new();
            prop_assert_eq!(proof.encode(), bytes);
            prop_assert!(proof.verify(&nothing, &statement(EntityId::ZERO)).is_err());
        }
    }

    #[test]
    fn boards_of_any_bytes_are_evaluated_without_harm(
        boards in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..5),
        signing in proptest::collection::btree_set(0..PEOPLE, 0..PEOPLE),
    ) {
        use codec::Decode;
        let decoded = boards.iter().filter_map(|bytes| Board::decode(&mut bytes.as_slice()).ok());
        let boards: BTreeMap<EntityId, Board> = decoded.map(|board| (board.entity(), board)).collect();
        let signed = signing.into_iter().map(|number| person(number).key()).collect();
        for root in boards.keys() {
            prop_assert!(evaluate(root, &boards, &signed).is_ok());
        }
    }
}
