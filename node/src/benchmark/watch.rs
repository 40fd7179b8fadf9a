//! Watching a run: what is durable, how long it took, and whether it is what was recorded.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use xln_primitives::{BlockHeader, FrameHash};
use xln_runtime::Executed;

use super::{
    BenchmarkError, Party,
    feed::Brought,
    latency::Latency,
    processor::{Threads, Used},
    wire,
};
use crate::author::Observer;

/// What was measured.
#[derive(Debug)]
pub struct Outcome {
    /// From the first slice that was brought to the last that was durable.
    pub elapsed: Duration,
    /// Payments that are over.
    pub payments: u64,
    /// Slices that were executed.
    pub slices: u64,
    /// From the submission of a payment's first message to the durability of its last.
    pub latency: Latency,
    /// Between blocks.
    pub block_interval: Latency,
    /// Bytes of slices in the log.
    pub log_bytes: u64,
    /// Time in which the author waited for inputs that were brought and not verified yet.
    pub author_waited: Duration,
    /// Processor time by thread.
    pub threads: std::collections::BTreeMap<String, Used>,
}

impl Outcome {
    /// That of a run in which nothing happened yet.
    fn nothing() -> Result<Self, BenchmarkError> {
        Ok(Self {
            elapsed: Duration::ZERO,
            payments: 0,
            slices: 0,
            latency: Latency::new()?,
            block_interval: Latency::new()?,
            log_bytes: 0,
            author_waited: Duration::ZERO,
            threads: std::collections::BTreeMap::new(),
        })
    }
}

/// What all threads of a run know of it.
pub(super) struct Watch {
    hub: Party,
    state: Mutex<State>,
    moved: Condvar,
    /// Tells the author to stop.
    stop: Arc<AtomicBool>,
}

struct State {
    expected: VecDeque<Brought>,
    under_way: VecDeque<Brought>,
    /// The last step that is durable; all before it are.
    durable: Option<u64>,
    all_brought: bool,
    finished: bool,
    failure: Option<BenchmarkError>,
    threads: Threads,
    start: Instant,
    last_block: Option<Instant>,
    outcome: Outcome,
    /// Called whenever a payment is over.
    tell: Box<dyn Fn(u64) + Send>,
}

impl Watch {
    /// A run that begins now. `tell` is called with the number of payments that have ended.
    pub(super) fn new(
        hub: Party,
        stop: Arc<AtomicBool>,
        tell: impl Fn(u64) + Send + 'static,
    ) -> Result<Arc<Self>, BenchmarkError> {
        let outcome = Outcome::nothing()?;
        let state = State {
            expected: VecDeque::new(),
            under_way: VecDeque::new(),
            durable: None,
            all_brought: false,
            finished: false,
            failure: None,
            threads: Threads::now(),
            start: Instant::now(),
            last_block: None,
            outcome,
            tell: Box::new(tell),
        };
        Ok(Arc::new(Self { hub, state: Mutex::new(state), moved: Condvar::new(), stop }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked has failed the run anyway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slice is about to be brought.
    pub(super) fn expect(&self, slice: Brought) {
        self.lock().expected.push_back(slice);
    }

    /// Waits until a step is durable, or until the run has ended.
    pub(super) fn wait_for(&self, step: u64) {
        let waiting =
            |state: &mut State| !state.finished && state.durable.is_none_or(|durable| durable < step);
        drop(self.moved.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner));
    }

    /// Nothing will be brought any more: waits until everything is durable.
    pub(super) fn all_brought(&self) {
        let mut state = self.lock();
        state.all_brought = true;
        self.finish_if_done(&mut state);
        let waiting = |state: &mut State| !state.finished;
        drop(self.moved.wait_while(state, waiting).unwrap_or_else(PoisonError::into_inner));
    }

    /// The author waited for inputs.
    pub(super) fn author_waited(&self, time: Duration) {
        self.lock().outcome.author_waited += time;
    }

    /// A slice is durable.
    pub(super) fn durable(&self, found: Option<FrameHash>, log_bytes: usize) {
        let now = Instant::now();
        let mut state = self.lock();
        let Some(slice) = state.expected.pop_front() else { return };
        if found != Some(slice.frame) {
            let (step, expected) = (slice.step, slice.frame);
            drop(state);
            self.fail(BenchmarkError::OtherFrame { step, expected, found });
            return;
        }
        state.durable = Some(slice.step);
        state.outcome.slices = state.outcome.slices.saturating_add(1);
        state.outcome.log_bytes = state.outcome.log_bytes.saturating_add(log_bytes as u64);
        state.outcome.elapsed = now.saturating_duration_since(state.start);
        if slice.begun > 0 {
            state.under_way.push_back(slice);
        }
        if slice.done > 0
            && let Some(begun) = state.under_way.pop_front()
        {
            let (first, last) = begun.came;
            state.outcome.latency.add_spread(first, last, begun.begun, now);
            state.outcome.payments = state.outcome.payments.saturating_add(slice.done.into());
            (state.tell)(slice.done.into());
        }
        self.finish_if_done(&mut state);
        drop(state);
        self.moved.notify_all();
    }

    /// A block is durable.
    pub(super) fn block(&self) {
        let now = Instant::now();
        let mut state = self.lock();
        if state.finished {
            return;
        }
        if let Some(last) = state.last_block.replace(now) {
            state.outcome.block_interval.add(now.saturating_duration_since(last));
        }
    }

    /// Ends the run, which does not count. The first failure stays.
    pub(super) fn fail(&self, failure: BenchmarkError) {
        let mut state = self.lock();
        if state.failure.is_none() {
            state.failure = Some(failure);
        }
        self.finish(&mut state);
    }

    fn finish_if_done(&self, state: &mut State) {
        if state.all_brought && state.expected.is_empty() && !state.finished {
            // While the threads are still there.
            state.outcome.threads = Threads::now().since(&state.threads);
            self.finish(state);
        }
    }

    fn finish(&self, state: &mut State) {
        state.finished = true;
        self.stop.store(true, Ordering::Release);
        self.moved.notify_all();
    }

    /// What was measured, or why it does not count. Nothing is watched any more.
    pub(super) fn conclude(&self) -> Result<Outcome, BenchmarkError> {
        let mut state = self.lock();
        if let Some(failure) = state.failure.take() {
            return Err(failure);
        }
        Ok(core::mem::replace(&mut state.outcome, Outcome::nothing()?))
    }
}

/// What the author tells a watch.
pub(super) struct Announced(pub(super) Arc<Watch>);

impl Observer for Announced {
    fn slice(&self, executed: &Executed) {
        self.0.durable(wire::frame_of(executed, &self.0.hub), executed.log.len());
    }

    fn block(&self, _header: &BlockHeader) {
        self.0.block();
    }
}
