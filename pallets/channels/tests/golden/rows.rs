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
/// The tag of everything about one channel.
const OF_CHANNEL: u8 = 0x00;

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
    // By tag; those of channels, tag 0, by the part that follows the channel's 32 bytes.
    let mut rows: BTreeMap<(u8, u8), Vec<Row>> = BTreeMap::new();
    for n in [ALICE, HUB, BOB] {
        for (key, value) in world.node(n).storage.scan(&[], None, usize::MAX) {
            assert_eq!(key[0], CHANNELS);
            let part = if key[1] == OF_CHANNEL { key[34] } else { 0 };
            rows.entry((key[1], part)).or_default().push((key, value));
        }
    }
    let found: Vec<(u8, u8, usize, String)> = rows
        .iter()
        .map(|((tag, part), rows)| {
            let bytes: Vec<u8> =
                rows.iter().flat_map(|(key, value)| [&key[..], &value[..]].concat()).collect();
            (*tag, *part, rows.len(), written(&bytes))
        })
        .collect();
    let expected = [
        (0x00, 0x00, 4, "1652 bytes 0xfc2847134df36da86f402cb043c4d12733ddb26cbc32562ac96b0a1dca3fa49f"),
        (0x00, 0x01, 4, "568 bytes 0x0ed7d02a8494d2b1c0fcb293bd7aea3799eb5fe61d18b996103417fa24fb9052"),
        (0x00, 0x02, 4, "436 bytes 0x8ff24e3d97730b179f462693d44b4da32db50553f6204caebe7f7ddd82975abe"),
        (0x00, 0x04, 1, "93 bytes 0x95c997697a9dd89d29156a9f2f12a92e53d3d7d4805edc3197ae73c9a09865a1"),
        (
            0x00,
            0x05,
            1,
            "0300346d8c96a2454213fcc0daff3c96ad0398148181b9fa6488f7ae2c0af5b20aa0050000000000000080010000000000008000",
        ),
        (0x00, 0x06, 1, "237 bytes 0x404a248cd5b7cf25299ef755b0b208fb8b84a5933617199bc83ce98bff07e873"),
        (0x00, 0x07, 1, "87 bytes 0x7e0c8aa3e17228456f397b769a3f9ad37419c8f114fd13acba5631a53adb2e6f"),
        (0x01, 0x00, 3, "255 bytes 0xf96cedde847941a68f69063745a4da83f727c917948003627407caab9d16f079"),
        (
            0x02,
            0x00,
            1,
            "0302000000000000000000000000000000000000000001000000000000000000000000000000ffffffffffffffffffffffffffffffff409c0000000000001027e8030000000000000000000000000000",
        ),
        (0x03, 0x00, 2, "484 bytes 0xbfe21a024162cb6d3b72e397266a637dacf865d6e669bdea5041f9800b2a5cd2"),
        (0x04, 0x00, 2, "84 bytes 0xa1e254f6e6fb190af8b57a7dfffa12961fd44cd77bb149cac74b478c939b09d2"),
        (0x05, 0x00, 1, "03050200000000000000"),
        (0x06, 0x00, 2, "358 bytes 0x854fef5a3a80d5fabb6cb2db87662abf09fd8170ee8d864c77ecc263fdd859b4"),
        (
            0x07,
            0x00,
            1,
            "03070000000000000001adf30f13d557b8592d74b28b5133c6963025bc67566a56acee7fe0431ee65ad7",
        ),
        (0x08, 0x00, 1, "03080100000000000000"),
        (0x09, 0x00, 2, "404 bytes 0x341d6ba18ae679dec3d1909da003ad8f2bf4378a3bd6310ea44ce366052e91e5"),
        (0x0a, 0x00, 1, "030a0200000000000000"),
    ];
    let found: Vec<(u8, u8, usize, &str)> =
        found.iter().map(|(tag, part, count, bytes)| (*tag, *part, *count, &**bytes)).collect();
    assert_eq!(found, expected, "rows changed");
}
