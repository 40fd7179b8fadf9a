//! From reserve to collateral.

use pallet_reserves::{
    Account, AssetKind, Call, ChannelInfo, Error, Event, Notice, Settled, SettledRow, account, accounts,
    channel, channel_key, genesis_account, genesis_asset, genesis_reserve, totals,
};
use xln_primitives::{Amount, AssetId, Delta, Side, Storage};

use crate::ledger::{self, LEFT, Ledger, OTHER, RIGHT, UNKNOWN, USD, amount, info};
use codec::Decode;

fn allocate(in_favour: Side, amount: Amount) -> Call {
    Call::Allocate { left: LEFT, right: RIGHT, in_favour, asset: USD, amount }
}

#[test]
fn anybody_adds_collateral_in_favour_of_either_side_and_both_are_told() {
    let mut ledger = Ledger::new();
    genesis_reserve(&mut ledger.state, &OTHER, &USD, amount(9)).unwrap();
    assert_eq!(ledger.call(OTHER, allocate(Side::Right, amount(9))), Ok(()));
    assert_eq!(ledger.call(LEFT, allocate(Side::Left, amount(30))), Ok(()));
    assert_eq!((ledger.reserve(OTHER, USD), ledger.reserve(LEFT, USD)), (0, 70));

    let id = ledger::channel();
    let expected = Account { collateral: amount(39), ondelta: Delta::new(30) };
    assert_eq!(account(&ledger.state, &id, &USD), Ok(Some(expected)));
    assert_eq!(accounts(&ledger.state, &id), Ok(vec![(USD, expected)]));
    assert_eq!(totals(&ledger.state, &USD).unwrap().collateral, amount(39));

    let row = SettledRow { asset: USD, collateral: amount(39), ondelta: Delta::new(30) };
    let settled = Settled {
        channel: id,
        left: LEFT,
        right: RIGHT,
        epoch: 0,
        nonce: 2,
        closed: false,
        rows: vec![row].try_into().unwrap(),
    };
    let notice = Notice::Settled(settled.clone());
    assert_eq!(ledger.notices[2..], [(LEFT, notice.clone()), (RIGHT, notice)]);
    assert_eq!(ledger.events.last(), Some(&Event::Settled(settled)));
}

#[test]
fn each_allocation_takes_the_next_nonce_where_a_proof_looks_for_it() {
    let mut ledger = Ledger::new();
    let key = channel_key(&ledger::channel());
    assert_eq!(ledger.state.get(key.as_ref()), None);
    assert_eq!(channel(&ledger.state, &ledger::channel()), Ok(ChannelInfo { epoch: 0, nonce: 0 }));
    for nonce in 1..=3 {
        ledger.call(LEFT, allocate(Side::Left, amount(1))).unwrap();
        let stored = ChannelInfo::decode(&mut ledger.state.get(key.as_ref()).unwrap()).unwrap();
        assert_eq!(stored, ChannelInfo { epoch: 0, nonce });
    }
}

#[test]
fn more_than_the_reserve_nothing_and_unknown_assets_are_not_allocated() {
    let mut ledger = Ledger::new();
    let error = Error::InsufficientReserve { entity: OTHER, asset: USD, needs: amount(1), has: amount(0) };
    assert_eq!(ledger.call(OTHER, allocate(Side::Left, amount(1))), Err(error));
    assert_eq!(ledger.call(LEFT, allocate(Side::Left, Amount::ZERO)), Err(Error::ZeroAmount));
    let call =
        Call::Allocate { left: LEFT, right: RIGHT, in_favour: Side::Left, asset: UNKNOWN, amount: amount(1) };
    assert_eq!(ledger.call(LEFT, call), Err(Error::UnknownAsset { asset: UNKNOWN }));
}

#[test]
fn a_channel_has_two_sides_in_order() {
    let mut ledger = Ledger::new();
    for (left, right) in [(RIGHT, LEFT), (LEFT, LEFT)] {
        let call = Call::Allocate { left, right, in_favour: Side::Left, asset: USD, amount: amount(1) };
        assert_eq!(ledger.call(LEFT, call), Err(Error::SidesOutOfOrder { left, right }));
    }
}

#[test]
fn a_claim_that_would_overflow_is_refused() {
    let mut ledger = Ledger::new();
    let full = Account { collateral: Amount::ZERO, ondelta: Delta::MAX };
    genesis_account(&mut ledger.state, &LEFT, &RIGHT, &USD, full).unwrap();
    let refused = ledger.call(LEFT, allocate(Side::Left, amount(1)));
    assert!(matches!(refused, Err(Error::Arithmetic(_))));
    assert_eq!(ledger.reserve(LEFT, USD), 100);
    assert_eq!(ledger.call(LEFT, allocate(Side::Right, amount(1))), Ok(()));
}

#[test]
fn a_channel_takes_64_assets_and_no_more() {
    let mut ledger = Ledger::new();
    for n in 0..65 {
        let asset = AssetId::new([n; 32]);
        genesis_asset(&mut ledger.state, asset, &info(AssetKind::Multi, None)).unwrap();
        genesis_reserve(&mut ledger.state, &LEFT, &asset, amount(2)).unwrap();
    }
    let add = |n: u8| {
        let asset = AssetId::new([n; 32]);
        Call::Allocate { left: LEFT, right: RIGHT, in_favour: Side::Left, asset, amount: amount(1) }
    };
    for n in 0..64 {
        assert_eq!(ledger.call(LEFT, add(n)), Ok(()));
    }
    assert_eq!(ledger.call(LEFT, add(64)), Err(Error::TooManyRows { channel: ledger::channel() }));
    assert_eq!(ledger.call(LEFT, add(63)), Ok(()), "a row that is there already still grows");
    assert_eq!(accounts(&ledger.state, &ledger::channel()).unwrap().len(), 64);
    let elsewhere = Call::Allocate {
        left: LEFT,
        right: OTHER,
        in_favour: Side::Left,
        asset: AssetId::new([64; 32]),
        amount: amount(1),
    };
    assert_eq!(ledger.call(LEFT, elsewhere), Ok(()), "the limit is each channel's own");
}
