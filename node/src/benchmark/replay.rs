//! Replaying a recording against the clock: the hub alone, as fast as it can or at a given rate.
//!
//! ```text
//!   file ─► feed ─► decode ─► verify on all cores ─► execute ─► write and fsync ─► durable
//!            ▲                                                                        │
//!            └────── slice n + D may come as soon as slice n is durable ◄─────────────┘
//! ```
//!
//! The users answer what is durable, never earlier: slice n + D holds answers to slice n, and is fed only then. So at most D
//! slices are under way, and what is measured is what a network of that depth could have asked for. At a rate the payments
//! come evenly spread; a payment counts from the moment at which it comes, also if the hub is late (no coordinated
//! omission).

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    time::{Duration, Instant},
};

use xln_primitives::FrameHash;
use xln_runtime::{Certifier, Server, SliceInputs};
use xln_store::{Batch, Store};

use super::{
    BenchmarkError, Parties, Plan,
    check::Unsound,
    latency::Latency,
    processor::{Threads, Used},
    progress,
    recording::{Reader, RecordedSlice},
    wire,
};
use crate::author;

/// How long a block collects slices.
const BLOCK_TIME: Duration = Duration::from_millis(100);
/// Slices that are verified ahead of their execution.
const AHEAD: usize = 2;

/// How a recording is replayed.
#[derive(Clone, Copy)]
pub struct Replay<'a> {
    /// The sizes.
    pub plan: Plan,
    /// Who there is.
    pub parties: &'a Parties,
    /// The recording.
    pub file: &'a Path,
    /// Who certifies the hub's frames.
    pub certifier: &'a dyn Certifier,
    /// Where every slice becomes durable; nowhere if none.
    pub store: Option<&'a Store>,
    /// Payments per second; as fast as possible if none.
    pub rate: Option<u32>,
    /// What is done, for the progress bar.
    pub what: &'static str,
}

/// What was measured.
#[derive(Debug)]
pub struct Outcome {
    /// From the first slice that was fed to the last that was durable.
    pub elapsed: Duration,
    /// Payments that are over.
    pub payments: u64,
    /// Slices that were executed.
    pub slices: u64,
    /// From the submission of a payment's first message to the durability of its last.
    pub latency: Latency,
    /// Between blocks.
    pub block_interval: Latency,
    /// Synced writes.
    pub fsyncs: u64,
    /// Bytes of write batches of slices.
    pub slice_bytes: u64,
    /// Time that the thread of the author spent in each of its parts.
    pub parts: Parts,
    /// Processor time by thread.
    pub threads: BTreeMap<String, Used>,
}

/// Where the author's time went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    /// Waiting for verified inputs.
    pub wait: Duration,
    /// Executing slices and swapping their outcome in.
    pub execute: Duration,
    /// Making batches, writing and syncing them.
    pub write: Duration,
}

/// A slice that is ready to be executed.
struct Ready {
    meta: Meta,
    inputs: SliceInputs,
}

/// What is known of a slice besides its inputs.
#[derive(Debug, Clone, Copy)]
struct Meta {
    step: u64,
    timestamp: xln_primitives::Timestamp,
    entropy: xln_primitives::Hash,
    frame: FrameHash,
    begun: u32,
    done: u32,
    /// When the first and the last of its payments came.
    came: (Instant, Instant),
}

/// The last step that is durable; all before it are.
#[derive(Default)]
struct Durable {
    step: Mutex<Option<u64>>,
    moved: Condvar,
}

