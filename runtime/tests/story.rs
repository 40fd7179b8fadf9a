//! The story of the README, on the runtime alone: a newcomer is paid over a hub at once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod network;

use network::{Network, USD};
use pallet_channels::{Call as Channels, Credit, Event, PaymentStatus, RouteHop, view};
use xln_primitives::{Amount, AssetId, BoundedVec};
use xln_runtime::RuntimeEvent;

#[test]
fn a_newcomer_grants_credit_and_is_paid_over_the_hub_within_one_slice() {
    let mut network = Network::new();
    let (alice, hub, bob) = (network.id("alice"), network.id("hub"), network.id("bob"));
    let usd = AssetId::named(USD);
    let credits = BoundedVec::truncate_from(vec![Credit { asset: usd, limit: Amount::new(500) }]);
    network.run(vec![network.call("bob", 0, [Channels::Open { peer: hub, credits }.into()])]);

    let route =
        BoundedVec::truncate_from(vec![RouteHop { via: hub, fee: Amount::ZERO, timelock_delta_ms: 40_000 }]);
    let pay = Channels::Pay {
        to: bob,
        asset: usd,
        amount: Amount::new(120),
        route,
        hash: None,
        max_fee: Amount::ZERO,
        timeout_ms: 60_000,
    };
    let executed = network.run(vec![network.call("alice", 0, [pay.into()])]);
    assert!(!network.server.has_carried(), "everything was said within the slice");
    let received = executed.events.iter().flat_map(|frame| &frame.events).any(|event| {
        matches!(event, RuntimeEvent::Channels(Event::PaymentReceived { amount, .. }) if *amount == Amount::new(120))
    });
    assert!(received, "{:#?}", executed.events);
    let state = network.server.entity(&alice).unwrap();
    let payment = view::payment(&state.state(), 1).unwrap().unwrap();
    assert!(matches!(payment.status, PaymentStatus::Succeeded { .. }), "{payment:?}");
    assert_eq!(network.delta(bob, hub, bob), 120, "the hub owes bob 120");
    assert_eq!(network.delta(alice, hub, alice), 280, "alice had 400 of the collateral");
    assert_eq!(network.delta(hub, bob, hub), -120);
    network.seal();
    let mut again = network.genesis.build().unwrap();
    for slice in &network.slices {
        again.replay(slice, true).unwrap();
    }
    again.replay_block(&network.blocks[0]).unwrap();
}
