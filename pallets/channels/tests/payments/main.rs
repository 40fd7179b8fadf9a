//! Payments with a condition: along routes, with fees, with every way in which they can fail.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod conditions;
mod deadlines;
#[path = "../harness/mod.rs"]
mod harness;
mod invoices;
mod routes;

use harness::{World, entity, hold_invoice, pay, preimage};
use pallet_channels::{Failure, Htlc, PaymentStatus, next_due, view};
use xln_primitives::{ChannelId, Timestamp};

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

/// When the payment that bob holds expires.
/// Deadline of the HTLC between hub and bob.
fn deadline(world: &mut World) -> Timestamp {
    htlcs(world, HUB, BOB)[0].1.terms.deadline
}
