//! Crashes at every step, restores, and what a member finds when it comes back.

use xln_consensus::{Effect, Electorate, Entry, Halt, Malachite, MemberIndex, Row, VoteHistory};
use xln_primitives::Profile;

use crate::net::{CALM, Happening, Net, board, entity};

fn net(seed: u64) -> Net<Malachite> {
    let mut net = Net::new(seed, board(&[1; 4], Profile::Byzantine), CALM);
    net.run(10);
    net
}

#[test]
fn a_member_that_crashes_at_any_moment_comes_back_with_its_votes() {
    for moment_ms in (0..40).step_by(3) {
        let mut net = net(moment_ms);
        net.work_until(3);
        let server = usize::try_from(moment_ms % 4).unwrap();
        net.at(moment_ms, Happening::Crash { server });
        net.at(moment_ms + 5, Happening::Restart { server });
        assert!(net.run_until(3, 30_000), "crashed after {moment_ms} ms");
        assert_eq!(net.oracle.violations, Vec::<String>::new(), "crashed after {moment_ms} ms");
        assert!(net.servers.iter().all(|server| server.halted.is_none()));
    }
}

#[test]
fn all_members_crash_at_once_and_decide_what_they_had_locked() {
    for moment_ms in (0..30).step_by(3) {
        let mut net = net(moment_ms);
        net.work_until(2);
        for server in 0..4 {
            net.at(moment_ms, Happening::Crash { server });
            net.at(moment_ms + 50, Happening::Restart { server });
        }
        net.run(moment_ms + 100);
        net.work();
        assert!(net.run_until(2, 30_000), "crashed after {moment_ms} ms");
        assert_eq!(net.oracle.violations, Vec::<String>::new());
    }
}

#[test]
fn a_member_that_was_away_catches_up_and_votes_again() {
    let mut net = net(5);
    net.at(0, Happening::Crash { server: 1 });
    net.run(5);
    net.work_until(10);
    net.run(5_000);
    assert_eq!(net.servers[0].frames.len(), 10);
    net.at(0, Happening::Restart { server: 1 });
    net.run(10);
    net.work_until(12);
    assert!(net.run_until(12, 20_000));
    assert_eq!(net.oracle.violations, Vec::<String>::new());
}

#[test]
fn a_restored_backup_listens_until_it_is_above_what_it_may_have_voted_on() {
    let mut net = net(6);
    net.work_until(5);
    assert!(net.run_until(5, 5_000));
    // The disk of member 3 as it was after two frames.
    net.at(0, Happening::Crash { server: 3 });
    net.run(1);
    net.servers[3].frames.truncate(2);
    net.servers[3].history = VoteHistory::Restored;
    net.at(0, Happening::Restart { server: 3 });
    net.run(1);
    net.digest();
    let votes_at = |net: &mut Net<Malachite>, height: usize| {
        net.work_until(height);
        net.run(2_000);
        net.digest();
        assert!(net.run_until(height, 20_000), "height {height}");
        net.oracle.has_signed(entity(), MemberIndex(3), height as u64)
    };
    assert!(!votes_at(&mut net, 6), "it may have voted at 6");
    assert!(!votes_at(&mut net, 7), "and at 7, which 6 would have led to");
    assert!(votes_at(&mut net, 8), "never at 8");
    assert_eq!(net.oracle.violations, Vec::<String>::new());
}

#[test]
fn a_wiped_member_that_knows_where_it_voted_votes_above_that() {
    let mut net = net(9);
    net.work_until(5);
    assert!(net.run_until(5, 5_000));
    net.run(1_000);
    net.at(0, Happening::Crash { server: 3 });
    net.run(1);
    net.servers[3].wipe();
    net.servers[3].history = VoteHistory::UpTo(5);
    net.at(0, Happening::Restart { server: 3 });
    net.run(1);
    net.digest();
    assert!(net.run_until(5, 5_000), "it has caught up");
    net.run(1_000);
    net.work_until(6);
    assert!(net.run_until(6, 20_000));
    net.run(2_000);
    assert!(net.oracle.has_signed(entity(), MemberIndex(3), 6), "it had voted up to 5");
    assert_eq!(net.oracle.violations, Vec::<String>::new());
}

#[test]
fn a_network_of_new_members_begins_when_all_have_heard_each_other() {
    let mut net: Net<Malachite> = Net::new(10, board(&[1; 4], Profile::Byzantine), CALM);
    for server in &mut net.servers {
        server.history = VoteHistory::Unknown;
    }
    net.run(10);
    net.work_until(3);
    net.run(5_000);
    assert!(net.servers.iter().all(|server| server.frames.is_empty()), "nobody has heard anybody");
    net.digest();
    assert!(net.run_until(3, 20_000), "{:?}", net.status());
    assert_eq!(net.oracle.violations, Vec::<String>::new());
}

