//! How a channel advances: proposals, acknowledgements, and what is wrong with them.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod harness;

use codec::Encode;
use harness::{World, dispute_proofs, entity, funded, grant, pay_direct, usd};
use pallet_channels::{
    Ack, Call, ChannelFrame, Error, Event, FrameFault, MAX_TRANSITIONS, PeerMessage, Status, Transition,
    TransitionError, on_settled, resend, view,
};
use xln_primitives::{Amount, BoundedVec, ChannelId, Delta, Hash, Side, Timestamp};

const LEFT: u8 = 1;
const RIGHT: u8 = 2;

fn open() -> World {
    let mut world = World::new(&[LEFT, RIGHT]);
    world.open(LEFT, RIGHT, 1_000, 1_000);
    world
}

fn delta(world: &mut World) -> i128 {
    world.assert_agreement(LEFT, RIGHT);
    world.node(LEFT).row(entity(RIGHT)).delta().get()
}

fn frame_of(message: PeerMessage) -> ChannelFrame {
    match message {
        PeerMessage::Frame(frame) => frame,
        PeerMessage::Ack(Ack { next: Some(frame), .. }) => frame,
        other => panic!("no frame in {other:?}"),
    }
}

/// Left's next frame, taken off the wire and changed.
fn tampered(world: &mut World, change: impl FnOnce(&mut ChannelFrame)) -> ChannelFrame {
    world.call(LEFT, pay_direct(RIGHT, 10)).unwrap();
    let mut frame = frame_of(world.intercept(LEFT, RIGHT));
    change(&mut frame);
    frame
}

/// Delivers a bad frame of left and returns what right says about it; nothing else may change.
fn fault_of(world: &mut World, frame: ChannelFrame) -> FrameFault {
    let before = world.node(RIGHT).channel(entity(LEFT));
    let proofs = world.node(RIGHT).proofs.len();
    world.inject(LEFT, RIGHT, PeerMessage::Frame(frame)).unwrap();
    let after = world.node(RIGHT).channel(entity(LEFT));
    assert_eq!((before.height, before.state_hash), (after.height, after.state_hash));
    assert_eq!(before.subchannels, after.subchannels);
    assert_eq!(world.in_flight(RIGHT, LEFT), 0, "nothing is acknowledged");
    assert_eq!(world.node(RIGHT).proofs.len(), proofs + 1, "the evidence is kept");
    let Status::Frozen { fault, .. } = after.status else { panic!("not frozen") };
    assert!(matches!(
        world.node(RIGHT).events.last(),
        Some(Event::ChannelFrozen { fault: told, .. }) if *told == fault
    ));
    fault
}

#[test]
fn a_direct_payment_counts_once_both_sides_committed() {
    let mut world = open();
    world.call(LEFT, pay_direct(RIGHT, 30)).unwrap();
    assert_eq!(world.node(LEFT).row(entity(RIGHT)).delta().get(), 0, "not before the acknowledgement");
    assert!(!world.node(LEFT).events.iter().any(|event| matches!(event, Event::PaidDirect { .. })));
    world.settle();
    assert_eq!(delta(&mut world), -30);
    world.call(RIGHT, pay_direct(LEFT, 50)).unwrap();
    world.settle();
    assert_eq!(delta(&mut world), 20);
    for n in [LEFT, RIGHT] {
        let paid = |event: &&Event| matches!(event, Event::PaidDirect { .. });
        assert_eq!(world.node(n).events.iter().filter(paid).count(), 2);
    }
}

#[test]
fn both_sides_hold_the_others_commitment_to_every_state() {
    let mut world = open();
    world.call(LEFT, pay_direct(RIGHT, 30)).unwrap();
    world.settle();
    let state = world.node(LEFT).channel(entity(RIGHT)).state_hash;
    for n in [LEFT, RIGHT] {
        let proof = dispute_proofs(world.node(n)).pop().unwrap();
        assert!(proof.is_consistent());
        assert_eq!(proof.state_hash, state);
        assert_eq!(proof.body.offdeltas[0], (usd(), Delta::new(-30)));
    }
}

