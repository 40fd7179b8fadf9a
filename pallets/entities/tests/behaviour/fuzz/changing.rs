//! Changes of boards, of any kind and of changed bytes, one after another.

use codec::Encode;
use pallet_entities::{BoardChange, Call, board_at, dispatch, found, try_state};
use xln_primitives::{Board, EntityId, Height, Member, Origin, Principal, decode_exact};

use super::{making, rules};
use crate::{
    mock::{Machine, voters},
    random::{Random, campaign},
};

/// Changes of one entity.
const CHANGES: usize = 12;
const BYTES_MAX: usize = 1 << 17;

fn who(board: &Board, random: &mut Random) -> Principal {
    let anybody = making::member(random).principal();
    let place = random.below(board.members.len());
    let known = board.members.get(place).map(Member::principal);
    known.filter(|_| !random.once_in(5)).unwrap_or(anybody)
}

fn change(board: &Board, random: &mut Random) -> BoardChange {
    let change = match random.below(12) {
        0..=3 => BoardChange::Add(making::member(random)),
        4 | 5 => BoardChange::Remove(who(board, random)),
        6 | 7 => {
            let who = who(board, random);
            let known = board.members.iter().find(|member| member.principal() == who).cloned();
            let with = known.map(|member| Member { weight: making::weight(random), ..member });
            BoardChange::Replace { who, with: with.unwrap_or_else(|| making::member(random)) }
        }
        8 => BoardChange::SetThreshold(making::threshold(board.total_weight(), random)),
        9 => BoardChange::SetProfile(making::profile(random)),
        _ => {
            let mut new = board.clone();
            for member in making::board(random).members {
                let is_new = new.members.iter().all(|other| other.principal() != member.principal());
                if is_new && new.members.len() < 12 {
                    new.members.try_push(member).unwrap();
                }
            }
            BoardChange::SetBoard(new)
        }
    };
    let mut bytes = change.encode();
    if random.once_in(3) {
        random.corrupt(&mut bytes);
    }
    match decode_exact::<BoardChange>(&bytes, BYTES_MAX) {
        Ok(decoded) => {
            assert_eq!(decoded.encode(), bytes);
            decoded
        }
        Err(_) => change,
    }
}

/// What a change makes of a board; none if it does not fit.
fn changed(board: &Board, change: &BoardChange) -> Option<Board> {
    let mut members = board.members.to_vec();
    let place = |who: &Principal| board.members.iter().position(|member| member.principal() == *who);
    let (mut threshold, mut profile) = (board.threshold, board.profile);
    match change {
        BoardChange::Add(member) => members.push(member.clone()),
        BoardChange::Remove(who) => drop(members.remove(place(who)?)),
        BoardChange::Replace { who, with } => members[place(who)?] = with.clone(),
        BoardChange::SetThreshold(to) => threshold = *to,
        BoardChange::SetProfile(to) => profile = *to,
        BoardChange::SetBoard(to) => return Some(to.clone()),
    }
    Some(Board { members: members.try_into().ok()?, threshold, profile })
}

#[test]
fn no_change_makes_a_board_that_cannot_go_on_and_each_height_keeps_its_board() {
    let (mut tried, mut done) = (0_u64, 0_u64);
    let cases = campaign("changes of boards", |random, _| {
        let entity = EntityId::registered(3);
        let mut machine = Machine::of(entity);
        let first = making::board(random);
        if found(&mut machine, &first).is_err() {
            found(&mut machine, &voters(1..=4)).unwrap();
        }
        let mut board = pallet_entities::board(&machine).unwrap().unwrap();
        // The board that certifies each height, and that of the frame that is being made.
        let (mut certified, mut certifying) = (Vec::new(), board.clone());
        for _ in 0..CHANGES {
            if !random.once_in(4) {
                certified.push(certifying);
                certifying = board.clone();
                machine.height += 1;
            }
            let change = change(&board, random);
            let expected = changed(&board, &change);
            assert_eq!(change.apply(&board).ok(), expected, "{change:?} of {board:?}");
            let may = |new: &Board| {
                *new != board
                    && new.members.iter().all(|member| member.principal() != Principal::Entity(entity))
                    && rules::is_formed(new)
                    && rules::can_decide(new)
                    && rules::goes_on(&certifying, new)
                    && new.members.iter().all(rules::is_proven)
            };
            let expected = expected.filter(may);
            let before = machine.clone();
            let result = dispatch(&mut machine, Origin::Board, Call::ChangeBoard(change.clone()));
            assert_eq!(result.is_ok(), expected.is_some(), "{result:?}: {change:?} of {board:?}");
            tried += 1;
            match expected {
                Some(new) => {
                    done += 1;
                    board = new;
                    assert_eq!(pallet_entities::board(&machine), Ok(Some(board.clone())));
                }
                None => machine = before,
            }
        }
        certified.push(certifying);
        for (height, board) in (1..).zip(&certified) {
            assert_eq!(board_at(&machine, height).as_ref(), Ok(&Some(board.clone())), "height {height}");
        }
        assert_eq!(board_at(&machine, Height::MAX), Ok(Some(board)));
        assert_eq!(try_state(&machine), Ok(()));
    });
    println!("{tried} changes, {done} of them done");
    assert!(cases == 1 || (done * 20 > tried && tried > done));
}
