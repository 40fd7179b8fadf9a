//! How long a member waits. The machine names timers and durations; the caller owns the clock.

use xln_primitives::{EntityId, Height, Round};

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The proposal of the round should have come.
    Propose,
    /// A quorum prevoted, for different things; the rest had time to prevote.
    Prevote,
    /// A quorum precommitted, for different things; the rest had time to precommit.
    Precommit,
    /// Time to repeat what we said in this round and to ask for what is missing.
    Rebroadcast,
}

/// A timer of one height. Setting a timer that runs starts it anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId {
    /// Whose height.
    pub entity: EntityId,
    /// Which height.
    pub height: Height,
    /// In which round.
    pub round: Round,
    /// What for.
    pub timer: Timer,
}

/// Durations in milliseconds. A round waits longer than the one before, so that some round is long enough for the
/// network as it is; none waits longer than `wait_ms_max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For a proposal, in round 0.
    pub propose_ms: u64,
    /// For the rest of the prevotes or precommits, in round 0.
    pub vote_ms: u64,
    /// Between repetitions, in round 0.
    pub rebroadcast_ms: u64,
    /// Added to each for every round.
    pub per_round_ms: u64,
    /// The longest wait.
    pub wait_ms_max: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            propose_ms: 1_000,
            vote_ms: 500,
            rebroadcast_ms: 2_000,
            per_round_ms: 250,
            wait_ms_max: 30_000,
        }
    }
}

impl Timing {
    /// How long `timer` runs in `round`, in milliseconds.
    #[must_use]
    pub fn wait_ms(&self, timer: Timer, round: Round) -> u64 {
        let first = match timer {
            Timer::Propose => self.propose_ms,
            Timer::Prevote | Timer::Precommit => self.vote_ms,
            Timer::Rebroadcast => self.rebroadcast_ms,
        };
        first.saturating_add(self.per_round_ms.saturating_mul(u64::from(round))).min(self.wait_ms_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_waits_longer_up_to_the_limit() {
        let timing = Timing::default();
        assert_eq!(timing.wait_ms(Timer::Propose, 0), 1_000);
        assert_eq!(timing.wait_ms(Timer::Prevote, 2), 1_000);
        assert_eq!(timing.wait_ms(Timer::Rebroadcast, Round::MAX), 30_000);
    }
}
