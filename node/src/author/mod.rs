//! The block author: one thread that turns what waits into durable state.
//!
//! ```text
//!   pool, clock ─► execute ─► one atomic write and fsync ─► swap the state in ─► tell those who wait
//!        ▲                                                                              │
//!        └───────────── as soon as the last slice is durable ◄──────────────────────────┘
//!   every 100 ms: seal the slices so far into a block;  every 100 blocks: write the changed rows of the state
//! ```
//!
//! The author never waits for a reader: RPC and subscriptions read the committed state under a lock that it takes only to
//! swap entities in. What fails to become durable was never said: the author stops, the node reports itself unready with the
//! reason, and nothing leaves any more.

mod certify;
mod clock;
mod slice;
mod snapshot;
mod thread;

use std::{
    sync::{Arc, PoisonError, RwLock, atomic::AtomicBool, atomic::Ordering},
    time::{Duration, Instant},
};

use xln_primitives::BlockHeader;
use xln_runtime::{CertifyError, EntityEvents, Receipt, Server};
use xln_store::{Batch, Store, StoreError};

use crate::{metrics::Metrics, pool::Pool};

use snapshot::Snapshots;

pub use certify::KeystoreCertifier;
pub use clock::system_time;
pub(crate) use snapshot::{marker, snapshot_batch};
pub use thread::AuthorThread;

/// A mutable snapshot is written every so many blocks.
pub const SNAPSHOT_INTERVAL: u64 = 100;

/// What the author announces, always after it is durable.
pub trait Observer: Send {
    /// A slice took effect.
    fn slice(&self, slice: u64, events: &[EntityEvents], receipts: &[Arc<Receipt>]);
    /// A block was sealed.
    fn block(&self, header: &BlockHeader);
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
}

/// Everything that the author works with.
pub struct Author {
    /// The committed state.
    pub server: Arc<RwLock<Server>>,
    /// Calls that wait.
    pub pool: Arc<Pool>,
    /// Where it becomes durable.
    pub store: Store,
    /// The keys.
    pub certifier: Arc<KeystoreCertifier>,
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
}

impl Author {
    /// Works until it is told to stop; the last block is sealed and the state written then.
    pub fn run(mut self) -> Result<(), AuthorError> {
        let block_time = self.block_time;
        let mut snapshots = Snapshots::since(self.read().head().number);
        self.redeliver(&self.present())?;
        let mut tick = Instant::now() + block_time;
        let mut last_seal = Instant::now();
        while !self.stop.load(Ordering::Acquire) {
            let until_tick = tick.saturating_duration_since(Instant::now());
            let due_soon = self.read().has_carried();
            if !due_soon {
                self.pool.wait(until_tick);
            }
            self.slice()?;
            let now = Instant::now();
            if now >= tick {
                if self.seal(&mut snapshots)? {
                    self.metrics.block_interval(now.duration_since(last_seal));
                }
                last_seal = now;
                tick += block_time;
                if tick < now {
                    // A tick was missed; the cadence goes on from here instead of catching up.
                    tick = now + block_time;
                }
            }
        }
        while self.read().has_carried() {
            self.slice()?;
        }
        self.seal(&mut snapshots)?;
        snapshots.wait()?;
        self.snapshot(&mut snapshots)?;
        Ok(snapshots.wait()?)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Server> {
        self.server.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Server> {
        self.server.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seals the slices since the last block. Returns whether there were any.
    fn seal(&mut self, snapshots: &mut Snapshots) -> Result<bool, AuthorError> {
        self.store.check_free_space(self.free_space_min)?;
        let start = Instant::now();
        let Some(sealed) = self.read().seal(system_time()) else { return Ok(false) };
        let mut batch = Batch::new();
        batch.put_block(&sealed.header);
        self.store.commit(batch)?;
        let header = sealed.header.clone();
        self.write().commit_block(sealed);
        self.metrics.block_sealed(start.elapsed());
        self.observer.block(&header);
        self.metrics.pool(self.pool.len());
        if snapshots.due(header.number)? {
            self.snapshot(snapshots)?;
        }
        Ok(true)
    }

    /// Takes the rows of the state that changed since the last snapshot, and lets them be written.
    fn snapshot(&mut self, snapshots: &mut Snapshots) -> Result<(), AuthorError> {
        let (rows, marker) = {
            let mut server = self.write();
            if server.has_carried() || server.has_open_block() {
                // Waiting messages are no part of the state: the next block will do.
                return Ok(());
            }
            (server.take_dirty(), marker(&server))
        };
        Ok(snapshots.begin(self.store.clone(), Arc::clone(&self.metrics), rows, marker)?)
    }
}
