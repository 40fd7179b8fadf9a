//! Time.

use pallet_governance::{
    Call, Error, LIFETIME_MS_MAX, LIFETIME_MS_MIN, Status, expire, next_due, open_proposals,
};
use xln_primitives::Timestamp;

use crate::mock::{Act, Machine, actions};

fn propose_for(machine: &mut Machine, n: u8, lifetime_ms: u64) -> Result<(), Error> {
    machine.ask(n, Call::Propose { calls: actions(&[Act::Mark(n)]), lifetime_ms: Some(lifetime_ms) })
}

#[test]
fn what_is_not_decided_in_time_expires() {
    let mut machine = Machine::of(&[1, 1], 2);
    propose_for(&mut machine, 1, 5_000).unwrap();
    propose_for(&mut machine, 2, 2_000).unwrap();
    assert_eq!(next_due(&machine.state), Ok(Some(Timestamp::from_millis(3_000))));
    machine.now = Timestamp::from_millis(2_999);
    assert_eq!(machine.attempt(expire), Err(Error::NothingExpired { now: machine.now }));
    machine.now = Timestamp::from_millis(3_000);
    let late = machine.vote(1, 2, true);
    assert_eq!(late, Err(Error::Decided { proposal: 2, status: Status::Expired }));
    machine.attempt(expire).unwrap();
    assert_eq!((machine.status(1), machine.status(2)), (Status::Pending, Status::Expired));
    assert_eq!(open_proposals(&machine.state), Ok(vec![1]));
    assert_eq!(next_due(&machine.state), Ok(Some(Timestamp::from_millis(6_000))));
}

#[test]
fn a_change_of_the_board_does_not_execute_what_has_expired() {
    let mut machine = Machine::of(&[1, 1], 2);
    propose_for(&mut machine, 1, 1_000).unwrap();
    machine.now = Timestamp::from_millis(2_000);
    let one = crate::mock::board(vec![crate::mock::signer(1, 1)], 1);
    machine.rebuild(one);
    assert_eq!((machine.status(1), machine.marks.len()), (Status::Pending, 0));
    machine.attempt(expire).unwrap();
    assert_eq!(machine.status(1), Status::Expired);
}

#[test]
fn nobody_votes_for_a_moment_or_for_ever() {
    let mut machine = Machine::of(&[1, 1], 2);
    for found_ms in [0, LIFETIME_MS_MIN - 1, LIFETIME_MS_MAX + 1, u64::MAX] {
        let refused = propose_for(&mut machine, 1, found_ms);
        let (min_ms, max_ms) = (LIFETIME_MS_MIN, LIFETIME_MS_MAX);
        assert_eq!(refused, Err(Error::Lifetime { found_ms, min_ms, max_ms }));
    }
}
