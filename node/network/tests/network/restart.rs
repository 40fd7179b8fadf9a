//! Servers that stop and come back.

use xln_network::{Code, Config};

use crate::harness::{Node, config, id, listed, pair};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_restarted_is_connected_again_by_whoever_knows_it() {
    let (one, mut other) = pair(config(1), config(2)).await;
    let address = one.address().await.address;
    let server = one.id();
    one.stop().await;
    other.until_disconnected(server).await;
    let mut one = Node::start(Config { listen: vec![address], ..config(1) }).await;
    other.until_connected(server).await;
    one.until_connected(other.id()).await;
    other.network.consensus(vec![server], Code::Vote, vec![7]).unwrap();
    assert_eq!(one.message().await, (other.id(), vec![7]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_finds_the_others_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let remembering = || Config { peers: Some(folder.path().join("peers.json")), ..listed(2, &[1]) };
    let (mut one, other) = pair(listed(1, &[2]), remembering()).await;
    other.stop().await;
    one.until_disconnected(id(2)).await;
    let mut other = Node::start(remembering()).await;
    other.until_connected(one.id()).await;
    one.until_connected(id(2)).await;
    let peers = other.network.peers().await.unwrap();
    assert!(peers[0].server == one.id());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_discovery_nobody_learns_where_a_server_listens_that_dialled() {
    let folder = tempfile::tempdir().unwrap();
    for discovery in [true, false] {
        let file = folder.path().join(format!("peers-{discovery}.json"));
        let one = Config { peers: Some(file.clone()), discovery, ..listed(1, &[2]) };
        let (mut one, mut two) = pair(one, Config { discovery, ..listed(2, &[1]) }).await;
        one.until_connected(two.id()).await;
        two.until_connected(one.id()).await;
        one.stop().await;
        let known = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(known.contains("/tcp/"), discovery, "{known}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserved_server_is_sought_until_it_is_there_and_not_after_it_was_released() {
    let mut two = Node::start(config(2)).await;
    let address = two.address().await;
    two.stop().await;
    let mut one = Node::start(Config { reserved: vec![address.clone()], ..config(1) }).await;
    two = Node::start(Config { listen: vec![address.address.clone()], ..config(2) }).await;
    one.until_connected(two.id()).await;
    two.until_connected(one.id()).await;
    one.network.release(two.id()).await.unwrap();
    two.stop().await;
    one.until_disconnected(id(2)).await;
    assert_eq!(one.network.peers().await.unwrap(), []);
}
