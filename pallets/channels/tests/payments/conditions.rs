//! Who may remove a condition, with what proof.

use pallet_channels::{
    Call, Due, Error, FailReason, Failure, FrameFault, PaymentStatus, PeerMessage, Status, Transition,
    TransitionError, due, expire,
};
use xln_primitives::{BoundedVec, Timestamp};

use crate::{
    ALICE, BOB, HUB, assert_nothing_held, between, deadline, failure,
    harness::{World, entity, expiry_proof, hold_invoice, pay, pay_direct, preimage},
    held_by_bob, htlcs, network,
};

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
    world.call(HUB, pay_direct(BOB, 1)).unwrap();
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
