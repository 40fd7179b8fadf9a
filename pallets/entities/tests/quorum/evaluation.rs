//! What counts in a board of entities.

use std::collections::{BTreeMap, BTreeSet};

use pallet_entities::quorum::{MAX_LEVELS, NestingFault, Outcome, QuorumError, evaluate};
use proptest::prelude::*;
use xln_primitives::{Board, EntityId, Permissions, PublicKey, Weight};

use crate::{
    model::Model,
    people::{board, delegating, member, nested, person},
    worlds::worlds,
};

fn id(number: usize) -> EntityId {
    EntityId::registered(u64::try_from(number).unwrap())
}

fn world(boards: impl IntoIterator<Item = Board>) -> BTreeMap<EntityId, Board> {
    boards.into_iter().enumerate().map(|(number, board)| (id(number), board)).collect()
}

fn people(numbers: &[usize]) -> BTreeSet<PublicKey> {
    numbers.iter().map(|number| person(*number).key()).collect()
}

fn outcome(weight: Weight, threshold: Weight, faults: &[NestingFault]) -> Result<Outcome, QuorumError> {
    Ok(Outcome { weight, threshold, faults: faults.to_vec() })
}

#[test]
fn an_entity_counts_once_its_own_threshold_is_reached() {
    let company = board(vec![member(1, 1), member(2, 1), member(3, 1)], 2);
    let boards = world([board(vec![nested(id(1), 5), member(0, 1)], 5), company]);
    assert_eq!(evaluate(&id(0), &boards, &people(&[0, 1])), outcome(1, 5, &[]));
    assert_eq!(evaluate(&id(0), &boards, &people(&[1, 3])), outcome(5, 5, &[]));
    assert_eq!(evaluate(&id(0), &boards, &people(&[0, 1, 2, 3])), outcome(6, 5, &[]));
}

#[test]
fn whoever_stands_in_several_boards_counts_in_each() {
    let boards = world([
        board(vec![nested(id(1), 1), nested(id(2), 1), member(1, 1)], 3),
        board(vec![member(1, 1)], 1),
        board(vec![member(1, 1), member(2, 9)], 1),
    ]);
    assert_eq!(evaluate(&id(0), &boards, &people(&[1])), outcome(3, 3, &[]));
}

#[test]
fn only_who_may_vote_counts_and_never_a_delegates_key() {
    let mut silent = member(1, 1);
    silent.permissions = Permissions::PROPOSE.with(Permissions::EXECUTE);
    let mut silent_company = nested(id(1), 1);
    silent_company.permissions = Permissions::PROPOSE;
    // Person 2's delegate has the same secret in another scheme: the key of its delegate is not the key of a member.
    let boards =
        world([board(vec![silent, silent_company, delegating(2, 1)], 1), board(vec![member(3, 1)], 1)]);
    assert_eq!(evaluate(&id(0), &boards, &people(&[1, 3])), outcome(0, 1, &[]));
    let delegate = PublicKey::Bls(*boards[&id(0)].members[2].bls_key().unwrap());
    assert_eq!(evaluate(&id(0), &boards, &BTreeSet::from([delegate])), outcome(0, 1, &[]));
    assert_eq!(evaluate(&id(0), &boards, &people(&[2])), outcome(1, 1, &[]));
}

#[test]
fn entities_that_need_each_other_contribute_nothing_and_are_reported() {
    let boards = world([
        board(vec![member(0, 1), nested(id(1), 1)], 2),
        board(vec![nested(id(2), 1)], 1),
        board(vec![nested(id(1), 1), nested(id(0), 1), member(5, 1)], 1),
    ]);
    let cycle = |number| NestingFault::Cycle { entity: id(number) };
    let all = [cycle(0), cycle(1), cycle(2)];
    assert_eq!(evaluate(&id(0), &boards, &people(&[0])), outcome(1, 2, &all));
    // The way back counts for nothing; a person beside it counts.
    assert_eq!(evaluate(&id(0), &boards, &people(&[0, 5])), outcome(2, 2, &all));
    assert_eq!(evaluate(&id(0), &boards, &people(&[5])), outcome(1, 2, &all));
    let own = world([board(vec![nested(id(0), 1), member(1, 1)], 1)]);
    assert_eq!(evaluate(&id(0), &own, &people(&[1])), outcome(1, 1, &[cycle(0)]));
}

