//! What comes in.

use pallet_reserves::{Call, Error, Event, Notice, Reference, Totals, totals};
use xln_primitives::{Amount, AssetId, Delta, EntityId};

use crate::ledger::{ART, BRIDGE, LEFT, Ledger, OTHER, RIGHT, TOY, UNKNOWN, USD, amount};

fn deposit(asset: AssetId, to: EntityId, amount: Amount) -> Call {
    Call::Deposit { asset, to, amount, reference: reference() }
}

fn reference() -> Reference {
    b"tx 1".to_vec().try_into().unwrap()
}

#[test]
fn the_bridge_deposits_for_anybody_and_the_receiver_is_told() {
    let mut ledger = Ledger::new();
    assert_eq!(ledger.call(BRIDGE, deposit(USD, OTHER, amount(7))), Ok(()));
    assert_eq!(ledger.reserve(OTHER, USD), 7);
    let notice = Notice::Deposited { asset: USD, amount: amount(7), reference: reference() };
    assert_eq!(ledger.notices, [(OTHER, notice)]);
    let event =
        Event::Deposited { asset: USD, by: BRIDGE, to: OTHER, amount: amount(7), reference: reference() };
    assert_eq!(ledger.events, [event]);
    let expected = Totals { deposited: amount(207), reserves: amount(207), ..Totals::default() };
    assert_eq!(totals(&ledger.state, &USD), Ok(expected));
}

#[test]
fn nobody_but_the_bridge_deposits_where_there_is_no_faucet() {
    let mut ledger = Ledger::new();
    let refused = ledger.call(LEFT, deposit(USD, LEFT, amount(1)));
    assert_eq!(refused, Err(Error::NotTheBridge { asset: USD, bridge: BRIDGE, origin: LEFT }));
    assert_eq!(ledger.reserve(LEFT, USD), 100);
}

#[test]
fn a_faucet_gives_anybody_up_to_its_limit_and_does_not_bind_the_bridge() {
    let mut ledger = Ledger::new();
    assert_eq!(ledger.call(LEFT, deposit(TOY, RIGHT, amount(1_000))), Ok(()));
    let refused = ledger.call(LEFT, deposit(TOY, RIGHT, amount(1_001)));
    assert_eq!(refused, Err(Error::FaucetLimit { asset: TOY, asked: amount(1_001), limit: amount(1_000) }));
    assert_eq!(ledger.call(BRIDGE, deposit(TOY, RIGHT, amount(5_000))), Ok(()));
    assert_eq!(ledger.reserve(RIGHT, TOY), 6_000);
}

#[test]
fn nothing_and_unknown_assets_are_not_deposited() {
    let mut ledger = Ledger::new();
    assert_eq!(ledger.call(BRIDGE, deposit(USD, LEFT, Amount::ZERO)), Err(Error::ZeroAmount));
    let refused = ledger.call(BRIDGE, deposit(UNKNOWN, LEFT, amount(1)));
    assert_eq!(refused, Err(Error::UnknownAsset { asset: UNKNOWN }));
}

#[test]
fn the_supply_of_an_asset_always_fits_a_delta() {
    let mut ledger = Ledger::new();
    let limit = Delta::MAX.magnitude();
    let room = limit.sub(amount(200)).unwrap();
    let refused = ledger.call(BRIDGE, deposit(USD, LEFT, room.add(amount(1)).unwrap()));
    let too_much = room.add(amount(1)).unwrap();
    let error = Error::SupplyTooLarge { asset: USD, supply: amount(200), amount: too_much, limit };
    assert_eq!(refused, Err(error));
    let overflow = ledger.call(BRIDGE, deposit(USD, LEFT, Amount::MAX));
    assert!(matches!(overflow, Err(Error::SupplyTooLarge { .. })));
    assert_eq!(ledger.call(BRIDGE, deposit(USD, LEFT, room)), Ok(()));
}

#[test]
fn a_non_fungible_asset_exists_once() {
    let mut ledger = Ledger::new();
    assert!(matches!(ledger.call(BRIDGE, deposit(ART, LEFT, amount(2))), Err(Error::SupplyTooLarge { .. })));
    assert_eq!(ledger.call(BRIDGE, deposit(ART, LEFT, amount(1))), Ok(()));
    let one = amount(1);
    assert_eq!(
        ledger.call(BRIDGE, deposit(ART, RIGHT, one)),
        Err(Error::SupplyTooLarge { asset: ART, supply: one, amount: one, limit: one })
    );
}
