//! Who is let in.

use xln_network::{Access, Code, Config, Limits, Refusal};

use crate::harness::{Node, config, id, listed, pair};

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_connect_over_tcp_and_over_quic() {
    for listen in ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"] {
        let at = |number| Config { listen: vec![listen.parse().unwrap()], ..config(number) };
        let (mut one, other) = pair(at(1), at(2)).await;
        other.network.consensus(vec![one.id()], Code::Vote, vec![1]).unwrap();
        assert_eq!(one.message().await, (other.id(), vec![1]));
        let peers = one.network.peers().await.unwrap();
        assert_eq!((peers.len(), peers[0].server, peers[0].outgoing), (1, other.id(), false));
        assert_eq!(peers[0].agent.as_deref(), Some(concat!("xln-network/", env!("CARGO_PKG_VERSION"))));
        // Code, form and one byte.
        assert_eq!((peers[0].received.messages, peers[0].received.bytes), (1, 3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_servers_find_each_other_through_one_that_all_know() {
    let first = Node::start(config(1)).await;
    let mut nodes = vec![first];
    for number in 2..=4 {
        let node = Node::beside(config(number), &nodes[0]).await;
        nodes.push(node);
    }
    for (node, number) in nodes.iter_mut().zip(1..) {
        for other in (1..=4).filter(|other| *other != number) {
            node.until_connected(id(other)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_the_list_find_each_other_too() {
    let mut one = Node::start(listed(1, &[2, 3])).await;
    let mut two = Node::beside(listed(2, &[1, 3]), &one).await;
    let mut three = Node::beside(listed(3, &[1, 2]), &one).await;
    one.until_connected(two.id()).await;
    two.until_connected(three.id()).await;
    three.until_connected(two.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_network_is_refused() {
    let one = Node::start(config(1)).await;
    let stranger = Config { network: xln_primitives::Network::new([8; 32]), ..config(2) };
    let stranger = Node::beside(stranger, &one).await;
    one.until_refused(Refusal::OtherNetwork, 1).await;
    stranger.until_refused(Refusal::OtherNetwork, 1).await;
    assert_eq!(one.network.peers().await.unwrap(), []);
    assert_eq!(stranger.network.peers().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_on_the_list_is_refused_until_it_is() {
    let mut one = Node::start(listed(1, &[3])).await;
    let mut other = Node::beside(config(2), &one).await;
    one.until_refused(Refusal::NotAllowed, 2).await;
    assert_eq!(one.network.peers().await.unwrap(), []);
    let last = one.network.counters().last_refused();
    let [refused] = last.as_slice() else { panic!("one server, once: {last:?}") };
    assert_eq!((refused.peer.clone(), refused.reason), (other.id().to_string(), Refusal::NotAllowed));
    assert!(refused.times >= 2 && refused.address.is_some(), "{refused:?}");
    assert_eq!(one.network.allow(other.id()).await, Ok(true));
    assert_eq!(one.network.allow(other.id()).await, Ok(false), "it is there");
    one.until_connected(other.id()).await;
    other.until_connected(one.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_taken_off_the_list_is_disconnected_and_stays_out() {
    let (mut one, mut other) = pair(listed(1, &[2]), config(2)).await;
    assert_eq!(one.network.disallow(other.id()).await, Ok(true));
    one.until_disconnected(other.id()).await;
    other.until_disconnected(one.id()).await;
    one.until_refused(Refusal::NotAllowed, 1).await;
    assert_eq!(one.network.peers().await.unwrap(), []);
    assert_eq!(one.network.disallow(other.id()).await, Ok(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_list_there_is_nothing_to_change() {
    let one = Node::start(config(1)).await;
    assert_eq!(one.network.allow(id(2)).await, Err(xln_network::AllowError::NoList));
    assert_eq!(one.network.disallow(id(2)).await, Err(xln_network::AllowError::NoList));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_limited_but_for_reserved_servers() {
    let limits = Limits { incoming: 1, ..config(1).limits };
    let mut one = Node::start(Config { limits, ..config(1) }).await;
    let _two = Node::beside(config(2), &one).await;
    one.until_connected(id(2)).await;
    let three = Node::beside(config(3), &one).await;
    one.until_refused(Refusal::Connections, 1).await;
    one.network.reserve(three.address().await).await.unwrap();
    one.until_connected(id(3)).await;
    assert_eq!(one.network.peers().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named() {
    let one = Node::start(config(1)).await;
    let address = one.address().await.address;
    let again = Config { listen: vec![address.clone()], ..config(2) };
    let error = Node::try_start(again).await.err().unwrap().to_string();
    assert!(error.contains(&address.to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_messages_would_never_pass_does_not_start() {
    let limits = Limits { consensus_bytes: 1 << 30, ..Limits::default() };
    let refused = Node::try_start(Config { limits, access: Access::Anyone, ..config(1) }).await;
    assert!(matches!(refused.err(), Some(xln_network::StartError::Quota { .. })));
}