#[test]
fn eight_boards_one_in_another_count_and_nine_do_not() {
    let tower = |levels: usize| {
        world((0..levels).map(|number| {
            board(vec![if number + 1 < levels { nested(id(number + 1), 1) } else { member(1, 1) }], 1)
        }))
    };
    assert_eq!(evaluate(&id(0), &tower(MAX_LEVELS), &people(&[1])), outcome(1, 1, &[]));
    let deep = evaluate(&id(0), &tower(MAX_LEVELS + 1), &people(&[1])).unwrap();
    assert!(!deep.reached());
    assert!(deep.faults.contains(&NestingFault::TooDeep { entity: id(MAX_LEVELS), levels: 9 }), "{deep:?}");
    assert!(deep.faults.contains(&NestingFault::TooDeep { entity: id(1), levels: 9 }), "{deep:?}");
}

#[test]
fn boards_that_all_name_all_of_the_next_level_take_no_time() {
    // Seven levels of nine entities: 9⁷ ways from the top to the bottom.
    let level = |first: usize| (first..first + 9).map(|number| nested(id(number), 1)).collect::<Vec<_>>();
    let boards = (0..64).map(|number| match number {
        0 => board(level(1), 9),
        1..=54 => board(level((number - 1) / 9 * 9 + 10), 9),
        _ => board(vec![member(number, 1)], 1),
    });
    let boards = world(boards);
    let everybody: Vec<usize> = (0..12).collect();
    let started = std::time::Instant::now();
    assert_eq!(evaluate(&id(0), &boards, &people(&everybody)), outcome(9, 9, &[]));
    assert_eq!(evaluate(&id(0), &boards, &people(&everybody[1..])), outcome(0, 9, &[]));
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn a_world_without_the_root_or_with_too_many_boards_is_refused() {
    let boards = world((0..65).map(|_| board(vec![member(0, 1)], 1)));
    assert_eq!(evaluate(&id(0), &boards, &people(&[])), Err(QuorumError::TooManyBoards { boards: 65 }));
    let none: BTreeMap<EntityId, Board> = BTreeMap::new();
    assert_eq!(evaluate(&id(0), &none, &people(&[])), Err(QuorumError::Root { root: id(0) }));
}

#[test]
fn unsound_boards_neither_overflow_nor_authorise_by_nobody() {
    let heavy = || board(vec![member(1, Weight::MAX), member(2, Weight::MAX), nested(id(1), Weight::MAX)], 0);
    let boards = world([heavy(), heavy()]);
    let result = evaluate(&id(0), &boards, &people(&[1, 2])).unwrap();
    assert_eq!((result.weight, result.reached()), (Weight::MAX, false));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn any_world_is_evaluated_as_the_specification_says(
        world in prop_oneof![worlds(6, 5, 50), worlds(14, 3, 70)],
    ) {
        let signed = world.signed();
        let model = |levels| Model { boards: &world.boards, signed: &signed, levels };
        let expected = model(MAX_LEVELS).weight(&mut vec![world.root]);
        let found = evaluate(&world.root, &world.boards, &signed).unwrap();
        prop_assert_eq!(found.weight, expected);
        let cycles: BTreeSet<EntityId> = found.faults.iter().filter_map(|fault| match fault {
            NestingFault::Cycle { entity } => Some(*entity),
            NestingFault::TooDeep { .. } => None,
        }).collect();
        prop_assert_eq!(cycles, model(MAX_LEVELS).cycles(world.root));
        // Whatever the depth takes away is reported.
        if model(64).weight(&mut vec![world.root]) != expected {
            let deep = |fault: &NestingFault| matches!(fault, NestingFault::TooDeep { .. });
            prop_assert!(found.faults.iter().any(deep));
        }
        prop_assert!(found.faults.len() <= 2 * world.boards.len());
    }

    #[test]
    fn another_signature_never_lowers_the_weight(world in worlds(8, 5, 50), more in 0_usize..12) {
        let before = evaluate(&world.root, &world.boards, &world.signed()).unwrap();
        let mut signed = world.signed();
        signed.insert(person(more).key());
        let after = evaluate(&world.root, &world.boards, &signed).unwrap();
        prop_assert!(after.weight >= before.weight);
    }
}
