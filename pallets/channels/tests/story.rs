//! The story of the tutorial: a newcomer is paid at once.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod harness;

use harness::{World, entity, grant, pay, usd};
use pallet_channels::{Event, InvoiceStatus, PaymentStatus, view};
use xln_primitives::Amount;

const ALICE: u8 = 1;
const HUB: u8 = 2;
const BOB: u8 = 3;

fn network() -> World {
    let mut world = World::new(&[ALICE, HUB, BOB]);
    world.open(ALICE, HUB, 0, 1_000);
    world
}

#[test]
fn a_newcomer_without_collateral_is_paid_at_once_over_a_hub() {
    let mut world = network();
    world.call(BOB, grant(HUB, 500)).unwrap();
    world.settle();
    assert_eq!(world.node(BOB).capacity(entity(HUB)), (0, 500));

    world.call(ALICE, pay(BOB, 120, &[HUB], 0, None)).unwrap();
    world.settle();

    assert_eq!(world.node(BOB).capacity(entity(HUB)), (120, 380));
    assert_eq!(world.node(ALICE).capacity(entity(HUB)), (880, 120));
    let payment = world.node(ALICE).payment(1);
    assert!(matches!(payment.status, PaymentStatus::Succeeded { .. }));
    let hash = payment.hash.unwrap();
    let invoice = view::invoice(&world.node(BOB).storage, hash).unwrap().unwrap();
    assert!(matches!(invoice.status, InvoiceStatus::Paid { amount, .. } if amount == Amount::new(120)));
    assert!(world.node(BOB).events.iter().any(|event| matches!(
        event,
        Event::PaymentReceived { amount, asset, .. } if *amount == Amount::new(120) && *asset == usd()
    )));
    assert!(world.node(HUB).events.iter().any(|event| matches!(event, Event::PaymentForwarded { .. })));
    world.assert_agreement(ALICE, HUB);
    world.assert_agreement(HUB, BOB);
}
