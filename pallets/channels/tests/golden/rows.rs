//! What an entity stores about its channels: the types, and whole rows as a story leaves them, key and value.

use std::collections::BTreeMap;

use pallet_channels::{
    Acknowledged, Call, Cause, Channel, Forward, ForwardStatus, Htlc, HtlcRole, HtlcTerms, Invoice,
    InvoiceStatus, Payment, PaymentStatus, Policy, Progress, Status, Subchannel,
};
use xln_primitives::{Amount, Delta, Side, Storage};

use super::{
    harness::{World, entity, hold_invoice, pay, pay_direct, preimage, usd},
    pin, pin_all,
    values::{
        AMOUNT, ASSET, CHANNEL, ENTITY, LOCK, OTHER_AMOUNT, OTHER_CHANNEL, OTHER_ENTITY, OTHER_STATE,
        OTHER_TIME, STATE, TIME, failure, hop, list, settlement,
    },
    written,
};

/// A key and its value.
type Row = (Vec<u8>, Vec<u8>);

/// Storage type of everything here.
const CHANNELS: u8 = 0x03;
/// The last tag in use.
const LAST_TAG: u8 = 0x11;

const ALICE: u8 = 1;
const HUB: u8 = 2;
const BOB: u8 = 3;

#[test]
fn a_channel() {
    let fault = pallet_channels::FrameFault::WrongParent { height: 5, expected: STATE, found: OTHER_STATE };
    pin_all(&[
        (Status::Open, "00"),
        (
            Status::Closing(settlement()),
            "215 bytes 0xc940e9dbd8d142b5e0862b563d4c9f47907846a53fc782507541b6015cfbf7cc",
        ),
        (
            Status::Frozen { fault, evidence: STATE, closing: None },
            "107 bytes 0x5e9350fd06aec37a57ed471ba432ca01f3f6fed04029279a50d7a773ab00aa00",
        ),
    ]);
    let row = Subchannel {
        asset: ASSET,
        collateral: AMOUNT,
        ondelta: Delta::new(6),
        offdelta: Delta::new(-7),
        left_credit_limit: OTHER_AMOUNT,
        right_credit_limit: Amount::new(8),
        left_hold: Amount::new(9),
        right_hold: Amount::new(10),
    };
    pin(&row, "144 bytes 0xa9d92640f4292465c2d2453e78784d95f389be4b227b6ddfe4747ac0a2c89f42");
    let acknowledged = Acknowledged { height: 5, state_hash: STATE, owed: true };
    pin(&acknowledged, "0500000000000000515151515151515151515151515151515151515151515151515151515151515101");
    let channel = Channel {
        id: CHANNEL,
        left: ENTITY,
        right: OTHER_ENTITY,
        epoch: 4,
        height: 5,
        state_hash: STATE,
        timestamp: TIME,
        settled_nonce: 6,
        conditions_root: OTHER_STATE,
        pending_htlcs: 7,
        subchannels: list(vec![row]),
        status: Status::Open,
        acknowledged: Some(acknowledged),
    };
    pin(&channel, "378 bytes 0x507ff70108a278130327a37e4dc24eb165f073cbc30e596cd6af685847706286");
}

#[test]
fn an_htlc() {
    pin_all(&[
        (Cause::Payment(5), "000500000000000000"),
        (Cause::Forward(6), "010600000000000000"),
        (Cause::ExpiryProven, "02"),
    ]);
    pin_all(&[
        (Progress::Held, "00"),
        (Progress::Forwarded(5), "010500000000000000"),
        (
            Progress::Fulfilling { preimage: preimage(7), revealed: true, forward: Some(6) },
            "02070707070707070707070707070707070707070707070707070707070707070701010600000000000000",
        ),
        (Progress::Failing, "03"),
    ]);
    pin_all(&[
        (HtlcRole::Outbound(Cause::Payment(5)), "00000500000000000000"),
        (HtlcRole::Inbound(Progress::Held), "0100"),
    ]);
    let terms = HtlcTerms { payer: Side::Right, asset: ASSET, amount: AMOUNT, hash: LOCK, deadline: TIME };
    pin(
        &Htlc { terms, added: 5, role: HtlcRole::Inbound(Progress::Held) },
        "99 bytes 0x916a0ff8fe3d3534f6c93cd016ef170cc3d941c44870d898c1f6cc181039541d",
    );
}

