//! What was refused, how often, and why.

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::quota::{Rate, TokenBucket};

/// Most lines of the log per second about refusals, so that nobody fills a disk with them. All are counted.
const LOGGED: Rate = Rate { per_second: 5, burst: 50 };

/// Why something of another server was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// A connection of a server that is not on the allow-list.
    NotAllowed,
    /// A connection of a server whose genesis is another.
    OtherNetwork,
    /// One connection too many.
    Connections,
    /// A connection with a key that is not ed25519.
    Key,
    /// A message beyond the size of its protocol.
    Oversized,
    /// A message that is not what its place says.
    Malformed,
    /// A message beyond the server's quota of bytes or messages.
    Quota,
    /// A message for which the node has no room now.
    Busy,
    /// A gossip that the node found invalid.
    Invalid,
}

impl Refusal {
    /// Every reason, in order.
    pub const ALL: [Self; 9] = [
        Self::NotAllowed,
        Self::OtherNetwork,
        Self::Connections,
        Self::Key,
        Self::Oversized,
        Self::Malformed,
        Self::Quota,
        Self::Busy,
        Self::Invalid,
    ];

    /// Its name as the label of a metric.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAllowed => "not_allowed",
            Self::OtherNetwork => "other_network",
            Self::Connections => "connections",
            Self::Key => "key",
            Self::Oversized => "oversized",
            Self::Malformed => "malformed",
            Self::Quota => "quota",
            Self::Busy => "busy",
            Self::Invalid => "invalid",
        }
    }
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// Counts refusals, and logs them while there are not too many.
#[derive(Debug)]
pub(crate) struct Refusals {
    counts: [AtomicU64; Refusal::ALL.len()],
    log: Mutex<(TokenBucket, u64)>,
}

impl Refusals {
    pub(crate) fn new(now: core::time::Duration) -> Self {
        Self { counts: Default::default(), log: Mutex::new((TokenBucket::new(LOGGED, now), 0)) }
    }

    pub(crate) fn count(&self, reason: Refusal) -> u64 {
        self.counts.get(reason as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Notes that something of `peer` was refused.
    pub(crate) fn note(
        &self,
        now: core::time::Duration,
        reason: Refusal,
        peer: &dyn core::fmt::Display,
        detail: &dyn core::fmt::Display,
    ) {
        if let Some(count) = self.counts.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let (bucket, silent) = &mut *log;
        if bucket.take(now, 1) {
            let unlogged = core::mem::take(silent);
            tracing::warn!(target: "xln_network::refusal", %peer, %reason, %detail, unlogged, "refused");
        } else {
            *silent = silent.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_counted_under_its_own_reason() {
        let refusals = Refusals::new(core::time::Duration::ZERO);
        for (times, reason) in (1..).zip(Refusal::ALL) {
            for _ in 0..times * 20 {
                refusals.note(core::time::Duration::ZERO, reason, &"peer", &"test");
            }
        }
        for (times, reason) in (1..).zip(Refusal::ALL) {
            assert_eq!(refusals.count(reason), times * 20, "{reason}");
        }
    }
}
