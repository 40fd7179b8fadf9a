//! Without faults, the same seed twice, and one in which a state is taken over behind a change of the board.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use xln_simulation::{Options, run};

#[test]
fn without_faults_boards_decide_and_payments_cross_servers() {
    let outcome = run(1, Options::calm());
    assert_eq!(outcome.violations, Vec::<String>::new());
    assert!(outcome.frames > 5 && outcome.payments > 5 && outcome.calls > 20, "{outcome:?}");
    assert!(outcome.proposals > 1, "{outcome:?}");
    assert_eq!(outcome.evidence, 0);
}

#[test]
fn validators_join_and_leave_while_payments_run_and_none_is_missed() {
    let options = Options { changes: true, faulty_ms: 4_000, boards: false, ..Options::calm() };
    let outcome = run(3, options);
    assert_eq!(outcome.violations, Vec::<String>::new());
    assert!(outcome.changes > 5 && outcome.payments > 20, "{outcome:?}");
    assert_eq!(outcome.evidence, 0);
}

#[test]
fn a_seed_replays_exactly() {
    assert_eq!(run(7, Options::of(7)), run(7, Options::of(7)));
    assert_ne!(run(7, Options::of(7)).roots, run(8, Options::of(8)).roots);
}

#[test]
fn who_was_away_while_the_validators_changed_takes_a_state_over() {
    let outcome = run(110, Options::of(110));
    assert_eq!(outcome.violations, Vec::<String>::new());
    assert!(outcome.changes > 0 && outcome.successions > 0, "another seed has to show it: {outcome:?}");
}
