//! How much one server may send: a token bucket each for bytes and for messages.

use core::time::Duration;

/// What a token is divided into, so that slow rates lose nothing between two looks.
const NANOS: u128 = 1_000_000_000;

/// How much per second, and how much at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Per second, on average.
    pub per_second: u64,
    /// At once. What is larger never passes.
    pub burst: u64,
}

/// A token bucket. It has no clock: whoever asks says what time it is, as the time since some moment.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    rate: Rate,
    /// In billionths of a token.
    tokens: u128,
    /// When they were counted.
    at: Duration,
}

impl TokenBucket {
    /// A full one.
    #[must_use]
    pub fn new(rate: Rate, now: Duration) -> Self {
        Self { rate, tokens: u128::from(rate.burst) * NANOS, at: now }
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at);
        self.at = self.at.max(now);
        let more = passed.as_nanos().saturating_mul(self.rate.per_second.into());
        self.tokens = self.tokens.saturating_add(more).min(u128::from(self.rate.burst) * NANOS);
    }

    /// Whether so many tokens are there.
    pub fn has(&mut self, now: Duration, count: u64) -> bool {
        self.fill(now);
        self.tokens >= u128::from(count) * NANOS
    }

    /// Takes so many tokens: all or none. Whether they were there.
    pub fn take(&mut self, now: Duration, count: u64) -> bool {
        let has = self.has(now, count);
        if has {
            self.tokens = self.tokens.saturating_sub(u128::from(count) * NANOS);
        }
        has
    }
}

/// What a server may still send.
#[derive(Debug, Clone)]
pub struct Quota {
    bytes: TokenBucket,
    messages: TokenBucket,
}

impl Quota {
    /// Of a server that has sent nothing yet.
    #[must_use]
    pub fn new(bytes: Rate, messages: Rate, now: Duration) -> Self {
        Self { bytes: TokenBucket::new(bytes, now), messages: TokenBucket::new(messages, now) }
    }

    /// Whether a message of so many bytes is within the quota. If not, it costs nothing.
    pub fn admit(&mut self, now: Duration, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.bytes.has(now, bytes) && self.messages.take(now, 1) && self.bytes.take(now, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10, burst: 20 };

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut bucket = TokenBucket::new(RATE, Duration::ZERO);
        assert!(bucket.take(Duration::ZERO, 20));
        assert!(!bucket.take(Duration::ZERO, 1));
        assert!(!bucket.take(Duration::from_millis(99), 1));
        assert!(bucket.take(Duration::from_millis(100), 1));
        assert!(!bucket.take(Duration::from_secs(3_600), 21), "never more than the burst");
        assert!(bucket.take(Duration::from_secs(3_600), 20));
    }

    #[test]
    fn many_looks_at_a_slow_bucket_lose_nothing() {
        let mut bucket = TokenBucket::new(Rate { per_second: 1, burst: 1 }, Duration::ZERO);
        assert!(bucket.take(Duration::ZERO, 1));
        for millis in 1..1_000 {
            assert!(!bucket.has(Duration::from_millis(millis), 1));
        }
        assert!(bucket.has(Duration::from_secs(1), 1));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let mut bucket = TokenBucket::new(RATE, Duration::from_secs(10));
        assert!(bucket.take(Duration::from_secs(10), 20));
        assert!(!bucket.has(Duration::ZERO, 1));
        assert!(!bucket.has(Duration::from_secs(10), 1));
    }

    #[test]
    fn a_message_beyond_either_quota_costs_nothing() {
        let messages = Rate { per_second: 1, burst: 2 };
        let mut quota = Quota::new(RATE, messages, Duration::ZERO);
        assert!(!quota.admit(Duration::ZERO, 21));
        assert!(quota.admit(Duration::ZERO, 10));
        assert!(!quota.admit(Duration::ZERO, 11));
        assert!(quota.admit(Duration::ZERO, 5));
        assert!(!quota.admit(Duration::ZERO, 1), "too many messages");
        assert!(quota.admit(Duration::from_secs(1), 15), "5 were left, 10 came");
    }
}
