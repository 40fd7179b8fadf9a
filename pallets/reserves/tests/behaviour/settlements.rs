//! What both sides of a channel agree to.

use pallet_reserves::{
    Account, Call, ChannelInfo, Error, Event, Notice, Settlement, SettlementRow, account, accounts, channel,
    genesis_account, half,
};
use xln_primitives::{AssetId, ChannelId, Delta, Side, Timestamp};

use crate::ledger::{self, LEFT, Ledger, OTHER, RIGHT, TOY, UNKNOWN, USD, amount};

fn row(asset: AssetId, [left, right, collateral, ondelta]: [i128; 4]) -> SettlementRow {
    SettlementRow {
        asset,
        left_reserve_diff: Delta::new(left),
        right_reserve_diff: Delta::new(right),
        collateral_diff: Delta::new(collateral),
        ondelta_diff: Delta::new(ondelta),
    }
}

fn body(rows: Vec<SettlementRow>) -> Settlement {
    Settlement {
        channel: ledger::channel(),
        left: LEFT,
        right: RIGHT,
        epoch: 0,
        nonce: 1,
        expires: Timestamp::from_millis(2_000),
        close: false,
        rows: rows.try_into().unwrap(),
    }
}

/// A ledger whose channel has 50 of collateral, 20 of it left's.
fn funded() -> Ledger {
    let mut ledger = Ledger::new();
    let account = Account { collateral: amount(50), ondelta: Delta::new(20) };
    genesis_account(&mut ledger.state, &LEFT, &RIGHT, &USD, account).unwrap();
    ledger
}

fn both(ledger: &mut Ledger, body: &Settlement) -> Result<(), Error> {
    ledger.call(LEFT, Call::Settle(body.clone()))?;
    ledger.call(RIGHT, Call::Settle(body.clone()))
}

fn refused(body: &Settlement) -> Error {
    funded().call(LEFT, Call::Settle(body.clone())).unwrap_err()
}

#[test]
fn the_first_half_waits_and_the_second_executes() {
    let mut ledger = funded();
    let body = body(vec![row(USD, [-30, 10, 20, 5])]);
    assert_eq!(ledger.call(RIGHT, Call::Settle(body.clone())), Ok(()));
    assert_eq!(half(&ledger.state, &body.channel, Side::Right), Ok(Some(body.clone())));
    let waiting =
        Event::HalfSettled { channel: body.channel, side: Side::Right, nonce: 1, expires: body.expires };
    assert_eq!(ledger.events, [waiting]);
    assert_eq!((ledger.reserve(LEFT, USD), ledger.notices.len()), (100, 0));

    assert_eq!(ledger.call(LEFT, Call::Settle(body.clone())), Ok(()));
    assert_eq!((ledger.reserve(LEFT, USD), ledger.reserve(RIGHT, USD)), (70, 110));
    let expected = Account { collateral: amount(70), ondelta: Delta::new(25) };
    assert_eq!(account(&ledger.state, &body.channel, &USD), Ok(Some(expected)));
    assert_eq!(channel(&ledger.state, &body.channel), Ok(ChannelInfo { epoch: 0, nonce: 1 }));
    assert_eq!(half(&ledger.state, &body.channel, Side::Right), Ok(None));
    let [(LEFT, Notice::Settled(left)), (RIGHT, Notice::Settled(right))] = ledger.notices.as_slice() else {
        panic!("both sides are told: {:?}", ledger.notices)
    };
    assert_eq!(left, right);
    assert_eq!((left.nonce, left.closed, left.rows[0].collateral), (1, false, amount(70)));
}

#[test]
fn one_side_alone_settles_nothing_however_often_it_asks() {
    let mut ledger = funded();
    let body = body(vec![row(USD, [50, 0, -50, -20])]);
    for _ in 0..3 {
        assert_eq!(ledger.call(LEFT, Call::Settle(body.clone())), Ok(()));
    }
    assert_eq!(ledger.reserve(LEFT, USD), 100);
}

#[test]
fn a_half_that_differs_replaces_the_same_sides_own_and_never_the_others() {
    let mut ledger = funded();
    let (first, second) = (body(vec![row(USD, [1, 0, -1, 0])]), body(vec![row(USD, [2, 0, -2, 0])]));
    ledger.call(LEFT, Call::Settle(first.clone())).unwrap();
    ledger.call(LEFT, Call::Settle(second.clone())).unwrap();
    assert_eq!(ledger.call(RIGHT, Call::Settle(first.clone())), Ok(()), "waits: left changed its mind");
    assert_eq!(half(&ledger.state, &first.channel, Side::Left), Ok(Some(second.clone())));
    assert_eq!(half(&ledger.state, &first.channel, Side::Right), Ok(Some(first)));
    assert_eq!(ledger.reserve(LEFT, USD), 100);
    ledger.call(RIGHT, Call::Settle(second)).unwrap();
    assert_eq!(ledger.reserve(LEFT, USD), 102);
}

