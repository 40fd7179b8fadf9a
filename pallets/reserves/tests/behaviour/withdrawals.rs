//! What goes out.

use pallet_reserves::{
    Call, Destination, Error, Event, Notice, Totals, Withdrawal, totals, withdrawal, withdrawals,
};
use xln_primitives::{Amount, AssetId};

use crate::ledger::{BRIDGE, LEFT, Ledger, UNKNOWN, USD, amount};

fn destination() -> Destination {
    b"0xabc".to_vec().try_into().unwrap()
}

fn withdraw(asset: AssetId, amount: Amount) -> Call {
    Call::Withdraw { asset, amount, destination: destination() }
}

#[test]
fn a_withdrawal_leaves_the_reserve_at_once_and_is_final_when_the_bridge_confirms() {
    let mut ledger = Ledger::new();
    assert_eq!(ledger.call(LEFT, withdraw(USD, amount(30))), Ok(()));
    assert_eq!(ledger.reserve(LEFT, USD), 70);
    let pending = Withdrawal { owner: LEFT, asset: USD, amount: amount(30), destination: destination() };
    assert_eq!(withdrawal(&ledger.state, 1), Ok(Some(pending.clone())));
    assert_eq!(withdrawals(&ledger.state, None, 9), Ok(vec![(1, pending)]));
    assert_eq!(totals(&ledger.state, &USD).unwrap().pending, amount(30));

    assert_eq!(ledger.call(BRIDGE, Call::ConfirmWithdrawal { id: 1 }), Ok(()));
    assert_eq!(withdrawal(&ledger.state, 1), Ok(None));
    let expected =
        Totals { deposited: amount(200), withdrawn: amount(30), reserves: amount(170), ..Totals::default() };
    assert_eq!(totals(&ledger.state, &USD), Ok(expected));
    let told = Notice::WithdrawalFinal { id: 1, asset: USD, amount: amount(30) };
    assert_eq!(ledger.notices, [(LEFT, told)]);
    assert_eq!(ledger.events.last(), Some(&Event::WithdrawalConfirmed { id: 1 }));
}

#[test]
fn a_rejected_withdrawal_returns_to_its_reserve() {
    let mut ledger = Ledger::new();
    ledger.call(LEFT, withdraw(USD, amount(100))).unwrap();
    assert_eq!(ledger.reserve(LEFT, USD), 0);
    assert_eq!(ledger.call(BRIDGE, Call::RejectWithdrawal { id: 1 }), Ok(()));
    assert_eq!(ledger.reserve(LEFT, USD), 100);
    let told = Notice::WithdrawalReturned { id: 1, asset: USD, amount: amount(100) };
    assert_eq!(ledger.notices, [(LEFT, told)]);
    assert_eq!(ledger.events.last(), Some(&Event::WithdrawalRejected { id: 1 }));
}

#[test]
fn a_withdrawal_is_decided_once_and_by_the_bridge_only() {
    let mut ledger = Ledger::new();
    ledger.call(LEFT, withdraw(USD, amount(1))).unwrap();
    for call in [Call::ConfirmWithdrawal { id: 1 }, Call::RejectWithdrawal { id: 1 }] {
        let refused = ledger.call(LEFT, call);
        assert_eq!(refused, Err(Error::NotTheBridge { asset: USD, bridge: BRIDGE, origin: LEFT }));
    }
    ledger.call(BRIDGE, Call::ConfirmWithdrawal { id: 1 }).unwrap();
    for call in [Call::ConfirmWithdrawal { id: 1 }, Call::RejectWithdrawal { id: 1 }] {
        assert_eq!(ledger.call(BRIDGE, call), Err(Error::UnknownWithdrawal { id: 1 }));
    }
}

#[test]
fn more_than_the_reserve_nothing_and_unknown_assets_are_not_withdrawn() {
    let mut ledger = Ledger::new();
    let refused = ledger.call(LEFT, withdraw(USD, amount(120)));
    let error = Error::InsufficientReserve { entity: LEFT, asset: USD, needs: amount(120), has: amount(100) };
    assert_eq!(refused, Err(error.clone()));
    assert!(error.to_string().ends_with("needs 120, has 100"));
    assert_eq!(ledger.call(LEFT, withdraw(USD, Amount::ZERO)), Err(Error::ZeroAmount));
    let refused = ledger.call(LEFT, withdraw(UNKNOWN, amount(1)));
    assert_eq!(refused, Err(Error::UnknownAsset { asset: UNKNOWN }));
}

#[test]
fn pending_withdrawals_are_listed_oldest_first_and_numbers_are_never_reused() {
    let mut ledger = Ledger::new();
    for _ in 0..3 {
        ledger.call(LEFT, withdraw(USD, amount(1))).unwrap();
    }
    ledger.call(BRIDGE, Call::RejectWithdrawal { id: 3 }).unwrap();
    ledger.call(LEFT, withdraw(USD, amount(1))).unwrap();
    let numbers = |after| -> Vec<u64> {
        withdrawals(&ledger.state, after, 9).unwrap().into_iter().map(|(id, _)| id).collect()
    };
    assert_eq!(numbers(None), [1, 2, 4]);
    assert_eq!(numbers(Some(2)), [4]);
}
