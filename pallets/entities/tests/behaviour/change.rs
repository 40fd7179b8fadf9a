//! Boards that change.

use pallet_entities::{
    BoardChange, Call, Era, Error, Event, FORMER_BOARDS_MAX, board_at, dispatch, era, found, try_state,
};
use xln_primitives::{
    Board, BoardError, EntityId, Member, MemberId, Origin, Permissions, Principal, Profile,
};

use crate::mock::{DEPOSITARY, Machine, board, key, member, signer, voter, voters};

fn registered(board: &Board) -> Machine {
    let mut machine = Machine::of(EntityId::registered(7));
    found(&mut machine, board).unwrap();
    machine
}

/// A change in a frame of its own; nothing of it stays if it fails.
fn change(machine: &mut Machine, change: BoardChange) -> Result<Board, Error> {
    let before = machine.clone();
    machine.height += 1;
    let result = dispatch(machine, Origin::Board, Call::ChangeBoard(change));
    if result.is_err() {
        *machine = before;
    }
    result.map(|()| pallet_entities::board(machine).unwrap().unwrap())
}

fn who(member: &Member) -> Principal {
    member.principal()
}

#[test]
fn a_board_of_four_becomes_five_and_three_and_each_height_keeps_its_board() {
    let four = voters(1..=4);
    let mut machine = registered(&four);
    machine.height = 39;
    let five = change(&mut machine, BoardChange::Add(voter(5))).unwrap();
    assert_eq!((machine.height, &five), (40, &voters(1..=5)));
    let changed = Event::BoardChanged { board_hash: five.hash(), last_height: 40 };
    assert_eq!(machine.events, [changed]);
    machine.height = 49;
    let back = change(&mut machine, BoardChange::Remove(who(&voter(1)))).unwrap();
    let three = change(&mut machine, BoardChange::Remove(who(&voter(2)))).unwrap();
    assert_eq!((&back, &three), (&voters(2..=5), &voters(3..=5)));
    let eras = [(1, &four), (40, &four), (41, &five), (50, &five), (51, &back), (52, &three), (999, &three)];
    for (height, expected) in eras {
        assert_eq!(board_at(&machine, height), Ok(Some(expected.clone())), "height {height}");
    }
    assert_eq!(era(&machine, 52), Ok(Era::Present));
    assert_eq!(try_state(&machine), Ok(()));
}

#[test]
fn changes_of_one_frame_count_as_one_and_the_board_before_certifies_it() {
    let mut machine = registered(&voters(1..=4));
    machine.height = 10;
    for more in 5..=6 {
        let call = Call::ChangeBoard(BoardChange::Add(voter(more)));
        // Five of six have to be there, and only four are known to be.
        let expected = if more == 5 { Ok(()) } else { Err(Error::LosesQuorum { staying: 4, quorum: 5 }) };
        assert_eq!(dispatch(&mut machine, Origin::Board, call), expected);
    }
    let call = Call::ChangeBoard(BoardChange::Replace { who: who(&voter(5)), with: voter(6) });
    assert_eq!(dispatch(&mut machine, Origin::Board, call), Ok(()));
    assert_eq!(board_at(&machine, 10), Ok(Some(voters(1..=4))));
    assert_eq!(board_at(&machine, 11), Ok(Some(voters([1, 2, 3, 4, 6]))));
    assert_eq!(try_state(&machine), Ok(()));
}

#[test]
fn a_single_signer_rotates_its_key_and_appoints_others() {
    let mut machine = registered(&Board::single(key(1)));
    let rotated = BoardChange::Replace { who: who(&signer(1)), with: signer(2) };
    assert_eq!(change(&mut machine, rotated).map(|board| board.sole_signer().copied()), Ok(Some(key(2))));
    assert_eq!(change(&mut machine, BoardChange::SetBoard(voters(1..=4))), Ok(voters(1..=4)));
}

#[test]
fn a_change_that_could_stop_the_entity_is_refused_with_the_weights() {
    let mut machine = registered(&voters(1..=4));
    let refused = |staying, quorum| Err(Error::LosesQuorum { staying, quorum });
    assert_eq!(change(&mut machine, BoardChange::SetBoard(voters(3..=6))), refused(2, 3));
    assert_eq!(change(&mut machine, BoardChange::SetBoard(Board::single(key(1)))), refused(0, 1));
    let heavy = Member { weight: 4, ..voter(5) };
    assert_eq!(change(&mut machine, BoardChange::Add(heavy)), refused(4, 6));
    let raised = BoardChange::Replace { who: who(&voter(1)), with: Member { weight: 9, ..voter(1) } };
    assert_eq!(change(&mut machine, raised), refused(4, 9), "of each the smaller weight counts");
    // A rotated key is that of a newcomer, as long as it has not voted.
    let rotated = BoardChange::Replace { who: who(&voter(1)), with: voter(9) };
    assert_eq!(change(&mut machine, rotated), Ok(voters([9, 2, 3, 4])));
}

