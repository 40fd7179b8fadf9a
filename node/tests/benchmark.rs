//! The load generator, small: what it measures must be right before it is fast.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::{
    fs::OpenOptions,
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
};

use xln_node::{
    benchmark::{self, BenchmarkError, Kind, Outcome, Parties, Plan, Replay, Report, Wanted},
    config::BasePath,
};

fn plan(kind: Kind, per_frame: u32, seed: u64) -> Plan {
    let wanted = Wanted {
        channels: 300,
        users: Some(200),
        payments: 230,
        kind,
        per_frame,
        slice: Some(40),
        depth: 2,
        seed,
    };
    Plan::new(wanted).unwrap()
}

fn run(kind: Kind, per_frame: u32, seed: u64) -> Report {
    benchmark::run(plan(kind, per_frame, seed), None, &BasePath::Temporary).unwrap()
}

/// Replays a recording on a fresh hub without a store.
fn replay(plan: Plan, parties: &Parties, file: &Path) -> Result<Outcome, BenchmarkError> {
    let replay = Replay { plan, parties, file, store: None, rate: None };
    replay.run(parties.hub_server().unwrap()).map(|(outcome, _)| outcome)
}

#[test]
fn a_routed_payment_takes_three_certificates_and_every_figure_is_there() {
    let report = run(Kind::Routed, 1, 1);
    assert!(report.sound);
    assert!((report.bound.signatures_per_payment - 3.0).abs() < 1e-9, "{report}");
    assert_eq!(report.latency.count, 230);
    assert!(report.layers.durable > 0.0 && report.layers.signed > 0.0 && report.layers.transition > 0.0);
    assert!(report.fsyncs > 0 && report.slices > 0);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["payments_per_second"], json["layers"]["durable"]);
    assert_eq!(json["plan"]["kind"], "routed");
}

#[test]
fn a_direct_payment_takes_two_certificates_and_a_share_of_the_operators_call() {
    let report = run(Kind::Direct, 1, 1);
    let signatures = report.bound.signatures_per_payment;
    assert!((2.0..2.1).contains(&signatures), "{report}");
}

#[test]
fn payments_that_share_a_frame_share_its_certificates() {
    let report = run(Kind::Routed, 10, 1);
    assert!((report.bound.signatures_per_payment - 0.3).abs() < 1e-9, "{report}");
    assert_eq!(report.latency.count, 230);
}

#[test]
fn the_same_seed_leads_to_the_same_state_and_another_one_elsewhere() {
    let one = run(Kind::Routed, 3, 1);
    assert_eq!(one.state_root, run(Kind::Routed, 3, 1).state_root);
    assert_ne!(one.state_root, run(Kind::Routed, 3, 2).state_root);
}

#[test]
fn a_rate_is_kept_and_shows_in_the_time_that_a_run_takes() {
    let report = benchmark::run(plan(Kind::Routed, 1, 1), Some(1_000), &BasePath::Temporary).unwrap();
    assert!(report.time.run_s >= 0.23, "230 payments at 1000 per second: {report}");
    assert!(report.payments_per_second <= 1_000.0, "{report}");
}

#[test]
fn over_rpc_every_acknowledged_payment_is_on_the_disk_of_a_node_that_was_killed() {
    let wanted = Wanted {
        channels: 0,
        users: Some(5),
        payments: 23,
        kind: Kind::Routed,
        per_frame: 1,
        slice: None,
        depth: 0,
        seed: 1,
    };
    let program = Path::new(env!("CARGO_BIN_EXE_xln-node"));
    let report =
        benchmark::rpc::run(program, Plan::over_rpc(wanted).unwrap(), None, &BasePath::Temporary).unwrap();
    assert!(report.sound);
    assert_eq!((report.payments, report.latency.count), (23, 23));
    assert!(serde_json::to_value(&report).unwrap()["payments_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_damaged_recording_is_no_result() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording");
    let plan = plan(Kind::Routed, 1, 1);
    let parties = Parties::new(plan).unwrap();
    let recorded = benchmark::record(plan, &parties, parties.hub_server().unwrap(), &file).unwrap();
    assert_eq!(replay(plan, &parties, &file).unwrap().payments, 230);

    for place in (1..20).map(|part| recorded.bytes * part / 20) {
        flip(&file, place);
        assert!(replay(plan, &parties, &file).is_err(), "byte {place} is another one and nobody noticed");
        flip(&file, place);
    }
    OpenOptions::new().write(true).open(&file).unwrap().set_len(recorded.bytes / 2).unwrap();
    assert!(replay(plan, &parties, &file).is_err(), "half of the recording is gone and nobody noticed");
}

/// Inverts a bit of the byte at `place`; twice is not at all.
fn flip(file: &Path, place: u64) {
    let mut file = OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(place)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(place)).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
}
