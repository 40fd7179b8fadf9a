//! The author's source of work while it is measured: the recorded slices instead of whatever waits.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use xln_primitives::Timestamp;
use xln_runtime::{Server, SliceInputs};

use super::{BenchmarkError, feed::Brought, watch::Watch};
use crate::{
    author::{AuthorError, Source, Work},
    inbox::Inbox,
    pool::Pool,
};

/// Takes from inbox and pool exactly what the recording has in the next slice, with its clock and its randomness.
pub(super) struct Script {
    pub(super) brought: Receiver<Brought>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) pool: Arc<Pool>,
    pub(super) watch: Arc<Watch>,
    /// The clock: the time of the last slice.
    pub(super) now: Timestamp,
}

impl Source for Script {
    fn next(&mut self, _server: &Server, deadline: Instant) -> Result<Option<Work>, AuthorError> {
        let slice = match self.brought.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(slice) => slice,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                // Nothing comes any more; blocks are sealed until the last slice is durable.
                std::thread::sleep(deadline.saturating_duration_since(Instant::now()).min(IDLE));
                return Ok(None);
            }
        };
        self.now = slice.timestamp;
        let waiting = Instant::now();
        let messages = self.inbox.take_exactly(slice.messages);
        self.watch.author_waited(waiting.elapsed());
        let calls = self.pool.take(slice.calls);
        if messages.len() != slice.messages || calls.len() != slice.calls {
            let (rejected, reason) = self.inbox.rejected();
            let reason = reason.map(Box::new);
            self.watch.fail(BenchmarkError::Rejected { step: slice.step, rejected, reason });
            return Ok(None);
        }
        let inputs = SliceInputs { messages, calls, ..SliceInputs::default() };
        Ok(Some(Work { timestamp: slice.timestamp, entropy: slice.entropy, inputs }))
    }

    fn now(&self) -> Timestamp {
        self.now
    }
}

/// How long the author rests when nothing comes any more.
const IDLE: Duration = Duration::from_millis(1);
