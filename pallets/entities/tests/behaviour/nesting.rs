//! Boards of entities.

use pallet_entities::{Call, Error, Event, dispatch, register, registered_board, try_state};
use xln_primitives::{Board, EntityId, FrameHash, MemberId, Origin};

use crate::mock::{DEPOSITARY, Machine, board, key, member, signer};

/// A board of one signer and of entities.
fn of(entities: impl IntoIterator<Item = EntityId>) -> Board {
    let entities = entities.into_iter().map(|entity| member(MemberId::Entity { entity, delegate: None }));
    board([signer(1)].into_iter().chain(entities).collect())
}

fn number(n: u64) -> EntityId {
    EntityId::registered(n)
}

#[test]
fn a_tower_of_eight_boards_is_registered_and_a_ninth_is_refused() {
    let mut machine = Machine::of(DEPOSITARY);
    assert_eq!(register(&mut machine, &Board::single(key(1))), Ok(number(1)));
    for n in 2..=8 {
        assert_eq!(register(&mut machine, &of([number(n - 1)])), Ok(number(n)));
    }
    assert_eq!(register(&mut machine, &of([number(8)])), Err(Error::TooDeep { max: 8 }));
    assert_eq!(register(&mut machine, &of([number(1), number(7)])), Ok(number(9)), "the deepest counts");
    // Who is not registered, or lazy, is a leaf.
    assert_eq!(register(&mut machine, &of([number(99), EntityId::new([9; 32])])), Ok(number(10)));
    assert_eq!(try_state(&machine), Ok(()));
}

#[test]
fn a_board_that_leads_back_to_itself_is_refused_also_when_its_number_was_guessed() {
    let mut machine = Machine::of(DEPOSITARY);
    assert_eq!(register(&mut machine, &of([number(1)])), Err(Error::Cycle { entity: number(1) }));
    // One and two stand on the third, which does not exist yet.
    register(&mut machine, &of([number(3)])).unwrap();
    register(&mut machine, &of([number(1)])).unwrap();
    assert_eq!(register(&mut machine, &of([number(2)])), Err(Error::Cycle { entity: number(3) }));
    assert_eq!(register(&mut machine, &Board::single(key(1))), Ok(number(3)));
}

#[test]
fn an_entity_that_has_made_a_cycle_of_itself_is_entered_and_it_is_told() {
    let mut machine = Machine::of(DEPOSITARY);
    let (first, second) = (number(1), number(2));
    register(&mut machine, &Board::single(key(1))).unwrap();
    register(&mut machine, &of([first])).unwrap();
    machine.carrier = Some((5, FrameHash::ZERO));
    let board = of([second]);
    assert_eq!(dispatch(&mut machine, Origin::Entity(first), Call::Update { board: board.clone() }), Ok(()));
    let told = [
        Event::Updated { entity: first, board_hash: board.hash(), last_height: 5 },
        Event::NestingFault { entity: first, fault: Error::Cycle { entity: first } },
    ];
    assert_eq!(machine.events, told);
    // Otherwise nobody could check its certificates any more, and it could never mend it.
    assert_eq!(registered_board(&machine, 1), Ok(Some(board)));
}

#[test]
fn very_many_members_are_not_followed() {
    let mut machine = Machine::of(DEPOSITARY);
    let leaves = |from: u16| {
        (0..255).map(move |n: u16| {
            let mut bytes = [0xee; 32];
            bytes[..2].copy_from_slice(&(from + n).to_be_bytes());
            EntityId::new(bytes)
        })
    };
    let mut numbers = Vec::new();
    for n in 0..16 {
        numbers.push(register(&mut machine, &of(leaves(n * 255))).unwrap());
    }
    assert_eq!(register(&mut machine, &of(numbers.clone())), Err(Error::TooWide { max: 4_096 }));
    numbers.pop();
    assert!(register(&mut machine, &of(numbers)).is_ok());
}