#[test]
fn simultaneous_proposals_end_with_lefts_first_and_lose_nothing() {
    let mut world = open();
    world.call(LEFT, pay_direct(RIGHT, 100)).unwrap();
    world.call(RIGHT, pay_direct(LEFT, 7)).unwrap();
    let height = world.node(LEFT).channel(entity(RIGHT)).height;
    world.deliver(RIGHT, LEFT).unwrap();
    assert_eq!(world.in_flight(LEFT, RIGHT), 1, "left does not answer a frame that lost");
    world.deliver(LEFT, RIGHT).unwrap();
    let PeerMessage::Ack(ack) = world.intercept(RIGHT, LEFT) else { panic!("an acknowledgement") };
    assert_eq!(ack.height, height + 1);
    let next = ack.next.as_ref().expect("right's moves wait no longer than needed");
    assert_eq!((next.height, next.proposer), (height + 2, Side::Right));
    world.inject(RIGHT, LEFT, PeerMessage::Ack(ack)).unwrap();
    world.settle();
    assert_eq!(delta(&mut world), -93);
}

#[test]
fn rights_moves_keep_their_order_when_they_are_put_back() {
    let mut world = open();
    world.calls(RIGHT, vec![pay_direct(LEFT, 900), pay_direct(LEFT, 100)]).unwrap();
    world.call(LEFT, pay_direct(RIGHT, 1)).unwrap();
    world.call(RIGHT, pay_direct(LEFT, 1)).unwrap();
    world.settle();
    // 900 + 100 + 1 was possible only after left's payment of 1.
    assert_eq!(delta(&mut world), 1_000);
}

#[test]
fn rule_11_left_answers_a_carried_frame_before_it_proposes_again() {
    let mut world = open();
    world.call(LEFT, pay_direct(RIGHT, 1)).unwrap();
    world.call(RIGHT, pay_direct(LEFT, 2)).unwrap();
    world.deliver(RIGHT, LEFT).unwrap();
    world.deliver(LEFT, RIGHT).unwrap();
    // Left has more to say, always; right's frame must not be overtaken for ever.
    world.call(LEFT, pay_direct(RIGHT, 4)).unwrap();
    world.deliver(RIGHT, LEFT).unwrap();
    let PeerMessage::Ack(ack) = world.intercept(LEFT, RIGHT) else {
        panic!("left proposed before it answered");
    };
    assert_eq!(world.node(LEFT).row(entity(RIGHT)).delta().get(), 1, "right's payment is in");
    assert!(ack.next.is_some(), "and left's own follows in the same message");
    world.inject(LEFT, RIGHT, PeerMessage::Ack(ack)).unwrap();
    world.settle();
    assert_eq!(delta(&mut world), -3);
}

#[test]
fn a_side_proposes_one_frame_at_a_time_with_everything_that_waits() {
    let mut world = open();
    for amount in [1, 2, 3] {
        world.call(LEFT, pay_direct(RIGHT, amount)).unwrap();
    }
    assert_eq!(world.in_flight(LEFT, RIGHT), 1);
    let id = ChannelId::between(&entity(LEFT), &entity(RIGHT));
    let shown = view::channel(&world.node(LEFT).storage, id).unwrap().unwrap();
    assert_eq!((shown.pending.unwrap().transitions.len(), shown.queued), (1, 2));
    world.deliver(LEFT, RIGHT).unwrap();
    world.deliver(RIGHT, LEFT).unwrap();
    assert_eq!(frame_of(world.intercept(LEFT, RIGHT)).transitions.len(), 2);
}

