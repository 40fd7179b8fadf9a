//! Why something was refused, as receipts, messages and frozen channels keep it.

use pallet_channels::{Error, FailReason, FrameFault, TransitionError};
use xln_primitives::{ArithmeticError, Corrupt, Side};

use super::{
    pin_all,
    values::{AMOUNT, ASSET, CHANNEL, ENTITY, LOCK, OTHER_AMOUNT, OTHER_STATE, OTHER_TIME, STATE, TIME},
};

fn fault() -> FrameFault {
    FrameFault::WrongParent { height: 5, expected: STATE, found: OTHER_STATE }
}

fn corrupt() -> Corrupt {
    Corrupt { key: vec![3, 0, 7] }
}

#[test]
fn refused_calls_and_messages() {
    pin_all(&[
        (
            Error::UnknownChannel { peer: ENTITY },
            "00e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1",
        ),
        (
            Error::NoSuchChannel { channel: CHANNEL },
            "01c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2",
        ),
        (Error::OwnEntity, "02"),
        (Error::Closing { expires: TIME }, "03010b000000000000"),
        (Error::Frozen { height: 5 }, "040500000000000000"),
        (Error::QueueFull { queued: 6, limit: 7 }, "0506000000000000000700000000000000"),
        (Error::Transition(TransitionError::ZeroAmount), "0603"),
        (Error::NothingToDo, "07"),
        (Error::Arithmetic(ArithmeticError), "08"),
        (
            Error::FeeAboveLimit { needed: AMOUNT, max_fee: OTHER_AMOUNT },
            "09010a0000000000000000000000000000020a0000000000000000000000000000",
        ),
        (
            Error::TimeoutOutOfRange { found_ms: 1, min_ms: 2, max_ms: 3 },
            "0a010000000000000002000000000000000300000000000000",
        ),
        (
            Error::DuplicatePayment { hash: LOCK },
            "0bf1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",
        ),
        (
            Error::DuplicateInvoice { hash: LOCK },
            "0cf1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",
        ),
        (
            Error::UnknownPayment { hash: LOCK },
            "0df1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",
        ),
        (Error::UnknownRequest { request: 6 }, "0e0600000000000000"),
        (Error::TooLate { deadline: TIME, now: OTHER_TIME }, "0f010b000000000000020b000000000000"),
        (
            Error::InvalidPolicy { min: AMOUNT, max: OTHER_AMOUNT },
            "10010a0000000000000000000000000000020a0000000000000000000000000000",
        ),
        (
            Error::ForeignChannel { channel: CHANNEL, from: ENTITY },
            "11c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1",
        ),
        (Error::WrongProposer { proposer: Side::Right }, "1201"),
        (Error::OtherEpoch { current: 4, found: 5 }, "130400000005000000"),
        (Error::UnexpectedHeight { current: 5, found: 6 }, "1405000000000000000600000000000000"),
        (Error::TwoFramesInFlight { height: 5 }, "150500000000000000"),
        (
            Error::InvalidFirstFrame(Box::new(fault())),
            "1600050000000000000051515151515151515151515151515151515151515151515151515151515151515252525252525252525252525252525252525252525252525252525252525252",
        ),
        (
            Error::UnexpectedAck { height: 5, state: STATE },
            "1705000000000000005151515151515151515151515151515151515151515151515151515151515151",
        ),
        (Error::InvalidProof, "18"),
        (Error::ProofTooLarge { size: 6, size_max: 7 }, "190600000007000000"),
        (Error::UnknownSlot { slot: 0x0102 }, "1a0201"),
        (Error::ClosedWithConditions { pending: 6 }, "1b06000000"),
        (Error::Corrupt(corrupt()), "1c0c030007"),
    ]);
}

