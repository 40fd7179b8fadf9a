//! The capacity table: what a subchannel lets each side send and receive.
//!
//! ```text
//!   −left limit          0                    collateral      collateral + right limit
//!        [-----------.=====================================|==============-----------------]
//!                    └───── out_collateral ────────────────┘ Δ
//! ```

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{Amount, ArithmeticError, AssetId, Delta, Side};

/// The state of one asset in a channel, seen from nowhere: the same numbers in both copies.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Subchannel {
    /// The asset.
    pub asset: AssetId,
    /// Locked at the depositary for this channel.
    pub collateral: Amount,
    /// Left's claim as moved by settlements.
    pub ondelta: Delta,
    /// Left's claim as moved by payments.
    pub offdelta: Delta,
    /// The most that left may owe; set by right.
    pub left_credit_limit: Amount,
    /// The most that right may owe; set by left.
    pub right_credit_limit: Amount,
    /// Locked by pending conditions that left pays.
    pub left_hold: Amount,
    /// Locked by pending conditions that right pays.
    pub right_hold: Amount,
}

/// The capacity table of one side, in the asset's smallest unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Capacity {
    /// Collateral that this side may claim.
    pub out_collateral: Amount,
    /// Collateral that the peer may claim.
    pub in_collateral: Amount,
    /// What this side owes, whatever its limit says now.
    pub in_own_credit: Amount,
    /// What this side may still come to owe.
    pub out_own_credit: Amount,
    /// What the peer owes.
    pub out_peer_credit: Amount,
    /// What the peer may still come to owe.
    pub in_peer_credit: Amount,
    /// What this side's pending conditions hold.
    pub own_hold: Amount,
    /// What the peer's pending conditions hold.
    pub peer_hold: Amount,
    /// What this side can send now.
    pub out_capacity: Amount,
    /// What this side can receive now.
    pub in_capacity: Amount,
    /// Collateral and both credits together.
    pub total: Amount,
}

fn saturating_add(one: Amount, other: Amount) -> Amount {
    Amount::new(one.get().saturating_add(other.get()))
}

impl Subchannel {
    /// An asset of which nothing is locked, owed or allowed.
    #[must_use]
    pub fn empty(asset: AssetId) -> Self {
        Self {
            asset,
            collateral: Amount::ZERO,
            ondelta: Delta::ZERO,
            offdelta: Delta::ZERO,
            left_credit_limit: Amount::ZERO,
            right_credit_limit: Amount::ZERO,
            left_hold: Amount::ZERO,
            right_hold: Amount::ZERO,
        }
    }

    /// Δ: what left may claim, counted from its zero. Every stored subchannel has one; see
    /// [`Subchannel::checked_delta`].
    #[must_use]
    pub fn delta(&self) -> Delta {
        Delta::new(self.ondelta.get().saturating_add(self.offdelta.get()))
    }

    /// Δ, or an error where the sum does not fit.
    pub fn checked_delta(&self) -> Result<Delta, ArithmeticError> {
        self.ondelta.add(self.offdelta)
    }

    /// The most that `side` may owe.
    #[must_use]
    pub fn credit_limit(&self, side: Side) -> Amount {
        match side {
            Side::Left => self.left_credit_limit,
            Side::Right => self.right_credit_limit,
        }
    }

    /// What the pending conditions that `side` pays hold.
    #[must_use]
    pub fn hold(&self, side: Side) -> Amount {
        match side {
            Side::Left => self.left_hold,
            Side::Right => self.right_hold,
        }
    }

    /// What `side` may claim: Δ for left, collateral − Δ for right. `(collateral part, credit part, own debt)`:
    /// at most one of the last two is not zero.
    fn claim(&self, side: Side) -> (Amount, Amount, Amount) {
        let delta = self.delta();
        let claim = delta.positive_part();
        let of_left = if claim > self.collateral { self.collateral } else { claim };
        let right_owes = claim.saturating_sub(self.collateral);
        let left_owes = if delta < Delta::ZERO { delta.magnitude() } else { Amount::ZERO };
        match side {
            Side::Left => (of_left, right_owes, left_owes),
            Side::Right => (self.collateral.saturating_sub(of_left), left_owes, right_owes),
        }
    }

