//! The block author: turns what waits into durable state.
//!
//! ```text
//!   pool, inbox, clock ─► execute slice N+1 ────────────────► execute slice N+2 ──────────►     author's thread
//!                              │ outcome of N                    │ outcome of N+1
//!                              ▼                                 ▼
//!                         write and fsync N ─► swap in, tell ─► write and fsync N+1 ─► …        writer's thread
//!   every 100 ms: seal the slices so far into a block;  every 100 blocks: write the changed rows of the state
//! ```
//!
//! The author runs ahead: it executes on a state of its own, while what it executed before is being written. Everybody
//! else sees the durable state, which the writer moves forward after each fsync: what a reader sees, a subscriber is told
//! or a peer receives cannot be lost any more. At most [`AHEAD`] slices are executed and not durable.
//!
//! Neither thread ever waits for a reader: RPC and subscriptions read the durable state under a lock that is taken only to
//! swap entities in. What fails to become durable was never said: both threads stop, the node reports itself unready with
//! the reason, and nothing leaves any more.

mod certify;
mod clock;
mod snapshot;
mod source;
mod thread;
mod writer;

use std::{
    num::NonZeroU64,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use xln_primitives::{BlockHeader, EntityId};
use xln_runtime::{Certifier, CertifyError, Executed, Server};
use xln_store::{Store, StoreError};

use crate::{inbox::Inbox, metrics::Metrics, pool::Pool, retained::Retained};

use snapshot::Snapshots;
use writer::{Step, Writer};

pub use certify::KeystoreCertifier;
pub use clock::system_time;
pub(crate) use snapshot::{marker, write_snapshot};
pub use source::{Live, Source, Work};
pub use thread::AuthorThread;

/// A mutable snapshot is written every so many blocks, if nothing else is said.
pub const SNAPSHOT_INTERVAL: NonZeroU64 = NonZeroU64::new(100).expect("not zero");
/// Slices and blocks that the author may be ahead of the disk.
pub const AHEAD: usize = 2;

/// What the author announces, always after it is durable.
pub trait Observer: Send {
    /// A slice took effect.
    fn slice(&self, executed: &Executed);
    /// A block was sealed.
    fn block(&self, header: &BlockHeader);
    /// Messages, frames or states of others had no effect, and nothing else had any: the slice left no trace.
    fn given_back(&self, _executed: &Executed) {}
}

/// Why the author stopped.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// Something could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A frame could not be certified.
    #[error(transparent)]
    Certify(#[from] CertifyError),
    /// The operating system gives no randomness.
    #[error("no randomness: {0}")]
    Randomness(String),
    /// The operating system gives no thread.
    #[error("cannot start the writer's thread: {0}")]
    Thread(std::io::Error),
    /// A defect of the program.
    #[error("the writer has panicked")]
    WriterPanicked,
}

/// Everything that the author works with.
pub struct Author {
    /// The durable state.
    pub server: Arc<RwLock<Server>>,
    /// Where its work comes from.
    pub source: Box<dyn Source>,
    /// Calls that wait, to be told what became of them.
    pub pool: Arc<Pool>,
    /// Messages that wait, to which those are added that entities could not receive before.
    pub inbox: Arc<Inbox>,
    /// Where it becomes durable.
    pub store: Store,
    /// What slices leave beside the state.
    pub retained: Arc<Retained>,
    /// The keys.
    pub certifier: Arc<dyn Certifier + Send>,
    /// Who is told.
    pub observer: Box<dyn Observer>,
    /// What is measured.
    pub metrics: Arc<Metrics>,
    /// Set when the node is to stop.
    pub stop: Arc<AtomicBool>,
    /// Stop before the disk has less than this many free bytes.
    pub free_space_min: u64,
    /// How long a block collects slices.
    pub block_time: Duration,
    /// A mutable snapshot is written every so many blocks.
    pub snapshot_interval: NonZeroU64,
}

impl Author {
    /// Works until it is told to stop; the last block is sealed and the state written then.
    pub fn run(self) -> Result<(), AuthorError> {
        let ahead = self.server.read().unwrap_or_else(PoisonError::into_inner).clone();
        let present =
            ahead.entities().filter(|entity| self.certifier.can_certify(entity.id(), entity.board()));
        let present: Vec<EntityId> = present.map(xln_runtime::Entity::id).collect();
        self.inbox.requeue(self.retained.redeliver(&ahead, &present)?);
        let pool = self.pool;
        let writer = Writer {
            server: self.server,
            pool: Arc::clone(&pool),
            inbox: self.inbox,
            store: self.store.clone(),
            retained: self.retained,
            observer: self.observer,
            metrics: Arc::clone(&self.metrics),
            snapshots: Snapshots::since(ahead.head().number, self.snapshot_interval, self.store.clone()),
        };
        let (steps, queue) = sync_channel(AHEAD);
        let ending = Ending { ended: Arc::default(), pool };
        let writer_ended = Arc::clone(&ending.ended);
        let thread = std::thread::Builder::new().name("writer".into());
        let write = move || {
            let _ending = ending;
            writer.run(&queue)
        };
        let thread = thread.spawn(write).map_err(AuthorError::Thread)?;
        let executor = Executor {
            ahead,
            source: self.source,
            store: self.store,
            certifier: self.certifier,
            metrics: self.metrics,
            stop: self.stop,
            free_space_min: self.free_space_min,
            block_time: self.block_time,
            steps,
            writer_ended,
        };
        let executed = executor.run();
        // Why the writer has stopped comes first: then nobody takes what the executor hands over.
        thread.join().unwrap_or(Err(AuthorError::WriterPanicked))?;
        executed
    }
}

/// The first half of the author: executes.
struct Executor {
    /// The state with everything that was executed, durable or not.
    ahead: Server,
    source: Box<dyn Source>,
    store: Store,
    certifier: Arc<dyn Certifier + Send>,
    metrics: Arc<Metrics>,
    stop: Arc<AtomicBool>,
    free_space_min: u64,
    block_time: Duration,
    steps: SyncSender<Step>,
    writer_ended: Arc<AtomicBool>,
}

/// Tells the executor that the writer's thread has ended, however it ended: what it was handed last may have been
/// lost with it, and nothing else may come that would show it.
struct Ending {
    ended: Arc<AtomicBool>,
    pool: Arc<Pool>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        self.pool.wake();
    }
}

