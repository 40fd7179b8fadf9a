//! What was refused, how often, and why.

use core::sync::atomic::{AtomicU64, Ordering};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use libp2p::Multiaddr;

use crate::quota::{Rate, TokenBucket};

/// Most lines of the log per second about refusals, so that nobody fills a disk with them. All are counted.
const LOGGED: Rate = Rate { per_second: 5, burst: 50 };

/// Who is remembered beside the counts, each once for each reason; whoever was refused longest ago makes room.
const REMEMBERED_MAX: usize = 100;
/// Characters of a detail that are remembered.
const DETAIL_MAX: usize = 200;

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

/// Somebody who was refused for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The server, or the address of a connection that has not proven a key.
    pub peer: String,
    /// From where it came last, if that is known.
    pub address: Option<Multiaddr>,
    /// Why.
    pub reason: Refusal,
    /// What was said about it the last time; at most 200 characters.
    pub detail: String,
    /// How often since it is remembered.
    pub times: u64,
    /// The last time, in Unix milliseconds.
    pub last_ms: u64,
}

/// Counts refusals, remembers the last ones, and logs them while there are not too many.
#[derive(Debug)]
pub(crate) struct Refusals {
    counts: [AtomicU64; Refusal::ALL.len()],
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    bucket: TokenBucket,
    /// How many were not logged.
    silent: u64,
    remembered: BTreeMap<(String, Refusal), Refused>,
}

impl Inner {
    fn remember(
        &mut self,
        reason: Refusal,
        peer: &dyn core::fmt::Display,
        address: Option<&Multiaddr>,
        detail: &dyn core::fmt::Display,
    ) {
        let last_ms =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let last_ms = u64::try_from(last_ms).unwrap_or(u64::MAX);
        let peer = peer.to_string();
        if !self.remembered.contains_key(&(peer.clone(), reason)) && self.remembered.len() >= REMEMBERED_MAX {
            let oldest = self.remembered.iter().min_by_key(|(_, refused)| refused.last_ms);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                self.remembered.remove(&key);
            }
        }
        let refused = self.remembered.entry((peer.clone(), reason)).or_insert_with(|| Refused {
            peer,
            address: None,
            reason,
            detail: String::new(),
            times: 0,
            last_ms,
        });
        refused.times = refused.times.saturating_add(1);
        refused.last_ms = last_ms;
        refused.detail = detail.to_string().chars().take(DETAIL_MAX).collect();
        if let Some(address) = address {
            refused.address = Some(address.clone());
        }
    }
}

impl Refusals {
    pub(crate) fn new(now: core::time::Duration) -> Self {
        let inner = Inner { bucket: TokenBucket::new(LOGGED, now), silent: 0, remembered: BTreeMap::new() };
        Self { counts: Default::default(), inner: Mutex::new(inner) }
    }

    /// The last ones, newest first.
    pub(crate) fn last(&self) -> Vec<Refused> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last: Vec<Refused> = inner.remembered.values().cloned().collect();
        last.sort_by_key(|refused| core::cmp::Reverse(refused.last_ms));
        last
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
        address: Option<&Multiaddr>,
        detail: &dyn core::fmt::Display,
    ) {
        if let Some(count) = self.counts.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.remember(reason, peer, address, detail);
        if inner.bucket.take(now, 1) {
            let unlogged = core::mem::take(&mut inner.silent);
            let address = address.map(tracing::field::display);
            tracing::warn!(target: "xln_network::refusal", %peer, address, %reason, %detail, unlogged, "refused");
        } else {
            inner.silent = inner.silent.saturating_add(1);
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
                refusals.note(core::time::Duration::ZERO, reason, &"peer", None, &"test");
            }
        }
        for (times, reason) in (1..).zip(Refusal::ALL) {
            assert_eq!(refusals.count(reason), times * 20, "{reason}");
        }
        assert_eq!(refusals.last().len(), Refusal::ALL.len(), "one peer is remembered once for each reason");
    }

    #[test]
    fn whoever_is_refused_a_thousand_times_does_not_push_the_others_out() {
        let refusals = Refusals::new(core::time::Duration::ZERO);
        let address: Multiaddr = "/ip4/192.0.2.7/tcp/9".parse().unwrap();
        let note = |peer: &str, address: Option<&Multiaddr>, detail: &str| {
            refusals.note(core::time::Duration::ZERO, Refusal::Quota, &peer, address, &detail);
        };
        note("quiet", Some(&address), "once");
        for _ in 0..1_000 {
            note("loud", None, &"x".repeat(1_000));
        }
        let last = refusals.last();
        let of = |peer: &str| last.iter().find(|refused| refused.peer == peer).unwrap();
        assert_eq!((of("quiet").times, &of("quiet").address), (1, &Some(address)));
        assert_eq!((of("loud").times, of("loud").detail.len()), (1_000, DETAIL_MAX));
        for number in 0..1_000 {
            note(&number.to_string(), None, "");
        }
        assert_eq!(refusals.last().len(), REMEMBERED_MAX);
    }
}
