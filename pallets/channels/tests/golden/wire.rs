//! What entities are told by their signers and tell each other.

use pallet_channels::{
    Ack, Call, Credit, DisputeBody, DisputeProof, HtlcTerms, PeerMessage, Policy, Transition,
};
use xln_primitives::{Delta, Kind, Side};

use super::{
    harness::preimage,
    pin, pin_all,
    values::{
        AMOUNT, ASSET, CHANNEL, ENTITY, LOCK, OTHER_AMOUNT, OTHER_STATE, STATE, TIME, failure, frame, hop,
        list, onward, proof, settled, settlement,
    },
};

fn policy() -> Policy {
    Policy {
        fee_base: AMOUNT,
        fee_ppm: 0x0201,
        min_htlc: OTHER_AMOUNT,
        max_htlc: AMOUNT,
        timelock_delta_ms: 0x0301,
        max_pending: 0x0401,
        auto_collateral: OTHER_AMOUNT,
    }
}

#[test]
fn calls() {
    let credit = Credit { asset: ASSET, limit: AMOUNT };
    pin_all(&[
        (
            Call::Open { peer: ENTITY, credits: list(vec![credit.clone()]) },
            "82 bytes 0xe02e27306557a92c508013563f1415020a062620ae86abbe7d2edf12eff2c345",
        ),
        (
            Call::SetCreditLimit { peer: ENTITY, credit },
            "81 bytes 0x31088cfce3413b28484fb15357b5d4d22a1596135c32f61259b9de08af3d6379",
        ),
        (Call::Close { peer: ENTITY }, "12e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1"),
        (
            Call::RequestCollateral { peer: ENTITY, asset: ASSET, amount: AMOUNT },
            "81 bytes 0x0a6a172080b692907275eb15db9c815e277b22c84d27cd332a29e26cf92af6f2",
        ),
        (
            Call::SetPolicy { policy: policy() },
            "14010a000000000000000000000000000001020000020a0000000000000000000000000000010a000000000000000000000000000001030000000000000104020a0000000000000000000000000000",
        ),
        (
            Call::PayDirect { to: ENTITY, asset: ASSET, amount: AMOUNT },
            "81 bytes 0x5aa14e041987dd2cf27f2ccbbf40ecc6f557be2ff623101299628eb29ee258f5",
        ),
        (
            Call::Pay {
                to: ENTITY,
                asset: ASSET,
                amount: AMOUNT,
                route: list(vec![hop()]),
                hash: Some(LOCK),
                max_fee: OTHER_AMOUNT,
                timeout_ms: 0x0101,
            },
            "195 bytes 0x2cef2409a1dd5db0d05176e1247f8335d57b351c1501736e59231ff9fe2541ca",
        ),
        (
            Call::Fulfil { preimage: preimage(7) },
            "220707070707070707070707070707070707070707070707070707070707070707",
        ),
        (Call::Cancel { hash: LOCK }, "23f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1"),
        (
            Call::CreateInvoice {
                asset: ASSET,
                amount: Some(AMOUNT),
                hash: None,
                description: list(b"tea".to_vec()),
                expires: TIME,
            },
            "24c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c101010a0000000000000000000000000000000c746561010b000000000000",
        ),
        (
            Call::CancelInvoice { hash: LOCK },
            "25f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",
        ),
        (Call::CancelPayment { payment: 0x0102 }, "260201000000000000"),
    ]);
}

