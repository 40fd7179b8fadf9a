//! Random faults, then none: nothing goes wrong meanwhile, everything ends well afterwards.
//!
//! `XLN_SEEDS=10000` plays that many seeds, `XLN_SEEDS_FROM=4000` begins with that one, `XLN_SEED=42` plays one. A seed that fails
//! is told at once on stderr, with what it did; so is how far a long campaign has come.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{io::Write, num::NonZero, panic::catch_unwind, sync::Mutex, time::Instant};

use xln_simulation::{Options, Outcome, run};

/// Seeds at each landing.
const FEW: u64 = 200;
/// Seeds between two lines that tell how far it is.
const TOLD_EVERY: u64 = 100;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Says something while the campaign runs. What a test prints with `eprintln` is shown when it has ended.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// What came of the seeds that were played.
struct Tally {
    began: Instant,
    seeds: u64,
    done: u64,
    frames: u64,
    payments: u64,
    proposals: usize,
    changes: usize,
    evidence: u64,
    states: u64,
    successions: u64,
    failed: Vec<String>,
}

impl Tally {
    fn new(seeds: u64) -> Self {
        let (done, frames, payments, evidence, states, successions) = (0, 0, 0, 0, 0, 0);
        let (began, failed, proposals, changes) = (Instant::now(), Vec::new(), 0, 0);
        Self {
            began,
            seeds,
            done,
            frames,
            payments,
            proposals,
            changes,
            evidence,
            states,
            successions,
            failed,
        }
    }

    fn count(&mut self, seed: u64, options: &Options, outcome: std::thread::Result<Outcome>) {
        self.done += 1;
        match outcome {
            Ok(outcome) if outcome.violations.is_empty() => {
                self.frames += outcome.frames;
                self.payments += outcome.payments;
                self.proposals += outcome.proposals;
                self.changes += outcome.changes;
                self.evidence += outcome.evidence;
                self.states += outcome.states;
                self.successions += outcome.successions;
            }
            Ok(outcome) => self.fail(format!("{seed}: {:?} {options:?}", outcome.violations)),
            Err(_) => self.fail(format!("{seed}: it panicked, {options:?}")),
        }
        if self.done.is_multiple_of(TOLD_EVERY) {
            tell(&self.to_string());
        }
    }

    fn fail(&mut self, line: String) {
        tell(&format!("seed {line}"));
        self.failed.push(line);
    }
}

impl core::fmt::Display for Tally {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { seeds, done, frames, payments, proposals, changes, evidence, states, successions, .. } =
            self;
        let (failed, seconds) = (self.failed.len(), self.began.elapsed().as_secs());
        write!(f, "{done} of {seeds} seeds in {seconds} s, {failed} failed: ")?;
        write!(
            f,
            "{frames} frames, {payments} payments over hubs, {proposals} proposals, {changes} changes of the validators, \
             {evidence} pieces of evidence, {states} states taken over, {successions} of them behind a change of the board"
        )
    }
}

#[test]
fn random_faults_violate_nothing_and_end_in_progress() {
    let from = number("XLN_SEEDS_FROM").unwrap_or(0);
    let seeds = match number("XLN_SEED") {
        Some(seed) => seed..seed + 1,
        None => from..from + number("XLN_SEEDS").unwrap_or(FEW),
    };
    let tally = Mutex::new(Tally::new(seeds.end - seeds.start));
    let next = Mutex::new(seeds);
    let play = || loop {
        let Some(seed) = next.lock().unwrap().next() else { return };
        let options = Options::of(seed);
        let outcome = catch_unwind(|| run(seed, options.clone()));
        tally.lock().unwrap().count(seed, &options, outcome);
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(play))));
    let tally = tally.into_inner().unwrap();
    println!("{tally}");
    assert!(tally.failed.is_empty(), "{} seeds failed:\n{}", tally.failed.len(), tally.failed.join("\n"));
}
