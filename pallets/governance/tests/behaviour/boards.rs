//! Races between votes and changes of the board.

use pallet_governance::{Status, tally};
use xln_primitives::{Member, Permissions};

use crate::mock::{Act, Machine, board, signer};

#[test]
fn votes_of_members_who_left_count_no_more() {
    let mut machine = Machine::of(&[1, 1, 1, 1], 3);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    machine.vote(2, 1, true).unwrap();
    machine.rebuild(board(vec![signer(1, 1), signer(3, 1), signer(4, 1)], 3));
    machine.vote(3, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Pending, "the vote of the one who left is not the third");
    assert_eq!(machine.proposal(1).ballots.len(), 2, "and it makes room");
    machine.vote(4, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Executed);
}

#[test]
fn a_smaller_threshold_decides_what_has_the_votes_at_once() {
    let mut machine = Machine::of(&[1, 1, 1, 1], 3);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    machine.propose(2, &[Act::Mark(2)]).unwrap();
    machine.vote(3, 2, false).unwrap();
    let members = (1..=4).map(|n| signer(n, 1)).collect();
    machine.rebuild(board(members, 1));
    assert_eq!((machine.status(1), machine.status(2)), (Status::Executed, Status::Executed));
    assert_eq!(machine.marks, [1, 2], "the earliest first");
}

#[test]
fn a_larger_threshold_rejects_what_cannot_reach_it() {
    let mut machine = Machine::of(&[1, 1, 1, 1], 3);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    machine.vote(2, 1, false).unwrap();
    let members = (1..=4).map(|n| signer(n, 1)).collect();
    machine.rebuild(board(members, 4));
    assert_eq!(machine.status(1), Status::Rejected);
}

#[test]
fn the_weight_is_the_one_at_the_time_of_the_decision() {
    let mut machine = Machine::of(&[1, 1, 1], 2);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    machine.rebuild(board(vec![signer(1, 2), signer(2, 1), signer(3, 1)], 2));
    assert_eq!(machine.status(1), Status::Executed);
}

#[test]
fn a_proposal_that_changes_the_board_decides_others_in_the_same_call() {
    let mut machine = Machine::of(&[1, 1, 1], 2);
    let smaller = board(vec![signer(1, 1)], 1);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    machine.propose(2, &[Act::Mark(2)]).unwrap();
    machine.propose(3, &[Act::SetBoard(Box::new(smaller.clone()))]).unwrap();
    machine.vote(1, 3, true).unwrap();
    assert_eq!(machine.board, smaller);
    assert_eq!(machine.status(1), Status::Executed, "its only vote is now all of them");
    assert_eq!(machine.status(2), Status::Pending, "its vote was that of somebody who left");
    assert_eq!(machine.marks, [1]);
}

#[test]
fn a_member_who_loses_the_permission_to_vote_loses_its_votes() {
    let mut machine = Machine::of(&[1, 1, 1], 2);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    let mute = Member { permissions: Permissions::PROPOSE, ..signer(1, 1) };
    machine.rebuild(board(vec![mute, signer(2, 1), signer(3, 1)], 2));
    let count = tally(&machine.board, &machine.proposal(1), |_| None);
    assert_eq!((count.approving, count.votable, count.needed, count.missing()), (0, 2, 2, 2));
    machine.vote(2, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Pending);
    machine.vote(3, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Executed);
}
