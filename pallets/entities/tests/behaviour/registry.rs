//! Numbers that the depositary gives.

use pallet_entities::{
    Call, Error, Event, Registration, dispatch, register, registered_board, registration, registrations,
    try_state,
};
use xln_primitives::{Board, BoardError, EntityId, FrameHash, Origin};

use crate::mock::{DEPOSITARY, Machine, board, key, signer};

#[test]
fn any_entity_and_the_depositarys_own_signers_register_boards() {
    let mut machine = Machine::of(DEPOSITARY);
    let origins = [Origin::Entity(EntityId::new([5; 32])), Origin::Signer(key(9).signer_id()), Origin::Board];
    for (n, origin) in (1..).zip(origins) {
        let board = Board::single(key(n));
        assert_eq!(dispatch(&mut machine, origin, Call::Create { board: board.clone() }), Ok(()));
        let entity = EntityId::registered(u64::from(n));
        assert_eq!(machine.events.last(), Some(&Event::Registered { entity, board_hash: board.hash() }));
        assert_eq!(registered_board(&machine, u64::from(n)), Ok(Some(board)));
    }
    assert_eq!(registered_board(&machine, 0), Ok(None), "zero is nobody");
    assert_eq!(registered_board(&machine, 4), Ok(None));
    assert_eq!(pallet_entities::board(&machine), Ok(None), "registering does not found");
    assert_eq!(try_state(&machine), Ok(()));

    let origin = Origin::Server;
    let refused = dispatch(&mut machine, origin, Call::Create { board: Board::single(key(1)) });
    assert_eq!(refused, Err(Error::OriginNotAllowed { origin }));
}

#[test]
fn the_genesis_registers_with_the_same_numbers_and_boards_of_several_are_welcome() {
    let mut machine = Machine::of(DEPOSITARY);
    let several = board(vec![signer(1), signer(2)]);
    assert_eq!(register(&mut machine, &several), Ok(EntityId::registered(1)));
    let first = Registration { board: several, last_height: 0, last_header: FrameHash::ZERO };
    assert_eq!(registration(&machine, 1), Ok(Some(first)));
    assert_eq!(register(&mut machine, &board(vec![])), Err(Error::Board(BoardError::Empty)));
    assert_eq!(register(&mut machine, &Board::single(key(3))), Ok(EntityId::registered(2)));
}

#[test]
fn registrations_are_listed_in_the_order_of_their_numbers() {
    let mut machine = Machine::of(DEPOSITARY);
    for _ in 0..300 {
        register(&mut machine, &Board::single(key(1))).unwrap();
    }
    let numbers = |after, limit| -> Vec<u64> {
        registrations(&machine, after, limit).unwrap().into_iter().map(|(number, _)| number).collect()
    };
    assert_eq!(numbers(None, 3), [1, 2, 3]);
    assert_eq!(numbers(Some(255), 2), [256, 257]);
    assert_eq!(numbers(Some(299), 9), [300]);
    assert_eq!(try_state(&machine), Ok(()));
}
