//! From the first vote to the last.

use pallet_governance::{CALLS_MAX, Call, Error, Event, PROPOSAL_BYTES_MAX, Status, open_proposals};
use xln_primitives::{Member, Permissions};

use crate::mock::{Act, Machine, signer, who};

#[test]
fn a_proposal_is_executed_in_the_call_in_which_the_weight_suffices() {
    let mut machine = Machine::of(&[1, 1, 1, 1, 1], 3);
    machine.propose(1, &[Act::Mark(1), Act::Mark(2)]).unwrap();
    machine.vote(2, 1, true).unwrap();
    assert_eq!((machine.status(1), machine.marks.len()), (Status::Pending, 0));
    machine.vote(5, 1, true).unwrap();
    assert_eq!((machine.status(1), machine.marks.as_slice()), (Status::Executed, &[1, 2][..]));
    assert_eq!(machine.proposal(1).decided, Some(machine.now));
    assert_eq!(machine.events.last(), Some(&Event::ProposalExecuted { proposal: 1 }));
    assert_eq!(open_proposals(&machine.state), Ok(vec![]));
    let late = machine.vote(3, 1, false);
    assert_eq!(late, Err(Error::Decided { proposal: 1, status: Status::Executed }));
}

#[test]
fn the_only_member_decides_by_proposing() {
    let mut machine = Machine::of(&[1], 1);
    machine.propose(1, &[Act::Mark(7)]).unwrap();
    assert_eq!((machine.status(1), machine.marks.as_slice()), (Status::Executed, &[7][..]));
}

#[test]
fn weights_count_and_not_heads() {
    let mut machine = Machine::of(&[5, 1, 1, 1], 5);
    machine.propose(2, &[Act::Mark(1)]).unwrap();
    machine.vote(3, 1, true).unwrap();
    machine.vote(4, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Pending, "three of four have weight 3 of the 5");
    machine.vote(1, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Executed);
}

#[test]
fn a_proposal_is_rejected_as_soon_as_the_rest_cannot_decide_it() {
    let mut machine = Machine::of(&[1, 1, 1, 1, 1], 3);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    machine.vote(2, 1, false).unwrap();
    machine.vote(3, 1, false).unwrap();
    assert_eq!(machine.status(1), Status::Pending, "three are left who may be for it");
    machine.vote(4, 1, false).unwrap();
    assert_eq!((machine.status(1), machine.marks.len()), (Status::Rejected, 0));
}

#[test]
fn a_vote_may_be_changed_until_it_is_decided() {
    let mut machine = Machine::of(&[1, 1, 1], 2);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    machine.vote(1, 1, false).unwrap();
    machine.vote(2, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Pending);
    assert_eq!(machine.proposal(1).ballots.len(), 2, "a changed vote takes the place of the one before");
    machine.vote(1, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Executed);
}

#[test]
fn a_proposal_that_fails_changes_nothing_but_its_status() {
    let mut machine = Machine::of(&[1, 1], 2);
    machine.propose(1, &[Act::Mark(1), Act::Fail(2), Act::Mark(3)]).unwrap();
    machine.vote(2, 1, true).unwrap();
    let Status::Failed { reason } = machine.status(1) else { panic!("{:?}", machine.status(1)) };
    assert_eq!((reason.to_string().as_str(), machine.marks.len()), ("mark 2 fails", 0));
    assert_eq!(machine.events.last(), Some(&Event::ProposalFailed { proposal: 1, reason }));
}

#[test]
fn who_made_a_proposal_takes_it_back_and_nobody_else_does() {
    let mut machine = Machine::of(&[1, 1], 2);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    let refused = machine.ask(2, Call::Withdraw { proposal: 1 });
    assert_eq!(refused, Err(Error::NotTheProposer { proposal: 1, proposer: who(1) }));
    machine.ask(1, Call::Withdraw { proposal: 1 }).unwrap();
    assert_eq!(machine.status(1), Status::Withdrawn);
    assert_eq!(machine.vote(2, 1, true), Err(Error::Decided { proposal: 1, status: Status::Withdrawn }));
    assert_eq!(machine.vote(2, 9, true), Err(Error::UnknownProposal { proposal: 9 }));
}

#[test]
fn permissions_say_who_proposes_and_who_votes() {
    let limited = |n, permissions| Member { permissions, ..signer(n, 1) };
    let members = vec![
        signer(1, 1),
        limited(2, Permissions::VOTE),
        limited(3, Permissions::PROPOSE),
        limited(4, Permissions::ADD_VALIDATOR),
    ];
    let mut machine = Machine::with(members, 2);
    let lacks = |n, lacks| Err(Error::NotPermitted { member: who(n), lacks });
    assert_eq!(machine.propose(2, &[Act::Mark(1)]), lacks(2, Permissions::PROPOSE));
    machine.propose(3, &[Act::Mark(1)]).unwrap();
    assert_eq!(machine.proposal(1).ballots.len(), 0, "who may not vote has not voted by proposing");
    assert_eq!(machine.vote(3, 1, true), lacks(3, Permissions::VOTE));
    machine.vote(1, 1, true).unwrap();
    machine.vote(2, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Executed);

    let board = Box::new(machine.board.clone());
    machine.propose(4, &[Act::SetBoard(board.clone())]).unwrap();
    let more = machine.propose(4, &[Act::SetBoard(board), Act::Mark(1)]);
    assert_eq!(more, lacks(4, Permissions::PROPOSE));
    assert_eq!(machine.propose(9, &[Act::Mark(1)]), Err(Error::NoSuchMember { member: who(9) }));
}

#[test]
fn a_proposal_that_even_all_votes_would_not_decide_is_refused() {
    let mute = Member { permissions: Permissions::PROPOSE, ..signer(2, 5) };
    let mut machine = Machine::with(vec![signer(1, 1), mute], 3);
    assert_eq!(machine.propose(1, &[Act::Mark(1)]), Err(Error::OutOfReach { votable: 1, needed: 3 }));
}

#[test]
fn what_is_no_call_or_a_members_own_is_refused() {
    let mut machine = Machine::of(&[1, 1], 2);
    let garbage = vec![vec![0xff].try_into().unwrap()].try_into().unwrap();
    let refused = machine.ask(1, Call::Propose { calls: garbage, lifetime_ms: None });
    assert_eq!(refused, Err(Error::NotACall { place: 0 }));
    let vote = Act::Own(Box::new(Call::Vote { proposal: 1, approve: true }));
    assert_eq!(machine.propose(1, &[Act::Mark(1), vote]), Err(Error::NotByBoard { code: 0x31 }));
    let size_max = PROPOSAL_BYTES_MAX;
    assert_eq!(machine.propose(1, &[]), Err(Error::TooLarge { size: 0, size_max }));
    let half = vec![0; usize::try_from(PROPOSAL_BYTES_MAX).unwrap() / 2 + 1];
    let large = vec![half.clone().try_into().unwrap(), half.try_into().unwrap()].try_into().unwrap();
    let refused = machine.ask(1, Call::Propose { calls: large, lifetime_ms: None });
    assert_eq!(refused, Err(Error::TooLarge { size: size_max + 2, size_max }));
    assert!(vec![Act::Mark(1); usize::try_from(CALLS_MAX).unwrap()].len() == 64);
}