#[test]
fn a_payment_an_invoice_and_a_forward() {
    pin_all(&[
        (PaymentStatus::Requested, "00"),
        (PaymentStatus::Pending, "01"),
        (
            PaymentStatus::Succeeded { preimage: preimage(7) },
            "020707070707070707070707070707070707070707070707070707070707070707",
        ),
        (PaymentStatus::Failed { failure: failure() }, "03030e"),
    ]);
    let payment = Payment {
        number: 5,
        hash: Some(LOCK),
        to: ENTITY,
        asset: ASSET,
        amount: AMOUNT,
        fee: OTHER_AMOUNT,
        route: list(vec![hop()]),
        timeout_ms: 6,
        status: PaymentStatus::Pending,
        created: TIME,
        resolved: Some(OTHER_TIME),
    };
    pin(&payment, "220 bytes 0xa5b06be3a89c986462e83bd9ebd445df3c16fe877274417546e515ce64ac4fbe");
    pin_all(&[
        (InvoiceStatus::Open, "00"),
        (
            InvoiceStatus::Accepted { channel: CHANNEL, slot: 0x0102, amount: AMOUNT },
            "01c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c20201010a0000000000000000000000000000",
        ),
        (
            InvoiceStatus::Paid { amount: AMOUNT, at: TIME },
            "02010a0000000000000000000000000000010b000000000000",
        ),
        (InvoiceStatus::Cancelled, "03"),
    ]);
    let invoice = Invoice {
        hash: LOCK,
        preimage: Some(preimage(7)),
        asset: ASSET,
        amount: Some(AMOUNT),
        description: list(b"tea".to_vec()),
        created: TIME,
        expires: OTHER_TIME,
        status: InvoiceStatus::Open,
    };
    pin(&invoice, "135 bytes 0xb9e4d529ad3be11a67a1b6e301f960cf620161711e56f1e4dd2e10dd1bd00a5a");
    pin_all(&[
        (ForwardStatus::Pending, "00"),
        (ForwardStatus::Succeeded, "01"),
        (ForwardStatus::Failed { failure: failure() }, "02030e"),
    ]);
    let forward = Forward {
        number: 5,
        hash: LOCK,
        asset: ASSET,
        inbound: CHANNEL,
        inbound_slot: 0x0102,
        inbound_height: 6,
        outbound: OTHER_CHANNEL,
        amount: AMOUNT,
        fee: OTHER_AMOUNT,
        status: ForwardStatus::Pending,
        created: TIME,
        resolved: None,
    };
    pin(&forward, "188 bytes 0x86dcb7ccb3c6eb1b8ddf0bb959283a6152d635704fe0adaf4bd8d041cfff9cbe");
}

/// Alice, the hub and Bob after payments of every kind, some of them under way.
fn story() -> World {
    let mut world = World::new(&[ALICE, HUB, BOB]);
    let policy = Policy { auto_collateral: Amount::new(1_000), ..Policy::default() };
    world.call(HUB, Call::SetPolicy { policy }).unwrap();
    world.open(ALICE, HUB, 500, 1_000);
    world.open(BOB, HUB, 500, 500);
    let request = Call::RequestCollateral { peer: entity(HUB), asset: usd(), amount: Amount::new(50) };
    world.call(BOB, request).unwrap();
    world.call(ALICE, pay(BOB, 120, &[HUB], 2, None)).unwrap();
    world.settle();
    let lock = preimage(9).hash();
    world.call(BOB, hold_invoice(lock)).unwrap();
    world.call(ALICE, pay(BOB, 7, &[HUB], 0, Some(lock))).unwrap();
    world.settle();
    // A frame of Alice's is under way, and another move waits behind it.
    world.call(ALICE, pay_direct(HUB, 3)).unwrap();
    world.call(ALICE, pay_direct(HUB, 4)).unwrap();
    world
}

