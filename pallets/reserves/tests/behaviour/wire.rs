//! The bytes of calls and notices.

use codec::Encode;
use pallet_reserves::{Call, Error, Notice, Settled, SettledRow, Settlement, SettlementRow};
use xln_primitives::{Delta, Side, Timestamp, decode_exact};

use crate::ledger::{self, LEFT, OTHER, RIGHT, USD, amount};

fn settlement() -> Settlement {
    let row = SettlementRow {
        asset: USD,
        left_reserve_diff: Delta::new(-3),
        right_reserve_diff: Delta::new(1),
        collateral_diff: Delta::new(2),
        ondelta_diff: Delta::new(-1),
    };
    Settlement {
        channel: ledger::channel(),
        left: LEFT,
        right: RIGHT,
        epoch: 0x0102_0304,
        nonce: 5,
        expires: Timestamp::from_millis(6),
        close: true,
        rows: vec![row].try_into().unwrap(),
    }
}

#[test]
fn calls_have_the_codes_of_the_wire_and_read_back() {
    let (asset, amount) = (USD, amount(1));
    let calls = [
        (0x40, Call::Deposit { asset, to: OTHER, amount, reference: Default::default() }),
        (0x41, Call::Withdraw { asset, amount, destination: Default::default() }),
        (0x42, Call::Allocate { left: LEFT, right: RIGHT, in_favour: Side::Right, asset, amount }),
        (0x43, Call::Transfer { to: OTHER, asset, amount }),
        (0x44, Call::Settle(settlement())),
        (0x45, Call::Reveal { preimage: [7; 32] }),
        (0x46, Call::ConfirmWithdrawal { id: 1 }),
        (0x47, Call::RejectWithdrawal { id: 1 }),
    ];
    for (code, call) in calls {
        let bytes = call.encode();
        assert_eq!(bytes[0], code);
        assert_eq!(decode_exact::<Call>(&bytes, 1_000), Ok(call));
    }
}

#[test]
fn a_settlement_has_exactly_these_bytes() {
    let mut golden = Vec::new();
    golden.extend(ledger::channel().as_bytes());
    golden.extend([1; 32]);
    golden.extend([2; 32]);
    golden.extend([4, 3, 2, 1]);
    golden.extend([5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 1, 4]);
    golden.extend([0xa0; 32]);
    for diff in [-3_i128, 1, 2, -1] {
        golden.extend(diff.to_le_bytes());
    }
    assert_eq!(settlement().encode(), golden);
}

#[test]
fn a_settled_notice_has_exactly_these_bytes() {
    let row = SettledRow { asset: USD, collateral: amount(9), ondelta: Delta::new(-1) };
    let rows = vec![row].try_into().unwrap();
    let channel = ledger::channel();
    let settled = Settled { channel, left: LEFT, right: RIGHT, epoch: 1, nonce: 2, closed: false, rows };
    let mut golden = vec![0];
    golden.extend(channel.as_bytes());
    golden.extend([1; 32]);
    golden.extend([2; 32]);
    golden.extend([1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 4]);
    golden.extend([0xa0; 32]);
    golden.extend(9_u128.to_le_bytes());
    golden.extend((-1_i128).to_le_bytes());
    assert_eq!(Notice::Settled(settled).encode(), golden);
}

#[test]
fn more_than_64_rows_do_not_decode() {
    let row = settlement().rows[0].clone();
    let Settlement { channel, left, right, epoch, nonce, expires, close, .. } = settlement();
    let bytes = (0x44_u8, (channel, left, right, epoch, nonce, expires, close), vec![row; 65]).encode();
    assert!(decode_exact::<Call>(&bytes, 100_000).is_err());
}

#[test]
fn errors_carry_their_numbers() {
    let unbalanced = Error::Unbalanced {
        asset: USD,
        left: Delta::new(-3),
        right: Delta::new(1),
        collateral: Delta::new(3),
    };
    let text = unbalanced.to_string();
    assert!(text.ends_with("left's reserve -3, right's reserve +1, collateral +3"), "{text}");
    assert_eq!(decode_exact::<Error>(&unbalanced.encode(), 1_000), Ok(unbalanced));
}
