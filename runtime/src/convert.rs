//! Where pallets meet: each has its own word for what passes between channels and reserves, since neither knows the
//! other; the fields are the same.

use pallet_channels as channels;
use pallet_reserves as reserves;

/// A channel's settlement as the depositary reads it.
pub(crate) fn settlement(from: channels::Settlement) -> reserves::Settlement {
    let row = |row: channels::SettlementRow| reserves::SettlementRow {
        asset: row.asset,
        left_reserve_diff: row.left_reserve_diff,
        right_reserve_diff: row.right_reserve_diff,
        collateral_diff: row.collateral_diff,
        ondelta_diff: row.ondelta_diff,
    };
    reserves::Settlement {
        channel: from.channel,
        left: from.left,
        right: from.right,
        epoch: from.epoch,
        nonce: from.nonce,
        expires: from.expires,
        close: from.close,
        rows: xln_primitives::BoundedVec::truncate_from(from.rows.into_iter().map(row).collect()),
    }
}

/// The depositary's word on a channel as the channel reads it.
pub(crate) fn settled(from: reserves::Settled) -> channels::Settled {
    let row = |row: reserves::SettledRow| channels::SettledRow {
        asset: row.asset,
        collateral: row.collateral,
        ondelta: row.ondelta,
    };
    channels::Settled {
        channel: from.channel,
        left: from.left,
        right: from.right,
        epoch: from.epoch,
        nonce: from.nonce,
        closed: from.closed,
        rows: xln_primitives::BoundedVec::truncate_from(from.rows.into_iter().map(row).collect()),
    }
}

const _: () = assert!(
    channels::MAX_ASSETS == reserves::MAX_ROWS,
    "a settlement has the same bound on both sides, so that converting it cuts nothing off"
);