#[test]
fn rows_by_tag() {
    let mut world = story();
    let mut rows: BTreeMap<u8, Vec<Row>> = BTreeMap::new();
    for n in [ALICE, HUB, BOB] {
        for (key, value) in world.node(n).storage.scan(&[], None, usize::MAX) {
            assert_eq!(key[0], CHANNELS);
            rows.entry(key[1]).or_default().push((key, value));
        }
    }
    let found: Vec<(u8, usize, String)> = rows
        .iter()
        .map(|(tag, rows)| {
            let bytes: Vec<u8> =
                rows.iter().flat_map(|(key, value)| [&key[..], &value[..]].concat()).collect();
            (*tag, rows.len(), written(&bytes))
        })
        .collect();
    let expected: [(u8, usize, &str); LAST_TAG as usize + 1] = [
        (0x00, 4, "1648 bytes 0x1c91252a35bf8de8485688f5648da6ca1fe0525b94b4d26dc24c6635e10098cd"),
        (0x01, 4, "564 bytes 0x315e967f09e46023a49530d573161d00a0c6d78e567f76f0680ecc36293b09e2"),
        (0x02, 4, "276 bytes 0xf9655245daa66950577893c1f79375dec8805f9840bfd79658fb5f321769daa8"),
        (0x03, 4, "300 bytes 0x30bd460e29452cfe73b755af200f146c34eb228a1aee6453bd1ac3cd444b2552"),
        (0x04, 1, "92 bytes 0x6c149bf078677c3b84af0f2c0d8fb15cec0c7d087eac9dff3646d758f4c37f82"),
        (
            0x05,
            1,
            "0305346d8c96a2454213fcc0daff3c96ad0398148181b9fa6488f7ae2c0af5b20aa00000000000000080010000000000008000",
        ),
        (0x06, 1, "236 bytes 0x7467358e3bfe888b5d8e26b98e7ba761c66253141e5f8bbb4e64d10ebe0487ad"),
        (0x07, 3, "255 bytes 0x2e8a6d540331ba7382a701962ec07a3ee17c6fd1ee33eebde3337a7690605b22"),
        (
            0x08,
            1,
            "0308000000000000000000000000000000000000000001000000000000000000000000000000ffffffffffffffffffffffffffffffff409c0000000000001027e8030000000000000000000000000000",
        ),
        (0x09, 2, "484 bytes 0x299a9a9a7653fc49cb1cf4e91381fa54819591579dbc496e07d5ef5e70d00ac0"),
        (0x0a, 2, "84 bytes 0x77d8b00b8a64196da7fd68f091ce1b1d35006a575b713f5d43d1d8ffcf499f92"),
        (0x0b, 1, "030b0200000000000000"),
        (0x0c, 2, "358 bytes 0x8840232c8844aa42a9eb3792249963de969d1b69521bbfa8b4364e1900367a4c"),
        (0x0d, 1, "030d0000000000000001adf30f13d557b8592d74b28b5133c6963025bc67566a56acee7fe0431ee65ad7"),
        (0x0e, 1, "030e0100000000000000"),
        (0x0f, 2, "404 bytes 0x828ee52ba166f2df0a777689edb905119a4d869bfa4b9e0044abb00219b4b2be"),
        (0x10, 1, "03100200000000000000"),
        (0x11, 1, "86 bytes 0x3e78449c94c9a89a76650cdb3d4601b09f4b03370e9306e43c35ded6c793fd7a"),
    ];
    let found: Vec<(u8, usize, &str)> =
        found.iter().map(|(tag, count, bytes)| (*tag, *count, &**bytes)).collect();
    assert_eq!(found, expected, "rows changed");
}