#[test]
fn messages() {
    let ack = |next| Ack { channel: CHANNEL, epoch: 4, height: 5, state_hash: STATE, next };
    pin(
        &ack(None),
        "c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2040000000500000000000000515151515151515151515151515151515151515151515151515151515151515100",
    );
    let variants = [
        (
            PeerMessage::Frame(frame()),
            "168 bytes 0x3813983930e8c1e413d34be656447b81ac154f49cf68bf8a0ecaa9b709024da5",
        ),
        (
            PeerMessage::Ack(ack(Some(frame()))),
            "245 bytes 0x6375a59c13490047173f3d51d93c017b20d02bd6b5467d539a3f254d591d41b9",
        ),
        (
            PeerMessage::Closed { settled: settled(), proof: proof() },
            "179 bytes 0xb8e58f38fb09180569a34a952406a1f8b91f6dd69ab76c75fdf607fbefeeff1f",
        ),
        (
            PeerMessage::InvoiceRequest { request: 6, asset: ASSET, amount: AMOUNT },
            "230600000000000000c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1010a0000000000000000000000000000",
        ),
        (
            PeerMessage::InvoiceIssued { request: 6, hash: LOCK, expires: TIME },
            "240600000000000000f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1010b000000000000",
        ),
    ];
    pin_all(&variants);
    for (message, _) in variants {
        assert_eq!(message.kind(), codec::Encode::encode(&message)[0], "a message begins with its code");
    }
}

#[test]
fn transitions() {
    pin_all(&[
        (
            Transition::AddAsset { asset: ASSET },
            "00c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1",
        ),
        (
            Transition::SetCreditLimit { asset: ASSET, limit: AMOUNT },
            "01c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1010a0000000000000000000000000000",
        ),
        (
            Transition::Pay { asset: ASSET, amount: AMOUNT },
            "02c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1010a0000000000000000000000000000",
        ),
        (
            Transition::HtlcAdd {
                asset: ASSET,
                amount: AMOUNT,
                hash: LOCK,
                deadline: TIME,
                onward: onward(),
            },
            "146 bytes 0x4f2ce3e381851a60c5871716ad83e3e237ac7ec23cfaaadc305493c613eed81e",
        ),
        (
            Transition::HtlcFulfil { slot: 0x0102, preimage: preimage(7) },
            "0402010707070707070707070707070707070707070707070707070707070707070707",
        ),
        (Transition::HtlcFail { slot: 0x0102, failure: failure() }, "050201030e"),
        (Transition::HtlcExpire { slot: 0x0102, proof: proof() }, "0602010c9f9f9f"),
        (
            Transition::RequestCollateral { asset: ASSET, amount: AMOUNT },
            "0cc1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1010a0000000000000000000000000000",
        ),
        (
            Transition::SettlementApplied { settled: settled(), proof: proof() },
            "179 bytes 0x31f16cfd5dee63c4fbaf5c4f74cfe75f9c075cd60d6427045d7e5e47a232b4bc",
        ),
        (Transition::CooperativeClose { expires: TIME }, "0e010b000000000000"),
        (Transition::SettlementLapsed { proof: proof() }, "0f0c9f9f9f"),
    ]);
}

#[test]
fn what_the_depositary_is_told_and_tells() {
    pin(&settlement(), "214 bytes 0x564e5e7c15e0a5c913dd3dcf7983dd97877e52abbb8874305059da4837604f95");
    pin(&settled(), "174 bytes 0xcd5ba3367cc833c262c616142cec68aad7d81b3ef7d0fbfe7717919fa3c0a269");
}

#[test]
fn what_a_dispute_opens_and_the_hashes_that_others_compute_again() {
    let body = DisputeBody {
        channel: CHANNEL,
        epoch: 4,
        height: 5,
        conditions_root: STATE,
        offdeltas: list(vec![(ASSET, Delta::new(-6))]),
    };
    pin(&body.hash(), "373e9cd6b37252c3288b7d4c254686605bfb630e9c1688100a51bcd46665c261");
    pin(
        &DisputeProof { body, agreement: STATE, state_hash: OTHER_STATE },
        "189 bytes 0xccc4e1c2bc913825b3821071d88e878c6f3d5f4da018aa3eaee0549ff81bd662",
    );
    let terms = HtlcTerms { payer: Side::Left, asset: ASSET, amount: AMOUNT, hash: LOCK, deadline: TIME };
    pin(&terms.leaf(), "d61b469a4773e4961ace7aad791a90e906ed2922bf339b184a98679c9cd0ae97");
    pin(&preimage(7).hash(), "4bb06f8e4e3a7715d201d573d0aa423762e55dabd61a2c02278fa56cc6d294e0");
}
