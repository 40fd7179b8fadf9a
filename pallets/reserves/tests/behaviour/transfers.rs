//! From reserve to reserve.

use pallet_reserves::{Call, Error, Event, Notice, assets, reserves};
use xln_primitives::{Amount, AssetId};

use crate::ledger::{ART, BRIDGE, LEFT, Ledger, OTHER, RIGHT, TOY, UNKNOWN, USD, amount};

fn transfer(asset: AssetId, amount: Amount) -> Call {
    Call::Transfer { to: OTHER, asset, amount }
}

#[test]
fn a_transfer_moves_reserve_and_tells_the_receiver() {
    let mut ledger = Ledger::new();
    assert_eq!(ledger.call(LEFT, transfer(USD, amount(40))), Ok(()));
    assert_eq!((ledger.reserve(LEFT, USD), ledger.reserve(OTHER, USD)), (60, 40));
    let told = Notice::Received { from: LEFT, asset: USD, amount: amount(40) };
    assert_eq!(ledger.notices, [(OTHER, told)]);
    let event = Event::Transferred { asset: USD, from: LEFT, to: OTHER, amount: amount(40) };
    assert_eq!(ledger.events, [event]);
}

#[test]
fn a_transfer_to_oneself_changes_nothing() {
    let mut ledger = Ledger::new();
    let call = Call::Transfer { to: LEFT, asset: USD, amount: amount(100) };
    let before = ledger.state.clone();
    assert_eq!(ledger.call(LEFT, call), Ok(()));
    assert_eq!(ledger.state, before);
}

#[test]
fn more_than_the_reserve_nothing_and_unknown_assets_are_not_transferred() {
    let mut ledger = Ledger::new();
    let error = Error::InsufficientReserve { entity: LEFT, asset: USD, needs: amount(101), has: amount(100) };
    assert_eq!(ledger.call(LEFT, transfer(USD, amount(101))), Err(error));
    assert_eq!(ledger.call(LEFT, transfer(USD, Amount::ZERO)), Err(Error::ZeroAmount));
    let refused = ledger.call(LEFT, transfer(UNKNOWN, amount(1)));
    assert_eq!(refused, Err(Error::UnknownAsset { asset: UNKNOWN }));
}

#[test]
fn reserves_are_listed_by_asset_and_a_reserve_of_zero_is_no_state() {
    let mut ledger = Ledger::new();
    let reference = Default::default();
    ledger.call(BRIDGE, Call::Deposit { asset: TOY, to: LEFT, amount: amount(5), reference }).unwrap();
    let of_left = |ledger: &Ledger, after| reserves(&ledger.state, &LEFT, after, 9).unwrap();
    assert_eq!(of_left(&ledger, None), [(USD, amount(100)), (TOY, amount(5))]);
    assert_eq!(of_left(&ledger, Some(&USD)), [(TOY, amount(5))]);
    ledger.call(LEFT, transfer(USD, amount(100))).unwrap();
    assert_eq!(of_left(&ledger, None), [(TOY, amount(5))]);
    assert_eq!(reserves(&ledger.state, &RIGHT, None, 9), Ok(vec![(USD, amount(100))]));
}

#[test]
fn assets_are_listed_by_identifier() {
    let ledger = Ledger::new();
    let ids = |after| -> Vec<AssetId> {
        assets(&ledger.state, after, 9).unwrap().into_iter().map(|(id, _)| id).collect()
    };
    assert_eq!(ids(None), [USD, TOY, ART]);
    assert_eq!(ids(Some(&TOY)), [ART]);
}
