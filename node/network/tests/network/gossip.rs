//! What everybody is told, if those in between find it valid.

use std::time::Duration;

use xln_network::{Code, Event, Refusal, ServerId, Topic, Verdict};

use crate::harness::{Node, id, listed, within};

/// one ─ two ─ three: what one says reaches three through two only.
async fn line() -> [Node; 3] {
    let mut two = Node::start(listed(2, &[1, 3])).await;
    let mut one = Node::beside(listed(1, &[2]), &two).await;
    let mut three = Node::beside(listed(3, &[2]), &two).await;
    for other in [1, 3] {
        two.until_connected(id(other)).await;
    }
    one.until_connected(id(2)).await;
    three.until_connected(id(2)).await;
    [one, two, three]
}

struct Heard {
    body: Vec<u8>,
    author: ServerId,
    from: ServerId,
    id: xln_network::GossipId,
}

async fn heard(node: &mut Node) -> Heard {
    node.until("gossip", |event| match event {
        Event::Gossip { topic: Topic::Frames, code: Code::Commit, body, author, from, id } => {
            Some(Heard { body: body.into_inner(), author, from, id })
        }
        _ => None,
    })
    .await
}

/// Publishes until somebody hears it: a mesh takes some seconds to form.
async fn heard_from(one: &Node, two: &mut Node, body: &[u8]) -> Heard {
    let mut number = 0_u8;
    let mut again = tokio::time::interval(Duration::from_millis(500));
    within("gossip", async {
        loop {
            tokio::select! {
                _ = again.tick() => {
                    number = number.wrapping_add(1);
                    one.network.publish(Topic::Frames, Code::Commit, [body, &[number]].concat()).unwrap();
                }
                heard = heard(two) => return heard,
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn gossip_goes_on_when_it_was_found_valid_and_names_its_author() {
    let [one, mut two, mut three] = line().await;
    let first = heard_from(&one, &mut two, b"frame").await;
    assert_eq!((first.author, first.from), (one.id(), one.id()));
    assert!(first.body.starts_with(b"frame"));
    let (author, network) = (one.id(), two.network.clone());
    network.judge(first.id, Verdict::Accept).unwrap();
    // Whatever two hears from now on is valid too.
    let accepting = tokio::spawn(async move {
        loop {
            if let Event::Gossip { id, .. } = two.next().await {
                two.network.judge(id, Verdict::Accept).unwrap();
            }
        }
    });
    let second = heard_from(&one, &mut three, b"frame").await;
    assert_eq!((second.author, second.from), (author, id(2)));
    accepting.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn gossip_that_was_found_invalid_is_counted_and_goes_nowhere() {
    let [one, mut two, mut three] = line().await;
    let bad = heard_from(&one, &mut two, b"bad").await;
    two.network.judge(bad.id, Verdict::Reject).unwrap();
    two.until_refused(Refusal::Invalid, 1).await;
    // Everything else of one is passed on; nothing bad ever reaches three.
    let network = two.network.clone();
    let judging = tokio::spawn(async move {
        loop {
            if let Event::Gossip { id, body, .. } = two.next().await {
                let verdict = if body.starts_with(b"bad") { Verdict::Reject } else { Verdict::Accept };
                network.judge(id, verdict).unwrap();
            }
        }
    });
    let good = heard_from(&one, &mut three, b"good").await;
    assert!(good.body.starts_with(b"good"));
    judging.abort();
}
