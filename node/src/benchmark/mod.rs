//! `xln-node benchmark hub`: how many payments a hub carries, measured so that only the hub is measured.
//!
//! ```text
//!   seed ─► parties ─► record: hub and users in lockstep ─► recording (a file)
//!                      (fixed clock, fixed slices, not measured)   │
//!                ┌──────────────┬─────────────────┬────────────────┤
//!                ▼              ▼                 ▼                ▼
//!           transition     + signatures      + log, fsync     signatures alone
//!            (layer i)      (layer ii)        (layer iii)        (the bound)
//!                                                 │
//!                                                 ▼
//!                               check: roots, invariants, both copies of every channel
//! ```
//!
//! A hub's users are on other machines, so their work must not count; but it must be real, or the hub would be asked for
//! something that no network asks for. So the users are run once, with real keys, frames and certificates, and what arrives
//! at the hub is written to a file ([`recording`]). Then the hub alone is run on that file, several times, each time with
//! more of the real thing around it. The clock and the boundaries of slices are the recorded ones, so every run must make the
//! same frames, bit by bit; a run that does not has failed.

mod bound;
mod check;
mod error;
mod feed;
mod latency;
mod parties;
mod plan;
mod processor;
mod progress;
mod record;
pub mod recording;
mod replay;
mod report;
pub mod rpc;
mod schedule;
mod script;
mod transition;
mod watch;
mod wire;

use std::time::Instant;

use xln_runtime::Server;
use xln_store::{Options, Store};

pub use check::{Copy, Unsound};
pub use error::BenchmarkError;
pub use latency::{Latency, Percentiles};
pub use parties::{Parties, Party, UserKeys};
pub use plan::{CHANNELS_MAX, DEPTH_MAX, DEPTH_MIN, Kind, PER_FRAME_MAX, Plan, PlanError, Wanted};
pub use processor::{Threads, Used};
pub use record::{Recorded, record};
pub use replay::Replay;
pub use report::{Bound, Layers, Report, Space, Time};
pub use schedule::{Pair, Schedule};
pub use transition::Unsigned;
pub use watch::Outcome;

use crate::config::{BaseFolder, BasePath};

/// Name of the recording in the base folder.
const RECORDING: &str = "recording";
/// Name of the database in the base folder.
const DATABASE: &str = "db";

/// Runs a plan, and returns what was found if the outcome is right.
///
/// `base` is where the recording and the database are written: the disk that is measured.
pub fn run(plan: Plan, rate: Option<u32>, base: &BasePath) -> Result<Report, BenchmarkError> {
    let base = open(base)?;
    let file = base.path().join(RECORDING);
    let parties = Parties::new(plan)?;

    let (before, building) = (processor::resident_bytes(), Instant::now());
    let hub = parties.hub_server()?;
    let build = building.elapsed();
    let grown = processor::resident_bytes().zip(before).map(|(after, before)| after.saturating_sub(before));
    let state_bytes = state_bytes(&hub, &parties);

    let recording = Instant::now();
    // The hub is built once: a version of its state shares everything with the others until it changes.
    let recorded = record(plan, &parties, hub.clone(), &file)?;
    let record = recording.elapsed();

    let transition = transition::time(plan, &parties, &file, &mut hub.clone())?;
    let replay = Replay { plan, parties: &parties, file: &file, store: None, rate: None };
    let (signed, _) = replay.run(hub.clone())?;
    let signatures_per_second = bound::signatures_per_second(&file, parties.network())?;

    let database = base.path().join(DATABASE);
    let _ = std::fs::remove_dir_all(&database);
    let store = Store::open(&database, parties.network(), &Options::default())?;
    let replay = Replay { store: Some(&store), rate, ..replay };
    let (durable, hub) = replay.run(hub)?;
    let stats = store.stats()?;
    check::check(&hub, &parties, &Schedule::new(plan), &recorded)?;

    let per_second = |run: &Outcome| run.payments as f64 / run.elapsed.as_secs_f64();
    let payments = plan.payments as f64;
    let layers = Layers {
        transition: payments / transition.as_secs_f64(),
        signed: per_second(&signed),
        durable: per_second(&durable),
    };
    let signatures_per_payment = recorded.signatures as f64 / payments;
    let bound = signatures_per_second / signatures_per_payment;
    let processor_s: f64 = durable.threads.values().map(|used| used.user_s + used.system_s).sum();
    let (processor, cores) = processor::machine();
    Ok(Report {
        payments_per_second: layers.durable,
        processor,
        cores,
        plan,
        rate,
        layers,
        bound: Bound {
            signatures_per_second,
            signatures_per_payment,
            payments_per_second: bound,
            share: layers.durable / bound,
        },
        latency: durable.latency.percentiles(),
        block_interval: durable.block_interval.percentiles(),
        space: Space {
            log_bytes_per_payment: durable.log_bytes as f64 / payments,
            written_bytes_per_payment: stats.written as f64 / payments,
            state_bytes_per_channel: state_bytes as f64 / plan.channels as f64,
            resident_bytes_per_channel: grown.map(|bytes| bytes as f64 / plan.channels as f64),
            recording_bytes_per_payment: recorded.bytes as f64 / payments,
        },
        time: Time {
            build_s: build.as_secs_f64(),
            record_s: record.as_secs_f64(),
            run_s: durable.elapsed.as_secs_f64(),
            author_wait_s: durable.author_waited.as_secs_f64(),
            processor_us_per_payment: processor_s * 1e6 / payments,
            threads: durable.threads,
        },
        slices: durable.slices,
        fsyncs: stats.commits,
        state_root: hub.state_root(),
        sound: true,
    })
}

/// The folder for recording and database.
fn open(base: &BasePath) -> Result<BaseFolder, BenchmarkError> {
    base.open().map_err(|source| {
        let path = match base {
            BasePath::Kept(path) => path.clone(),
            BasePath::Temporary => std::env::temp_dir(),
        };
        BenchmarkError::Folder { path, source }
    })
}

/// Bytes of keys and values of the hub's state.
fn state_bytes(server: &Server, parties: &Parties) -> usize {
    let hub = server.entity(&parties.hub().id());
    hub.map_or(0, |hub| hub.tree().iter().map(|(key, value)| key.len() + value.len()).sum())
}
