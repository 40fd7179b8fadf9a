//! Who does what alone.

use pallet_governance::{
    Call, Error, LIFETIME_MS_MAX, LIFETIME_MS_MIN, Need, Policy, PolicyError, Preset, ReportFrom, Rule,
    Share, SpendingLimit, Status, permit,
};
use xln_primitives::{Amount, Member, Permissions};

use crate::mock::{Act, GOLD, Machine, signer, who};

fn alone(machine: &mut Machine, n: u8, code: u8) -> Result<(), Error> {
    let facts = pallet_governance::CallFacts::new(code);
    machine.attempt(|machine| permit(machine, who(n), &facts))
}

fn with_rules(rules: &[Rule]) -> Policy {
    Policy { rules: rules.to_vec().try_into().unwrap(), ..Preset::Wallet.policy() }
}

#[test]
fn presets_say_what_needs_a_vote() {
    let by_vote = |preset: Preset| -> Vec<u8> {
        let policy = preset.policy();
        (0..0x50).filter(|code| matches!(policy.need(*code), Need::Vote(_))).collect()
    };
    assert!(by_vote(Preset::Wallet).is_empty());
    let company = by_vote(Preset::Company);
    for code in [0x03, 0x34, 0x36, 0x41, 0x43] {
        assert!(company.contains(&code), "{code:#x} needs a vote");
    }
    for code in [0x02, 0x10, 0x20, 0x21, 0x24, 0x35, 0x42] {
        assert!(!company.contains(&code), "{code:#x} needs no vote");
    }
    let hub = by_vote(Preset::Hub);
    assert!(hub.contains(&0x20) && hub.contains(&0x21) && !hub.contains(&0x14) && !hub.contains(&0x24));
    let consortium = by_vote(Preset::Consortium);
    assert!([0x03, 0x10, 0x20, 0x41, 0x43].iter().all(|code| consortium.contains(code)));
    assert!([0x40, 0x46, 0x47].iter().all(|code| !consortium.contains(code)));
    for preset in Preset::ALL {
        assert_eq!((preset.policy().validate(), Preset::named(&preset.policy())), (Ok(()), Some(preset)));
    }
}

#[test]
fn a_member_does_alone_what_the_policy_leaves_to_it() {
    let clerk = Member { permissions: Permissions::VOTE, ..signer(2, 1) };
    let mut machine = Machine::with(vec![signer(1, 1), clerk], 2);
    assert_eq!(alone(&mut machine, 1, 0x20), Ok(()));
    let lacks = Permissions::EXECUTE;
    assert_eq!(alone(&mut machine, 2, 0x20), Err(Error::NotPermitted { member: who(2), lacks }));
    assert_eq!(alone(&mut machine, 1, 0x43), Err(Error::NeedsVote { code: 0x43 }));
    assert_eq!(alone(&mut machine, 3, 0x20), Err(Error::NoSuchMember { member: who(3) }));
}

#[test]
fn the_first_rule_that_fits_counts() {
    let clerks = Permissions::CUSTOM[3];
    let mut machine = Machine::of(&[1, 1], 2);
    let policy = with_rules(&[
        Rule { first: 0x24, last: 0x24, need: Need::Member },
        Rule { first: 0x20, last: 0x2f, need: Need::Permission(clerks) },
    ]);
    machine.propose(1, &[Act::Own(Box::new(Call::SetPolicy(policy)))]).unwrap();
    machine.vote(2, 1, true).unwrap();
    assert_eq!(machine.status(1), Status::Executed);
    machine.board.members[1].permissions = Permissions::VOTE;
    assert_eq!(alone(&mut machine, 2, 0x24), Ok(()));
    assert_eq!(alone(&mut machine, 2, 0x20), Err(Error::NotPermitted { member: who(2), lacks: clerks }));
    machine.board.members[1].permissions = clerks;
    assert_eq!(alone(&mut machine, 2, 0x20), Ok(()));
}

#[test]
fn a_share_above_the_threshold_applies_to_the_whole_proposal() {
    let mut machine = Machine::of(&[1; 5], 2);
    let unanimous = with_rules(&[Rule { first: 0x70, last: 0x7f, need: Need::Vote(Share::ALL) }]);
    machine.propose(1, &[Act::Own(Box::new(Call::SetPolicy(unanimous)))]).unwrap();
    machine.vote(2, 1, true).unwrap();
    machine.propose(1, &[Act::Mark(0x01), Act::Mark(0x70)]).unwrap();
    for n in 2..=4 {
        machine.vote(n, 2, true).unwrap();
        assert_eq!(machine.status(2), Status::Pending);
    }
    machine.vote(5, 2, true).unwrap();
    assert_eq!(machine.status(2), Status::Executed);
    assert_eq!(alone(&mut machine, 1, 0x70), Err(Error::NeedsVote { code: 0x70 }));
}

#[test]
fn shares_are_rounded_up() {
    let two_thirds = Share::from_basis_points(6_667);
    assert_eq!([3, 4, 10, 100].map(|total| two_thirds.of(total)), [3, 3, 7, 67]);
    assert_eq!((Share::ALL.of(u32::MAX), Share::THRESHOLD.of(9)), (u32::MAX, 0));
}

#[test]
fn policies_that_cannot_be_meant_are_refused() {
    let limit = |amount, period_ms| SpendingLimit { asset: GOLD, amount: Amount::new(amount), period_ms };
    let limited = |limits: &[SpendingLimit]| Policy {
        limits: limits.to_vec().try_into().unwrap(),
        ..Preset::Wallet.policy()
    };
    let share = |points| Need::Vote(Share::from_basis_points(points));
    let report = ReportFrom { asset: GOLD, amount: Amount::ZERO };
    let cases = [
        (with_rules(&[Rule { first: 2, last: 1, need: Need::Member }]), PolicyError::EmptyRule(0)),
        (
            with_rules(&[Rule { first: 1, last: 1, need: share(10_001) }]),
            PolicyError::ShareTooLarge { points: 10_001 },
        ),
        (limited(&[limit(0, 1_000)]), PolicyError::Limit(0)),
        (limited(&[limit(1, 999)]), PolicyError::Limit(0)),
        (limited(&[limit(1, 1_000), limit(2, 2_000)]), PolicyError::Limit(1)),
        (
            Policy { report_from: vec![report].try_into().unwrap(), ..Preset::Wallet.policy() },
            PolicyError::Report(0),
        ),
        (
            Policy { proposal_ms: 0, ..Preset::Wallet.policy() },
            PolicyError::Lifetime { found_ms: 0, min_ms: LIFETIME_MS_MIN, max_ms: LIFETIME_MS_MAX },
        ),
    ];
    let mut machine = Machine::of(&[1], 1);
    for (policy, error) in cases {
        assert_eq!(machine.ask(1, Call::SetPolicy(policy)), Err(Error::UnsoundPolicy(error)));
    }
}
