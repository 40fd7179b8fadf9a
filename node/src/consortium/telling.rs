//! When something is told again that others may have missed: soon at first, and seldom to who does not act on it.
//!
//! ```text
//!   told ─ 2 s ─ told ─ 4 s ─ told ─ 8 s ─ … 60 s ─ told        nothing happens
//!   told ─ 2 s ─ told ─ 2 s ─ told                              the others decide meanwhile, or come back
//! ```

use std::time::Duration;

/// After this time it is told again.
pub(super) const REPEAT: Duration = Duration::from_secs(2);
/// It doubles each time in vain, up to this.
const REPEAT_MAX: Duration = Duration::from_secs(60);

/// When something was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Telling {
    told: Duration,
    wait: Duration,
}

impl Telling {
    /// Told at `now` for the first time.
    pub(super) const fn new(now: Duration) -> Self {
        Self { told: now, wait: REPEAT }
    }

    /// How long after it was told it is told again, if those to whom it was told did something at `moved` last.
    fn wait(&self, moved: Duration) -> Duration {
        if moved > self.told { REPEAT } else { self.wait }
    }

    /// Whether it is to be told now.
    pub(super) fn is_due(&self, now: Duration, moved: Duration) -> bool {
        now >= self.told.saturating_add(self.wait(moved))
    }

    /// It is told now, again.
    pub(super) fn tell(&mut self, now: Duration, moved: Duration) {
        self.wait = self.wait(moved).saturating_mul(2).min(REPEAT_MAX);
        self.told = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds up to `end` at which it is told, if it is looked at every second.
    fn told(end: u64, moved: impl Fn(u64) -> u64) -> Vec<u64> {
        let mut telling = Telling::new(Duration::ZERO);
        let mut is_told = |second: &u64| {
            let (now, moved) = (Duration::from_secs(*second), Duration::from_secs(moved(*second)));
            let is_due = telling.is_due(now, moved);
            if is_due {
                telling.tell(now, moved);
            }
            is_due
        };
        (1..=end).filter(|second| is_told(second)).collect()
    }

    #[test]
    fn what_nobody_acts_on_is_told_less_and_less_often() {
        assert_eq!(told(250, |_| 0), [2, 6, 14, 30, 62, 122, 182, 242]);
    }

    #[test]
    fn it_is_told_soon_again_when_the_others_have_done_something() {
        assert_eq!(told(36, |now| if now < 20 { 0 } else { 20 }), [2, 6, 14, 20, 24, 32]);
        assert_eq!(told(8, |now| now), [2, 4, 6, 8], "or do all the time");
    }
}
