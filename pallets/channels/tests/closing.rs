//! The end of a channel's life, and the next one.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod harness;

use codec::Encode;
use harness::{World, entity, funded, grant, lapse_proof, pay_direct, usd};
use pallet_channels::{
    Call, Due, Error, Event, FrameFault, PeerMessage, Settled, Settlement, Status, TransitionError, due,
    on_settled, settlement_expired,
};
use xln_primitives::{Amount, BoundedVec, Delta, Side, Timestamp};

const LEFT: u8 = 1;
const RIGHT: u8 = 2;

/// 100 of collateral, all left's at first; left then pays 30.
fn funded_channel() -> World {
    let mut world = World::new(&[LEFT, RIGHT]);
    world.open(LEFT, RIGHT, 50, 50);
    world.fund(LEFT, RIGHT, 1, 100, 100);
    world.call(LEFT, pay_direct(RIGHT, 30)).unwrap();
    world.settle();
    world
}

fn close(world: &mut World) -> Settlement {
    world.call(LEFT, Call::Close { peer: entity(RIGHT) }).unwrap();
    world.settle();
    let settlement = world.node(LEFT).settlements.pop().expect("left agrees");
    assert_eq!(world.node(RIGHT).settlements.pop().as_ref(), Some(&settlement), "both sign the same body");
    settlement
}

fn executed(settlement: &Settlement) -> Settled {
    Settled {
        channel: settlement.channel,
        left: settlement.left,
        right: settlement.right,
        epoch: settlement.epoch,
        nonce: settlement.nonce,
        closed: true,
        rows: BoundedVec::new(),
    }
}

#[test]
fn each_side_gets_its_part_and_a_new_life_starts_empty() {
    let mut world = funded_channel();
    let settlement = close(&mut world);
    let row = &settlement.rows[0];
    assert_eq!((row.left_reserve_diff.get(), row.right_reserve_diff.get()), (70, 30));
    assert_eq!((row.collateral_diff.get(), row.ondelta_diff.get()), (-100, -100));
    assert_eq!((settlement.nonce, settlement.epoch, settlement.close), (2, 0, true));
    world.notify(LEFT, RIGHT, &executed(&settlement));
    world.settle();
    world.assert_agreement(LEFT, RIGHT);
    let channel = world.node(LEFT).channel(entity(RIGHT));
    assert_eq!((channel.epoch, channel.height, channel.settled_nonce), (1, 0, 2));
    assert!(channel.subchannels.is_empty());
    for n in [LEFT, RIGHT] {
        let closed = |event: &&Event| matches!(event, Event::ChannelClosed { epoch: 0, .. });
        assert_eq!(world.node(n).events.iter().filter(closed).count(), 1);
    }
    world.open(LEFT, RIGHT, 5, 5);
    world.call(LEFT, pay_direct(RIGHT, 5)).unwrap();
    world.settle();
    assert_eq!(world.node(RIGHT).row(entity(LEFT)).delta(), Delta::new(-5));
}

#[test]
fn the_side_that_hears_first_takes_the_other_along_into_the_new_life() {
    let mut world = funded_channel();
    let settled = executed(&close(&mut world));
    world.frame(LEFT, |node| on_settled(node, settled.clone(), settled.encode())).unwrap();
    world.call(LEFT, grant(RIGHT, 9)).unwrap();
    world.settle();
    world.assert_agreement(LEFT, RIGHT);
    assert_eq!(world.node(RIGHT).channel(entity(LEFT)).epoch, 1);
    world.frame(RIGHT, |node| on_settled(node, settled.clone(), settled.encode())).unwrap();
    assert_eq!(world.node(RIGHT).channel(entity(LEFT)).epoch, 1, "known already");
    let later = Settled { nonce: 9, epoch: 1, ..settled };
    let forged = PeerMessage::Closed { settled: later, proof: vec![1].try_into().unwrap() };
    assert_eq!(world.inject(LEFT, RIGHT, forged), Err(Error::InvalidProof));
}

#[test]
fn rule_10_a_frame_of_an_old_life_means_nothing_in_the_next_one() {
    let mut world = funded_channel();
    world.call(LEFT, pay_direct(RIGHT, 1)).unwrap();
    let old = world.intercept(LEFT, RIGHT);
    world.inject(LEFT, RIGHT, old.clone()).unwrap();
    world.settle();
    let settled = executed(&close(&mut world));
    world.notify(LEFT, RIGHT, &settled);
    world.settle();
    world.open(LEFT, RIGHT, 500, 500);
    let before = world.node(RIGHT).channel(entity(LEFT));
    assert_eq!(world.inject(LEFT, RIGHT, old), Err(Error::OtherEpoch { current: 1, found: 0 }));
    assert_eq!(world.node(RIGHT).channel(entity(LEFT)), before);
    let stale = funded(LEFT, RIGHT, 0, 9, 100, 100);
    assert_eq!(
        world.frame(RIGHT, |node| on_settled(node, stale.clone(), stale.encode())),
        Err(Error::OtherEpoch { current: 1, found: 0 })
    );
}

