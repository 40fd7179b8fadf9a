//! Members who are entities.

use codec::Encode;
use pallet_governance::{Call, Error, Event, MemberAct, MemberLetter, Status, dispatch, receive};
use xln_primitives::{EntityId, Member, MemberId, Origin, Permissions, keccak256};

use crate::mock::{Act, Machine, actions, signer};

const COMPANY: EntityId = EntityId::new([0x7; 32]);

fn company() -> Member {
    Member {
        id: MemberId::Entity { entity: COMPANY, delegate: None },
        weight: 2,
        permissions: Permissions::ALL,
    }
}

fn says(machine: &mut Machine, from: EntityId, act: MemberAct) -> Result<(), Error> {
    machine.attempt(|machine| receive(machine, from, MemberLetter::Act(act)))
}

#[test]
fn a_member_entity_is_told_votes_and_counts() {
    let mut machine = Machine::with(vec![signer(1, 1), signer(2, 1), company()], 3);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    let calls = actions(&[Act::Mark(1)]).using_encoded(keccak256);
    let told = MemberLetter::Opened { proposal: 1, calls, expires: machine.proposal(1).expires };
    assert_eq!(machine.sent, [(COMPANY, told.clone())]);
    says(&mut machine, COMPANY, MemberAct::Vote { proposal: 1, approve: true }).unwrap();
    assert_eq!(machine.status(1), Status::Executed);

    let mut there = Machine::of(&[1], 1);
    let by = EntityId::registered(1);
    there.attempt(|there| receive(there, by, told)).unwrap();
    let MemberLetter::Opened { proposal, calls, expires } = machine.sent[0].1.clone() else { unreachable!() };
    assert_eq!(there.events, [Event::AskedToVote { by, proposal, calls, expires }]);
}

#[test]
fn a_member_entity_proposes_and_nobody_tells_it_what_it_said() {
    let mut machine = Machine::with(vec![signer(1, 1), company()], 3);
    let propose = MemberAct::Propose { calls: actions(&[Act::Mark(1)]), lifetime_ms: None };
    says(&mut machine, COMPANY, propose).unwrap();
    assert_eq!(machine.sent, []);
    machine.vote(1, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Executed);
}

#[test]
fn a_stranger_says_nothing_here() {
    let mut machine = Machine::with(vec![signer(1, 1), company()], 3);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    let stranger = EntityId::registered(8);
    let refused = says(&mut machine, stranger, MemberAct::Vote { proposal: 1, approve: true });
    assert_eq!(refused, Err(Error::NoSuchMember { member: xln_primitives::Principal::Entity(stranger) }));
}

#[test]
fn a_board_instructs_its_entity_to_vote_elsewhere() {
    let mut machine = Machine::of(&[1, 1], 2);
    let act = MemberAct::Vote { proposal: 4, approve: false };
    let instruct = Act::Own(Box::new(Call::Instruct { entity: COMPANY, act: act.clone() }));
    machine.propose(1, &[instruct]).unwrap();
    machine.vote(2, 1, true).unwrap();
    assert_eq!(machine.sent, [(COMPANY, MemberLetter::Act(act))]);
}

#[test]
fn no_entity_decides_what_members_of_another_may_do() {
    let mut machine = Machine::of(&[1], 1);
    let origin = Origin::Entity(COMPANY);
    for call in [
        Call::SetPolicy(pallet_governance::Preset::Wallet.policy()),
        Call::SetListing { entity: COMPANY, listing: None },
        Call::Instruct { entity: COMPANY, act: MemberAct::Withdraw { proposal: 1 } },
    ] {
        let refused = machine.attempt(|machine| dispatch(machine, origin, call));
        assert_eq!(refused, Err(Error::OriginNotAllowed { origin }));
    }
}
