//! Campaigns on random input: as long as `XLN_FUZZ_SECONDS` says, from the seed `XLN_SEED`.

use std::time::{Duration, Instant};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// Seconds of a campaign if nothing else is said.
const SECONDS: u64 = 2;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Where random things come from.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// Below `end`; 0 if that is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let drawn = usize::try_from(self.0.next_u32()).unwrap();
        drawn.checked_rem(end).unwrap_or(0)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.0.next_u32().to_be_bytes()[0]
    }

    /// Once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Changes the bytes of an encoding at a few places.
    pub(crate) fn corrupt(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let place = self.below(bytes.len());
            match self.below(6) {
                0 | 1 => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1 << self.below(8)),
                2 => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte = self.byte()),
                3 => bytes.truncate(place),
                4 => bytes.insert(place, self.byte()),
                _ => {
                    let from = self.below(bytes.len());
                    let part: Vec<u8> = bytes.iter().skip(from).take(self.below(64)).copied().collect();
                    bytes.splice(place..place, part);
                }
            }
        }
    }
}

/// Runs `case` until the time is over, and tells how often. A case that fails is found again by its seed and number.
pub(crate) fn campaign(name: &str, mut case: impl FnMut(&mut Random, [u8; 32])) -> u64 {
    let seed = number("XLN_SEED", 1);
    let deadline = Instant::now() + Duration::from_secs(number("XLN_FUZZ_SECONDS", SECONDS));
    let first = number("XLN_CASE", 0);
    let mut case_number = first;
    let failing = Failing { name, seed };
    loop {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        bytes[8..16].copy_from_slice(&case_number.to_be_bytes());
        failing.at(case_number, || case(&mut Random(ChaCha8Rng::from_seed(bytes)), bytes));
        case_number += 1;
        if Instant::now() >= deadline {
            break;
        }
    }
    let cases = case_number - first;
    println!("{name}: seed {seed}, {cases} cases");
    cases
}

/// Runs something that an attacker may ask for often, and fails if it took more processor time than that. Where the system does not
/// tell the time of a thread, it only runs it.
pub(crate) fn within<T>(most: Duration, run: impl FnOnce() -> T) -> T {
    let before = processor_time();
    let result = run();
    if let (Some(before), Some(after)) = (before, processor_time()) {
        assert!(after.saturating_sub(before) < most, "took {:?} of processor time", after - before);
    }
    result
}

/// What this thread has computed so far.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

struct Failing<'a> {
    name: &'a str,
    seed: u64,
}

impl Failing<'_> {
    fn at(&self, case: u64, run: impl FnOnce()) {
        if let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
            let Self { name, seed } = self;
            println!(
                "{name} failed: XLN_SEED={seed} XLN_CASE={case} XLN_FUZZ_SECONDS=0 runs this case alone"
            );
            std::panic::resume_unwind(panic);
        }
    }
}
