//! What is asked of each tree.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::keys::{Key, Value, batch, key, mixed, value};

/// Changes in a batch.
const BATCH: u64 = 10_000;

/// Batches before time counts.
const WARM_UP: u64 = 3;

/// Batches are measured until this much time has passed, but no fewer than [`BATCHES_MIN`].
const ENOUGH: Duration = Duration::from_secs(10);
const BATCHES_MIN: u64 = 5;
const BATCHES_MAX: u64 = 200;

/// Proofs made.
const PROOFS: u64 = 5_000;

/// Entries put at once while a tree is filled.
const FILL: usize = 100_000;

/// A tree with roots and proofs.
pub trait Tree {
    /// Name, version, hash function, and where it keeps its entries.
    fn describe(&self) -> &'static str;

    /// Gives keys (sorted, each once) their values, and computes the root.
    fn apply(&mut self, batch: &[(Key, Value)]) -> Result<[u8; 32]>;

    /// Bytes of a proof of the value of a key, the value left out.
    fn prove(&mut self, key: &Key) -> Result<usize>;

    /// Bytes on disk, if it is there that it keeps its entries.
    fn disk_bytes(&self) -> Option<u64> {
        None
    }
}

/// What was measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figures {
    pub tree: String,
    pub entries: u64,
    pub fill_per_second: f64,
    pub updates_per_second: f64,
    pub best_updates_per_second: f64,
    pub resident_bytes_per_entry: f64,
    pub disk_bytes_per_entry: Option<f64>,
    pub proof_microseconds: f64,
    pub proof_bytes: f64,
}

/// Fills a tree, changes it, proves.
pub fn measure(mut tree: impl Tree, entries: u64) -> Result<Figures> {
    let per_entry = |bytes: u64| bytes as f64 / entries as f64;
    let mut all: Vec<(Key, u64)> = (0..entries).map(|index| (key(index), index)).collect();
    all.sort_unstable();
    let before = resident_bytes()?;
    let started = Instant::now();
    for chunk in all.chunks(FILL) {
        let chunk: Vec<_> = chunk.iter().map(|(key, index)| (*key, value(*index, 0))).collect();
        tree.apply(&chunk)?;
    }
    let fill_per_second = entries as f64 / started.elapsed().as_secs_f64();
    let resident = resident_bytes()?.saturating_sub(before);
    drop(all);

    let (mut taken, mut best, mut changed, mut batches) = (Duration::ZERO, f64::MAX, 0, 0);
    let mut last = [0; 32];
    for round in 1.. {
        let batch = batch(entries, BATCH, round);
        let started = Instant::now();
        let root = tree.apply(&batch)?;
        let one = started.elapsed();
        ensure!(root != last, "a changed tree has another root");
        last = root;
        if round <= WARM_UP {
            continue;
        }
        taken += one;
        batches += 1;
        changed += batch.len();
        best = best.min(one.as_secs_f64() / batch.len() as f64);
        if batches >= BATCHES_MAX || (batches >= BATCHES_MIN && taken >= ENOUGH) {
            break;
        }
    }

    let mut bytes = 0;
    let started = Instant::now();
    for index in 0..PROOFS {
        bytes += tree.prove(&key(mixed(index) % entries))?;
    }
    let proving = started.elapsed().as_secs_f64();
    Ok(Figures {
        tree: tree.describe().to_owned(),
        entries,
        fill_per_second,
        updates_per_second: changed as f64 / taken.as_secs_f64(),
        best_updates_per_second: 1.0 / best,
        resident_bytes_per_entry: per_entry(resident),
        disk_bytes_per_entry: tree.disk_bytes().map(per_entry),
        proof_microseconds: proving / PROOFS as f64 * 1e6,
        proof_bytes: bytes as f64 / PROOFS as f64,
    })
}

/// Memory that this process occupies.
fn resident_bytes() -> Result<u64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("Linux tells the memory of a process")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS is there")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}
