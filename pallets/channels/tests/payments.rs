//! Payments with a condition: along routes, with fees, with every way in which they can fail.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod harness;

use harness::{World, entity, expiry_proof, grant, hold_invoice, pay, preimage, usd};
use pallet_channels::{
    Call, Cause, Due, Error, Event, FailReason, Failure, ForwardStatus, FrameFault, Htlc, HtlcRole,
    InvoiceStatus, MAX_CONDITIONS, PaymentStatus, PeerMessage, Policy, Status, Transition, TransitionError,
    due, expire, next_due, preimage_published, reveal, view,
};
use xln_primitives::{Amount, BoundedVec, ChannelId, EntityId, Timestamp};

const ALICE: u8 = 1;
const HUB: u8 = 2;
const BOB: u8 = 3;

fn between(one: u8, other: u8) -> ChannelId {
    ChannelId::between(&entity(one), &entity(other))
}

/// alice ─ hub ─ bob, 1,000 of credit everywhere.
fn network() -> World {
    let mut world = World::new(&[ALICE, HUB, BOB]);
    world.open(ALICE, HUB, 1_000, 1_000);
    world.open(HUB, BOB, 1_000, 1_000);
    world
}

fn htlcs(world: &mut World, n: u8, peer: u8) -> Vec<(u16, Htlc)> {
    view::htlcs(&world.node(n).storage, between(n, peer), None, 100).unwrap()
}

/// A payment of 100 to bob, who holds it.
fn held_by_bob(world: &mut World) {
    world.call(BOB, hold_invoice(preimage(7).hash())).unwrap();
    world.call(ALICE, pay(BOB, 100, &[HUB], 0, Some(preimage(7).hash()))).unwrap();
    world.settle();
}

fn failure(world: &mut World) -> Failure {
    match world.node(ALICE).payment(1).status {
        PaymentStatus::Failed { failure } => failure,
        other => panic!("not failed: {other:?}"),
    }
}

fn assert_nothing_held(world: &mut World) {
    for (n, peer) in [(ALICE, HUB), (HUB, ALICE), (HUB, BOB), (BOB, HUB)] {
        assert_eq!(htlcs(world, n, peer), []);
        let row = world.node(n).row(entity(peer));
        assert!(row.left_hold.is_zero() && row.right_hold.is_zero());
        assert!(next_due(&world.node(n).storage).is_none(), "nothing is watched any more");
    }
}

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
        expires: Timestamp::from_millis(harness::START + 1_000),
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
fn an_invoice_is_paid_once_and_a_hash_is_not_paid_twice() {
    let mut world = network();
    held_by_bob(&mut world);
    let hash = preimage(7).hash();
    assert_eq!(
        world.call(ALICE, pay(BOB, 100, &[HUB], 0, Some(hash))),
        Err(Error::DuplicatePayment { hash })
    );
    world.call(HUB, pay(BOB, 5, &[], 0, Some(hash))).unwrap();
    world.settle();
    assert!(matches!(
        world.node(HUB).payment(1).status,
        PaymentStatus::Failed { failure: Failure { hop: 1, reason: FailReason::AlreadyPaid } }
    ));
}

#[test]
fn the_beneficiary_may_give_up_at_any_time_and_the_invoice_can_be_paid_again() {
    let mut world = network();
    held_by_bob(&mut world);
    let hash = preimage(7).hash();
    world.call(BOB, Call::Cancel { hash }).unwrap();
    world.settle();
    assert_eq!(failure(&mut world), Failure { hop: 2, reason: FailReason::Cancelled });
    assert_nothing_held(&mut world);
    world.call(ALICE, pay(BOB, 100, &[HUB], 0, Some(hash))).unwrap();
    world.settle();
    world.call(BOB, Call::Fulfil { preimage: preimage(7) }).unwrap();
    world.settle();
    assert!(matches!(world.node(ALICE).payment(2).status, PaymentStatus::Succeeded { .. }));
    assert_eq!(world.call(BOB, Call::Fulfil { preimage: preimage(7) }), Err(Error::UnknownPayment { hash }));
}

