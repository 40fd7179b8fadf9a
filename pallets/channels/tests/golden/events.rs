//! What happened, as receipts commit to it.

use pallet_channels::{Event, FrameFault, TransitionError};

use super::{
    harness::preimage,
    pin_all,
    values::{
        AMOUNT, ASSET, CHANNEL, ENTITY, LOCK, OTHER_AMOUNT, OTHER_CHANNEL, OTHER_ENTITY, OTHER_STATE, STATE,
        TIME, failure,
    },
};

#[test]
fn events() {
    let error = TransitionError::ZeroAmount;
    let fault = FrameFault::TwoStatesAtOneHeight { height: 5, first: STATE, second: OTHER_STATE };
    pin_all(&[
        (
            Event::ChannelOpened { channel: CHANNEL, peer: ENTITY, epoch: 4 },
            "00c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e104000000",
        ),
        (
            Event::AssetAdded { channel: CHANNEL, asset: ASSET },
            "01c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1",
        ),
        (
            Event::CreditLimitSet { channel: CHANNEL, asset: ASSET, debtor: ENTITY, limit: AMOUNT },
            "113 bytes 0xf5968fdbb16485fb0d34e9bc3605ea88abc6f0475dbaa149bd90634057898a90",
        ),
        (
            Event::FrameCommitted { channel: CHANNEL, height: 5, state_hash: STATE, transitions: 6 },
            "03c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c20500000000000000515151515151515151515151515151515151515151515151515151515151515106000000",
        ),
        (
            Event::TransitionDropped { channel: CHANNEL, error: error.clone() },
            "04c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c203",
        ),
        (
            Event::PaidDirect {
                channel: CHANNEL,
                asset: ASSET,
                amount: AMOUNT,
                from: ENTITY,
                to: OTHER_ENTITY,
            },
            "145 bytes 0x5d42bd9004e3d983a49763ee5f477c0e2c853b5de5c2edbaea9064b78f12a99e",
        ),
        (
            Event::DirectPaymentFailed { channel: CHANNEL, asset: ASSET, amount: AMOUNT, error },
            "82 bytes 0x3bbafe771eea99aa5fda23b6fb3a7cfd6472a9e06fff2a4f2807647b6222085f",
        ),
        (
            Event::PaymentStarted { payment: 7, hash: Some(LOCK), to: ENTITY, asset: ASSET, amount: AMOUNT },
            "122 bytes 0x343917b8daa7a5f41a87a6b8ab100c839b6014d08d7686c5d50d59128f35fe0f",
        ),
        (
            Event::PaymentSent {
                payment: 7,
                hash: LOCK,
                preimage: preimage(7),
                to: ENTITY,
                asset: ASSET,
                amount: AMOUNT,
                fee: OTHER_AMOUNT,
            },
            "169 bytes 0xca6f1642baef886144635a8b873cdbfce438927945d96d4eb927a286bdbccd21",
        ),
        (Event::PaymentFailed { payment: 7, hash: None, failure: failure() }, "09070000000000000000030e"),
        (
            Event::PaymentReceived { channel: CHANNEL, hash: LOCK, asset: ASSET, amount: AMOUNT },
            "113 bytes 0xd6aa4dc88c63ba7c705d6a2a888553740d73e1e1e014e6f3fcc76960cc07fe81",
        ),
        (
            Event::PaymentForwarded {
                forward: 8,
                inbound: CHANNEL,
                outbound: OTHER_CHANNEL,
                asset: ASSET,
                amount: AMOUNT,
                fee: OTHER_AMOUNT,
            },
            "137 bytes 0xe3a18c3b154d4c58cc8f17196504a8567d232d64eee6c47a4da4591a5e947cf2",
        ),
        (
            Event::ForwardFailed { forward: 8, hash: LOCK, failure: failure() },
            "0c0800000000000000f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1030e",
        ),
        (
            Event::HtlcAdded {
                channel: CHANNEL,
                slot: 0x0102,
                hash: LOCK,
                asset: ASSET,
                amount: AMOUNT,
                deadline: TIME,
                payer: ENTITY,
            },
            "155 bytes 0x3168864a34c88f784ea698aa6557e3cfcd31bd0ef79257f556cb564b5f95b060",
        ),
        (
            Event::HtlcFulfilled { channel: CHANNEL, slot: 0x0102, hash: LOCK },
            "0ec2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c20201f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",
        ),
        (
            Event::HtlcFailed { channel: CHANNEL, slot: 0x0102, hash: LOCK, failure: failure() },
            "0fc2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c20201f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1030e",
        ),
        (
            Event::HtlcExpired { channel: CHANNEL, slot: 0x0102, hash: LOCK },
            "10c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c20201f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",
        ),
        (
            Event::PreimagePublished { channel: CHANNEL, slot: 0x0102, hash: LOCK },
            "11c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c20201f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",
        ),
        (
            Event::InvoiceIssued { hash: LOCK, asset: ASSET, amount: Some(AMOUNT), expires: TIME },
            "90 bytes 0x896b83461137756de28de4434f8d06e4d3e668d22809821aaa8add235fe71c8c",
        ),
        (
            Event::InvoiceCancelled { hash: LOCK },
            "13f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",
        ),
        (
            Event::PaymentHeld { channel: CHANNEL, slot: 0x0102, hash: LOCK, amount: AMOUNT, deadline: TIME },
            "91 bytes 0xacc89a9ea9f051a63d1576fbb7a5ad3a6637e407207c531c04b4cc56f5bbead4",
        ),
        (Event::PolicySet, "15"),
        (
            Event::CollateralRequested {
                channel: CHANNEL,
                asset: ASSET,
                amount: AMOUNT,
                by: ENTITY,
                granted: true,
            },
            "114 bytes 0x37f925c62b615a8613b7d14f03f6bc5b4f336d08b909c816caea93ae8cd39812",
        ),
        (
            Event::SettlementApplied { channel: CHANNEL, nonce: 5 },
            "17c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c20500000000000000",
        ),
        (
            Event::ChannelClosing { channel: CHANNEL, expires: TIME },
            "18c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2010b000000000000",
        ),
        (
            Event::ChannelReopened { channel: CHANNEL },
            "19c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2",
        ),
        (
            Event::ChannelClosed { channel: CHANNEL, epoch: 4 },
            "1ac2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c204000000",
        ),
        (
            Event::ChannelFrozen { channel: CHANNEL, fault },
            "106 bytes 0x36ed4f2e7b6ca3ab4bce264a5924faf3803b906e760a5dd4cc6c999ee9287b04",
        ),
    ]);
}
