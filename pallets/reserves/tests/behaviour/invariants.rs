//! `try_state` finds what no call can write.

use codec::Encode;
use pallet_reserves::{Account, Error, Totals, Violation, Withdrawal, genesis_account, try_state};
use xln_primitives::{Amount, AssetId, Delta, Storage, StorageKey, StorageType, storage::MemoryStorage};

use crate::ledger::{self, ART, LEFT, Ledger, RIGHT, UNKNOWN, USD, amount};

fn place(tag: u8) -> StorageKey {
    StorageKey::new(StorageType::Reserves, tag)
}

fn with(key: StorageKey, value: impl Encode) -> MemoryStorage {
    let mut state = Ledger::new().state;
    let account = Account { collateral: amount(50), ondelta: Delta::ZERO };
    genesis_account(&mut state, &LEFT, &RIGHT, &USD, account).unwrap();
    assert_eq!(try_state(&state), Ok(()));
    state.put(key.as_ref(), value.encode());
    state
}

fn conservation(supply: u128, held: u128) -> Result<(), Violation> {
    Err(Violation::Conservation { asset: USD, supply: amount(supply), held: amount(held) })
}

#[test]
fn money_from_nowhere_is_found_wherever_it_stands() {
    let reserve = with(place(2).with(&(LEFT, USD)), amount(101));
    assert_eq!(try_state(&reserve), conservation(250, 251));
    let account = Account { collateral: amount(49), ondelta: Delta::ZERO };
    let collateral = with(place(3).with(&(ledger::channel(), USD)), account);
    assert_eq!(try_state(&collateral), conservation(250, 249));
    let pending = Withdrawal { owner: LEFT, asset: USD, amount: amount(3), destination: Default::default() };
    let mut withdrawal = with(place(5).with(&1_u64.to_be_bytes()), &pending);
    assert_eq!(try_state(&withdrawal), Err(Violation::UnknownWithdrawal { id: 1, last: 0 }));
    withdrawal.put(place(6).as_ref(), 1_u64.encode());
    assert_eq!(try_state(&withdrawal), conservation(250, 253));
}

#[test]
fn totals_that_do_not_follow_the_entries_are_found() {
    let kept =
        Totals { deposited: amount(250), reserves: amount(201), collateral: amount(49), ..Totals::default() };
    let counted = Totals { reserves: amount(200), collateral: amount(50), ..kept };
    let state = with(place(1).with(&USD), kept);
    let (kept, counted) = (Box::new(kept), Box::new(counted));
    assert_eq!(try_state(&state), Err(Violation::Totals { asset: USD, kept, counted }));
    let negative = Totals { withdrawn: amount(251), ..Totals::default() };
    assert!(matches!(try_state(&with(place(1).with(&USD), negative)), Err(Violation::Arithmetic(_))));
}

#[test]
fn a_second_copy_of_what_exists_once_is_found() {
    let two = Totals { deposited: amount(2), reserves: amount(2), ..Totals::default() };
    let mut state = with(place(1).with(&ART), two);
    state.put(place(2).with(&(LEFT, ART)).as_ref(), amount(2).encode());
    let violation = Violation::Supply { asset: ART, supply: amount(2), limit: amount(1) };
    assert_eq!(try_state(&state), Err(violation));
}

#[test]
fn entries_that_should_not_be_there_are_found() {
    let empty = with(place(2).with(&(LEFT, UNKNOWN)), Amount::ZERO);
    assert_eq!(try_state(&empty), Err(Violation::EmptyReserve { entity: LEFT, asset: UNKNOWN }));
    let undefined = with(place(2).with(&(LEFT, UNKNOWN)), amount(1));
    assert_eq!(try_state(&undefined), Err(Violation::UndefinedAsset { asset: UNKNOWN }));
    let undefined = with(place(1).with(&UNKNOWN), Totals::default());
    assert_eq!(try_state(&undefined), Err(Violation::UndefinedAsset { asset: UNKNOWN }));
    let damaged = with(place(3).with(&(ledger::channel(), USD)), 1_u8);
    assert!(matches!(try_state(&damaged), Err(Violation::State(Error::Corrupt(_)))));

    let mut full = Ledger::new().state;
    for n in 0..65 {
        let key = place(3).with(&(ledger::channel(), AssetId::new([n; 32])));
        full.put(key.as_ref(), Account::default().encode());
    }
    assert_eq!(try_state(&full), Err(Violation::TooManyRows { channel: ledger::channel() }));
}
