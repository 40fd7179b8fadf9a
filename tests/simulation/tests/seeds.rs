//! Random faults, then none: nothing goes wrong meanwhile, everything ends well afterwards.
//!
//! `XLN_SEEDS=10000` plays that many seeds, `XLN_SEED=42` one; a seed that fails prints what it did.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU64, Ordering};

use xln_simulation::{Options, run};

/// Seeds at each landing.
const FEW: u64 = 200;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn random_faults_violate_nothing_and_end_in_progress() {
    let seeds: Vec<u64> = match number("XLN_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("XLN_SEEDS").unwrap_or(FEW)).collect(),
    };
    let failed = std::sync::Mutex::new(Vec::new());
    let (next, frames, payments, evidence) =
        (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) =
                    seeds.get(usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap()).copied()
                {
                    let options = Options::of(seed);
                    let outcome = std::panic::catch_unwind(|| run(seed, options.clone()));
                    match outcome {
                        Ok(outcome) if outcome.violations.is_empty() => {
                            frames.fetch_add(outcome.frames, Ordering::Relaxed);
                            payments.fetch_add(outcome.payments, Ordering::Relaxed);
                            evidence.fetch_add(outcome.evidence, Ordering::Relaxed);
                        }
                        Ok(outcome) => {
                            failed
                                .lock()
                                .unwrap()
                                .push(format!("{seed}: {:?} {options:?}", outcome.violations));
                        }
                        Err(_) => failed.lock().unwrap().push(format!("{seed}: it panicked, {options:?}")),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    println!(
        "{} seeds: {} frames, {} payments over hubs, {} pieces of evidence",
        seeds.len(),
        frames.into_inner(),
        payments.into_inner(),
        evidence.into_inner()
    );
    assert!(failed.is_empty(), "{} seeds failed:\n{}", failed.len(), failed.join("\n"));
}
