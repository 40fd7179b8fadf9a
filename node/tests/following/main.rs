//! Following an entity whose board votes: catching up by frames or by the state after one of them, and what waits for it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod boards;
mod joining;
mod net;

use std::time::Duration;

use net::{Net, is_chunk, is_frames, is_heights, is_snapshot};
use xln_network::{Answer, Question};
use xln_runtime::StateManifest;

pub(crate) const SECONDS: fn(u64) -> Duration = Duration::from_secs;

pub(crate) fn network() -> (tempfile::TempDir, Net) {
    let folder = tempfile::tempdir().unwrap();
    let net = Net::new(folder.path());
    (folder, net)
}

#[test]
fn who_is_a_little_behind_follows_the_frames() {
    let (_folder, mut net) = network();
    net.decide(40);
    let there = net.start(0, 40, 0);
    let late = net.start(1, 3, 0);
    net.run(SECONDS(2));
    assert!(net.is_there(late));
    assert!(net.asked(late, there, is_frames) > 0);
    assert_eq!(net.asked(late, there, is_snapshot), 0);
}

#[test]
fn who_is_far_behind_takes_the_state_and_follows_from_there() {
    let (_folder, mut net) = network();
    net.decide(80);
    let there = net.start(0, 80, 0);
    let late = net.start(1, 0, 0);
    net.run(SECONDS(1));
    assert!(net.is_there(late));
    assert!((net.asked(late, there, is_snapshot), net.asked(late, there, is_chunk)) >= (1, 1));
    assert_eq!(net.asked(late, there, is_frames), 0);
    // What is kept of the state outlives it: the slice that took it over is executed again at the next start.
    assert_eq!(net.peers[late].machine.environment().chunks.len(), 1);
    // Others cannot get from it what it does not have, and find out.
    let third = net.start(2, 0, 0);
    net.run(SECONDS(2));
    assert!(net.is_there(third));
}

#[test]
fn frames_that_nobody_has_any_more_are_skipped() {
    let (_folder, mut net) = network();
    net.decide(30);
    let there = net.start(0, 30, 25);
    let late = net.start(1, 10, 0);
    net.run(SECONDS(2));
    assert!(net.is_there(late), "it stands at {}", net.height(late));
    assert_eq!(net.asked(late, there, is_frames), 1);
    assert!(net.asked(late, there, is_snapshot) > 0);
}

#[test]
fn who_hosts_others_follows_the_frames_however_many() {
    let (_folder, mut net) = network();
    net.decide(300);
    let there = net.start(0, 300, 0);
    let hub = net.start(4, 0, 0);
    net.run(SECONDS(5));
    assert!(net.is_there(hub), "it stands at {}", net.height(hub));
    assert_eq!(net.asked(hub, there, is_snapshot), 0);
}

/// A network in which the first server answers wrongly and the second rightly; a third is far behind.
fn with_a_liar(lie: fn(&Question, Answer) -> Option<Answer>) -> Net {
    let (_folder, mut net) = network();
    net.decide(80);
    // The one that is asked first is the one with the smaller name.
    let (one, two) = (net.start(0, 80, 0), net.start(1, 80, 0));
    let first = if net.peers[one].id < net.peers[two].id { one } else { two };
    net.tamper = Box::new(move |place, question, answer| {
        let answer = if place == first { lie(question, answer)? } else { answer };
        Some(answer)
    });
    let late = net.start(2, 0, 0);
    assert_eq!(late, 2);
    net.run(SECONDS(1));
    assert!(net.asked(late, first, is_snapshot) > 0, "the liar was asked");
    net
}