#[test]
fn a_frame_takes_a_thousand_moves() {
    let mut world = open();
    let many = (0..1_500).map(|_| pay_direct(RIGHT, 1)).collect();
    world.call(RIGHT, pay_direct(LEFT, 1_000)).unwrap();
    world.settle();
    world.calls(LEFT, many).unwrap();
    let PeerMessage::Frame(frame) = world.intercept(LEFT, RIGHT) else { panic!("a frame") };
    assert_eq!(frame.transitions.len(), MAX_TRANSITIONS as usize);
    world.inject(LEFT, RIGHT, PeerMessage::Frame(frame)).unwrap();
    world.settle();
    assert_eq!(delta(&mut world), -500);
}

#[test]
fn a_repeated_frame_gets_the_stored_acknowledgement_and_counts_once() {
    let mut world = open();
    world.call(LEFT, pay_direct(RIGHT, 30)).unwrap();
    let frame = world.intercept(LEFT, RIGHT);
    world.inject(LEFT, RIGHT, frame.clone()).unwrap();
    let first = world.intercept(RIGHT, LEFT);
    let id = ChannelId::between(&entity(LEFT), &entity(RIGHT));
    world.frame(LEFT, |node| resend(node, id)).unwrap();
    assert_eq!(world.intercept(LEFT, RIGHT), frame, "byte for byte");
    world.inject(LEFT, RIGHT, frame).unwrap();
    assert_eq!(world.intercept(RIGHT, LEFT), first);
    world.inject(RIGHT, LEFT, first.clone()).unwrap();
    world.inject(RIGHT, LEFT, first).unwrap();
    assert_eq!(delta(&mut world), -30);
}

#[test]
fn a_wrong_parent_freezes_the_channel() {
    let mut world = open();
    let frame = tampered(&mut world, |frame| frame.parent_state = Hash::new([7; 32]));
    let found = Hash::new([7; 32]);
    assert!(matches!(fault_of(&mut world, frame), FrameFault::WrongParent { found: f, .. } if f == found));
}

#[test]
fn a_wrong_state_hash_freezes_the_channel() {
    let mut world = open();
    let frame = tampered(&mut world, |frame| frame.state_hash = Hash::new([7; 32]));
    assert!(matches!(fault_of(&mut world, frame), FrameFault::WrongState { .. }));
}

#[test]
fn a_move_that_is_not_allowed_freezes_the_channel() {
    let mut world = open();
    let frame = tampered(&mut world, |frame| {
        frame.transitions[0] = Transition::Pay { asset: usd(), amount: Amount::new(1_001) };
    });
    let fault = fault_of(&mut world, frame);
    let FrameFault::InvalidTransition { index: 0, error, .. } = fault else { panic!("{fault:?}") };
    assert!(matches!(
        error,
        TransitionError::InsufficientCapacity { needed, available, .. }
            if (needed.get(), available.get()) == (1_001, 1_000)
    ));
}

#[test]
fn an_overflow_in_a_frame_is_an_invalid_move() {
    let mut world = open();
    world.call(RIGHT, grant(LEFT, u128::MAX)).unwrap();
    world.call(LEFT, pay_direct(RIGHT, 1_000)).unwrap();
    world.settle();
    let frame = tampered(&mut world, |frame| {
        frame.transitions[0] =
            Transition::Pay { asset: usd(), amount: Amount::new(i128::MAX.unsigned_abs() + 1) };
    });
    assert!(matches!(
        fault_of(&mut world, frame),
        FrameFault::InvalidTransition { error: TransitionError::Arithmetic(_), .. }
    ));
}

#[test]
fn time_that_runs_backwards_freezes_the_channel_and_a_fast_clock_does_not() {
    let mut world = open();
    let far = Timestamp::from_millis(u64::MAX / 2);
    world.node(LEFT).now = far;
    world.call(LEFT, pay_direct(RIGHT, 1)).unwrap();
    world.settle();
    world.call(RIGHT, pay_direct(LEFT, 1)).unwrap();
    world.settle();
    assert_eq!(delta(&mut world), 0, "rule 4: clocks never reject a frame");
    let frame = tampered(&mut world, |frame| frame.timestamp = Timestamp::ZERO);
    assert!(matches!(fault_of(&mut world, frame), FrameFault::TimeRunsBackwards { .. }));
}

