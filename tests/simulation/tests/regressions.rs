//! Seeds that failed once, with everything that went wrong in them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use xln_simulation::{Options, run};

#[track_caller]
fn holds(seed: u64, options: Options) {
    assert_eq!(run(seed, options).violations, Vec::<String>::new());
}

#[test]
fn a_peer_may_bring_the_proof_of_an_event_before_the_follower_has_the_frame() {
    let faults = Options { loss_percent: 13, duplicate_percent: 6, crashes: 6, ..Options::calm() };
    holds(44, Options { faulty_ms: 2_292, delay_ms_max: 65, sync_ms_max: 1, boards: false, ..faults });
}

#[test]
fn a_forged_body_under_a_certified_header_halts_nobody() {
    let faults = Options { duplicate_percent: 15, crashes: 3, lies: true, ..Options::calm() };
    holds(54, Options { faulty_ms: 4_088, delay_ms_max: 16, sync_ms_max: 2, boards: false, ..faults });
}

#[test]
fn an_entity_that_is_founded_and_speaks_again_in_one_slice_replays() {
    let faults = Options { loss_percent: 13, crashes: 1, disk_faults: 2, partitions: 3, ..Options::calm() };
    holds(6, Options { faulty_ms: 4_547, delay_ms_max: 23, sync_ms_max: 10, boards: true, ..faults });
}

#[test]
fn a_message_that_comes_too_early_alone_in_its_slice_is_brought_again() {
    let faults = Options { loss_percent: 13, duplicate_percent: 17, disk_faults: 1, ..Options::calm() };
    let options = Options { delay_ms_max: 25, sync_ms_max: 7, boards: false, changes: true, ..faults };
    holds(256, Options { faulty_ms: 2_131, ..options });
}

#[test]
fn a_call_in_a_frame_that_its_server_skipped_for_a_state_is_known_to_be_included() {
    let faults = Options { duplicate_percent: 6, restores: 2, partitions: 1, ..Options::calm() };
    let options = Options { sync_ms_max: 9, delay_ms_max: 1, changes: true, unlisted: true, ..faults };
    holds(1_768, Options { faulty_ms: 2_993, boards: true, ..options });
}

#[test]
fn who_followed_an_entity_from_its_founding_and_restarts_before_it_votes_need_not_listen() {
    let faults =
        Options { loss_percent: 1, duplicate_percent: 10, crashes: 8, restores: 2, ..Options::calm() };
    let options = Options { partitions: 1, pauses: 1, delay_ms_max: 80, sync_ms_max: 10, ..faults };
    holds(3_357, Options { faulty_ms: 2_862, boards: true, unlisted: true, ..options });
}