#[test]
fn a_payer_may_cancel_only_what_was_not_sent() {
    let mut world = network();
    world.call(ALICE, pay(BOB, 100, &[HUB], 0, None)).unwrap();
    world.call(ALICE, Call::CancelPayment { payment: 1 }).unwrap();
    world.settle();
    assert_eq!(failure(&mut world).reason, FailReason::Cancelled);
    let mut world = network();
    held_by_bob(&mut world);
    assert_eq!(
        world.call(ALICE, Call::CancelPayment { payment: 1 }),
        Err(Error::UnknownRequest { request: 1 })
    );
    let hash = preimage(7).hash();
    assert_eq!(world.call(ALICE, Call::Cancel { hash }), Err(Error::UnknownPayment { hash }));
}

#[test]
fn calls_that_ask_too_much_are_refused_with_the_numbers() {
    let mut world = network();
    let mut call = pay(BOB, 100, &[HUB], 3, None);
    if let Call::Pay { max_fee, .. } = &mut call {
        *max_fee = Amount::new(2);
    }
    let error = Error::FeeAboveLimit { needed: Amount::new(3), max_fee: Amount::new(2) };
    assert_eq!(world.call(ALICE, call), Err(error));
    let mut call = pay(BOB, 100, &[HUB], 0, None);
    if let Call::Pay { timeout_ms, .. } = &mut call {
        *timeout_ms = 5;
    }
    assert!(matches!(world.call(ALICE, call), Err(Error::TimeoutOutOfRange { found_ms: 5, .. })));
    assert!(matches!(world.call(ALICE, pay(BOB, u128::MAX, &[HUB], 1, None)), Err(Error::Arithmetic(_))));
    assert!(matches!(
        world.call(ALICE, pay(BOB, 2_000, &[HUB], 0, None)),
        Err(Error::Transition(TransitionError::InsufficientCapacity { .. }))
    ));
    assert_eq!(world.call(ALICE, pay(ALICE, 1, &[], 0, None)), Err(Error::OwnEntity));
    assert_eq!(view::payments(&world.node(ALICE).storage, None, 9).unwrap(), []);
}

/// Bob's next frame to the hub, with one transition replaced.
fn bob_says(world: &mut World, transition: Transition) {
    world.call(BOB, Call::Fulfil { preimage: preimage(7) }).unwrap();
    let PeerMessage::Frame(mut frame) = world.intercept(BOB, HUB) else { panic!("a frame") };
    frame.transitions[0] = transition;
    world.inject(BOB, HUB, PeerMessage::Frame(frame)).unwrap();
}

fn hubs_fault(world: &mut World) -> TransitionError {
    match world.node(HUB).channel(entity(BOB)).status {
        Status::Frozen { fault: FrameFault::InvalidTransition { error, .. }, .. } => error,
        other => panic!("not frozen: {other:?}"),
    }
}

#[test]
fn a_wrong_preimage_opens_nothing() {
    let mut world = network();
    held_by_bob(&mut world);
    let wrong = preimage(8);
    assert_eq!(
        world.call(BOB, Call::Fulfil { preimage: wrong }),
        Err(Error::UnknownPayment { hash: wrong.hash() })
    );
    bob_says(&mut world, Transition::HtlcFulfil { slot: 0, preimage: wrong });
    let hash = preimage(7).hash();
    assert_eq!(hubs_fault(&mut world), TransitionError::WrongPreimage { slot: 0, hash });
    assert_eq!(htlcs(&mut world, HUB, BOB).len(), 1, "still held");
}