/// The writer has gone, after a failure.
struct WriterGone;

impl Executor {
    fn run(mut self) -> Result<(), AuthorError> {
        let mut tick = Instant::now() + self.block_time;
        let mut last_seal = Instant::now();
        while !self.stop.load(Ordering::Acquire) && !self.writer_ended.load(Ordering::Acquire) {
            if self.slice(tick)?.is_err() {
                return Ok(());
            }
            let now = Instant::now();
            if now >= tick {
                self.store.check_free_space(self.free_space_min)?;
                match self.seal() {
                    Ok(true) => self.metrics.block_interval(now.duration_since(last_seal)),
                    Ok(false) => {}
                    Err(WriterGone) => return Ok(()),
                }
                last_seal = now;
                tick += self.block_time;
                if tick < now {
                    // A tick was missed; the cadence goes on from here instead of catching up.
                    tick = now + self.block_time;
                }
            }
        }
        while self.ahead.has_carried() {
            if self.slice(Instant::now())?.is_err() {
                return Ok(());
            }
        }
        // If the writer has gone, its own error says why.
        let _ = self.seal();
        Ok(())
    }

    /// Executes what waits, if anything comes until `deadline`.
    fn slice(&mut self, deadline: Instant) -> Result<Result<(), WriterGone>, AuthorError> {
        let Some(work) = self.source.next(&self.ahead, deadline)? else { return Ok(Ok(())) };
        let calls = work.inputs.calls.iter().map(|call| {
            let body = &call.get().body;
            (call.get().hash(), (body.signer.signer_id(), body.entity))
        });
        let (calls, began) = (calls.collect(), Instant::now());
        let executed =
            self.ahead.execute(work.timestamp, work.entropy, work.inputs, self.certifier.as_ref())?;
        if executed.frames > 0 {
            drop(self.ahead.commit(&executed));
        }
        self.metrics.executed(began.elapsed());
        let step = Step::Slice { executed: Box::new(executed), calls, began };
        Ok(self.steps.send(step).map_err(|_| WriterGone))
    }

    /// Seals the slices since the last block. Returns whether there were any.
    fn seal(&mut self) -> Result<bool, WriterGone> {
        let start = Instant::now();
        let Some(sealed) = self.ahead.seal(self.source.now()) else { return Ok(false) };
        self.ahead.commit_block(sealed.clone());
        // The writer's state is the one that is written down; here nobody will ask for what changed.
        drop(self.ahead.take_changes());
        self.metrics.block_sealed(start.elapsed());
        self.steps.send(Step::Block(Box::new(sealed))).map_err(|_| WriterGone)?;
        Ok(true)
    }
}
