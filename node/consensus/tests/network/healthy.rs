//! No fault: what a commit takes, and that idle entities cost nothing.

use xln_consensus::{Content, Effect, Event, Host, Malachite, Refusal};
use xln_primitives::Profile;

use crate::net::{CALM, Happening, Net, Options, board, entity, key};

fn net(members: usize) -> Net<Malachite> {
    let mut net = Net::new(1, board(&vec![1; members], Profile::Byzantine), CALM);
    net.run(10);
    net
}

#[test]
fn an_idle_board_has_no_engine_and_says_nothing() {
    let mut net = net(4);
    net.run(60_000);
    assert_eq!(net.messages, 0);
    assert!(net.servers.iter().all(|server| server.host.as_ref().unwrap().active().next().is_none()));
}

#[test]
fn a_call_at_every_member_is_committed_with_one_proposal_and_two_votes_each() {
    let mut net = net(4);
    net.work_until(1);
    assert!(net.run_until(1, 1_000));
    net.run(60_000);
    // A proposal to three, and a prevote and a precommit of each to the three others.
    assert_eq!(net.messages, 3 + 4 * 3 + 4 * 3);
    assert_eq!(net.oracle.violations, Vec::<String>::new());
    assert!(net.servers.iter().all(|server| server.frames.len() == 1 && server.rows.is_empty()));
    assert!(
        net.servers.iter().all(|server| server.host.as_ref().unwrap().active().next().is_none()),
        "idle again"
    );
}

#[test]
fn many_members_commit_with_two_votes_of_each_to_every_other() {
    let mut net: Net<Malachite> =
        Net::new(1, board(&[1; 21], Profile::Byzantine), Options { delay_ms_max: 1, ..CALM });
    net.run(10);
    net.work_until(1);
    assert!(net.run_until(1, 1_000));
    net.run(1_000);
    assert_eq!(net.messages, 20 + 2 * 21 * 20);
}

#[test]
fn frames_follow_each_other_and_are_the_same_everywhere() {
    let mut net = net(4);
    net.work_until(20);
    assert!(net.run_until(20, 10_000));
    let hashes =
        |server: usize| net.servers[server].frames.iter().map(|(frame, ..)| *frame).collect::<Vec<_>>();
    assert!((1..4).all(|server| hashes(server) == hashes(0)));
    assert_eq!(net.oracle.violations, Vec::<String>::new());
}

#[test]
fn a_call_at_one_member_wakes_the_others() {
    let mut net = net(4);
    for server in &mut net.servers {
        server.wants_height = 1;
    }
    net.at(0, Happening::Work { server: 2 });
    assert!(net.run_until(1, 20_000));
}

#[test]
fn boards_of_every_size_weight_and_profile_decide() {
    for (weights, profile) in [
        (vec![1], Profile::Byzantine),
        (vec![1, 1], Profile::Byzantine),
        (vec![1, 1, 1], Profile::CrashFault),
        (vec![5, 1, 1, 1, 3], Profile::Byzantine),
        (vec![u32::MAX / 4; 4], Profile::Byzantine),
    ] {
        let mut net: Net<Malachite> = Net::new(3, board(&weights, profile), CALM);
        net.run(10);
        net.work_until(5);
        assert!(net.run_until(5, 20_000), "{weights:?}");
        assert_eq!(net.oracle.violations, Vec::<String>::new());
    }
}

#[test]
fn two_of_three_decide_in_the_crash_fault_profile_and_not_in_the_byzantine_one() {
    for (profile, decides) in [(Profile::CrashFault, true), (Profile::Byzantine, false)] {
        let mut net: Net<Malachite> = Net::new(4, board(&[1; 3], profile), CALM);
        net.run(10);
        net.at(0, Happening::Crash { server: 2 });
        net.run(1);
        net.work_until(2);
        net.run(30_000);
        assert_eq!(net.servers[0].frames.len() == 2, decides, "{profile:?}");
        assert_eq!(net.oracle.violations, Vec::<String>::new());
    }
}

#[test]
fn no_signature_leaves_before_its_rows_are_durable() {
    let mut net = net(4);
    net.options.sync_ms = 1_000_000;
    net.work_until(1);
    net.run(10_000);
    assert_eq!(net.messages, 0, "the proposer signed, and the disk never answered");
}

#[test]
fn strangers_and_nonsense_are_refused_with_the_reason() {
    let mut net = net(4);
    let mut reasons = |from, bytes: Vec<u8>| -> Vec<Refusal> {
        let host: &mut Host = net.servers[0].host.as_mut().unwrap();
        let effects = host.step([Event::Received { from, bytes }], [0; 32]);
        effects
            .iter()
            .filter_map(|e| if let Effect::Refused { reason, .. } = e { Some(*reason) } else { None })
            .collect()
    };
    let message = |content| {
        codec::Encode::encode(&xln_consensus::BoardMessage { entity: entity(), height: 1, content })
    };
    let request = || Content::Request { round: 0, frame: xln_primitives::FrameHash::ZERO };
    assert_eq!(reasons(key(1), vec![1, 2, 3]), [Refusal::Malformed]);
    assert_eq!(reasons(key(9), message(request())), [Refusal::NotAMember]);
    assert_eq!(reasons(key(1), message(request())), []);
    let vote = |signature| {
        let member = xln_consensus::MemberIndex(1);
        let step = xln_consensus::Step::Prevote;
        let statement = xln_consensus::Ballot { member, step, round: 0, frame: None };
        Content::Vote(xln_consensus::Signed { statement, signature })
    };
    for _ in 0..xln_consensus::STRIKES_MAX {
        assert_eq!(reasons(key(1), message(vote([1; 96]))), [Refusal::Signature]);
    }
    assert_eq!(reasons(key(1), message(vote([1; 96]))), [Refusal::Muted]);
}