#[test]
fn a_settlement_executes_once() {
    let mut ledger = funded();
    let body = body(vec![row(USD, [1, 0, -1, 0])]);
    both(&mut ledger, &body).unwrap();
    let error = Error::WrongNonce { channel: body.channel, expected: 2, found: 1 };
    assert_eq!(both(&mut ledger, &body), Err(error));
}

#[test]
fn every_other_change_of_the_channel_outdates_a_half() {
    let mut ledger = funded();
    let body = body(vec![row(USD, [1, 0, -1, 0])]);
    ledger.call(LEFT, Call::Settle(body.clone())).unwrap();
    let allocate =
        Call::Allocate { left: LEFT, right: RIGHT, in_favour: Side::Left, asset: USD, amount: amount(1) };
    ledger.call(RIGHT, allocate).unwrap();
    assert_eq!(half(&ledger.state, &body.channel, Side::Left), Ok(None));
    let error = Error::WrongNonce { channel: body.channel, expected: 2, found: 1 };
    assert_eq!(ledger.call(RIGHT, Call::Settle(body)), Err(error));
}

#[test]
fn nothing_executes_from_its_expiry_on() {
    let mut ledger = funded();
    let body = body(vec![row(USD, [1, 0, -1, 0])]);
    ledger.now = 1_999;
    ledger.call(LEFT, Call::Settle(body.clone())).unwrap();
    ledger.now = 2_000;
    let (expires, now) = (Timestamp::from_millis(2_000), Timestamp::from_millis(2_000));
    assert_eq!(ledger.call(RIGHT, Call::Settle(body.clone())), Err(Error::Expired { expires, now }));
    ledger.now = 1_999;
    assert_eq!(ledger.call(RIGHT, Call::Settle(body)), Ok(()));
}

#[test]
fn epoch_and_nonce_must_be_exactly_the_next_ones() {
    let channel = ledger::channel();
    for found in [0, 2] {
        let error = Error::WrongNonce { channel, expected: 1, found };
        assert_eq!(refused(&Settlement { nonce: found, ..body(vec![]) }), error);
    }
    let error = Error::WrongEpoch { channel, expected: 0, found: 1 };
    assert_eq!(refused(&Settlement { epoch: 1, ..body(vec![]) }), error);
}

#[test]
fn the_body_names_its_own_channel_and_sides_and_only_they_speak() {
    let expected = ledger::channel();
    let found = ChannelId::new([7; 32]);
    assert_eq!(
        refused(&Settlement { channel: found, ..body(vec![]) }),
        Error::WrongChannel { expected, found }
    );
    let swapped = Settlement { left: RIGHT, right: LEFT, ..body(vec![]) };
    assert_eq!(refused(&swapped), Error::SidesOutOfOrder { left: RIGHT, right: LEFT });
    let error = Error::NotASide { channel: expected, origin: OTHER };
    assert_eq!(funded().call(OTHER, Call::Settle(body(vec![]))), Err(error));
}

#[test]
fn rows_add_up_to_zero_without_overflow() {
    let unbalanced = |parts: [i128; 3]| {
        let [left, right, collateral] = parts;
        let error = Error::Unbalanced {
            asset: USD,
            left: Delta::new(left),
            right: Delta::new(right),
            collateral: Delta::new(collateral),
        };
        assert_eq!(refused(&body(vec![row(USD, [left, right, collateral, 0])])), error);
    };
    unbalanced([1, 0, 0]);
    unbalanced([-30, 10, 21]);
    unbalanced([i128::MAX, i128::MAX, 2]);
    unbalanced([i128::MIN, i128::MIN, 0]);
    unbalanced([i128::MIN, 0, i128::MAX]);
    for parts in [[i128::MAX, 1, i128::MIN, 0], [1, i128::MIN, i128::MAX, 0], [i128::MIN, i128::MAX, 1, 0]] {
        assert!(row(USD, parts).is_balanced(), "{parts:?}");
    }
}

#[test]
fn every_asset_stands_once_and_is_known() {
    let twice = body(vec![row(USD, [0; 4]), row(TOY, [0; 4]), row(USD, [0; 4])]);
    assert_eq!(refused(&twice), Error::DuplicateAsset { asset: USD });
    let error = Error::UnknownAsset { asset: UNKNOWN };
    assert_eq!(refused(&body(vec![row(UNKNOWN, [0; 4])])), error);
}

