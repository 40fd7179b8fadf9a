//! Rows that name a board and the heights that it certified.

use codec::Encode;
use pallet_entities::{
    BoardChange, Call, Registration, Term, Whose, dispatch, found, register, term_at, terms, try_state,
};
use xln_primitives::{Board, EntityId, FrameHash, Height, Origin, Storage};

use crate::mock::{DEPOSITARY, Machine, key, voter, voters};

fn term(board: &Board, first: Height, last: Option<Height>) -> Term {
    Term { board: board.clone(), first, last }
}

/// An entity whose fourth board speaks.
fn changed_thrice() -> (Machine, Vec<Term>) {
    let mut machine = Machine::of(EntityId::registered(7));
    found(&mut machine, &voters(1..=4)).unwrap();
    let changes = [
        (40, BoardChange::Add(voter(5))),
        (41, BoardChange::Remove(voter(1).principal())),
        (97, BoardChange::SetThreshold(2)),
    ];
    for (height, change) in changes {
        machine.height = height;
        dispatch(&mut machine, Origin::Board, Call::ChangeBoard(change)).unwrap();
    }
    let last = Board { threshold: 2, ..voters(2..=5) };
    let terms = vec![
        term(&voters(1..=4), 1, Some(40)),
        term(&voters(1..=5), 41, Some(41)),
        term(&voters(2..=5), 42, Some(97)),
        term(&last, 98, None),
    ];
    (machine, terms)
}

#[test]
fn each_board_is_listed_with_the_heights_that_it_certified() {
    let (machine, expected) = changed_thrice();
    assert_eq!(terms(&machine, Whose::Own, 0, 99), Ok(expected.clone()));
    assert_eq!(terms(&machine, Whose::Own, 0, 2).as_deref(), Ok(&expected[..2]));
    assert_eq!(terms(&machine, Whose::Own, 40, 99).as_deref(), Ok(&expected[1..]));
    assert_eq!(terms(&machine, Whose::Own, 41, 1).as_deref(), Ok(&expected[2..3]));
    assert_eq!(terms(&machine, Whose::Own, 5_000, 99).as_deref(), Ok(&expected[3..]));
    for (height, place) in [(1, 0), (40, 0), (41, 1), (42, 2), (97, 2), (98, 3), (Height::MAX, 3)] {
        assert_eq!(term_at(&machine, Whose::Own, height), Ok(Some(expected[place].clone())), "{height}");
    }
    assert_eq!(term_at(&machine, Whose::Own, 0), Ok(None));
    assert_eq!(try_state(&machine), Ok(()));
}

#[test]
fn a_row_that_is_proven_says_which_board_spoke_when_and_of_whom() {
    let (machine, terms) = changed_thrice();
    for term in &terms {
        let key = term.key(Whose::Own);
        let value = machine.get(key.as_ref()).unwrap();
        let read = Term::read(Whose::Own, 120, key.as_ref(), value).unwrap();
        // That the board of now did not change since is not in its row: it holds for what comes after.
        let first = if term.last.is_none() { 121 } else { term.first };
        assert_eq!(read, Term { first, ..term.clone() });
        assert_eq!(Term::read(Whose::Registered(7), 120, key.as_ref(), value), None, "another's row");
        assert_eq!(Term::read(Whose::Own, 120, &key.as_ref()[1..], value), None);
        assert_eq!(Term::read(Whose::Own, 120, key.as_ref(), &[value, &[0]].concat()), None);
        assert_eq!(Term::read(Whose::Own, 120, key.as_ref(), &value[..value.len() - 1]), None);
    }
    assert_eq!(Term::read(Whose::Own, 120, b"", &voters(1..=4).encode()), None);
}

#[test]
fn the_registry_proves_the_boards_of_others_as_far_as_it_has_heard() {
    let mut machine = Machine::of(DEPOSITARY);
    let boards: Vec<Board> = (1..=3).map(|n| Board::single(key(n))).collect();
    let entity = register(&mut machine, &boards[0]).unwrap();
    register(&mut machine, &boards[2]).unwrap();
    machine.carrier = Some((40, FrameHash::new([4; 32])));
    dispatch(&mut machine, Origin::Entity(entity), Call::Update { board: boards[1].clone() }).unwrap();
    let expected = [term(&boards[0], 1, Some(40)), term(&boards[1], 41, None)];
    assert_eq!(terms(&machine, Whose::Registered(1), 0, 99).as_deref(), Ok(&expected[..]));
    assert_eq!(terms(&machine, Whose::Registered(3), 0, 99), Ok(vec![]));
    for term in expected {
        let key = term.key(Whose::Registered(1));
        let value = machine.get(key.as_ref()).unwrap();
        assert_eq!(Term::read(Whose::Registered(1), 9, key.as_ref(), value), Some(term));
        assert_eq!(Term::read(Whose::Registered(2), 9, key.as_ref(), value), None);
    }
    let forged = Registration { board: boards[0].clone(), last_height: 0, last_header: FrameHash::ZERO };
    let key = term(&boards[0], 1, None).key(Whose::Registered(2));
    let other = Term::read(Whose::Registered(1), 9, key.as_ref(), &forged.encode());
    assert_eq!(other, None, "the row of number 2 says nothing of number 1");
}

#[test]
fn an_entity_that_never_changed_its_board_has_one_from_the_start() {
    let mut machine = Machine::of(EntityId::registered(7));
    assert_eq!(terms(&machine, Whose::Own, 0, 9), Ok(vec![]));
    let board = Board::single(key(1));
    found(&mut machine, &board).unwrap();
    assert_eq!(terms(&machine, Whose::Own, 0, 9), Ok(vec![term(&board, 1, None)]));
    assert_eq!(terms(&machine, Whose::Own, 0, 0), Ok(vec![]));
}