    /// What `side` owes the other beyond all collateral.
    #[must_use]
    pub fn owed_by(&self, side: Side) -> Amount {
        self.claim(side).2
    }

    /// What `side` may claim of the collateral.
    #[must_use]
    pub fn collateral_of(&self, side: Side) -> Amount {
        self.claim(side).0
    }

    /// The capacity table of `side`.
    #[must_use]
    pub fn capacity(&self, side: Side) -> Capacity {
        let (out_collateral, out_peer_credit, in_own_credit) = self.claim(side);
        let own_limit = self.credit_limit(side);
        let peer_limit = self.credit_limit(side.other());
        let in_collateral = self.collateral.saturating_sub(out_collateral);
        let out_own_credit = own_limit.saturating_sub(in_own_credit);
        let in_peer_credit = peer_limit.saturating_sub(out_peer_credit);
        let (own_hold, peer_hold) = (self.hold(side), self.hold(side.other()));
        let can_send = saturating_add(saturating_add(out_collateral, out_peer_credit), out_own_credit);
        let can_receive = saturating_add(saturating_add(in_collateral, in_own_credit), in_peer_credit);
        let credits = saturating_add(own_limit.max(in_own_credit), peer_limit.max(out_peer_credit));
        Capacity {
            out_collateral,
            in_collateral,
            in_own_credit,
            out_own_credit,
            out_peer_credit,
            in_peer_credit,
            own_hold,
            peer_hold,
            out_capacity: can_send.saturating_sub(own_hold),
            in_capacity: can_receive.saturating_sub(peer_hold),
            total: saturating_add(self.collateral, credits),
        }
    }

    /// What `side` can send now.
    #[must_use]
    pub fn out_capacity(&self, side: Side) -> Amount {
        let (collateral, peer_credit, owed) = self.claim(side);
        let own_credit = self.credit_limit(side).saturating_sub(owed);
        saturating_add(saturating_add(collateral, peer_credit), own_credit).saturating_sub(self.hold(side))
    }

    /// The invariant, holds fully spent either way:
    /// `−left limit ≤ Δ − left hold` and `Δ + right hold ≤ collateral + right limit`.
    ///
    /// A limit that was lowered below a debt already drawn breaks it until the debt is cured; no payment does.
    #[must_use]
    pub fn is_within_limits(&self) -> bool {
        self.lower_bound_holds() && self.upper_bound_holds()
    }

    pub(crate) fn lower_bound_holds(&self) -> bool {
        self.checked_delta()
            .and_then(|delta| delta.lowered(self.left_hold))
            .is_ok_and(|lowest| lowest >= Delta::ZERO || lowest.magnitude() <= self.left_credit_limit)
    }

