//! Servers that are killed, paused, cut off and wiped.

use std::time::{Duration, Instant};

use crate::{
    judge::{judge, wealth},
    load::Load,
    process::eventually,
    proxy::Passage,
    servers::Servers,
};

/// Longer than a round with its timeouts.
const LONGER_THAN_A_ROUND: Duration = Duration::from_secs(4);

/// Lets the load go on until so much more was acknowledged.
pub(crate) fn more(load: &Load, payments: usize, transfers: u64) {
    let (paid, transferred) = load.acknowledged();
    eventually("users get on", || match load.acknowledged() {
        (now, then) if now >= paid + payments && then >= transferred + transfers => Ok(()),
        reached => Err(format!("{reached:?} after {:?}", (paid, transferred))),
    });
}

/// Lets time pass: some faults are made of it.
pub(crate) fn wait(time: Duration) {
    let end = Instant::now() + time;
    while let Some(rest) = end.checked_duration_since(Instant::now()) {
        std::thread::park_timeout(rest);
    }
}

#[test]
fn four_validators_go_on_while_one_is_killed_and_one_is_paused() {
    let mut servers = Servers::start(4, 2, 1);
    let before = eventually("a quiet network", || wealth(&servers));
    let load = Load::start(&servers);
    more(&load, 20, 5);
    for place in [0, 2] {
        servers.kill(place);
        more(&load, 20, 5);
        servers.run(place);
        servers.until_connected();
        more(&load, 20, 5);
    }
    servers.pause(1);
    wait(LONGER_THAN_A_ROUND);
    more(&load, 20, 2);
    servers.resume(1);
    more(&load, 20, 5);
    // A hub forgets nothing that it has acknowledged.
    let hub = servers.hub();
    servers.kill(hub);
    servers.run(hub);
    load.moved(&servers);
    more(&load, 20, 5);
    let known = load.stop();
    let frames = judge(&servers, &known, before);
    println!("{} payments, {} transfers, {frames} frames", known.payments.len(), known.transfers);
}

#[test]
fn seven_validators_go_on_without_two_and_over_bad_lines() {
    let mut servers = Servers::start(7, 2, 2);
    let before = eventually("a quiet network", || wealth(&servers));
    servers.proxy().change_all(|link| {
        link.delay = Duration::from_millis(5);
        link.jitter = Duration::from_millis(10);
        link.lost = 5;
        link.bytes_per_second = Some(4 << 20);
    });
    let load = Load::start(&servers);
    more(&load, 10, 3);
    servers.kill(0);
    servers.pause(1);
    more(&load, 10, 3);
    servers.run(0);
    servers.resume(1);
    // Every connection of one breaks again and again.
    for other in servers.all().filter(|other| *other != 3) {
        servers.proxy().change(3, other, |link| link.breaks = 100);
    }
    more(&load, 10, 3);
    servers.proxy().change_all(|link| *link = crate::proxy::Link::default());
    let known = load.stop();
    let frames = judge(&servers, &known, before);
    println!("{} payments, {} transfers, {frames} frames", known.payments.len(), known.transfers);
}

#[test]
fn a_minority_that_is_cut_off_decides_nothing_and_catches_up() {
    for (passage, seed) in [(Passage::Cut, 3), (Passage::Silent, 4)] {
        let servers = Servers::start(4, 2, seed);
        let before = eventually("a quiet network", || wealth(&servers));
        let load = Load::start(&servers);
        more(&load, 10, 3);
        servers.proxy().part(&[3], passage);
        let alone = servers.head(3).unwrap();
        more(&load, 20, 5);
        // What was under way may still have arrived: one frame.
        let still = servers.head(3).unwrap();
        assert!(still.0 <= alone.0 + 1, "{still:?} after {alone:?}");
        servers.proxy().heal();
        let known = load.stop();
        judge(&servers, &known, before);
    }
}

#[test]
fn halves_decide_nothing_until_they_are_one_again() {
    let servers = Servers::start(4, 2, 5);
    let before = eventually("a quiet network", || wealth(&servers));
    let load = Load::start(&servers);
    more(&load, 10, 3);
    // Two validators with each hub: no quorum anywhere. Payments over channels need none.
    let (one, other) = ([0, 1, servers.hub()], [2, 3, servers.hub() + 1]);
    servers.proxy().part(&one, Passage::Silent);
    for pair in [[0, 1], [2, 3]] {
        // A frame that was as good as decided may end.
        let heads = pair.map(|place| servers.head(place).unwrap().0);
        wait(LONGER_THAN_A_ROUND);
        for (place, head) in pair.into_iter().zip(heads) {
            let now = servers.head(place).unwrap().0;
            assert!(now <= head + 1, "{} went from {head} to {now} without a quorum", servers.names[place]);
        }
    }
    let heads: Vec<u64> =
        [one, other].concat().into_iter().map(|place| servers.head(place).unwrap().0).collect();
    assert!(heads.iter().max().unwrap() - heads.iter().min().unwrap() <= 1, "{heads:?}");
    servers.proxy().heal();
    let healed = Instant::now();
    more(&load, 0, 1);
    println!("the first transfer was decided {:.1?} after the heal", healed.elapsed());
    more(&load, 10, 3);
    let known = load.stop();
    judge(&servers, &known, before);
}

#[test]
fn a_validator_whose_disk_was_wiped_rejoins_and_votes_again() {
    let mut servers = Servers::start(4, 2, 9);
    let before = eventually("a quiet network", || wealth(&servers));
    let load = Load::start(&servers);
    more(&load, 20, 10);
    servers.kill(3);
    servers.wipe(3);
    more(&load, 20, 5);
    servers.run(3);
    more(&load, 20, 5);
    let known = load.stop();
    judge(&servers, &known, before);
    // Now its vote is needed.
    servers.kill(0);
    servers.decide(servers.hub());
}
