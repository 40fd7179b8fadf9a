//! Random faults for a while, then none: safety throughout, liveness after. A seed is the whole run.
//!
//! `XLN_AGREEMENTS=1000` plays that many seeds of each kind instead of a few.

use xln_consensus::{Content, Malachite};
use xln_primitives::Profile;

use crate::net::{CALM, Happening, Net, Options, board};

/// What goes wrong in a run, all drawn from its seed.
#[derive(Debug, Clone, Copy)]
struct Plan {
    members: usize,
    crashes: u64,
    equivocates: bool,
    withholds: bool,
    partition: bool,
}

fn faulty(net: &mut Net<Malachite>) -> Options {
    Options {
        loss_percent: net.below(31),
        duplicate_percent: net.below(20),
        delay_ms_max: 1 + net.below(100),
        sync_ms: 1 + net.below(10),
        forgets_log: false,
    }
}

fn play(seed: u64, plan: Plan) {
    let mut net: Net<Malachite> = Net::new(seed, board(&vec![1; plan.members], Profile::Byzantine), CALM);
    net.options = faulty(&mut net);
    let context = format!("seed {seed}, {plan:?}, {:?}", net.options);
    let liar = plan.members - 1;
    if plan.equivocates {
        net.corrupt(liar);
    } else if plan.withholds {
        net.servers[liar].withholds = |content| !matches!(content, Content::Vote(_) | Content::Polka(_));
    }
    net.work_until(usize::MAX);
    if plan.partition {
        let alone = usize::try_from(net.below(plan.members as u64)).unwrap();
        let one_way = net.chance(50);
        net.filter = Box::new(move |from, to, _| from != alone && (one_way || to != alone));
    }
    for _ in 0..plan.crashes {
        let (server, after) = (usize::try_from(net.below(plan.members as u64)).unwrap(), net.below(4_000));
        net.at(after, Happening::Crash { server });
        let down_ms = 1 + net.below(1_500);
        net.at(after + down_ms, Happening::Restart { server });
    }
    for _ in 0..5 {
        net.run(800);
        net.work();
    }
    net.judge(&context);

    // The faults end.
    net.filter = Box::new(|_, _, _| true);
    net.options = Options { delay_ms_max: 60, ..CALM };
    for server in 0..plan.members {
        net.at(1_600, Happening::Restart { server });
    }
    net.run(1_610);
    net.work();
    let before = net.honest().map(|server| server.frames.len()).max().unwrap();
    let progress = net.run_until(before + 3, 60_000);
    assert!(progress, "L1: no three frames after the faults, {context}, {:#?}", net.status());
    net.judge(&context);
    assert!(net.honest().all(|server| server.halted.is_none()), "{context}");
}

/// Seeds of one kind of run, from its own first one.
fn seeds(kind: u64, few: u64) -> impl Iterator<Item = u64> {
    let count = std::env::var("XLN_AGREEMENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(few);
    (0..count).map(move |number| kind + number * 1_000)
}

const CALM_PLAN: Plan =
    Plan { members: 4, crashes: 0, equivocates: false, withholds: false, partition: false };

#[test]
fn loss_delay_and_duplication_never_fork_and_end_in_progress() {
    for seed in seeds(0, 4) {
        play(seed, CALM_PLAN);
    }
}

#[test]
fn crashes_that_lose_what_was_not_synced_never_fork() {
    for seed in seeds(100, 4) {
        play(seed, Plan { crashes: 8, ..CALM_PLAN });
    }
}

#[test]
fn an_equivocating_member_forks_nobody_and_is_convicted() {
    for seed in seeds(200, 2) {
        play(seed, Plan { equivocates: true, crashes: 2, ..CALM_PLAN });
    }
}

#[test]
fn a_withholding_member_delays_and_does_not_stop() {
    for seed in seeds(300, 3) {
        play(seed, Plan { withholds: true, partition: false, ..CALM_PLAN });
    }
}

#[test]
fn a_member_that_is_cut_off_finds_the_others_again() {
    for seed in seeds(400, 3) {
        play(seed, Plan { partition: true, crashes: 2, ..CALM_PLAN });
    }
}

#[test]
fn seven_members_survive_all_of_it_at_once() {
    for seed in seeds(500, 1) {
        play(seed, Plan { members: 7, crashes: 6, equivocates: true, withholds: false, partition: true });
    }
}

#[test]
fn a_seed_replays_exactly() {
    let run = || {
        let mut net: Net<Malachite> = Net::new(42, board(&[1; 4], Profile::Byzantine), CALM);
        net.options = faulty(&mut net);
        net.work_until(usize::MAX);
        net.run(2_000);
        let frames: Vec<_> = net.servers[0].frames.iter().map(|(frame, ..)| *frame).collect();
        (net.messages, net.bytes, frames)
    };
    assert_eq!(run(), run());
}

#[test]
fn votes_that_came_in_a_certificate_of_no_use_are_counted_all_the_same() {
    // Found by a campaign: a member that knew a vote from such a certificate only never counted it.
    play(17_200, Plan { equivocates: true, crashes: 2, ..CALM_PLAN });
}
