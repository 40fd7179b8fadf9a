//! Around the deadline: late fulfilments, published preimages, proven expiry.

use pallet_channels::{
    Call, Due, Error, Event, FailReason, Failure, FrameFault, InvoiceStatus, PaymentStatus, Status,
    TransitionError, due, expire, next_due, preimage_published, reveal, view,
};
use xln_primitives::Timestamp;

use crate::{
    ALICE, BOB, HUB, assert_nothing_held, between, deadline, failure,
    harness::{entity, expiry_proof, grant, hold_invoice, pay, preimage},
    held_by_bob, htlcs, network,
};

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