#[test]
fn only_the_beneficiary_fulfils_and_only_the_payer_expires() {
    let mut world = network();
    held_by_bob(&mut world);
    bob_says(&mut world, Transition::HtlcExpire { slot: 0, proof: BoundedVec::new() });
    assert_eq!(hubs_fault(&mut world), TransitionError::NotPayer { slot: 0 });
    let mut world = network();
    held_by_bob(&mut world);
    bob_says(&mut world, Transition::HtlcFulfil { slot: 3, preimage: preimage(7) });
    assert_eq!(hubs_fault(&mut world), TransitionError::EmptySlot { slot: 3 });
}

/// Deadline of the HTLC between hub and bob.
fn deadline(world: &mut World) -> Timestamp {
    htlcs(world, HUB, BOB)[0].1.terms.deadline
}

#[test]
fn rule_2_the_payer_expires_only_with_proof() {
    let mut world = network();
    held_by_bob(&mut world);
    let (hash, deadline) = (preimage(7).hash(), deadline(&mut world));
    let hub_bob = between(HUB, BOB);
    assert_eq!(due(&world.node(HUB).storage, deadline.saturating_sub(1), 9), []);
    assert_eq!(
        due(&world.node(HUB).storage, deadline, 9),
        [Due::Expire { channel: hub_bob, slot: 0, hash, deadline }]
    );
    world.advance(10_000_000);
    let early = expiry_proof(hash, deadline.saturating_sub(1));
    assert_eq!(
        world.frame(HUB, |node| expire(node, hub_bob, 0, early.clone())),
        Err(Error::InvalidProof),
        "time alone proves nothing"
    );
    world.frame(BOB, |node| expire(node, hub_bob, 0, expiry_proof(hash, deadline))).unwrap();
    assert_eq!(world.in_flight(BOB, HUB), 0, "the beneficiary has nothing to take back");
    world.frame(HUB, |node| expire(node, hub_bob, 0, expiry_proof(hash, deadline))).unwrap();
    world.settle();
    assert_eq!(failure(&mut world), Failure { hop: 1, reason: FailReason::Expired { deadline } });
    assert_nothing_held(&mut world);
    world.assert_agreement(HUB, BOB);
}

#[test]
fn rule_2_an_expiry_without_proof_in_a_frame_freezes_the_channel() {
    let mut world = network();
    held_by_bob(&mut world);
    world.call(HUB, harness::pay_direct(BOB, 1)).unwrap();
    let PeerMessage::Frame(mut frame) = world.intercept(HUB, BOB) else { panic!("a frame") };
    frame.transitions[0] = Transition::HtlcExpire { slot: 0, proof: vec![1].try_into().unwrap() };
    world.inject(HUB, BOB, PeerMessage::Frame(frame)).unwrap();
    assert!(matches!(
        world.node(BOB).channel(entity(HUB)).status,
        Status::Frozen {
            fault: FrameFault::InvalidTransition { error: TransitionError::InvalidProof, .. },
            ..
        }
    ));
}

#[test]
fn rule_3_what_was_sent_binds_until_its_removal_is_acknowledged_or_its_expiry_proven() {
    let mut world = network();
    world.call(BOB, hold_invoice(preimage(7).hash())).unwrap();
    world.call(ALICE, pay(BOB, 100, &[HUB], 0, Some(preimage(7).hash()))).unwrap();
    // The hub's HTLC for bob is sent; bob never answers.
    while world.in_flight(HUB, BOB) == 0 {
        let (from, to) = world.next_wire(0).unwrap();
        world.deliver_between(from, to).unwrap();
    }
    let sent = world.intercept(HUB, BOB);
    world.settle();
    world.advance(10_000_000);
    world.frame(HUB, |_| Ok(())).unwrap();
    assert!(htlcs(&mut world, HUB, BOB).is_empty(), "not even committed");
    assert_eq!(htlcs(&mut world, HUB, ALICE).len(), 1, "time alone does not fail it upstream");
    assert_eq!(world.node(ALICE).payment(1).status, PaymentStatus::Pending);

    let [Due::Expire { channel, slot, hash, deadline }] =
        due(&world.node(HUB).storage, Timestamp::MAX, 9)[..]
    else {
        panic!("an unacknowledged HTLC is watched too")
    };
    assert_eq!(world.frame(HUB, |node| expire(node, channel, slot, vec![])), Err(Error::InvalidProof));
    world.frame(HUB, |node| expire(node, channel, slot, expiry_proof(hash, deadline))).unwrap();
    world.settle();
    assert!(matches!(failure(&mut world).reason, FailReason::Expired { .. }));
    // Bob comes back: he learns of the HTLC and of its expiry.
    world.inject(HUB, BOB, sent).unwrap();
    world.settle();
    assert_nothing_held(&mut world);
    world.assert_agreement(HUB, BOB);
}

