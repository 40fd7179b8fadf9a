//! What one member may spend.

use pallet_governance::{CallFacts, Error, Policy, Preset, Spend, SpendingLimit, permit, set_policy, spent};
use xln_primitives::{Amount, AssetId, Timestamp};

use crate::mock::{GOLD, Machine, who};

const OTHER: AssetId = AssetId::new([0x02; 32]);

fn limited() -> Machine {
    let mut machine = Machine::of(&[1, 1], 2);
    let limit = SpendingLimit { asset: GOLD, amount: Amount::new(100), period_ms: 1_000 };
    let policy = Policy { limits: vec![limit].try_into().unwrap(), ..Preset::Company.policy() };
    set_policy(&mut machine.state, &policy).unwrap();
    machine
}

fn pay(machine: &mut Machine, n: u8, asset: AssetId, amount: u128) -> Result<(), Error> {
    let spends = vec![Spend { asset, amount: Amount::new(amount) }];
    let facts = CallFacts { spends, ..CallFacts::new(0x20) };
    machine.attempt(|machine| permit(machine, who(n), &facts))
}

#[test]
fn a_member_spends_up_to_its_limit_in_each_period() {
    let mut machine = limited();
    pay(&mut machine, 1, GOLD, 60).unwrap();
    pay(&mut machine, 1, GOLD, 40).unwrap();
    let until = Timestamp::from_millis(2_000);
    let (limit, spent, asked) = (Amount::new(100), Amount::new(100), Amount::new(1));
    let refused = pay(&mut machine, 1, GOLD, 1);
    assert_eq!(refused, Err(Error::SpendingLimit { asset: GOLD, limit, spent, asked, until }));
    pay(&mut machine, 2, GOLD, 100).unwrap();
    machine.now = Timestamp::from_millis(1_999);
    pay(&mut machine, 1, GOLD, 1).unwrap_err();
    machine.now = until;
    pay(&mut machine, 1, GOLD, 100).unwrap();
    assert_eq!(self::spent(&machine.state, &who(1), &GOLD).unwrap().unwrap().since, until);
}

#[test]
fn what_is_refused_is_not_counted() {
    let mut machine = limited();
    pay(&mut machine, 1, GOLD, 101).unwrap_err();
    pay(&mut machine, 1, GOLD, u128::MAX).unwrap_err();
    pay(&mut machine, 1, GOLD, 100).unwrap();
}

#[test]
fn an_asset_without_a_limit_is_spent_by_vote_where_others_have_one() {
    let mut machine = limited();
    assert_eq!(pay(&mut machine, 1, OTHER, 1), Err(Error::NoLimit { asset: OTHER }));
    let mut free = Machine::of(&[1, 1], 2);
    pay(&mut free, 1, OTHER, u128::MAX).unwrap();
}