    pub(crate) fn upper_bound_holds(&self) -> bool {
        let most = saturating_add(self.collateral, self.right_credit_limit);
        self.checked_delta()
            .and_then(|delta| delta.raised(self.right_hold))
            .is_ok_and(|highest| highest.positive_part() <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example(delta: i128) -> Subchannel {
        Subchannel {
            collateral: Amount::new(100),
            offdelta: Delta::new(delta),
            left_credit_limit: Amount::new(20),
            right_credit_limit: Amount::new(50),
            ..Subchannel::empty(AssetId::named("usd"))
        }
    }

    fn can(delta: i128, side: Side) -> (u128, u128) {
        let capacity = example(delta).capacity(side);
        (capacity.out_capacity.get(), capacity.in_capacity.get())
    }

    #[test]
    fn the_worked_example_of_the_protocol() {
        assert_eq!(can(0, Side::Left), (20, 150));
        let paid = example(130).capacity(Side::Left);
        assert_eq!((paid.out_collateral.get(), paid.out_peer_credit.get()), (100, 30));
        assert_eq!(can(130, Side::Left), (150, 20));
        let owing = example(-15).capacity(Side::Left);
        assert_eq!(owing.in_own_credit.get(), 15);
        assert_eq!(can(-15, Side::Left).0, 5);
        assert_eq!(example(-15).capacity(Side::Left).total.get(), 170);
    }

    #[test]
    fn debt_stays_visible_when_its_limit_is_lowered() {
        let mut row = example(-15);
        row.left_credit_limit = Amount::new(4);
        let capacity = row.capacity(Side::Left);
        assert_eq!((capacity.in_own_credit.get(), capacity.out_own_credit.get()), (15, 0));
        assert_eq!(capacity.out_capacity.get(), 0);
        assert_eq!(capacity.total.get(), 165, "the debt counts, not the lower limit");
        assert!(!row.is_within_limits());
    }

    #[test]
    fn holds_take_from_the_side_that_pays_them() {
        let mut row = example(30);
        row.left_hold = Amount::new(40);
        assert_eq!(row.capacity(Side::Left).out_capacity.get(), 10);
        assert_eq!(row.capacity(Side::Right).in_capacity.get(), 10);
        assert_eq!(row.capacity(Side::Right).out_capacity.get(), 120);
        assert!(row.is_within_limits());
        row.left_hold = Amount::new(51);
        assert!(!row.is_within_limits());
    }

    #[test]
    fn the_largest_numbers_overflow_nowhere() {
        for delta in [i128::MIN, -1, 0, 1, i128::MAX] {
            let row = Subchannel {
                collateral: Amount::MAX,
                ondelta: Delta::new(delta),
                left_credit_limit: Amount::MAX,
                right_credit_limit: Amount::MAX,
                left_hold: Amount::MAX,
                right_hold: Amount::MAX,
                ..Subchannel::empty(AssetId::named("usd"))
            };
            assert_eq!(row.capacity(Side::Left).total, Amount::MAX);
            assert!(!row.is_within_limits());
        }
    }

    fn row() -> impl Strategy<Value = Subchannel> {
        let sum = || 0..1_000_u128;
        let delta = || -1_500..1_500_i128;
        (sum(), delta(), delta(), sum(), sum(), sum(), sum()).prop_map(|(c, on, off, l, r, lh, rh)| {
            Subchannel {
                asset: AssetId::named("usd"),
                collateral: Amount::new(c),
                ondelta: Delta::new(on),
                offdelta: Delta::new(off),
                left_credit_limit: Amount::new(l),
                right_credit_limit: Amount::new(r),
                left_hold: Amount::new(lh),
                right_hold: Amount::new(rh),
            }
        })
    }

    proptest! {
        #[test]
        fn what_one_side_can_send_the_other_can_receive(row in row()) {
            let (left, right) = (row.capacity(Side::Left), row.capacity(Side::Right));
            prop_assert_eq!(left.out_capacity, right.in_capacity);
            prop_assert_eq!(left.in_capacity, right.out_capacity);
            prop_assert_eq!(left.out_collateral, right.in_collateral);
            prop_assert_eq!(left.out_peer_credit, right.in_own_credit);
            prop_assert_eq!(left.total, right.total);
            prop_assert_eq!(left.out_capacity, row.out_capacity(Side::Left));
        }

        #[test]
        fn sending_exactly_the_capacity_keeps_the_invariant_and_one_more_breaks_it(row in row()) {
            let row = Subchannel {
                left_credit_limit: saturating_add(row.left_credit_limit, Amount::new(4_000)),
                right_credit_limit: saturating_add(row.right_credit_limit, Amount::new(4_000)),
                ..row
            };
            prop_assert!(row.is_within_limits());
            let most = row.out_capacity(Side::Left);
            let after = |amount: Amount| Subchannel {
                offdelta: row.offdelta.lowered(amount).unwrap(),
                ..row.clone()
            };
            prop_assert!(after(most).is_within_limits());
            prop_assert!(!after(most.add(Amount::new(1)).unwrap()).is_within_limits());
        }
    }
}
