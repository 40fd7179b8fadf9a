//! Along routes: what every hop holds, asks and refuses.

use pallet_channels::{
    Call, Cause, Error, Event, FailReason, Failure, ForwardStatus, HtlcRole, MAX_CONDITIONS, PaymentStatus,
    Policy, view,
};
use xln_primitives::{Amount, BoundedVec, Timestamp};

use crate::{
    ALICE, BOB, HUB, assert_nothing_held, failure,
    harness::{START, World, entity, grant, hold_invoice, pay, preimage, usd},
    held_by_bob, htlcs, network,
};

#[test]
fn a_held_payment_takes_from_every_channel_of_its_route_and_moves_nothing_yet() {
    let mut world = network();
    held_by_bob(&mut world);
    assert_eq!(world.node(ALICE).capacity(entity(HUB)), (900, 1_000));
    assert_eq!(world.node(HUB).capacity(entity(BOB)), (900, 1_000));
    let (near, far) = (htlcs(&mut world, ALICE, HUB), htlcs(&mut world, BOB, HUB));
    assert!(near[0].1.terms.deadline > far[0].1.terms.deadline, "C4: expiry falls along a route");
    assert!(world.node(BOB).events.iter().any(|event| matches!(event, Event::PaymentHeld { .. })));
    world.call(BOB, Call::Fulfil { preimage: preimage(7) }).unwrap();
    world.settle();
    assert_eq!(world.node(BOB).capacity(entity(HUB)), (1_100, 900));
    assert_eq!(world.node(ALICE).capacity(entity(HUB)), (900, 1_100));
    assert_eq!(world.node(ALICE).payment(1).status, PaymentStatus::Succeeded { preimage: preimage(7) });
    assert_nothing_held(&mut world);
}

#[test]
fn a_hub_earns_its_fee() {
    let mut world = network();
    let policy = Policy { fee_base: Amount::new(2), fee_ppm: 10_000, ..Policy::default() };
    world.call(HUB, Call::SetPolicy { policy }).unwrap();
    world.call(ALICE, pay(BOB, 100, &[HUB], 3, None)).unwrap();
    world.settle();
    assert_eq!(world.node(ALICE).capacity(entity(HUB)).0, 897);
    assert_eq!(world.node(BOB).capacity(entity(HUB)).0, 1_100);
    let forwards = view::forwards(&world.node(HUB).storage, None, 10).unwrap();
    assert_eq!((forwards[0].fee.get(), &forwards[0].status), (3, &ForwardStatus::Succeeded));
    assert!(world.node(HUB).events.iter().any(|event| matches!(
        event,
        Event::PaymentForwarded { fee, amount, .. } if (fee.get(), amount.get()) == (3, 100)
    )));
}

#[test]
fn a_fee_below_the_policy_comes_back_with_the_numbers_and_the_hop() {
    let mut world = network();
    let policy = Policy { fee_base: Amount::new(5), ..Policy::default() };
    world.call(HUB, Call::SetPolicy { policy }).unwrap();
    world.call(ALICE, pay(BOB, 100, &[HUB], 3, None)).unwrap();
    world.settle();
    let reason = FailReason::FeeTooLow { needed: Amount::new(5), offered: Amount::new(3) };
    assert_eq!(failure(&mut world), Failure { hop: 1, reason });
    assert_nothing_held(&mut world);
}

#[test]
fn a_hop_that_cannot_carry_the_sum_fails_backwards() {
    let mut world = network();
    world.call(BOB, grant(HUB, 50)).unwrap();
    world.settle();
    world.call(ALICE, pay(BOB, 100, &[HUB], 0, None)).unwrap();
    world.settle();
    let reason = FailReason::InsufficientCapacity { needed: Amount::new(100), available: Amount::new(50) };
    assert_eq!(failure(&mut world), Failure { hop: 1, reason });
    assert_nothing_held(&mut world);
}

#[test]
fn two_forwards_that_fit_only_one_by_one_end_as_one_success_and_one_failure() {
    let mut world = network();
    world.calls(ALICE, vec![pay(BOB, 600, &[HUB], 0, None), pay(BOB, 300, &[HUB], 0, None)]).unwrap();
    world.call(BOB, grant(HUB, 700)).unwrap();
    world.settle();
    let done = |number: u64, world: &mut World| world.node(ALICE).payment(number).status;
    assert!(matches!(done(1, &mut world), PaymentStatus::Succeeded { .. }));
    assert!(matches!(
        done(2, &mut world),
        PaymentStatus::Failed { failure: Failure { reason: FailReason::InsufficientCapacity { .. }, .. } }
    ));
    assert_nothing_held(&mut world);
}