#[test]
fn rule_3_a_failure_goes_upstream_only_after_both_sides_committed_it() {
    let mut world = network();
    held_by_bob(&mut world);
    world.call(BOB, Call::Cancel { hash: preimage(7).hash() }).unwrap();
    assert_eq!(world.in_flight(HUB, ALICE), 0);
    world.deliver(BOB, HUB).unwrap();
    assert_eq!(world.in_flight(HUB, BOB), 1, "acknowledged in the same frame that tells alice");
    assert_eq!(world.in_flight(HUB, ALICE), 1);
}

#[test]
fn rule_4_a_deadline_that_passed_does_not_reject_the_frame_but_fails_the_payment() {
    let mut world = network();
    world.call(BOB, hold_invoice(preimage(7).hash())).unwrap();
    world.call(ALICE, pay(HUB, 50, &[], 0, Some(preimage(9).hash()))).unwrap();
    world.call(ALICE, pay(BOB, 100, &[HUB], 0, Some(preimage(7).hash()))).unwrap();
    let node = world.node(HUB);
    node.now = node.now.saturating_add(10_000_000);
    world.settle();
    assert!(matches!(
        world.node(ALICE).payment(2).status,
        PaymentStatus::Failed { failure: Failure { hop: 1, reason: FailReason::DeadlineTooSoon { .. } } }
    ));
    assert_nothing_held(&mut world);
    world.assert_agreement(ALICE, HUB);
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
fn after_the_deadline_a_preimage_that_was_not_published_is_too_late() {
    let mut world = network();
    held_by_bob(&mut world);
    let deadline = deadline(&mut world);
    world.advance(10_000_000);
    assert!(matches!(
        world.call(BOB, Call::Fulfil { preimage: preimage(7) }),
        Err(Error::TooLate { deadline: d, .. }) if d == deadline
    ));
}

#[test]
fn a_fulfilment_after_proven_expiry_is_not_accepted() {
    let mut world = network();
    held_by_bob(&mut world);
    let (hash, deadline) = (preimage(7).hash(), deadline(&mut world));
    world.call(BOB, Call::Fulfil { preimage: preimage(7) }).unwrap();
    let hub_bob = between(HUB, BOB);
    world.frame(HUB, |node| expire(node, hub_bob, 0, expiry_proof(hash, deadline))).unwrap();
    // The hub is left, so its frame wins over bob's.
    world.settle();
    assert!(matches!(failure(&mut world).reason, FailReason::Expired { .. }));
    assert_eq!(world.node(BOB).capacity(entity(HUB)).0, 1_000, "bob is not paid");
    assert_nothing_held(&mut world);
}

#[test]
fn a_fulfilment_against_proven_expiry_freezes_the_channel() {
    let mut world = network();
    // Here the beneficiary is left, so its frame would win.
    world.call(ALICE, hold_invoice(preimage(7).hash())).unwrap();
    world.call(HUB, pay(ALICE, 100, &[], 0, Some(preimage(7).hash()))).unwrap();
    world.settle();
    let deadline = htlcs(&mut world, HUB, ALICE)[0].1.terms.deadline;
    let proof = expiry_proof(preimage(7).hash(), deadline);
    world.call(ALICE, Call::Fulfil { preimage: preimage(7) }).unwrap();
    world.frame(HUB, |node| expire(node, between(HUB, ALICE), 0, proof)).unwrap();
    world.deliver(ALICE, HUB).unwrap();
    assert!(matches!(
        world.node(HUB).channel(entity(ALICE)).status,
        Status::Frozen {
            fault: FrameFault::InvalidTransition { error: TransitionError::ExpiryProven { .. }, .. },
            ..
        }
    ));
    assert_eq!(world.node(HUB).capacity(entity(ALICE)).0, 900, "nothing moved");
}

#[test]
fn a_forwarder_that_hears_late_of_a_published_preimage_is_still_paid() {
    let mut world = network();
    held_by_bob(&mut world);
    world.call(BOB, Call::Fulfil { preimage: preimage(7) }).unwrap();
    world.frame(BOB, |node| reveal(node, between(HUB, BOB), 0)).unwrap();
    world.advance(10_000_000);
    world.settle();
    assert!(matches!(world.node(ALICE).payment(1).status, PaymentStatus::Succeeded { .. }));
    assert_eq!(world.node(HUB).capacity(entity(ALICE)).0, 1_100);
    assert_nothing_held(&mut world);
}

#[test]
fn a_known_preimage_is_published_when_its_payer_is_silent() {
    let mut world = network();
    held_by_bob(&mut world);
    let (hash, deadline) = (preimage(7).hash(), deadline(&mut world));
    world.call(BOB, Call::Fulfil { preimage: preimage(7) }).unwrap();
    let lost = world.intercept(BOB, HUB);
    let hub_bob = between(HUB, BOB);
    let expected = [Due::Reveal { channel: hub_bob, slot: 0, hash, deadline }];
    assert_eq!(due(&world.node(BOB).storage, deadline.saturating_sub(20_000), 9), expected);
    assert_eq!(next_due(&world.node(BOB).storage), Some(deadline.saturating_sub(20_000)));
    world.frame(BOB, |node| reveal(node, hub_bob, 0)).unwrap();
    assert_eq!(world.node(BOB).published, [preimage(7)]);
    assert_eq!(due(&world.node(BOB).storage, Timestamp::MAX, 9), []);
    assert_eq!(
        world.frame(BOB, |node| reveal(node, hub_bob, 0)),
        Err(Error::UnknownSlot { slot: 0 }),
        "once"
    );
    // The hub comes back after the deadline; it has no proof of expiry, since the preimage was published.
    world.advance(10_000_000);
    world.frame(HUB, |node| preimage_published(node, hub_bob, 0, preimage(7))).unwrap();
    world.settle();
    assert!(matches!(world.node(ALICE).payment(1).status, PaymentStatus::Succeeded { .. }));
    world.inject(BOB, HUB, lost).unwrap();
    world.settle();
    assert_eq!(world.node(BOB).capacity(entity(HUB)).0, 1_100);
    let sent = |event: &&Event| matches!(event, Event::PaymentSent { .. });
    assert_eq!(world.node(ALICE).events.iter().filter(sent).count(), 1);
    assert_nothing_held(&mut world);
}

#[test]
fn a_held_payment_is_taken_after_its_deadline_if_somebody_published_the_preimage() {
    let mut world = network();
    held_by_bob(&mut world);
    let (hash, deadline) = (preimage(7).hash(), deadline(&mut world));
    let hub_bob = between(HUB, BOB);
    let expected = [Due::Expire { channel: hub_bob, slot: 0, hash, deadline }];
    assert_eq!(due(&world.node(BOB).storage, deadline, 9), expected);
    world.advance(10_000_000);
    world.frame(HUB, |node| preimage_published(node, hub_bob, 0, preimage(7))).unwrap();
    world.settle();
    assert!(matches!(world.node(ALICE).payment(1).status, PaymentStatus::Succeeded { .. }));
    assert!(
        matches!(world.call(BOB, Call::Cancel { hash }), Err(Error::TooLate { .. })),
        "alice's payment counts as paid"
    );
    assert_eq!(
        world.frame(BOB, |node| preimage_published(node, hub_bob, 0, preimage(8))),
        Err(Error::UnknownPayment { hash: preimage(8).hash() })
    );
    world.frame(BOB, |node| preimage_published(node, hub_bob, 0, preimage(7))).unwrap();
    world.settle();
    assert_eq!(world.node(BOB).capacity(entity(HUB)).0, 1_100);
    let invoice = view::invoice(&world.node(BOB).storage, hash).unwrap().unwrap();
    assert!(matches!(invoice.status, InvoiceStatus::Paid { .. }));
    assert_nothing_held(&mut world);
}

#[test]
fn a_held_payment_whose_expiry_is_proven_is_asked_about_once() {
    let mut world = network();
    held_by_bob(&mut world);
    let (hash, deadline) = (preimage(7).hash(), deadline(&mut world));
    let hub_bob = between(HUB, BOB);
    world.advance(10_000_000);
    let early = expiry_proof(hash, deadline.saturating_sub(1));
    assert_eq!(world.frame(BOB, |node| expire(node, hub_bob, 0, early)), Err(Error::InvalidProof));
    let proof = expiry_proof(hash, deadline);
    world.frame(BOB, |node| expire(node, hub_bob, 0, proof.clone())).unwrap();
    assert_eq!(next_due(&world.node(BOB).storage), None);
    let unknown = Err(Error::UnknownSlot { slot: 0 });
    assert_eq!(world.frame(BOB, |node| expire(node, hub_bob, 0, proof)), unknown);
    assert_eq!(world.frame(BOB, |node| preimage_published(node, hub_bob, 0, preimage(7))), unknown);
    // The payer is silent, so the payee gives up.
    world.call(BOB, Call::Cancel { hash }).unwrap();
    world.settle();
    assert!(matches!(failure(&mut world).reason, FailReason::Cancelled));
    assert_nothing_held(&mut world);
}

#[test]
fn a_fulfilment_that_came_too_late_is_made_good_if_somebody_else_published_in_time() {
    let mut world = network();
    held_by_bob(&mut world);
    let hub_bob = between(HUB, BOB);
    // Bob's frame is not acknowledged, so his fulfilment waits behind it until after the deadline.
    world.call(BOB, grant(HUB, 999)).unwrap();
    world.call(BOB, Call::Fulfil { preimage: preimage(7) }).unwrap();
    world.advance(10_000_000);
    world.frame(BOB, |node| reveal(node, hub_bob, 0)).unwrap();
    world.settle();
    assert_eq!(htlcs(&mut world, BOB, HUB).len(), 1, "too late");
    world.frame(BOB, |node| preimage_published(node, hub_bob, 0, preimage(7))).unwrap();
    world.settle();
    assert_eq!(world.node(BOB).capacity(entity(HUB)).0, 1_100);
    assert_nothing_held(&mut world);
}

#[test]
fn a_slot_that_changes_its_direction_within_a_frame_keeps_the_new_deadline() {
    let mut world = network();
    held_by_bob(&mut world);
    let old = deadline(&mut world);
    let hash = preimage(8).hash();
    world.call(HUB, hold_invoice(hash)).unwrap();
    let back = pay(HUB, 10, &[], 0, Some(hash));
    world.calls(BOB, vec![Call::Fulfil { preimage: preimage(7) }, back]).unwrap();
    world.settle();
    assert_eq!(deadline(&mut world), old, "the same slot, the same deadline, the other direction");
    let expected = [Due::Expire { channel: between(HUB, BOB), slot: 0, hash, deadline: old }];
    for n in [HUB, BOB] {
        assert_eq!(due(&world.node(n).storage, Timestamp::MAX, 9), expected);
    }
}

#[test]
fn a_slot_that_was_reused_is_not_removed_by_an_older_decision() {
    let mut world = network();
    held_by_bob(&mut world);
    let (hash, deadline) = (preimage(7).hash(), deadline(&mut world));
    let hub_bob = between(HUB, BOB);
    // Bob cancels while the hub, left, proves the expiry and reuses the slot: the hub's frame wins.
    world.call(BOB, Call::Cancel { hash }).unwrap();
    world.call(BOB, hold_invoice(preimage(8).hash())).unwrap();
    let again = pay(BOB, 5, &[], 0, Some(preimage(8).hash()));
    world
        .frame(HUB, |node| {
            expire(node, hub_bob, 0, expiry_proof(hash, deadline))?;
            pallet_channels::dispatch(node, again)
        })
        .unwrap();
    world.settle();
    let pending = htlcs(&mut world, BOB, HUB);
    assert_eq!((pending.len(), pending[0].0), (1, 0));
    assert_eq!(pending[0].1.terms.hash, preimage(8).hash());
    world.call(BOB, Call::Fulfil { preimage: preimage(8) }).unwrap();
    world.settle();
    assert!(matches!(world.node(HUB).payment(1).status, PaymentStatus::Succeeded { .. }));
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

#[test]
fn an_answer_to_a_request_is_taken_from_the_payee_only() {
    let mut world = network();
    world.call(ALICE, pay(BOB, 10, &[HUB], 0, None)).unwrap();
    let answer =
        |request| PeerMessage::InvoiceIssued { request, hash: preimage(1).hash(), expires: Timestamp::MAX };
    assert_eq!(world.inject(HUB, ALICE, answer(1)), Err(Error::UnknownRequest { request: 1 }));
    assert_eq!(world.inject(BOB, ALICE, answer(2)), Err(Error::UnknownRequest { request: 2 }));
    world.settle();
    assert!(matches!(world.node(ALICE).payment(1).status, PaymentStatus::Succeeded { .. }));
}

#[test]
fn invoices_are_withdrawn_and_listed() {
    let mut world = network();
    let hash = preimage(7).hash();
    world.call(BOB, hold_invoice(hash)).unwrap();
    assert_eq!(world.call(BOB, hold_invoice(hash)), Err(Error::DuplicateInvoice { hash }));
    world.call(BOB, Call::CancelInvoice { hash }).unwrap();
    assert_eq!(world.call(BOB, Call::CancelInvoice { hash }), Err(Error::UnknownPayment { hash }));
    let invoice = view::invoice(&world.node(BOB).storage, hash).unwrap().unwrap();
    assert_eq!(invoice.status, InvoiceStatus::Cancelled);
    world.call(ALICE, pay(BOB, 100, &[HUB], 0, Some(hash))).unwrap();
    world.settle();
    assert_eq!(failure(&mut world).reason, FailReason::UnknownInvoice);
    let by_hash = view::payment_by_hash(&world.node(ALICE).storage, hash).unwrap();
    assert_eq!(by_hash.map(|payment| payment.number), Some(1));
    let peers: Vec<EntityId> = view::channels(&world.node(HUB).storage, None, 9)
        .unwrap()
        .into_iter()
        .map(|view| view.channel.entity(view.channel.side_of(&entity(HUB)).other()))
        .collect();
    assert_eq!(peers.len(), 2);
}

#[test]
fn the_payers_own_record_of_an_htlc_names_its_cause() {
    let mut world = network();
    held_by_bob(&mut world);
    assert_eq!(htlcs(&mut world, ALICE, HUB)[0].1.role, HtlcRole::Outbound(Cause::Payment(1)));
    assert_eq!(htlcs(&mut world, HUB, BOB)[0].1.role, HtlcRole::Outbound(Cause::Forward(1)));
}