#[test]
fn two_commitments_at_one_height_freeze_the_channel() {
    let mut world = open();
    world.call(LEFT, pay_direct(RIGHT, 30)).unwrap();
    let PeerMessage::Frame(frame) = world.intercept(LEFT, RIGHT) else { panic!("a frame") };
    world.inject(LEFT, RIGHT, PeerMessage::Frame(frame.clone())).unwrap();
    world.intercept(RIGHT, LEFT);
    let second = ChannelFrame { state_hash: Hash::new([7; 32]), ..frame };
    assert!(matches!(fault_of(&mut world, second), FrameFault::TwoStatesAtOneHeight { .. }));
}

#[test]
fn an_acknowledgement_of_another_state_freezes_the_channel() {
    let mut world = open();
    world.call(LEFT, pay_direct(RIGHT, 30)).unwrap();
    world.deliver(LEFT, RIGHT).unwrap();
    let PeerMessage::Ack(ack) = world.intercept(RIGHT, LEFT) else { panic!("an acknowledgement") };
    let forged = Ack { state_hash: Hash::new([7; 32]), ..ack };
    world.inject(RIGHT, LEFT, PeerMessage::Ack(forged)).unwrap();
    assert!(matches!(
        world.node(LEFT).channel(entity(RIGHT)).status,
        Status::Frozen { fault: FrameFault::WrongAcknowledgement { .. }, .. }
    ));
    assert_eq!(world.node(LEFT).row(entity(RIGHT)).delta(), Delta::ZERO);
}

#[test]
fn a_frozen_channel_takes_nothing_new() {
    let mut world = open();
    let frame = tampered(&mut world, |frame| frame.state_hash = Hash::ZERO);
    fault_of(&mut world, frame.clone());
    let height = world.node(RIGHT).channel(entity(LEFT)).height;
    let frozen = Err(Error::Frozen { height });
    assert_eq!(world.inject(LEFT, RIGHT, PeerMessage::Frame(frame)), frozen);
    assert_eq!(world.call(RIGHT, pay_direct(LEFT, 1)), frozen);
    assert_eq!(world.call(RIGHT, Call::Close { peer: entity(LEFT) }), frozen);
}

#[test]
fn messages_about_other_channels_lives_and_heights_are_refused() {
    let mut world = open();
    let channel = world.node(RIGHT).channel(entity(LEFT));
    let good = tampered(&mut world, |_| ());
    type Change = fn(&mut ChannelFrame);
    type Check = fn(&Error) -> bool;
    let cases: [(Change, Check); 5] = [
        (|f| f.channel = ChannelId::ZERO, |e| matches!(e, Error::ForeignChannel { .. })),
        (|f| f.proposer = Side::Right, |e| matches!(e, Error::WrongProposer { .. })),
        (|f| f.epoch = 1, |e| matches!(e, Error::OtherEpoch { current: 0, found: 1 })),
        (|f| f.height += 1, |e| matches!(e, Error::UnexpectedHeight { .. })),
        (|f| f.height = 0, |e| matches!(e, Error::UnexpectedHeight { .. })),
    ];
    for (change, expected) in cases {
        let mut frame = good.clone();
        change(&mut frame);
        let error = world.inject(LEFT, RIGHT, PeerMessage::Frame(frame)).unwrap_err();
        assert!(expected(&error), "{error:?}");
        assert_eq!(world.node(RIGHT).channel(entity(LEFT)), channel);
    }
    let ack = Ack { channel: channel.id, epoch: 0, height: 99, state_hash: Hash::ZERO, next: None };
    assert!(matches!(
        world.inject(LEFT, RIGHT, PeerMessage::Ack(ack)),
        Err(Error::UnexpectedAck { height: 99, .. })
    ));
}

