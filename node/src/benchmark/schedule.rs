//! Who pays whom, and when.
//!
//! The users stand in a random order, which the seed decides. Each batch takes the next window of them: payers first,
//! payees after them. When all had their turn, payers and payees change places, so that nobody runs dry.
//!
//! ```text
//!   order    u7 u2 u9 u4 │ u1 u8 u3 u5 │ …
//!   batch 0  ╰pay╯ ╰get╯    batch 1        then, with roles changed, the first window again
//! ```

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::plan::Plan;

/// Payments of one payer to one payee, all in one channel frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Number of the user who pays.
    pub payer: u32,
    /// Number of the user who is paid.
    pub payee: u32,
    /// How many payments.
    pub payments: u32,
    /// The sum of each.
    pub amount: u32,
}

/// The payments of a run, by batch.
#[derive(Debug, Clone)]
pub struct Schedule {
    plan: Plan,
    order: Vec<u32>,
}

impl Schedule {
    /// The schedule of a plan.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let mut order: Vec<u32> = (0..plan.users).collect();
        let mut random = ChaCha8Rng::seed_from_u64(plan.seed);
        // Fisher and Yates.
        for last in (1..order.len()).rev() {
            // The bias of the remainder is below 2⁻³² for less than 2³² users.
            let other = usize::try_from(random.next_u64() % (last as u64 + 1)).unwrap_or(last);
            order.swap(last, other);
        }
        Self { plan, order }
    }

    /// The pairs of a batch.
    pub fn batch(&self, batch: u64) -> impl Iterator<Item = Pair> + '_ {
        let payers = u64::from(self.plan.payers_per_slice);
        let windows = u64::from(self.plan.users) / (payers * 2);
        let (round, window) = (batch / windows, batch % windows);
        let first = batch.saturating_mul(payers);
        let count = self.plan.frames().saturating_sub(first).min(payers);
        (0..count).map(move |place| {
            let at = |place: u64| {
                let position = window * payers * 2 + place;
                usize::try_from(position).ok().and_then(|position| self.order.get(position)).copied()
            };
            // Another partner in every round.
            let (one, other) = (at(place), at(payers + (place + round) % payers));
            let (one, other) = (one.unwrap_or_default(), other.unwrap_or_default());
            let (payer, payee) = if round % 2 == 0 { (one, other) } else { (other, one) };
            let left = self.plan.payments.saturating_sub((first + place) * u64::from(self.plan.per_frame));
            let payments = u32::try_from(left).unwrap_or(u32::MAX).min(self.plan.per_frame);
            let amount = 1 + u32::try_from((batch + place) % 9).unwrap_or(0);
            Pair { payer, payee, payments, amount }
        })
    }

    /// How many payments begin in a batch.
    #[must_use]
    pub fn payments(&self, batch: u64) -> u64 {
        self.batch(batch).map(|pair| u64::from(pair.payments)).sum()
    }

    /// What each user has more, or less, after all payments.
    #[must_use]
    pub fn balances(&self) -> Vec<i128> {
        let mut balances = vec![0_i128; self.order.len()];
        for pair in (0..self.plan.batches()).flat_map(|batch| self.batch(batch)) {
            let sum = i128::from(pair.payments) * i128::from(pair.amount);
            let mut add = |user: u32, sum: i128| {
                let place = usize::try_from(user).ok();
                if let Some(balance) = place.and_then(|place| balances.get_mut(place)) {
                    *balance += sum;
                }
            };
            add(pair.payer, -sum);
            add(pair.payee, sum);
        }
        balances
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        super::plan::{Kind, Wanted},
        *,
    };

    fn schedule(payments: u64, per_frame: u32) -> (Plan, Schedule) {
        let kind = Kind::Routed;
        let (users, slice) = (Some(100), None);
        let wanted = Wanted { channels: 200, users, payments, kind, per_frame, slice, depth: 2, seed: 7 };
        let plan = Plan::new(wanted).unwrap();
        (plan, Schedule::new(plan))
    }

    #[test]
    fn every_payment_has_its_place_and_the_last_frame_takes_the_rest() {
        let (plan, schedule) = schedule(1_234, 7);
        let all: u64 = (0..plan.batches()).map(|batch| schedule.payments(batch)).sum();
        assert_eq!(all, 1_234);
        assert_eq!(schedule.payments(plan.batches()), 0);
        assert_eq!(schedule.balances().iter().sum::<i128>(), 0);
    }

    #[test]
    fn whoever_is_in_a_payment_is_in_no_other_until_two_answers_later() {
        let (plan, schedule) = schedule(1_000, 1);
        let at_once = u64::from(plan.depth) * 2 + 1;
        for first in 0..plan.batches() {
            let mut busy = BTreeSet::new();
            for pair in (first..first + at_once).flat_map(|batch| schedule.batch(batch)) {
                assert!(busy.insert(pair.payer) && busy.insert(pair.payee), "batch {first}: {pair:?}");
            }
        }
    }

    #[test]
    fn a_seed_decides_who_pays_whom() {
        let (plan, one) = schedule(100, 1);
        let other = Schedule::new(Plan { seed: 8, ..plan });
        assert_eq!(one.order, Schedule::new(plan).order);
        assert_ne!(one.order, other.order);
    }
}
