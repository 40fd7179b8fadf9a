//! Whom the entity does not deal with.

use pallet_governance::{
    AuditRecord, Call, CallFacts, Error, Event, Listing, Policy, Preset, ReportFrom, Spend, Status, Verdict,
    audit, listing, screen, set_policy,
};
use xln_primitives::{Amount, EntityId};

use crate::mock::{Act, GOLD, Machine, who};

const BAD: EntityId = EntityId::new([0x66; 32]);
const ODD: EntityId = EntityId::new([0x67; 32]);

fn listed() -> Machine {
    let mut machine = Machine::of(&[1, 1], 2);
    for (entity, listing) in [(BAD, Listing::Blocked), (ODD, Listing::Watched)] {
        machine.ask(1, Call::SetListing { entity, listing: Some(listing) }).unwrap();
    }
    machine
}

fn judge(machine: &mut Machine, parties: &[EntityId], amount: u128) -> Verdict {
    let spends = vec![Spend { asset: GOLD, amount: Amount::new(amount) }];
    let facts = CallFacts { parties: parties.to_vec(), spends, ..CallFacts::new(0x20) };
    screen(machine, Some(who(1)), &facts).unwrap()
}

#[test]
fn the_list_refuses_reports_and_keeps_a_record() {
    let mut machine = listed();
    assert_eq!(judge(&mut machine, &[EntityId::registered(1)], 5), Verdict::Pass);
    assert_eq!(judge(&mut machine, &[ODD], 5), Verdict::Report);
    assert_eq!(judge(&mut machine, &[ODD, BAD], 5), Verdict::Refuse { party: BAD });
    let record = |party, verdict| AuditRecord {
        at: machine.now,
        by: Some(who(1)),
        code: 0x20,
        party: Some(party),
        verdict,
    };
    let expected = vec![(1, record(ODD, Verdict::Report)), (2, record(BAD, Verdict::Refuse { party: BAD }))];
    assert_eq!(audit(&machine.state, None, 10), Ok(expected));
    machine.ask(1, Call::SetListing { entity: BAD, listing: None }).unwrap();
    assert_eq!(listing(&machine.state, &BAD), Ok(None));
    assert_eq!(judge(&mut machine, &[BAD], 5), Verdict::Pass);
}

#[test]
fn large_sums_are_reported() {
    let mut machine = Machine::of(&[1, 1], 2);
    let from = ReportFrom { asset: GOLD, amount: Amount::new(10_000) };
    let policy = Policy { report_from: vec![from].try_into().unwrap(), ..Preset::Company.policy() };
    set_policy(&mut machine.state, &policy).unwrap();
    assert_eq!(judge(&mut machine, &[], 9_999), Verdict::Pass);
    assert_eq!(judge(&mut machine, &[], 10_000), Verdict::Report);
    assert_eq!(audit(&machine.state, None, 10).unwrap()[0].1.party, None);
}

#[test]
fn a_decided_proposal_that_deals_with_a_blocked_entity_fails_and_leaves_the_record() {
    let mut machine = listed();
    machine.propose(1, &[Act::Mark(1), Act::DealWith(BAD)]).unwrap();
    machine.vote(2, 1, true).unwrap();
    let Status::Failed { reason } = machine.status(1) else { panic!("{:?}", machine.status(1)) };
    assert_eq!(reason.to_string(), Error::Screened { party: BAD }.to_string());
    assert!(machine.marks.is_empty());
    assert_eq!(audit(&machine.state, None, 10).unwrap().len(), 1);
    let refused = Verdict::Refuse { party: BAD };
    assert!(machine.events.contains(&Event::Screened { record: 1, party: Some(BAD), verdict: refused }));
}
