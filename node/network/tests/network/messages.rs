//! Messages between two servers.

use xln_network::{
    Answer, AskError, Code, Config, Event, Limits, Protocol, Question, Refusal, SendError, Standing,
    quota::Rate,
};
use xln_primitives::{EntityId, FrameHash, Hash};

use crate::harness::{Node, config, eventually, id, pair, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_large_message_is_compressed_on_its_way() {
    let (mut one, other) = pair(config(1), config(2)).await;
    let body: Vec<u8> = (0..1_000_000_u32).map(|n| u8::try_from(n / 1_000 % 256).unwrap()).collect();
    other.network.consensus(vec![one.id()], Code::Propose, body.clone()).unwrap();
    assert_eq!(one.message().await, (other.id(), body));
    let sent = other.network.counters().sent(Protocol::Consensus);
    assert_eq!(sent.messages, 1);
    assert!(sent.bytes < 100_000, "{} bytes", sent.bytes);
    assert_eq!(one.network.counters().received(Protocol::Consensus), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_to_several_servers_reach_all_that_are_connected() {
    let mut hub = Node::start(config(1)).await;
    let mut two = Node::beside(config(2), &hub).await;
    let mut three = Node::beside(config(3), &hub).await;
    hub.until_connected(two.id()).await;
    hub.until_connected(three.id()).await;
    hub.network.consensus(vec![two.id(), three.id(), id(9)], Code::Commit, vec![5]).unwrap();
    assert_eq!(two.message().await, (hub.id(), vec![5]));
    assert_eq!(three.message().await, (hub.id(), vec![5]));
    eventually("the lost one is counted", || hub.network.counters().dropped() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_at_once_all_arrive() {
    let (mut one, other) = pair(config(1), config(2)).await;
    let count = 2_000_u32;
    for number in 0..count {
        other.network.consensus(vec![one.id()], Code::Vote, number.to_be_bytes().into()).unwrap();
    }
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < usize::try_from(count).unwrap() {
        seen.insert(one.message().await.1);
    }
    assert_eq!(other.network.counters().dropped(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_said_is_refused_before_it_is_sent() {
    let one = Node::start(config(1)).await;
    let to = || vec![id(2)];
    let limit = Limits::default().consensus_bytes;
    let large = one.network.consensus(to(), Code::Propose, vec![0; limit + 1]);
    assert_eq!(large, Err(SendError::Oversized { place: "consensus", size: limit + 1, limit }));
    let odd = one.network.consensus(to(), Code::ChannelMessage, vec![]);
    assert_eq!(odd, Err(SendError::Code { place: "consensus", code: Code::ChannelMessage }));
    let odd = one.network.publish(xln_network::Topic::Frames, Code::Vote, vec![]);
    assert_eq!(odd, Err(SendError::Code { place: "frames", code: Code::Vote }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_beyond_the_receivers_limit_is_refused_and_the_next_one_taken() {
    let small = Limits { consensus_bytes: 1_000, ..config(1).limits };
    let (mut one, other) = pair(Config { limits: small, ..config(1) }, config(2)).await;
    // As it is, and compressed to less than the limit.
    let noise: Vec<u8> =
        (0..100_u32).flat_map(|n| xln_primitives::keccak256(&n.to_be_bytes()).as_bytes().to_vec()).collect();
    for (times, body) in (1..).zip([noise, vec![0; 100_000]]) {
        other.network.consensus(vec![one.id()], Code::Propose, body).unwrap();
        one.until_refused(Refusal::Oversized, times).await;
    }
    other.network.consensus(vec![one.id()], Code::Propose, vec![1; 1_000]).unwrap();
    assert_eq!(one.message().await, (other.id(), vec![1; 1_000]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_beyond_its_quota_is_refused_and_heard_again_later() {
    let messages = Rate { per_second: 20, burst: 5 };
    let limits = Limits { messages, ..config(1).limits };
    let (mut one, other) = pair(Config { limits, ..config(1) }, config(2)).await;
    for number in 0..10 {
        other.network.consensus(vec![one.id()], Code::Vote, vec![number]).unwrap();
    }
    one.until_refused(Refusal::Quota, 1).await;
    let refused = within("a message after the pause", async {
        let mut again = tokio::time::interval(std::time::Duration::from_millis(100));
        loop {
            tokio::select! {
                _ = again.tick() => other.network.consensus(vec![one.network.server()], Code::Vote, vec![99]).unwrap(),
                (_, body) = one.message() => if body == [99] { return one.refused(Refusal::Quota) },
            }
        }
    })
    .await;
    assert!(refused >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_listen_is_not_buried_under_messages() {
    let limits = Limits { waiting: 4, ..config(1).limits };
    let mut one = Node::start(Config { limits, ..config(1) }).await;
    let mut other = Node::beside(config(2), &one).await;
    other.until_connected(one.id()).await;
    for number in 0..100 {
        other.network.consensus(vec![one.id()], Code::Vote, vec![number]).unwrap();
    }
    one.until_refused(Refusal::Busy, 90).await;
    one.until_connected(other.id()).await;
    one.message().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_and_without_an_answer_the_asker_is_told() {
    let (mut one, other) = pair(config(1), config(2)).await;
    let asker = other.network.clone();
    let standing = Standing { entity: EntityId::new([1; 32]), height: 7, frame: FrameHash::new([2; 32]) };
    let questions = [
        (
            Question::Heights(vec![standing].try_into().unwrap()),
            Answer::Heights(vec![standing].try_into().unwrap()),
        ),
        (Question::Chunk { snapshot: Hash::new([3; 32]), index: 4 }, Answer::Chunk(vec![9; 3_000_000])),
        (Question::Frames { entity: standing.entity, from: 1, max_bytes: 9 }, Answer::Unknown),
    ];
    let asked = {
        let (questions, to) = (questions.clone(), one.id());
        tokio::spawn(async move {
            let mut answers = Vec::new();
            for (question, _) in &questions {
                answers.push(asker.ask(to, question).await);
            }
            answers.push(asker.ask(to, &questions[2].0).await);
            answers
        })
    };
    for (expected, answer) in questions.clone() {
        let (question, responder) = one.until("a question", asked_now).await;
        assert_eq!(question, expected);
        responder.answer(&answer);
    }
    // The last one is dropped.
    drop(one.until("a question", asked_now).await);
    let mut answers = within("the answers", asked).await.unwrap();
    assert!(matches!(answers.pop(), Some(Err(AskError::NoAnswer(_)))));
    let expected: Vec<_> = questions.into_iter().map(|(_, answer)| Ok(answer)).collect();
    assert_eq!(answers, expected);
    assert_eq!(
        other.network.ask(id(9), &Question::Chunk { snapshot: Hash::ZERO, index: 0 }).await,
        Err(AskError::NotConnected)
    );
}

fn asked_now(event: Event) -> Option<(Question, xln_network::Responder)> {
    match event {
        Event::Question { question, responder, .. } => Some((question.into_inner(), responder)),
        _ => None,
    }
}