#[test]
fn a_liar_is_found_out_counted_and_another_is_asked() {
    let lies: [fn(&Question, Answer) -> Option<Answer>; 5] = [
        // A chunk with a flipped bit.
        |_, answer| match answer {
            Answer::Chunk(mut bytes) => {
                bytes[40] ^= 1;
                Some(Answer::Chunk(bytes))
            }
            other => Some(other),
        },
        // A manifest of a forged header.
        |_, answer| match answer {
            Answer::Snapshot(bytes) => {
                let mut manifest = StateManifest::decode(&bytes).unwrap();
                manifest.header.height += 1;
                Some(Answer::Snapshot(codec::Encode::encode(&manifest)))
            }
            other => Some(other),
        },
        // A manifest that names other rows, which come.
        |question, answer| match (question, answer) {
            (_, Answer::Snapshot(bytes)) => {
                let mut manifest = StateManifest::decode(&bytes).unwrap();
                let rows = vec![0; 10];
                manifest.chunks[0] = xln_primitives::Hash::new(xln_tree::Hasher::Blake3.value(&rows));
                (manifest.bytes, manifest.rows) = (10, 2);
                Some(Answer::Snapshot(codec::Encode::encode(&manifest)))
            }
            (Question::Chunk { .. }, _) => Some(Answer::Chunk(vec![0; 10])),
            (_, other) => Some(other),
        },
        // Not a manifest.
        |_, answer| match answer {
            Answer::Snapshot(_) => Some(Answer::Snapshot(vec![1, 0, 7])),
            other => Some(other),
        },
        // Another kind of answer.
        |question, answer| match question {
            Question::Snapshot { .. } => Some(Answer::Chunk(Vec::new())),
            _ => Some(answer),
        },
    ];
    for (place, lie) in lies.into_iter().enumerate() {
        let mut net = with_a_liar(lie);
        net.run(SECONDS(3));
        assert!(net.is_there(2), "lie {place}: it stands at {}", net.height(2));
        let refused = net.peers[2].shared.status().refused_states;
        assert_eq!(refused.values().sum::<u64>(), 1, "lie {place}");
        assert!(net.peers[2].machine.environment().chunks.keys().all(|(_, height, _)| *height == 80));
    }
}

#[test]
fn who_is_silent_or_busy_or_has_nothing_does_not_hold_up_for_ever() {
    let silent = |question: &Question, answer| match question {
        Question::Snapshot { .. } => None,
        _ => Some(answer),
    };
    let mut net = with_a_liar(silent);
    net.run(SECONDS(45));
    assert!(net.is_there(2));
    assert!(net.peers[2].shared.status().refused_states.is_empty(), "silence is no lie");

    let nothing = |question: &Question, answer| match question {
        Question::Snapshot { .. } => Some(Answer::Unknown),
        _ => Some(answer),
    };
    let mut net = with_a_liar(nothing);
    net.run(SECONDS(2));
    assert!(net.is_there(2));

    let busy = |question: &Question, answer| match question {
        Question::Snapshot { .. } => Some(Answer::Busy),
        _ => Some(answer),
    };
    let mut net = with_a_liar(busy);
    net.run(SECONDS(45));
    assert!(net.is_there(2), "whoever is always busy is left");

    // Busy the first time.
    let (_folder, mut net) = network();
    net.decide(80);
    net.start(0, 80, 0);
    let mut questions = 0;
    net.tamper = Box::new(move |_, question, answer| {
        let is_first = is_snapshot(question) || is_chunk(question);
        questions += usize::from(is_first);
        if is_first && questions % 2 == 1 { Some(Answer::Busy) } else { Some(answer) }
    });
    let late = net.start(1, 0, 0);
    net.run(SECONDS(8));
    assert!(net.is_there(late));
}

#[test]
fn idle_servers_ask_each_other_once_in_ten_seconds_for_all_entities() {
    let (_folder, mut net) = network();
    net.decide(5);
    let (one, two) = (net.start(0, 5, 0), net.start(1, 5, 0));
    net.run(SECONDS(5));
    net.questions.clear();
    net.run(SECONDS(100));
    assert_eq!(net.asked(one, two, is_heights), 10);
    assert_eq!(net.questions.len(), 20, "nothing else was asked");
}

#[test]
fn a_frame_that_was_missed_is_found_by_the_digest() {
    let (_folder, mut net) = network();
    net.decide(6);
    let late = net.start(0, 5, 0);
    net.run(SECONDS(3));
    assert_eq!(net.height(late), 5);
    net.start(1, 6, 0);
    net.run(SECONDS(11));
    assert!(net.is_there(late));
}
