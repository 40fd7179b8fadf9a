//! Another's vote for one's own weight.

use pallet_governance::{Call, Error, Status, delegation};
use xln_primitives::{Member, Permissions, Timestamp};

use crate::mock::{Act, Machine, board, signer, who};

fn delegate(machine: &mut Machine, from: u8, to: u8, until_ms: u64) -> Result<(), Error> {
    machine.ask(from, Call::Delegate { to: Some(who(to)), until: Timestamp::from_millis(until_ms) })
}

#[test]
fn a_vote_counts_for_those_who_delegated_and_did_not_vote_themselves() {
    let mut machine = Machine::of(&[1, 1, 1, 1], 3);
    delegate(&mut machine, 2, 1, 9_000).unwrap();
    delegate(&mut machine, 3, 1, 9_000).unwrap();
    machine.propose(4, &[Act::Mark(1)]).unwrap();
    machine.vote(2, 1, false).unwrap();
    machine.vote(1, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Executed, "4, 1, and 3 through 1; 2 spoke for itself");
}

#[test]
fn what_was_delegated_is_not_passed_on() {
    let mut machine = Machine::of(&[1, 1, 1], 3);
    delegate(&mut machine, 1, 2, 9_000).unwrap();
    delegate(&mut machine, 2, 3, 9_000).unwrap();
    machine.propose(3, &[Act::Mark(1)]).unwrap();
    assert_eq!(machine.status(1), Status::Pending, "2 voted through 3, and 1 not through 2");
    machine.vote(2, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Executed, "now 2 voted itself, and 1 through it");
}

#[test]
fn delegating_to_each_other_decides_nothing_alone() {
    let mut machine = Machine::of(&[1, 1, 1], 2);
    delegate(&mut machine, 1, 2, 9_000).unwrap();
    delegate(&mut machine, 2, 1, 9_000).unwrap();
    machine.propose(3, &[Act::Mark(1)]).unwrap();
    assert_eq!(machine.status(1), Status::Pending);
    machine.vote(1, 1, false).unwrap();
    assert_eq!(machine.status(1), Status::Rejected);
}

#[test]
fn a_delegation_decides_what_waits_and_ends_by_time_or_by_word() {
    let mut machine = Machine::of(&[1, 1, 1], 2);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    delegate(&mut machine, 2, 1, 9_000).unwrap();
    assert_eq!(machine.status(1), Status::Executed);
    machine.now = Timestamp::from_millis(9_000);
    machine.propose(1, &[Act::Mark(2)]).unwrap();
    assert_eq!(machine.status(2), Status::Pending, "it ended with its time");
    delegate(&mut machine, 3, 2, 20_000).unwrap();
    machine.ask(3, Call::Delegate { to: None, until: Timestamp::ZERO }).unwrap();
    machine.vote(2, 2, false).unwrap();
    assert_eq!(machine.status(2), Status::Pending, "it ended when it was taken back");
    assert_eq!(delegation(&machine.state, &who(3)), Ok(None));
}

#[test]
fn delegations_that_make_no_sense_are_refused() {
    let mute = Member { permissions: Permissions::PROPOSE, ..signer(3, 1) };
    let mut machine = Machine::with(vec![signer(1, 1), signer(2, 1), mute], 2);
    assert_eq!(delegate(&mut machine, 1, 1, 9_000), Err(Error::DelegatesToItself));
    assert_eq!(delegate(&mut machine, 1, 9, 9_000), Err(Error::NoSuchMember { member: who(9) }));
    let lacks = Permissions::VOTE;
    assert_eq!(delegate(&mut machine, 1, 3, 9_000), Err(Error::NotPermitted { member: who(3), lacks }));
    assert_eq!(delegate(&mut machine, 3, 1, 9_000), Err(Error::NotPermitted { member: who(3), lacks }));
    let (until, now) = (machine.now, machine.now);
    assert_eq!(delegate(&mut machine, 1, 2, 1_000), Err(Error::DelegationIsOver { until, now }));
}

#[test]
fn delegations_of_members_who_left_are_swept_away() {
    let mut machine = Machine::of(&[1, 1, 1], 3);
    delegate(&mut machine, 1, 2, 9_000).unwrap();
    machine.rebuild(board(vec![signer(2, 1), signer(3, 1)], 2));
    delegate(&mut machine, 2, 3, 9_000).unwrap();
    assert_eq!(delegation(&machine.state, &who(1)), Ok(None));
}
