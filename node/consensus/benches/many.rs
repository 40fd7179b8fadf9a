//! What many entities cost four servers that vote on all of them: messages, synced writes, processor time.
//!
//! `cargo bench -p xln-consensus --bench many`. The time of a run is virtual, and computing takes none of it; processor time is that
//! of this process, in which all four servers run one after another.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot prepare its values fails")]
#![allow(clippy::cast_precision_loss, reason = "counts of a run are far below 2⁵²")]

#[path = "../tests/many/crowd.rs"]
mod crowd;

use crowd::{Costs, Crowd, Plan, SERVERS};

const SEED: u64 = 1;
const SECOND_US: u64 = 1_000_000;

const PLAN: Plan = Plan {
    entities: 1_000,
    active: 50,
    call_every_us: SECOND_US,
    at_once: false,
    digest_every_us: 2 * SECOND_US,
    duration_us: 5 * SECOND_US,
};

/// Milliseconds that this thread has computed, if the system tells.
fn processor_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let time: Option<f64> = text.split_whitespace().next().and_then(|ns| ns.parse().ok());
    time.map_or(f64::NAN, |ns| ns / 1e6)
}

fn measure(plan: Plan) {
    let before = processor_ms();
    let mut crowd = Crowd::new(SEED, plan);
    let costs @ Costs { messages, bytes, appends, rows, slices, frames, timers } = crowd.run();
    let spent_ms = processor_ms() - before;
    assert_eq!(crowd.named, crowd.active, "an idle entity did something");
    let seconds = plan.duration_us as f64 / SECOND_US as f64;
    let each = SERVERS as f64;
    let decided = frames as f64 / each;
    println!(
        "{:>8} {:>6} {:>8.1} {:>5} {:>9.1} {:>8.1} {:>8.0} {:>9.1} {:>9.1} {:>8.1} {:>9.2} {:>7.1} {:>8.2}",
        plan.entities,
        plan.active,
        SECOND_US as f64 / plan.call_every_us as f64,
        if plan.at_once { "all" } else { "one" },
        decided / seconds,
        messages as f64 / decided,
        bytes as f64 / decided,
        appends as f64 / each / seconds,
        slices as f64 / each / seconds,
        rows as f64 / appends as f64,
        (appends + slices) as f64 / frames as f64,
        timers as f64 / each / decided,
        spent_ms / frames as f64,
    );
    assert_ne!(costs, Costs::default());
}

fn main() {
    println!(
        "four servers, seed {SEED}, {} s, a sync takes 0.7 ms, a message 0.1 to 5 ms",
        PLAN.duration_us / SECOND_US
    );
    println!(
        "{:>8} {:>6} {:>8} {:>5} {:>9} {:>8} {:>8} {:>9} {:>9} {:>8} {:>9} {:>7} {:>8}",
        "entities",
        "active",
        "calls/s",
        "at a",
        "frames/s",
        "messages",
        "bytes",
        "appends/s",
        "slices/s",
        "rows per",
        "syncs per",
        "timers",
        "ms per"
    );
    println!(
        "{:>8} {:>6} {:>8} {:>5} {:>9} {:>8} {:>8} {:>9} {:>9} {:>8} {:>9} {:>7} {:>8}",
        "",
        "",
        "each",
        "time",
        "",
        "a frame",
        "a frame",
        "a server",
        "a server",
        "append",
        "frame",
        "a frame",
        "frame"
    );
    for entities in [50, 1_000, 10_000] {
        measure(Plan { entities, ..PLAN });
    }
    for active in [1, 10, 200] {
        measure(Plan { active, ..PLAN });
    }
    for active in [1, 10, 50, 200] {
        measure(Plan { active, at_once: true, ..PLAN });
    }
    let often = Plan { call_every_us: SECOND_US / 10, duration_us: SECOND_US, ..PLAN };
    measure(often);
    measure(Plan { at_once: true, ..often });
}