#[test]
fn what_is_not_there_cannot_be_moved_and_the_first_half_keeps_waiting() {
    let channel = ledger::channel();
    let reserve =
        |entity| Error::InsufficientReserve { entity, asset: USD, needs: amount(101), has: amount(100) };
    let collateral =
        Error::InsufficientCollateral { channel, asset: USD, needs: amount(51), has: amount(50) };
    for (diffs, error) in [
        ([-101, 101, 0, 0], reserve(LEFT)),
        ([0, -101, 101, 0], reserve(RIGHT)),
        ([51, 0, -51, 0], collateral),
    ] {
        let mut ledger = funded();
        let body = body(vec![row(USD, diffs)]);
        assert_eq!(both(&mut ledger, &body), Err(error));
        assert_eq!(half(&ledger.state, &channel, Side::Left), Ok(Some(body)));
        assert_eq!((ledger.reserve(LEFT, USD), ledger.reserve(RIGHT, USD)), (100, 100));
    }
    let mut ledger = funded();
    let overflow = both(&mut ledger, &body(vec![row(USD, [0, 0, 0, i128::MAX])]));
    assert!(matches!(overflow, Err(Error::Arithmetic(_))));
}

#[test]
fn a_row_that_fails_takes_the_whole_settlement_with_it() {
    let mut ledger = funded();
    let body = body(vec![row(USD, [1, 0, -1, 0]), row(TOY, [-1, 0, 1, 0])]);
    assert!(matches!(both(&mut ledger, &body), Err(Error::InsufficientReserve { .. })));
    assert_eq!(ledger.reserve(LEFT, USD), 100);
}

#[test]
fn a_settlement_may_give_a_channel_its_first_row() {
    let mut ledger = Ledger::new();
    both(&mut ledger, &body(vec![row(USD, [-10, 0, 10, 10])])).unwrap();
    let expected = Account { collateral: amount(10), ondelta: Delta::new(10) };
    assert_eq!(account(&ledger.state, &ledger::channel(), &USD), Ok(Some(expected)));
}

#[test]
fn a_close_empties_the_channel_and_begins_another_life() {
    let mut ledger = funded();
    let close = Settlement { close: true, ..body(vec![row(USD, [20, 30, -50, -20])]) };
    both(&mut ledger, &close).unwrap();
    assert_eq!((ledger.reserve(LEFT, USD), ledger.reserve(RIGHT, USD)), (120, 130));
    assert_eq!(accounts(&ledger.state, &close.channel), Ok(vec![]));
    assert_eq!(channel(&ledger.state, &close.channel), Ok(ChannelInfo { epoch: 1, nonce: 1 }));
    let Some((RIGHT, Notice::Settled(settled))) = ledger.notices.last() else { panic!("right is told") };
    assert_eq!((settled.epoch, settled.nonce, settled.closed), (0, 1, true));
    assert_eq!(settled.rows.len(), 1, "the row that went is told at zero");
    assert!(settled.rows[0].collateral.is_zero() && settled.rows[0].ondelta.is_zero());

    let old_life = Settlement { nonce: 2, ..body(vec![]) };
    let error = Error::WrongEpoch { channel: close.channel, expected: 1, found: 0 };
    assert_eq!(both(&mut ledger, &old_life), Err(error));
    let new_life = Settlement { epoch: 1, nonce: 2, ..body(vec![row(USD, [-5, 0, 5, 5])]) };
    assert_eq!(both(&mut ledger, &new_life), Ok(()));
}

#[test]
fn a_close_leaves_nothing_behind_in_any_asset() {
    let mut ledger = funded();
    let leaves = |collateral, ondelta| Error::CloseLeaves {
        asset: USD,
        collateral: amount(collateral),
        ondelta: Delta::new(ondelta),
    };
    let close = |diffs| Settlement { close: true, ..body(vec![row(USD, diffs)]) };
    assert_eq!(both(&mut ledger, &close([20, 29, -49, -20])), Err(leaves(1, 0)));
    assert_eq!(both(&mut ledger, &close([20, 30, -50, -19])), Err(leaves(0, 1)));
    let forgotten = Settlement { close: true, ..body(vec![]) };
    assert_eq!(both(&mut ledger, &forgotten), Err(leaves(50, 20)));
}

#[test]
fn a_channel_that_never_had_collateral_closes_too() {
    let mut ledger = Ledger::new();
    let close = Settlement { close: true, ..body(vec![]) };
    assert_eq!(both(&mut ledger, &close), Ok(()));
    assert_eq!(channel(&ledger.state, &close.channel), Ok(ChannelInfo { epoch: 1, nonce: 1 }));
}
