//! Random networks, random calls: nothing that anybody does breaks an invariant, loses or creates money, or leads
//! elsewhere when the log is executed again.
//!
//! ```text
//! XLN_SEEDS=10000 cargo test -p xln-integration --test model     a longer campaign
//! XLN_SEED=17     cargo test -p xln-integration --test model     one seed, with its tally
//! XLN_STEPS=500   …                                              slices per seed
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail")]

mod again;
mod genesis;
mod moves;
mod play;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

const SEEDS: u64 = 200;
const STEPS: u64 = 50;

/// What a campaign of at least [`SEEDS`] seeds must have seen: a test that nothing happens in proves nothing.
const SEEN: [&str; 12] = [
    "allocations",
    "closes",
    "closes that lapsed",
    "direct payments",
    "expiries",
    "forwards",
    "forwards that failed",
    "moves dropped",
    "payments held",
    "payments that succeeded",
    "settlements",
    "withdrawals",
];

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, it is {text:?}")))
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

#[test]
fn whatever_happens_the_invariants_hold_and_replay_leads_to_the_same_root() {
    let seeds = match setting("XLN_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..setting("XLN_SEEDS").unwrap_or(SEEDS),
    };
    let steps = setting("XLN_STEPS").unwrap_or(STEPS);
    let next = AtomicU64::new(seeds.start);
    let failed = Mutex::new(Vec::new());
    let tally = Mutex::new(BTreeMap::<&str, u64>::new());
    let work = || {
        let (wide, narrow) = (pool(4), pool(1));
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            match catch_unwind(AssertUnwindSafe(|| play::play(seed, steps, &wide, &narrow))) {
                Ok(played) => {
                    for (what, count) in played.tally {
                        *tally.lock().unwrap().entry(what).or_default() += count;
                    }
                }
                Err(_) => {
                    println!("seed {seed} failed; XLN_SEED={seed} XLN_STEPS={steps} replays it");
                    failed.lock().unwrap().push(seed);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let tally = tally.into_inner().unwrap();
    println!("{tally:#?}");
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {} seeds failed: {failed:?}", failed.len(), seeds.end - seeds.start);
    for what in SEEN.iter().filter(|_| seeds.end - seeds.start >= SEEDS) {
        assert!(tally.contains_key(what), "no seed had any {what}");
    }
}

#[test]
fn a_seed_always_plays_the_same_game() {
    let (wide, narrow) = (pool(4), pool(1));
    let root = |threads: &rayon::ThreadPool| play::play(1, 15, threads, &narrow).root;
    assert_eq!(root(&wide), root(&narrow));
}