#[test]
fn a_first_frame_that_does_not_replay_makes_no_channel() {
    let mut world = World::new(&[LEFT, RIGHT]);
    world.call(LEFT, grant(RIGHT, 5)).unwrap();
    let mut frame = frame_of(world.intercept(LEFT, RIGHT));
    frame.state_hash = Hash::ZERO;
    assert!(matches!(world.inject(LEFT, RIGHT, PeerMessage::Frame(frame)), Err(Error::InvalidFirstFrame(_))));
    assert_eq!(world.node(RIGHT).try_channel(entity(LEFT)), None);
}

#[test]
fn a_second_frame_before_the_first_is_acknowledged_is_refused() {
    let mut world = open();
    let first = tampered(&mut world, |_| ());
    let second = ChannelFrame {
        height: first.height + 1,
        parent_state: first.state_hash,
        transitions: BoundedVec::new(),
        ..first.clone()
    };
    let height = second.height;
    let result = world.frame(RIGHT, |node| {
        pallet_channels::receive(node, entity(LEFT), &PeerMessage::Frame(first))?;
        pallet_channels::receive(node, entity(LEFT), &PeerMessage::Frame(second))
    });
    assert_eq!(result, Err(Error::TwoFramesInFlight { height }));
}

#[test]
fn more_than_the_capacity_is_refused_with_the_numbers() {
    let mut world = open();
    let error = world.call(LEFT, pay_direct(RIGHT, 1_001)).unwrap_err();
    assert_eq!(error.to_string(), "needs 1001, can send 1000: 0 collateral + 1000 credit − 0 held");
    assert!(matches!(world.call(LEFT, pay_direct(9, 1)), Err(Error::UnknownChannel { .. })));
    assert_eq!(world.call(LEFT, pay_direct(LEFT, 1)), Err(Error::OwnEntity));
    assert_eq!(world.call(LEFT, pay_direct(RIGHT, 0)), Err(Error::Transition(TransitionError::ZeroAmount)));
}

#[test]
fn a_payment_that_became_impossible_while_it_waited_is_never_sent() {
    let mut world = open();
    world.calls(LEFT, vec![pay_direct(RIGHT, 900), pay_direct(RIGHT, 200)]).unwrap();
    world.settle();
    assert_eq!(delta(&mut world), -900);
    assert!(world.node(LEFT).events.iter().any(|event| matches!(
        event,
        Event::DirectPaymentFailed { amount, error: TransitionError::InsufficientCapacity { .. }, .. }
            if amount.get() == 200
    )));
}

#[test]
fn a_limit_lowered_below_what_is_owed_stops_new_credit_only() {
    let mut world = open();
    world.call(LEFT, pay_direct(RIGHT, 600)).unwrap();
    world.settle();
    world.call(RIGHT, grant(LEFT, 100)).unwrap();
    world.settle();
    let row = world.node(LEFT).row(entity(RIGHT));
    let capacity = row.capacity(Side::Left);
    assert_eq!((capacity.in_own_credit.get(), capacity.out_capacity.get()), (600, 0));
    assert!(matches!(
        world.call(LEFT, pay_direct(RIGHT, 1)),
        Err(Error::Transition(TransitionError::InsufficientCapacity { .. }))
    ));
    // What is owed stays payable: right pays left, which lowers left's debt.
    world.call(RIGHT, pay_direct(LEFT, 550)).unwrap();
    world.settle();
    assert_eq!(world.node(LEFT).capacity(entity(RIGHT)).0, 50);
    assert_eq!(delta(&mut world), -50);
}