#[test]
fn unknown_next_hops_invoices_and_wrong_sums_come_back_typed() {
    let mut world = network();
    let unknown = preimage(1).hash();
    world.call(ALICE, pay(9, 100, &[HUB], 0, Some(unknown))).unwrap();
    world.settle();
    assert_eq!(failure(&mut world).reason, FailReason::UnknownNextHop { to: entity(9) });

    let mut world = network();
    world.call(ALICE, pay(BOB, 100, &[HUB], 0, Some(unknown))).unwrap();
    world.settle();
    assert_eq!(failure(&mut world), Failure { hop: 2, reason: FailReason::UnknownInvoice });

    let mut world = network();
    let invoice = Call::CreateInvoice {
        asset: usd(),
        amount: Some(Amount::new(99)),
        hash: None,
        description: BoundedVec::new(),
        expires: Timestamp::from_millis(START + 1_000),
    };
    world.call(BOB, invoice).unwrap();
    let hash = view::invoices(&world.node(BOB).storage, None, 1).unwrap()[0].hash;
    world.call(ALICE, pay(BOB, 100, &[HUB], 0, Some(hash))).unwrap();
    world.settle();
    let reason = FailReason::WrongAmount { expected: Amount::new(99), found: Amount::new(100) };
    assert_eq!(failure(&mut world).reason, reason);
    world.advance(2_000);
    world.call(ALICE, pay(BOB, 99, &[HUB], 0, Some(hash))).unwrap();
    world.settle();
    assert!(matches!(
        world.node(ALICE).payment(2).status,
        PaymentStatus::Failed { failure: Failure { reason: FailReason::InvoiceExpired { .. }, .. } }
    ));
}

#[test]
fn rule_4_policies_do_not_reject_the_frame_but_fail_the_payment() {
    let mut world = network();
    let policy = Policy { max_pending: 1, max_htlc: Amount::new(150), ..Policy::default() };
    world.call(HUB, Call::SetPolicy { policy }).unwrap();
    held_by_bob(&mut world);
    world.call(ALICE, pay(BOB, 10, &[HUB], 0, None)).unwrap();
    world.call(ALICE, pay(BOB, 151, &[HUB], 0, None)).unwrap();
    world.settle();
    for (number, expected) in [
        (2, FailReason::TooManyPending { pending: 2, limit: 1 }),
        (3, FailReason::TooManyPending { pending: 2, limit: 1 }),
    ] {
        let status = world.node(ALICE).payment(number).status;
        assert_eq!(status, PaymentStatus::Failed { failure: Failure { hop: 1, reason: expected } });
    }
    world.call(BOB, Call::Cancel { hash: preimage(7).hash() }).unwrap();
    world.settle();
    world.call(ALICE, pay(BOB, 151, &[HUB], 0, None)).unwrap();
    world.settle();
    let status = world.node(ALICE).payment(4).status;
    assert!(matches!(
        status,
        PaymentStatus::Failed { failure: Failure { reason: FailReason::OutsideLimits { .. }, .. } }
    ));
    let wrong = Policy { min_htlc: Amount::new(2), max_htlc: Amount::new(1), ..Policy::default() };
    assert!(matches!(world.call(HUB, Call::SetPolicy { policy: wrong }), Err(Error::InvalidPolicy { .. })));
}

#[test]
fn the_payers_own_record_of_an_htlc_names_its_cause() {
    let mut world = network();
    held_by_bob(&mut world);
    assert_eq!(htlcs(&mut world, ALICE, HUB)[0].1.role, HtlcRole::Outbound(Cause::Payment(1)));
    assert_eq!(htlcs(&mut world, HUB, BOB)[0].1.role, HtlcRole::Outbound(Cause::Forward(1)));
}

#[test]
fn thousands_of_payments_are_in_flight_at_once() {
    let mut world = World::new(&[ALICE, HUB]);
    world.open(ALICE, HUB, 0, 1_000_000);
    let hash = |n: u16| {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&n.to_be_bytes());
        pallet_channels::Preimage::new(bytes)
    };
    let count = 3_000;
    world.calls(HUB, (0..count).map(|n| hold_invoice(hash(n).hash())).collect()).unwrap();
    let pays = (0..count).map(|n| pay(HUB, 1, &[], 0, Some(hash(n).hash())));
    world.calls(ALICE, pays.collect()).unwrap();
    world.settle();
    assert_eq!(world.node(HUB).channel(entity(ALICE)).pending_htlcs, count);
    assert_eq!(world.node(ALICE).capacity(entity(HUB)).0, 1_000_000 - u128::from(count));
    world.assert_agreement(ALICE, HUB);
    world.calls(HUB, (0..count).map(|n| Call::Fulfil { preimage: hash(n) }).collect()).unwrap();
    world.settle();
    assert_eq!(world.node(ALICE).channel(entity(HUB)).pending_htlcs, 0);
    assert_eq!(world.node(HUB).capacity(entity(ALICE)).0, u128::from(count));
    assert!(count < MAX_CONDITIONS);
}
