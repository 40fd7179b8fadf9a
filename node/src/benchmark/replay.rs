//! Replaying a recording against the clock: the hub alone, as fast as it can or at a given rate.
//!
//! ```text
//!   file ─► feed: decode ─► inbox: verify on all cores ─► author: execute ─► writer: one write, one fsync ─► durable
//!            ▲             ─► pool                                                                             │
//!            └───────────── slice n + D may come as soon as slice n is durable ◄───────────────────────────────┘
//! ```
//!
//! Inbox, pool, author, writer and database are those of a running node; only the source of the author's work is scripted.
//! The users answer what is durable, never earlier: slice n + D holds answers to slice n, and is brought only then. So at
//! most D slices are under way, and what is measured is what a network of that depth could have asked for. At a rate the
//! payments come evenly spread; a payment counts from the moment at which it comes, also if the hub is late (no
//! coordinated omission).

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock, atomic::AtomicBool, atomic::Ordering, mpsc},
    time::{Duration, Instant},
};

use xln_runtime::{Certifier, Server, SignedCall};
use xln_store::Store;

use super::{
    BenchmarkError, Outcome, Parties, Plan,
    check::Unsound,
    feed::Feeder,
    progress,
    script::Script,
    watch::{Announced, Watch},
};
use crate::{
    author::{Author, KeystoreCertifier, Observer, SNAPSHOT_INTERVAL, Source},
    inbox::Inbox,
    metrics::Metrics,
    pool::{Limits, Pool},
    retained::Retained,
};

/// How long a block collects slices.
const BLOCK_TIME: Duration = Duration::from_millis(100);

/// How a recording is replayed.
#[derive(Clone, Copy)]
pub struct Replay<'a> {
    /// The sizes.
    pub plan: Plan,
    /// Who there is.
    pub parties: &'a Parties,
    /// The recording.
    pub file: &'a Path,
    /// Where every slice becomes durable. If nowhere, slices are executed and signed only.
    pub store: Option<&'a Store>,
    /// Payments per second; as fast as possible if none.
    pub rate: Option<u32>,
}

impl Replay<'_> {
    /// Replays everything on `server`, which stands where the recording began. Returns what was measured, and the server
    /// as it stands at the end.
    pub fn run(self, server: Server) -> Result<(Outcome, Server), BenchmarkError> {
        let what = if self.store.is_some() { "durable" } else { "with signatures" };
        let bar = progress::bar(what, self.plan.payments);
        let network = self.parties.network();
        let server = Arc::new(RwLock::new(server));
        let pool = Arc::new(Pool::new(Arc::clone(&server), Limits::default()));
        // What may wait: three messages per payer and slice, for all slices that are under way.
        let slices = usize::try_from(self.plan.depth).unwrap_or(usize::MAX).saturating_add(1);
        let payers = usize::try_from(self.plan.payers_per_slice).unwrap_or(usize::MAX);
        let waiting_max = payers.saturating_mul(3).saturating_mul(slices);
        let inbox = Inbox::new(network, waiting_max, || ())
            .map_err(|error| BenchmarkError::system("threads that verify", &error))?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = bar.clone();
        let watch = Watch::new(self.parties.hub().clone(), Arc::clone(&stop), move |done| told.inc(done))?;
        let (brought, next) = mpsc::channel();
        let script = Script {
            brought: next,
            inbox: Arc::clone(&inbox),
            pool: Arc::clone(&pool),
            watch: Arc::clone(&watch),
            now: self.parties.time(0),
        };
        let feeder = Feeder {
            file: self.file,
            depth: self.plan.depth.into(),
            rate: self.rate,
            inbox: Arc::clone(&inbox),
            pool: Arc::clone(&pool),
            watch: Arc::clone(&watch),
        };
        let keystore = Arc::new(self.parties.hub_keystore()?);
        let certifier = KeystoreCertifier::new(network, keystore);
        let working = || match self.store {
            Some(store) => {
                let author = Author {
                    server: Arc::clone(&server),
                    source: Box::new(script),
                    pool: Arc::clone(&pool),
                    inbox: Arc::clone(&inbox),
                    store: store.clone(),
                    retained: Arc::new(Retained::new(store.clone())),
                    certifier: Arc::new(certifier),
                    observer: Box::new(Announced(Arc::clone(&watch))),
                    metrics: Arc::new(Metrics::new(&[])),
                    stop: Arc::clone(&stop),
                    free_space_min: 0,
                    block_time: BLOCK_TIME,
                    snapshot_interval: SNAPSHOT_INTERVAL,
                };
                author.run().map_err(BenchmarkError::from)
            }
            None => {
                let unstored =
                    Unstored { server: &server, pool: &pool, watch: &watch, certifier: &certifier };
                unstored.run(script, &stop)
            }
        };
        std::thread::scope(|scope| {
            let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
            let author = named("author").spawn_scoped(scope, || {
                if let Err(error) = working() {
                    watch.fail(error);
                }
            });
            let feed = named("feed").spawn_scoped(scope, || {
                if let Err(error) = feeder.run(&brought) {
                    watch.fail(error);
                }
                drop(brought);
            });
            for thread in [author, feed] {
                let thread =
                    thread.inspect_err(|error| watch.fail(BenchmarkError::system("a thread", error)));
                if thread.is_ok_and(|thread| thread.join().is_err()) {
                    watch.fail(BenchmarkError::Ended("a thread of the run"));
                }
            }
        });
        bar.finish_and_clear();
        let outcome = watch.conclude()?;
        let (expected, found) = (self.plan.payments, outcome.payments);
        if found != expected {
            return Err(Unsound::Payments { expected, found }.into());
        }
        let server = server.read().unwrap_or_else(PoisonError::into_inner).clone();
        Ok((outcome, server))
    }
}

/// The author without a log: what it executes counts at once.
struct Unstored<'a> {
    server: &'a RwLock<Server>,
    pool: &'a Pool,
    watch: &'a Arc<Watch>,
    certifier: &'a dyn Certifier,
}

impl Unstored<'_> {
    fn run(&self, mut script: Script, stop: &AtomicBool) -> Result<(), BenchmarkError> {
        let mut ahead = self.server.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut tick = Instant::now() + BLOCK_TIME;
        while !stop.load(Ordering::Acquire) {
            if let Some(work) = script.next(&ahead, tick)? {
                let executed = ahead.execute(work.timestamp, work.entropy, work.inputs, self.certifier)?;
                drop(ahead.commit(&executed));
                drop(self.write().commit(&executed));
                let call =
                    |call: &SignedCall| (call.hash(), (call.body.signer.signer_id(), call.body.entity));
                let calls: Vec<_> = executed.slice.calls.iter().map(call).collect();
                self.pool.conclude(&calls, |_| None);
                Announced(Arc::clone(self.watch)).slice(&executed);
            }
            let now = Instant::now();
            if now >= tick {
                if let Some(sealed) = ahead.seal(script.now()) {
                    ahead.commit_block(sealed.clone());
                    self.write().commit_block(sealed);
                }
                tick = now + BLOCK_TIME;
            }
        }
        Ok(())
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Server> {
        self.server.write().unwrap_or_else(PoisonError::into_inner)
    }
}
