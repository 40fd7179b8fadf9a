//! How long to wait before the next try.

use core::time::Duration;

/// Waits that double up to a limit, each shortened by chance to between half and all of it, so that servers that lost each other
/// at one moment do not all come back at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait after one more failure. `chance` is any random number.
    pub(crate) fn failed(&mut self, first: Duration, longest: Duration, chance: u64) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let whole = first.saturating_mul(factor).min(longest);
        let half = whole / 2;
        let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
        half.saturating_add(Duration::from_millis(chance.checked_rem(millis.saturating_add(1)).unwrap_or(0)))
    }

    /// It went well.
    pub(crate) const fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_are_between_half_and_all_of_it() {
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(60));
        for chance in [0, 1, 77, u64::MAX] {
            let mut backoff = Backoff::default();
            for expected in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
                let wait = backoff.failed(first, longest, chance).as_millis();
                assert!((expected / 2..=expected).contains(&wait), "{wait} of {expected}");
            }
            backoff.succeeded();
            assert!(backoff.failed(first, longest, chance) <= first);
        }
        let mut backoff = Backoff { failures: u32::MAX };
        assert!(backoff.failed(first, longest, 0) <= longest);
    }
}
