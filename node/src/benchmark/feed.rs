//! Bringing a recording to the hub: as a network would, in bytes, and no earlier than the users could have answered.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, mpsc::Sender},
    time::{Duration, Instant},
};

use xln_primitives::{FrameHash, Hash, Timestamp};

use super::{
    BenchmarkError,
    recording::{Arrival, Reader, RecordedSlice},
    watch::Watch,
};
use crate::{inbox, inbox::Inbox, pool::Pool};

/// A slice that was brought: what the author needs to know of it besides its inputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Brought {
    pub(super) step: u64,
    pub(super) timestamp: Timestamp,
    pub(super) entropy: Hash,
    /// Messages that are its inputs.
    pub(super) messages: usize,
    /// Calls that are its inputs.
    pub(super) calls: usize,
    /// What the hub must make of them.
    pub(super) frame: FrameHash,
    /// Payments that begin in it.
    pub(super) begun: u32,
    /// Payments that are over once it is durable.
    pub(super) done: u32,
    /// When the first and the last of the payments came that begin in it.
    pub(super) came: (Instant, Instant),
}

/// Brings a recording.
pub(super) struct Feeder<'a> {
    pub(super) file: &'a Path,
    /// Slices between a message of the hub and its answer.
    pub(super) depth: u64,
    /// Payments per second; as fast as the users can answer if none.
    pub(super) rate: Option<u32>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) pool: Arc<Pool>,
    pub(super) watch: Arc<Watch>,
}

impl Feeder<'_> {
    /// Brings everything, and waits until it is durable.
    pub(super) fn run(&self, brought: &Sender<Brought>) -> Result<(), BenchmarkError> {
        let mut reader = Reader::open(self.file)?;
        let mut unanswered: VecDeque<u64> = VecDeque::new();
        let (start, mut before) = (Instant::now(), 0_u64);
        while let Some(raw) = reader.next_raw()? {
            let (step, begun) = raw.opening()?;
            while let Some(answered) = unanswered.pop_front_if(|said| said.saturating_add(self.depth) <= step)
            {
                self.watch.wait_for(answered);
            }
            unanswered.push_back(step);
            let after = before.saturating_add(begun.into());
            let came = self.pace(start, before, after);
            before = after;
            let RecordedSlice { timestamp, entropy, arrivals, calls, frame, done, .. } = raw.decode()?;
            let (messages, count) = (arrivals.len(), calls.len());
            let slice =
                Brought { step, timestamp, entropy, messages, calls: count, frame, begun, done, came };
            self.watch.expect(slice);
            let arrive = |(message, board): Arrival| inbox::Arrival { message, board };
            self.inbox.submit(arrivals.into_iter().map(arrive).collect())?;
            if count > 0 {
                for queued in self.pool.submit(calls, timestamp, *entropy.as_bytes()) {
                    queued?;
                }
            }
            if brought.send(slice).is_err() {
                // The author has stopped, and says why.
                return Ok(());
            }
        }
        self.watch.all_brought();
        Ok(())
    }

    /// Waits until the payments after `before` up to `after` have come, and says when.
    fn pace(&self, start: Instant, before: u64, after: u64) -> (Instant, Instant) {
        let Some(rate) = self.rate else {
            let now = Instant::now();
            return (now, now);
        };
        let at = |payments: u64| start + Duration::from_secs(payments) / rate.max(1);
        let last = at(after);
        std::thread::sleep(last.saturating_duration_since(Instant::now()));
        (at(before), last)
    }
}
