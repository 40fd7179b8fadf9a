//! Values of which the pinned ones are made; every field has another byte.

use pallet_channels::{
    ChannelFrame, FailReason, Failure, Hop, Onward, PaymentHash, Proof, RouteHop, Settled, SettledRow,
    Settlement, SettlementRow, Transition,
};
use xln_primitives::{
    Amount, AssetId, BoundedVec, ChannelId, ConstU32, Delta, EntityId, Hash, Side, Timestamp,
};

pub(crate) const AMOUNT: Amount = Amount::new(0x0a01);
pub(crate) const OTHER_AMOUNT: Amount = Amount::new(0x0a02);
pub(crate) const TIME: Timestamp = Timestamp::from_millis(0x0b01);
pub(crate) const OTHER_TIME: Timestamp = Timestamp::from_millis(0x0b02);
pub(crate) const ASSET: AssetId = AssetId::new([0xc1; 32]);
pub(crate) const CHANNEL: ChannelId = ChannelId::new([0xc2; 32]);
pub(crate) const OTHER_CHANNEL: ChannelId = ChannelId::new([0xc3; 32]);
pub(crate) const ENTITY: EntityId = EntityId::new([0xe1; 32]);
pub(crate) const OTHER_ENTITY: EntityId = EntityId::new([0xe2; 32]);
pub(crate) const LOCK: PaymentHash = PaymentHash::new([0xf1; 32]);
pub(crate) const STATE: Hash = Hash::new([0x51; 32]);
pub(crate) const OTHER_STATE: Hash = Hash::new([0x52; 32]);

pub(crate) fn list<T, const N: u32>(items: Vec<T>) -> BoundedVec<T, ConstU32<N>> {
    BoundedVec::truncate_from(items)
}

pub(crate) fn proof() -> Proof {
    list(vec![0x9f; 3])
}

pub(crate) fn failure() -> Failure {
    Failure { hop: 3, reason: FailReason::Cancelled }
}

pub(crate) fn hop() -> RouteHop {
    RouteHop { via: ENTITY, fee: AMOUNT, timelock_delta_ms: 0x0d01 }
}

pub(crate) fn onward() -> Onward {
    Onward { hops: list(vec![Hop { to: ENTITY, amount: AMOUNT, deadline: TIME }]) }
}

pub(crate) fn settlement() -> Settlement {
    Settlement {
        channel: CHANNEL,
        left: ENTITY,
        right: OTHER_ENTITY,
        epoch: 4,
        nonce: 5,
        expires: TIME,
        close: true,
        rows: list(vec![SettlementRow {
            asset: ASSET,
            left_reserve_diff: Delta::new(6),
            right_reserve_diff: Delta::new(-7),
            collateral_diff: Delta::new(8),
            ondelta_diff: Delta::new(-9),
        }]),
    }
}

pub(crate) fn settled() -> Settled {
    Settled {
        channel: CHANNEL,
        left: ENTITY,
        right: OTHER_ENTITY,
        epoch: 4,
        nonce: 5,
        closed: true,
        rows: list(vec![SettledRow { asset: ASSET, collateral: AMOUNT, ondelta: Delta::new(-6) }]),
    }
}

pub(crate) fn frame() -> ChannelFrame {
    ChannelFrame {
        channel: CHANNEL,
        epoch: 4,
        height: 5,
        parent_state: STATE,
        proposer: Side::Right,
        timestamp: TIME,
        transitions: list(vec![Transition::Pay { asset: ASSET, amount: AMOUNT }]),
        state_hash: OTHER_STATE,
    }
}