#[test]
fn who_joins_a_network_that_has_decided_listens_although_nobody_knows_its_key() {
    let mut net: Net<Malachite> = Net::new(11, board(&[1; 4], Profile::Byzantine), CALM);
    net.run(10);
    net.servers[3].crash();
    net.work_until(2);
    net.run(10_000);
    assert_eq!(net.servers[0].frames.len(), 2);
    net.servers[3].history = VoteHistory::Unknown;
    net.at(0, Happening::Restart { server: 3 });
    net.run(1);
    for height in 3..=5 {
        net.digest();
        net.run(2_000);
        net.work_until(height);
        net.run(2_000);
        net.digest();
        assert!(net.run_until(height, 30_000), "{:?}", net.status());
        net.run(1_000);
    }
    assert!(!net.oracle.has_signed(entity(), MemberIndex(3), 4), "it may have voted at 3 and at 4");
    assert!(net.oracle.has_signed(entity(), MemberIndex(3), 5));
    assert_eq!(net.oracle.violations, Vec::<String>::new());
}

#[test]
fn a_log_with_a_hole_or_ahead_of_the_store_halts_its_entity() {
    let mut net = net(7);
    net.work_until(1);
    net.run(8);
    let server = net.servers.iter().position(|server| server.rows.len() >= 3).expect("somebody has logged");
    let rows = net.servers[server].rows.clone();
    net.servers[server].crash();
    let halts = |net: &mut Net<Malachite>| {
        let board = net.board.clone();
        let event = net.servers[server].restart(&board);
        let effects = net.servers[server].step(vec![event], [0; 32]);
        effects
            .into_iter()
            .find_map(|e| if let Effect::Halt { reason, .. } = e { Some(reason) } else { None })
    };
    let second = *rows.keys().nth(1).unwrap();
    net.servers[server].rows.remove(&second);
    assert_eq!(halts(&mut net), Some(Halt::LogGap { expected: 1, found: 2 }));
    // A vote of ours that does not follow from the rows before it.
    net.servers[server].rows = rows.iter().map(|(key, value)| (ahead(*key), value.clone())).collect();
    assert_eq!(halts(&mut net), Some(Halt::LogAhead { log: 2, store: 1 }));
    net.servers[server].rows = rows;
    assert_eq!(halts(&mut net), None);
}

fn ahead(mut key: [u8; 48]) -> [u8; 48] {
    key[39] += 1;
    key
}

#[test]
fn a_replay_that_would_sign_something_else_halts() {
    // The log of another member, without what it heard from us: the same inputs and none of our signatures.
    let mut net = net(8);
    net.work_until(1);
    let begun = |net: &Net<Malachite>, server: usize| {
        net.servers[server].frames.is_empty() && net.servers[server].rows.len() >= 3
    };
    let proposer = usize::from(Electorate::new(&net.board).unwrap().proposer(1, 0).0);
    let (ours, theirs) = ((proposer + 1) % 4, (proposer + 2) % 4);
    while !(begun(&net, ours) && begun(&net, theirs)) {
        net.run(1);
        assert!(net.now_ms < 100, "neither has logged anything");
    }
    let rows = net.servers[theirs].rows.iter().map(|(key, value)| Row::read(key, value).unwrap());
    let of_us = |entry: &Entry| match entry {
        Entry::Ballot(vote) => usize::from(vote.statement.member.0) == ours,
        Entry::Offer(offer) => usize::from(offer.statement.member.0) == ours,
        _ => false,
    };
    let rows = rows.filter(|row| !of_us(&row.entry));
    let rows = (0..).zip(rows).map(|(sequence, row)| Row { sequence, ..row });
    let rows = rows.map(|row| (row.key(), row.value())).collect();
    net.servers[ours].crash();
    net.servers[ours].rows = rows;
    let board = net.board.clone();
    let event = net.servers[ours].restart(&board);
    let effects = net.servers[ours].step(vec![event], [0; 32]);
    let halted = effects.iter().any(|e| matches!(e, Effect::Halt { reason: Halt::Engine(_), .. }));
    assert!(halted, "{effects:?}");
    assert!(!effects.iter().any(|e| matches!(e, Effect::Send { .. } | Effect::Append { .. })));
}