#[test]
fn impossible_moves() {
    pin_all(&[
        (
            TransitionError::UnknownAsset { asset: ASSET },
            "00c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1",
        ),
        (
            TransitionError::AssetExists { asset: ASSET },
            "01c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1",
        ),
        (TransitionError::TooManyAssets { limit: 6 }, "0206000000"),
        (TransitionError::ZeroAmount, "03"),
        (
            TransitionError::InsufficientCapacity {
                needed: AMOUNT,
                available: OTHER_AMOUNT,
                collateral: AMOUNT,
                credit: OTHER_AMOUNT,
                held: AMOUNT,
            },
            "81 bytes 0xacf55da2a09874252683c526e9bec6ea36917b3aad99df777489a9e2bdda3e94",
        ),
        (TransitionError::TooManyConditions { limit: 6 }, "0506000000"),
        (TransitionError::EmptySlot { slot: 0x0102 }, "060201"),
        (TransitionError::SlotReused { slot: 0x0102, added: 5 }, "0702010500000000000000"),
        (TransitionError::NotBeneficiary { slot: 0x0102 }, "080201"),
        (TransitionError::NotPayer { slot: 0x0102 }, "090201"),
        (
            TransitionError::WrongPreimage { slot: 0x0102, hash: LOCK },
            "0a0201f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",
        ),
        (TransitionError::ExpiryProven { slot: 0x0102, deadline: TIME }, "0b0201010b000000000000"),
        (
            TransitionError::TooLate { slot: 0x0102, deadline: TIME, now: OTHER_TIME },
            "0c0201010b000000000000020b000000000000",
        ),
        (TransitionError::InvalidProof, "0d"),
        (TransitionError::ForeignSettlement, "0e"),
        (
            TransitionError::SettlementOutOfOrder { applied: 6, found: 7 },
            "0f06000000000000000700000000000000",
        ),
        (TransitionError::Closing { expires: TIME }, "10010b000000000000"),
        (TransitionError::NotClosing, "11"),
        (TransitionError::ConditionsPending { pending: 6 }, "1206000000"),
        (
            TransitionError::DebtOutstanding { asset: ASSET, side: Side::Right, owed: AMOUNT },
            "13c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c101010a0000000000000000000000000000",
        ),
        (TransitionError::Arithmetic(ArithmeticError), "14"),
        (TransitionError::Corrupt(corrupt()), "150c030007"),
    ]);
}

#[test]
fn failed_payments() {
    pin_all(&[
        (
            FailReason::FeeTooLow { needed: AMOUNT, offered: OTHER_AMOUNT },
            "00010a0000000000000000000000000000020a0000000000000000000000000000",
        ),
        (
            FailReason::InsufficientCapacity { needed: AMOUNT, available: OTHER_AMOUNT },
            "01010a0000000000000000000000000000020a0000000000000000000000000000",
        ),
        (
            FailReason::DeadlineTooSoon { needed: TIME, found: OTHER_TIME },
            "02010b000000000000020b000000000000",
        ),
        (FailReason::DeadlineTooFar { limit: TIME, found: OTHER_TIME }, "03010b000000000000020b000000000000"),
        (
            FailReason::UnknownNextHop { to: ENTITY },
            "04e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1",
        ),
        (FailReason::UnknownInvoice, "05"),
        (FailReason::AlreadyPaid, "06"),
        (FailReason::InvoiceExpired { expired: TIME }, "07010b000000000000"),
        (
            FailReason::WrongAmount { expected: AMOUNT, found: OTHER_AMOUNT },
            "08010a0000000000000000000000000000020a0000000000000000000000000000",
        ),
        (
            FailReason::WrongAsset { expected: ASSET },
            "09c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1",
        ),
        (
            FailReason::OutsideLimits { min: AMOUNT, max: OTHER_AMOUNT, found: AMOUNT },
            "0a010a0000000000000000000000000000020a0000000000000000000000000000010a0000000000000000000000000000",
        ),
        (FailReason::TooManyPending { pending: 6, limit: 7 }, "0b0600000007000000"),
        (FailReason::ChannelUnavailable, "0c"),
        (FailReason::Expired { deadline: TIME }, "0d010b000000000000"),
        (FailReason::Cancelled, "0e"),
    ]);
}

#[test]
fn faults_of_frames() {
    pin_all(&[
        (
            fault(),
            "00050000000000000051515151515151515151515151515151515151515151515151515151515151515252525252525252525252525252525252525252525252525252525252525252",
        ),
        (
            FrameFault::WrongState { height: 5, computed: STATE, claimed: OTHER_STATE },
            "01050000000000000051515151515151515151515151515151515151515151515151515151515151515252525252525252525252525252525252525252525252525252525252525252",
        ),
        (
            FrameFault::InvalidTransition { height: 5, index: 6, error: TransitionError::ZeroAmount },
            "0205000000000000000600000003",
        ),
        (
            FrameFault::TimeRunsBackwards { height: 5, parent: TIME, found: OTHER_TIME },
            "030500000000000000010b000000000000020b000000000000",
        ),
        (
            FrameFault::TwoStatesAtOneHeight { height: 5, first: STATE, second: OTHER_STATE },
            "04050000000000000051515151515151515151515151515151515151515151515151515151515151515252525252525252525252525252525252525252525252525252525252525252",
        ),
        (
            FrameFault::WrongAcknowledgement { height: 5, expected: STATE, found: OTHER_STATE },
            "05050000000000000051515151515151515151515151515151515151515151515151515151515151515252525252525252525252525252525252525252525252525252525252525252",
        ),
    ]);
}
