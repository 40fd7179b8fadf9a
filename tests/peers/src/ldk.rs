//! Payments between two Lightning nodes in one process: the benchmark that the Lightning Development Kit brings along.
//!
//! Two nodes with one channel send each other a payment in turn: one at a time, nothing written to disk.

use std::path::Path;

use anyhow::{Context, Result};
use criterion::Criterion;

/// Payments in one iteration: one there, one back.
const PAYMENTS: f64 = 2.0;

fn main() -> Result<()> {
    let directory = std::env::temp_dir().join(format!("xln-peers-{}", std::process::id()));
    let mut criterion = Criterion::default().sample_size(20).output_directory(&directory);
    lightning::ln::channelmanager::bench::bench_sends(&mut criterion);
    criterion.final_summary();
    let seconds = mean_seconds(&directory);
    std::fs::remove_dir_all(&directory)?;
    let per_second = PAYMENTS / seconds?;
    println!(
        "| LDK 0.2.5, two nodes in one process, one payment at a time, in memory | {per_second:.0} payments/s |"
    );
    println!("{}", serde_json::json!({ "peer": "ldk 0.2.5", "payments_per_second": per_second }));
    Ok(())
}

/// What an iteration took in the mean.
fn mean_seconds(directory: &Path) -> Result<f64> {
    let file = directory.join("bench_sends/new/estimates.json");
    let estimates: serde_json::Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let nanoseconds = estimates["mean"]["point_estimate"].as_f64().context("criterion estimates a mean")?;
    Ok(nanoseconds / 1e9)
}
