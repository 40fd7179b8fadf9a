//! How long things take: percentiles of many durations.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::BenchmarkError;

/// Longest duration that is told apart, in microseconds: ten minutes.
const LONGEST_US: u64 = 600_000_000;

/// A distribution of durations, to three digits.
#[derive(Debug, Clone)]
pub struct Latency(Histogram<u64>);

impl Latency {
    /// Nothing measured yet.
    pub fn new() -> Result<Self, BenchmarkError> {
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, 3);
        histogram.map(Self).map_err(|error| BenchmarkError::system("a histogram", &error))
    }

    /// Adds a duration; those that are too long count as the longest.
    pub fn add(&mut self, duration: Duration) {
        self.0.saturating_record(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// Adds what lasted from each of `count` moments, evenly spread from `first` to `last`, until `end`.
    pub fn add_spread(&mut self, first: Instant, last: Instant, count: u32, end: Instant) {
        let between = last.saturating_duration_since(first) / count.max(1);
        for number in 1..=count {
            self.add(end.saturating_duration_since(first + between.saturating_mul(number)));
        }
    }

    /// Adds all durations of another distribution.
    pub fn merge(&mut self, other: &Self) {
        // All have the same bounds, so nothing is lost.
        let _ = self.0.add(&other.0);
    }

    /// Its percentiles.
    #[must_use]
    pub fn percentiles(&self) -> Percentiles {
        let at = |quantile| {
            // Ten minutes in microseconds fit into 32 bits.
            f64::from(u32::try_from(self.0.value_at_quantile(quantile)).unwrap_or(u32::MAX)) / 1_000.0
        };
        Percentiles {
            count: self.0.len(),
            p50_ms: at(0.5),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            max_ms: at(1.0),
        }
    }
}

/// Percentiles, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentiles {
    /// How many durations.
    pub count: u64,
    /// Half of them are not longer.
    pub p50_ms: f64,
    /// 95 % of them are not longer.
    pub p95_ms: f64,
    /// 99 % of them are not longer.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_spread_over_an_interval_wait_differently_long() {
        let mut latency = Latency::new().unwrap();
        let first = Instant::now();
        let last = first + Duration::from_millis(100);
        latency.add_spread(first, last, 100, last);
        let found = latency.percentiles();
        assert_eq!(found.count, 100);
        assert!((48.0..=52.0).contains(&found.p50_ms), "{found:?}");
        assert!((98.0..=100.0).contains(&found.max_ms), "{found:?}");
    }
}
