//! The cooperative close: each side gets its part of the collateral, and the channel's life ends.

use xln_primitives::{Amount, ArithmeticError, BoundedVec, Delta, Side, Timestamp};

use crate::{
    TransitionError,
    capacity::Subchannel,
    channel::{Channel, Status},
    settlement::{MAX_ASSETS, Settlement, SettlementRow},
};

/// How long a settlement may wait for its execution, in ms of depositary time.
pub(crate) const SETTLEMENT_MS: u64 = 10 * 60 * 1_000;

/// The settlement that ends the channel in its present state: left gets `clamp(Δ, 0, collateral)`, right the rest.
///
/// Both sides derive the same body. Errors while HTLCs are pending and while somebody owes more than the
/// collateral covers.
pub(crate) fn settlement(channel: &Channel, expires: Timestamp) -> Result<Settlement, TransitionError> {
    if let Status::Closing(settlement) = &channel.status {
        return Err(TransitionError::Closing { expires: settlement.expires });
    }
    if channel.pending_htlcs > 0 {
        return Err(TransitionError::ConditionsPending { pending: u32::from(channel.pending_htlcs) });
    }
    let mut rows = BoundedVec::new();
    for row in &channel.subchannels {
        for side in [Side::Left, Side::Right] {
            let owed = row.owed_by(side);
            if !owed.is_zero() {
                return Err(TransitionError::DebtOutstanding { asset: row.asset, side, owed });
            }
        }
        if row.collateral.is_zero() && row.ondelta.is_zero() {
            continue;
        }
        rows.try_push(settle(row)?).map_err(|_| TransitionError::TooManyAssets { limit: MAX_ASSETS })?;
    }
    let nonce = channel.settled_nonce.checked_add(1).ok_or(ArithmeticError)?;
    Ok(Settlement {
        channel: channel.id,
        left: channel.left,
        right: channel.right,
        epoch: channel.epoch,
        nonce,
        expires,
        close: true,
        rows,
    })
}

fn settle(row: &Subchannel) -> Result<SettlementRow, TransitionError> {
    let diff = |amount: Amount| amount.to_delta();
    Ok(SettlementRow {
        asset: row.asset,
        left_reserve_diff: diff(row.collateral_of(Side::Left))?,
        right_reserve_diff: diff(row.collateral_of(Side::Right))?,
        collateral_diff: Delta::ZERO.sub(diff(row.collateral)?)?,
        ondelta_diff: row.ondelta.negated()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use xln_primitives::{AssetId, EntityId};

    fn channel(collateral: u128, ondelta: i128, offdelta: i128) -> Channel {
        let mut channel = Channel::empty(EntityId::new([1; 32]), EntityId::new([2; 32]), 3, 7).unwrap();
        let row = Subchannel {
            collateral: Amount::new(collateral),
            ondelta: Delta::new(ondelta),
            offdelta: Delta::new(offdelta),
            ..Subchannel::empty(AssetId::named("usd"))
        };
        channel.subchannels.try_push(row).unwrap();
        channel
    }

    #[test]
    fn both_sides_get_their_part_and_nothing_is_created() {
        let settlement = settlement(&channel(100, 40, -10), Timestamp::from_millis(5)).unwrap();
        assert_eq!((settlement.epoch, settlement.nonce, settlement.close), (3, 8, true));
        let row = &settlement.rows[0];
        assert_eq!((row.left_reserve_diff.get(), row.right_reserve_diff.get()), (30, 70));
        assert_eq!((row.collateral_diff.get(), row.ondelta_diff.get()), (-100, -40));
    }

    #[test]
    fn debt_beyond_the_collateral_stops_a_close() {
        for (delta, side, owed) in [(130, Side::Right, 30), (-15, Side::Left, 15)] {
            assert_eq!(
                settlement(&channel(100, 0, delta), Timestamp::ZERO),
                Err(TransitionError::DebtOutstanding {
                    asset: AssetId::named("usd"),
                    side,
                    owed: Amount::new(owed)
                })
            );
        }
    }

    #[test]
    fn pending_conditions_stop_a_close() {
        let mut channel = channel(0, 0, 0);
        channel.pending_htlcs = 2;
        assert_eq!(
            settlement(&channel, Timestamp::ZERO),
            Err(TransitionError::ConditionsPending { pending: 2 })
        );
    }

    #[test]
    fn a_channel_without_collateral_closes_with_an_empty_settlement() {
        assert!(settlement(&channel(0, 0, 0), Timestamp::ZERO).unwrap().rows.is_empty());
    }
}