impl Durable {
    fn lock(&self) -> MutexGuard<'_, Option<u64>> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self, step: u64) {
        *self.lock() = Some(step);
        self.moved.notify_all();
    }

    fn wait_for(&self, step: u64) {
        let waiting = |reached: &mut Option<u64>| reached.is_none_or(|reached| reached < step);
        drop(self.moved.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Replay<'_> {
    /// Replays everything on `server`, which stands where the recording began.
    pub fn run(self, server: &mut Server) -> Result<Outcome, BenchmarkError> {
        let durable = Arc::new(Durable::default());
        std::thread::scope(|scope| {
            let (ready, next) = mpsc::sync_channel(AHEAD);
            let feeding = Arc::clone(&durable);
            let feeder = std::thread::Builder::new()
                .name("feed".into())
                .spawn_scoped(scope, move || self.feed(&feeding, &ready));
            let feeder = feeder.map_err(|error| BenchmarkError::System {
                what: "a thread that feeds the hub",
                reason: error.to_string(),
            })?;
            let outcome = self.author(server, &durable, next);
            // Whoever waits for a slice that will not become durable must end too.
            durable.reach(u64::MAX);
            match feeder.join() {
                Ok(fed) => fed.and(outcome).and_then(|run| self.complete(run)),
                Err(_) => Err(BenchmarkError::Ended("the thread that feeds the hub")),
            }
        })
    }

    fn complete(&self, run: Outcome) -> Result<Outcome, BenchmarkError> {
        let (expected, found) = (self.plan.payments, run.payments);
        if found == expected { Ok(run) } else { Err(Unsound::Payments { expected, found }.into()) }
    }

    /// Reads, paces, decodes and verifies.
    fn feed(&self, durable: &Durable, ready: &mpsc::SyncSender<Ready>) -> Result<(), BenchmarkError> {
        let (network, depth) = (self.parties.network(), u64::from(self.plan.depth));
        let mut fed: VecDeque<u64> = VecDeque::new();
        let (start, mut begun) = (Instant::now(), 0_u64);
        for slice in Reader::open(self.file)? {
            let RecordedSlice { step, timestamp, entropy, arrivals, calls, frame, begun: now, done } = slice?;
            while let Some(before) = fed.pop_front_if(|before| before.saturating_add(depth) <= step) {
                durable.wait_for(before);
            }
            fed.push_back(step);
            let first = begun;
            begun = begun.saturating_add(now.into());
            let came = match self.rate {
                Some(rate) => {
                    let at = |payments: u64| start + Duration::from_secs(payments) / rate.max(1);
                    let last = at(begun);
                    std::thread::sleep(last.saturating_duration_since(Instant::now()));
                    (at(first), last)
                }
                None => (Instant::now(), Instant::now()),
            };
            let inputs = wire::authentic(arrivals, calls, network, timestamp, *entropy.as_bytes())?;
            let meta = Meta { step, timestamp, entropy, frame, begun: now, done, came };
            if ready.send(Ready { meta, inputs }).is_err() {
                // The author has stopped, and says why.
                return Ok(());
            }
        }
        Ok(())
    }

    /// Executes, writes and seals what comes, until nothing comes any more.
    fn author(
        &self,
        server: &mut Server,
        durable: &Durable,
        next: mpsc::Receiver<Ready>,
    ) -> Result<Outcome, BenchmarkError> {
        let bar = progress::bar(self.what, self.plan.payments);
        let threads = Threads::now();
        let mut run = Outcome {
            elapsed: Duration::ZERO,
            payments: 0,
            slices: 0,
            latency: Latency::new()?,
            block_interval: Latency::new()?,
            fsyncs: 0,
            slice_bytes: 0,
            parts: Parts::default(),
            threads: BTreeMap::new(),
        };
        let mut under_way: VecDeque<Meta> = VecDeque::new();
        let start = Instant::now();
        let (mut last_block, mut tick) = (start, start + BLOCK_TIME);
        loop {
            let waiting = Instant::now();
            let Ok(Ready { meta, inputs }) = next.recv() else { break };
            run.parts.wait += waiting.elapsed();
            self.slice(server, &meta, inputs, &mut run)?;
            durable.reach(meta.step);
            let now = Instant::now();
            if meta.begun > 0 {
                under_way.push_back(meta);
            }
            if meta.done > 0
                && let Some(begun) = under_way.pop_front()
            {
                run.latency.add_spread(begun.came.0, begun.came.1, begun.begun, now);
                run.payments = run.payments.saturating_add(meta.done.into());
                bar.inc(meta.done.into());
            }
            run.elapsed = start.elapsed();
            if now >= tick {
                self.seal(server, meta.timestamp, &mut run)?;
                run.block_interval.add(now.duration_since(last_block));
                last_block = now;
                tick = (tick + BLOCK_TIME).max(now);
            }
        }
        run.threads = Threads::now().since(&threads);
        bar.finish_and_clear();
        Ok(run)
    }

    /// One slice. The one place that stands for the node's author.
    fn slice(
        &self,
        server: &mut Server,
        meta: &Meta,
        inputs: SliceInputs,
        run: &mut Outcome,
    ) -> Result<(), BenchmarkError> {
        let executing = Instant::now();
        let mut executed = server.execute(meta.timestamp, meta.entropy, inputs, self.certifier)?;
        if let Some((_, refusal)) = executed.refused.first() {
            return Err(BenchmarkError::Refused { step: meta.step, refusal: refusal.clone() });
        }
        run.parts.execute += executing.elapsed();
        if let Some(store) = self.store {
            let writing = Instant::now();
            let written = store.commit(author::slice_batch(&executed))?;
            run.parts.write += writing.elapsed();
            run.fsyncs = run.fsyncs.saturating_add(1);
            run.slice_bytes = run.slice_bytes.saturating_add(written.bytes);
        }
        let committing = Instant::now();
        let found = wire::frame_of(&executed, self.parties.hub());
        if found != Some(meta.frame) {
            return Err(BenchmarkError::OtherFrame { step: meta.step, expected: meta.frame, found });
        }
        server.commit(&mut executed);
        run.parts.execute += committing.elapsed();
        run.slices = run.slices.saturating_add(1);
        Ok(())
    }

    fn seal(
        &self,
        server: &mut Server,
        now: xln_primitives::Timestamp,
        run: &mut Outcome,
    ) -> Result<(), BenchmarkError> {
        let Some(sealed) = server.seal(now) else { return Ok(()) };
        if let Some(store) = self.store {
            let mut batch = Batch::new();
            batch.put_block(&sealed.header);
            store.commit(batch)?;
            run.fsyncs = run.fsyncs.saturating_add(1);
        }
        server.commit_block(sealed);
        Ok(())
    }
}
