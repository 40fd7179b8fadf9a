//! Registered entities tell the registry which board they have now.

use pallet_entities::{
    Call, Era, Error, Event, Registration, dispatch, register, registered_era, registration, try_state,
};
use xln_primitives::{Board, BoardError, EntityId, FrameHash, Height, Origin};

use crate::mock::{DEPOSITARY, Machine, board, key, signer};

const HEADER: FrameHash = FrameHash::new([4; 32]);

fn update(machine: &mut Machine, entity: EntityId, height: Height, board: Board) -> Result<(), Error> {
    machine.carrier = Some((height, HEADER));
    let result = dispatch(machine, Origin::Entity(entity), Call::Update { board });
    machine.carrier = None;
    result
}

#[test]
fn the_registry_keeps_every_board_with_the_heights_that_it_certified() {
    let mut machine = Machine::of(DEPOSITARY);
    let boards: Vec<Board> = (1..=3).map(|n| Board::single(key(n))).collect();
    let entity = register(&mut machine, &boards[0]).unwrap();
    register(&mut machine, &boards[0]).unwrap();
    assert_eq!(update(&mut machine, entity, 40, boards[1].clone()), Ok(()));
    let told = Event::Updated { entity, board_hash: boards[1].hash(), last_height: 40 };
    assert_eq!(machine.events, [told]);
    assert_eq!(update(&mut machine, entity, 97, boards[2].clone()), Ok(()));
    let now = Registration { board: boards[2].clone(), last_height: 97, last_header: HEADER };
    assert_eq!(registration(&machine, 1), Ok(Some(now)));
    let former = |n: usize| Ok(Era::Former(boards[n].clone()));
    assert_eq!([1, 40].map(|height| registered_era(&machine, 1, height)), [former(0), former(0)]);
    assert_eq!([41, 97].map(|height| registered_era(&machine, 1, height)), [former(1), former(1)]);
    assert_eq!(registered_era(&machine, 1, 98), Ok(Era::Present));
    assert_eq!(registered_era(&machine, 2, 1), Ok(Era::Present), "the other has another history");
    assert_eq!(try_state(&machine), Ok(()));
}

#[test]
fn only_the_entity_itself_tells_and_only_what_is_later() {
    let mut machine = Machine::of(DEPOSITARY);
    let entity = register(&mut machine, &Board::single(key(1))).unwrap();
    let new = Board::single(key(2));
    for origin in [Origin::Signer(key(1).signer_id()), Origin::Board, Origin::Server, Origin::Entity(entity)]
    {
        // The last of them in no message.
        let refused = dispatch(&mut machine, origin, Call::Update { board: new.clone() });
        assert_eq!(refused, Err(Error::OriginNotAllowed { origin }));
    }
    for other in [EntityId::registered(2), EntityId::new([5; 32])] {
        let refused = update(&mut machine, other, 40, new.clone());
        assert_eq!(refused, Err(Error::NotRegistered { entity: other }));
    }
    update(&mut machine, entity, 40, new.clone()).unwrap();
    for found in [39, 40] {
        let outdated = Err(Error::Outdated { last: 40, found });
        assert_eq!(update(&mut machine, entity, found, Board::single(key(3))), outdated);
    }
    let empty = Err(Error::Board(BoardError::Empty));
    assert_eq!(update(&mut machine, entity, 41, board(vec![])), empty);

    let mut elsewhere = Machine::of(entity);
    let origin = Origin::Entity(EntityId::registered(2));
    let refused = update(&mut elsewhere, EntityId::registered(2), 40, board(vec![signer(1)]));
    assert_eq!(refused, Err(Error::OriginNotAllowed { origin }));
}