#[test]
fn rule_6_a_signed_settlement_holds_all_sums_until_it_is_executed_or_expired() {
    let mut world = funded_channel();
    let settlement = close(&mut world);
    let expires = settlement.expires;
    for n in [LEFT, RIGHT] {
        let peer = if n == LEFT { RIGHT } else { LEFT };
        assert_eq!(world.call(n, pay_direct(peer, 1)), Err(Error::Closing { expires }));
        assert_eq!(world.call(n, grant(peer, 1)), Err(Error::Closing { expires }));
        assert_eq!(world.call(n, Call::Close { peer: entity(peer) }), Err(Error::Closing { expires }));
    }
    let id = settlement.channel;
    assert_eq!(
        world.frame(LEFT, |node| settlement_expired(node, id, vec![])),
        Err(Error::InvalidProof),
        "time alone proves nothing"
    );
    assert_eq!(due(&world.node(LEFT).storage, expires.saturating_sub(1), 9), []);
    let expected = [Due::Settlement { channel: id, settlement: settlement.clone() }];
    assert_eq!(due(&world.node(LEFT).storage, expires, 9), expected);
    for n in [LEFT, RIGHT] {
        world.frame(n, |node| settlement_expired(node, id, lapse_proof(&settlement))).unwrap();
    }
    world.settle();
    world.assert_agreement(LEFT, RIGHT);
    assert_eq!(due(&world.node(LEFT).storage, Timestamp::MAX, 9), []);
    world.call(LEFT, pay_direct(RIGHT, 70)).unwrap();
    world.settle();
    assert_eq!(world.node(RIGHT).capacity(entity(LEFT)).0, 150);
}

#[test]
fn rule_6_the_peer_cannot_move_sums_of_a_closing_channel() {
    let mut world = funded_channel();
    world.call(LEFT, pay_direct(RIGHT, 1)).unwrap();
    let PeerMessage::Frame(mut frame) = world.intercept(LEFT, RIGHT) else { panic!("a frame") };
    let mut other = funded_channel();
    let settlement = close(&mut other);
    frame.height += 1;
    frame.parent_state = other.node(RIGHT).channel(entity(LEFT)).state_hash;
    frame.height = other.node(RIGHT).channel(entity(LEFT)).height + 1;
    other.inject(LEFT, RIGHT, PeerMessage::Frame(frame)).unwrap();
    let Status::Frozen { fault, closing, .. } = other.node(RIGHT).channel(entity(LEFT)).status else {
        panic!("not frozen")
    };
    assert!(matches!(fault, FrameFault::InvalidTransition { error: TransitionError::Closing { .. }, .. }));
    assert_eq!(closing.as_ref(), Some(&settlement));
    // The settlement still ends this life.
    other.notify(LEFT, RIGHT, &executed(&settlement));
    assert_eq!(other.node(RIGHT).channel(entity(LEFT)).epoch, 1);
}

#[test]
fn another_event_of_the_depositary_ends_a_settlement_that_can_no_longer_be_executed() {
    let mut world = funded_channel();
    close(&mut world);
    world.fund(LEFT, RIGHT, 2, 150, 100);
    world.assert_agreement(LEFT, RIGHT);
    assert_eq!(world.node(LEFT).channel(entity(RIGHT)).status, Status::Open);
    assert!(world.node(RIGHT).events.iter().any(|event| matches!(event, Event::ChannelReopened { .. })));
    assert_eq!(close(&mut world).nonce, 3);
}

#[test]
fn debt_beyond_the_collateral_stops_a_close_with_the_numbers() {
    let mut world = funded_channel();
    world.call(LEFT, pay_direct(RIGHT, 110)).unwrap();
    world.settle();
    let error = TransitionError::DebtOutstanding { asset: usd(), side: Side::Left, owed: Amount::new(40) };
    for (n, peer) in [(LEFT, RIGHT), (RIGHT, LEFT)] {
        assert_eq!(world.call(n, Call::Close { peer: entity(peer) }), Err(Error::Transition(error.clone())));
    }
}

#[test]
fn a_channel_without_collateral_closes_with_an_empty_settlement() {
    let mut world = World::new(&[LEFT, RIGHT]);
    world.open(LEFT, RIGHT, 50, 50);
    assert!(close(&mut world).rows.is_empty());
}

#[test]
fn both_may_ask_for_the_close_at_once() {
    let mut world = funded_channel();
    world.call(LEFT, Call::Close { peer: entity(RIGHT) }).unwrap();
    world.call(RIGHT, Call::Close { peer: entity(LEFT) }).unwrap();
    world.settle();
    let agreed = world.node(LEFT).settlements.clone();
    assert_eq!(agreed.len(), 1);
    assert_eq!(world.node(RIGHT).settlements, agreed);
}
