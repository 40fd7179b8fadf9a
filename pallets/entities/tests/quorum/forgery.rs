//! Proofs changed at random, in their structure and in their bytes: none may panic, take long, or prove more than the people
//! who signed amount to.
//!
//! `XLN_FUZZ_SECONDS=600 XLN_SEED=7 cargo test -p pallet-entities --test quorum forgery` goes on for longer, from another seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use codec::Encode;
use pallet_entities::quorum::{BoardEvidence, MAX_LEVELS, QuorumProof, evaluate};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use xln_primitives::{Board, EntityId, MemberId, PublicKey, Signature, Weight};

use crate::{
    model::Model,
    people::{PEOPLE, person, signatures, statement},
    random::{Random, campaign, within},
    worlds::{World, worlds},
};

/// A slow check is as good as none: an attacker sends many.
const SLOWEST: Duration = Duration::from_secs(2);

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
    let strategy = worlds(7, 5, 45);
    let (mut tried, mut decoded, mut accepted) = (0_u64, 0_u64, 0_u64);
    let cases = campaign("forged proofs", |random, seed| {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let world = strategy.new_tree(&mut runner).unwrap().current();
        let statement = statement(world.root);
        let signed = signatures(world.signing.iter().copied(), &statement);
        let proof = QuorumProof::assemble(&world.root, &world.boards, &signed).unwrap();
        let known: BTreeMap<EntityId, Board> = world.boards.clone();
        let honest = honest_weight(&world, &world.signed());
        for _ in 0..40 {
            let mut forged = proof.clone();
            if random.once_in(2) && !forged.boards.is_empty() {
                forge(&mut forged, random);
            }
            let mut bytes = forged.encode();
            if random.once_in(2) {
                random.corrupt(&mut bytes);
            }
            tried += 1;
            let read =
                || QuorumProof::decode_bounded(&bytes).ok().map(|read| read.verify(&known, &statement));
            let Some(outcome) = within(SLOWEST, read) else { continue };
            decoded += 1;
            if let Ok(outcome) = outcome {
                accepted += 1;
                assert!(outcome.weight <= honest, "{outcome:?}, honest {honest}");
            }
        }
    });
    println!("{tried} forged proofs, {decoded} decoded, {accepted} accepted");
    assert!(cases == 1 || (decoded * 10 > tried && accepted > 0));
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