#[test]
fn collateral_counts_once_both_sides_have_the_depositarys_word() {
    let mut world = open();
    let settled = funded(LEFT, RIGHT, 0, 1, 500, 500);
    world.notify(LEFT, RIGHT, &settled);
    world.settle();
    assert_eq!(world.node(LEFT).capacity(entity(RIGHT)), (1_500, 1_000));
    assert_eq!(world.node(RIGHT).channel(entity(LEFT)).settled_nonce, 1);
    world.assert_agreement(LEFT, RIGHT);
    for n in [LEFT, RIGHT] {
        let applied = |event: &&Event| matches!(event, Event::SettlementApplied { nonce: 1, .. });
        assert_eq!(world.node(n).events.iter().filter(applied).count(), 1, "whoever was first");
    }
    world.notify(LEFT, RIGHT, &settled);
    assert_eq!(world.in_flight(LEFT, RIGHT), 0, "known already");
}

#[test]
fn notices_of_the_depositary_do_not_fill_the_queue_of_a_silent_peer() {
    let mut world = open();
    world.call(RIGHT, pay_direct(LEFT, 1)).unwrap();
    let channel = ChannelId::between(&entity(LEFT), &entity(RIGHT));
    let notice = |world: &mut World, nonce: u64| {
        let settled = funded(LEFT, RIGHT, 0, nonce, u128::from(nonce), 0);
        world.frame(RIGHT, |node| on_settled(node, settled.clone(), settled.encode())).unwrap();
        view::channel(&world.node(RIGHT).storage, channel).unwrap().unwrap().queued
    };
    for nonce in 1..=50 {
        assert_eq!(notice(&mut world, nonce), 1, "the newest replaces the one that waits");
    }
    assert_eq!(notice(&mut world, 7), 1, "an old one says nothing");
    world.call(RIGHT, pay_direct(LEFT, 2)).unwrap();
    assert_eq!(notice(&mut world, 51), 2);
    // Left is back: the notice goes out in right's next frame, but left's own frame is faster.
    world.deliver(RIGHT, LEFT).unwrap();
    world.deliver(LEFT, RIGHT).unwrap();
    assert_eq!(notice(&mut world, 52), 1, "one is on its way, a newer one waits");
    world.call(LEFT, pay_direct(RIGHT, 10)).unwrap();
    world.deliver(LEFT, RIGHT).unwrap();
    let put_back = view::channel(&world.node(RIGHT).storage, channel).unwrap().unwrap();
    let pending = put_back.pending.expect("right proposes again at once").transitions.into_inner();
    let nonces: Vec<u64> = pending
        .iter()
        .filter_map(|transition| match transition {
            Transition::SettlementApplied { settled, .. } => Some(settled.nonce),
            _ => None,
        })
        .collect();
    assert_eq!((nonces, put_back.queued), (vec![52], 0));
    world.settle();
    assert_eq!(world.node(LEFT).row(entity(RIGHT)).collateral.get(), 52);
    assert_eq!(delta(&mut world), -10 + 3);
}

#[test]
fn a_forged_word_of_the_depositary_freezes_the_channel() {
    let mut world = open();
    let frame = tampered(&mut world, |frame| {
        let settled = funded(LEFT, RIGHT, 0, 1, 500, 500);
        frame.transitions[0] = Transition::SettlementApplied { settled, proof: vec![1].try_into().unwrap() };
    });
    assert!(matches!(
        fault_of(&mut world, frame),
        FrameFault::InvalidTransition { error: TransitionError::InvalidProof, .. }
    ));
}

#[test]
fn collateral_is_locked_on_request_within_the_policy() {
    let mut world = open();
    let policy = pallet_channels::Policy { auto_collateral: Amount::new(300), ..Default::default() };
    world.call(RIGHT, Call::SetPolicy { policy }).unwrap();
    let request =
        |amount| Call::RequestCollateral { peer: entity(RIGHT), asset: usd(), amount: Amount::new(amount) };
    world.calls(LEFT, vec![request(200), request(200), request(100)]).unwrap();
    world.settle();
    let granted: Vec<_> = world.node(RIGHT).allocations.iter().map(|(_, _, amount)| amount.get()).collect();
    assert_eq!(granted, [200, 100], "together no more than the policy allows");
}
