//! What a thousand entities cost their servers while few of them have something to decide.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its values fails")]

mod crowd;

use crowd::{Costs, Crowd, Plan, SERVERS};

const PLAN: Plan = Plan {
    entities: 1_000,
    active: 50,
    call_every_us: 300_000,
    at_once: false,
    digest_every_us: 150_000,
    duration_us: 300_000,
};

/// Runs a plan. No effect may concern an idle entity: no row, no message, no timer, no frame to be built or judged.
fn run(plan: Plan) -> Costs {
    let mut crowd = Crowd::new(1, plan);
    let costs = crowd.run();
    assert_eq!(crowd.named, crowd.active);
    costs
}

#[test]
fn nine_hundred_and_fifty_idle_entities_add_no_message_no_row_and_no_sync_to_fifty_active_ones() {
    let among = run(PLAN);
    assert_eq!(among, run(Plan { entities: 50, ..PLAN }));
    assert_eq!(among.frames, 50 * SERVERS as u64);
}

#[test]
fn entities_that_decide_at_the_same_time_share_their_syncs() {
    let at_once = |active| run(Plan { entities: 100, active, at_once: true, duration_us: 1, ..PLAN });
    let (one, twenty) = (at_once(1), at_once(20));
    assert!(twenty.rows > 19 * one.rows, "{twenty:?}, one alone {one:?}");
    assert!(twenty.appends < 5 * one.appends, "{twenty:?}, one alone {one:?}");
    assert!(twenty.slices < 20 * one.slices, "{twenty:?}, one alone {one:?}");
}
