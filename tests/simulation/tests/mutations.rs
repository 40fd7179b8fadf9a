//! The tests of the tests: a safeguard is taken away, and the judges must notice.
//!
//! A quorum less one, no lock and no blinding are taken away in the tests of `xln-consensus`, with the same judges.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use xln_simulation::{Mutation, Options, run};

/// Seeds in which a mutation must be noticed at least once.
const SEEDS: u64 = 12;

/// Whether a judge notices that something is missing, in the words `by`. The same runs with nothing missing are good.
fn is_caught(mutation: Mutation, options: &Options, by: &str) -> bool {
    (0..SEEDS).any(|seed| {
        let mutated = run(seed, Options { mutation: Some(mutation), ..options.clone() });
        let is_caught = mutated.violations.iter().any(|violation| violation.contains(by));
        if is_caught {
            assert_eq!(run(seed, options.clone()).violations, Vec::<String>::new(), "seed {seed}");
        }
        is_caught
    })
}

#[test]
fn votes_that_were_never_written_are_caught() {
    let options =
        Options { crashes: 12, delay_ms_max: 60, faulty_ms: 6_000, boards: false, ..Options::calm() };
    assert!(is_caught(Mutation::NoLog, &options, "S3"));
}

#[test]
fn a_lost_disk_of_which_nobody_knows_is_caught() {
    let options = Options { wipes: 30, delay_ms_max: 60, faulty_ms: 6_000, boards: false, ..Options::calm() };
    assert!(is_caught(Mutation::NoMarks, &options, "S3"));
    for seed in 0..4 {
        assert_eq!(run(seed, options.clone()).violations, Vec::<String>::new(), "seed {seed}");
    }
}

#[test]
fn an_old_copy_of_a_disk_of_which_nobody_knows_is_caught() {
    let faults = Options { restores: 12, loss_percent: 25, delay_ms_max: 60, ..Options::calm() };
    let options = Options { faulty_ms: 8_000, boards: false, ..faults };
    assert!(is_caught(Mutation::SilentRestore, &options, "S3"));
    for seed in 0..4 {
        assert_eq!(run(seed, options.clone()).violations, Vec::<String>::new(), "seed {seed}");
    }
}

#[test]
fn a_forgotten_outbox_is_caught() {
    let options =
        Options { crashes: 4, loss_percent: 20, settled_ms: 200_000, boards: false, ..Options::calm() };
    assert!(is_caught(Mutation::OutboxForgets, &options, "L1"));
}

#[test]
fn messages_in_the_wrong_order_are_caught() {
    let options = Options { delay_ms_max: 40, settled_ms: 200_000, boards: false, ..Options::calm() };
    assert!(is_caught(Mutation::DisorderedMessages, &options, "L1"));
}