#[test]
fn a_voter_who_was_alone_takes_others_in() {
    let mut alone = registered(&voters([1]));
    let refused = |staying, quorum| Err(Error::LosesQuorum { staying, quorum });
    assert_eq!(change(&mut alone, BoardChange::Add(voter(2))), refused(1, 2));
    let weighing = |weight| BoardChange::Replace { who: who(&voter(1)), with: Member { weight, ..voter(1) } };
    change(&mut alone, weighing(7)).unwrap();
    for more in 2..=4 {
        change(&mut alone, BoardChange::Add(voter(more))).unwrap();
    }
    assert_eq!(change(&mut alone, weighing(1)), Ok(voters(1..=4)));
    assert_eq!(change(&mut alone, weighing(7)), refused(4, 7), "now it is not alone");
    assert_eq!(change(&mut alone, BoardChange::SetProfile(Profile::CrashFault)).map(|_| ()), Ok(()));
}

#[test]
fn somebody_who_stays_can_propose() {
    let mut machine = registered(&voters(1..=4));
    let mute = |n| Member { permissions: Permissions::VOTE, ..voter(n) };
    let only_a_newcomer = Board {
        members: vec![mute(1), mute(2), mute(3), mute(4), voter(5)].try_into().unwrap(),
        ..voters([1])
    };
    assert_eq!(change(&mut machine, BoardChange::SetBoard(only_a_newcomer)), Err(Error::NobodyProposes));
    let nobody = Board { members: (1..=4).map(mute).collect::<Vec<_>>().try_into().unwrap(), ..voters([1]) };
    assert_eq!(change(&mut machine, BoardChange::SetBoard(nobody)), Err(Error::NobodyProposes));
}

#[test]
fn what_cannot_be_a_board_is_refused_and_changes_nothing() {
    let mut machine = registered(&voters(1..=4));
    let me = machine.entity;
    let own = member(MemberId::Entity { entity: me, delegate: None });
    let mut unproven = voter(6);
    if let MemberId::Signer { possession, .. } = &mut unproven.id {
        *possession = None;
    }
    let full = {
        let many = (0..256).map(|n: u32| {
            let entity = EntityId::new([u8::try_from(n).unwrap(); 32]);
            member(MemberId::Entity { entity, delegate: None })
        });
        Board { members: many.collect::<Vec<_>>().try_into().unwrap(), ..voters([1]) }
    };
    let add = BoardChange::Add;
    for (what, expected) in [
        (add(own), Error::Cycle { entity: me }),
        (add(voter(1)), Error::Board(BoardError::DuplicateMember(4))),
        (add(unproven), Error::Board(BoardError::Possession(4))),
        (BoardChange::Remove(who(&voter(9))), Error::NoSuchMember { who: who(&voter(9)) }),
        (BoardChange::SetThreshold(5), Error::CannotAgree { voting: 4, quorum: 5 }),
        (BoardChange::SetThreshold(1), Error::NothingChanges),
        (BoardChange::SetBoard(voters(1..=4)), Error::NothingChanges),
    ] {
        assert_eq!(change(&mut machine, what), Err(expected));
    }
    assert_eq!(add(signer(9)).apply(&full), Err(Error::BoardIsFull));
    let mut last = registered(&Board::single(key(1)));
    let nobody = change(&mut last, BoardChange::Remove(who(&signer(1))));
    assert_eq!(nobody, Err(Error::Board(BoardError::Empty)));
    assert_eq!(board_at(&machine, 100), Ok(Some(voters(1..=4))));
    assert_eq!(machine.events, []);
}

#[test]
fn lazy_entities_keep_their_board_and_the_depositary_does_not_have_to() {
    let lazy = board(vec![signer(1)]);
    let mut machine = Machine::of(lazy.entity());
    found(&mut machine, &lazy).unwrap();
    let rotated = || BoardChange::Replace { who: who(&signer(1)), with: signer(2) };
    let entity = machine.entity;
    assert_eq!(change(&mut machine, rotated()), Err(Error::LazyBoard { entity }));
    let mut depositary = Machine::of(DEPOSITARY);
    found(&mut depositary, &lazy).unwrap();
    assert_eq!(change(&mut depositary, rotated()), Ok(board(vec![signer(2)])));
}

#[test]
fn nobody_else_changes_a_board() {
    let mut machine = registered(&voters(1..=4));
    for origin in [Origin::Entity(EntityId::new([5; 32])), Origin::Server] {
        let call = Call::ChangeBoard(BoardChange::Add(voter(5)));
        assert_eq!(dispatch(&mut machine, origin, call), Err(Error::OriginNotAllowed { origin }));
    }
}

#[test]
fn of_a_very_long_history_the_oldest_boards_are_forgotten_and_said_to_be() {
    let mut machine = registered(&Board::single(key(1)));
    for n in 0..=FORMER_BOARDS_MAX {
        let (old, new) = if n % 2 == 0 { (1, 2) } else { (2, 1) };
        change(&mut machine, BoardChange::Replace { who: who(&signer(old)), with: signer(new) }).unwrap();
    }
    // The first change was in frame 2.
    assert_eq!(era(&machine, 2), Ok(Era::Forgotten));
    assert_eq!(board_at(&machine, 1), Ok(None));
    assert_eq!(board_at(&machine, 3), Ok(Some(Board::single(key(2)))));
    assert_eq!(try_state(&machine), Ok(()));
}
