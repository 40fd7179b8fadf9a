//! Subscriptions: order, resumption, slow readers.

use jsonrpsee::core::client::{Subscription, SubscriptionClientT};
use jsonrpsee_ws_client::WsClient;
use serde_json::json;
use xln_primitives::{CallHash, EntityId};
use xln_rpc::{
    Backend, Topic, U64,
    view::{Body, CallStatus, Notification, PartyView, ReceiptView},
};

use crate::{
    client,
    memory::{KEPT, QUEUE},
    started,
};

fn receipt(number: u8) -> Body {
    Body::Receipt(ReceiptView {
        hash: CallHash::new([number; 32]),
        entity: PartyView { id: EntityId::ZERO, name: None },
        height: U64(u64::from(number)),
        block: None,
        status: CallStatus::Succeeded,
        error: None,
        events: Vec::new(),
        changes: Vec::new(),
    })
}

async fn subscribe(
    client: &WsClient,
    channels: &[&str],
    from: Option<u64>,
) -> Result<Subscription<Notification>, jsonrpsee::core::ClientError> {
    let mut params = jsonrpsee::core::params::ObjectParams::new();
    params.insert("channels", channels).unwrap();
    params.insert("from", from.map(U64)).unwrap();
    client.subscribe("subscribe", params, "unsubscribe").await
}

async fn next(subscription: &mut Subscription<Notification>) -> Notification {
    subscription.next().await.unwrap().unwrap()
}

#[tokio::test]
async fn a_subscriber_gets_its_topics_in_order_with_cursors() {
    let (server, backend) = started(|_| ()).await;
    let client = client(&server).await;
    let mut events = subscribe(&client, &["events"], None).await.unwrap();
    backend.feed().publish(vec![Topic::Payments], receipt(1));
    backend.feed().publish(vec![Topic::Entity(EntityId::ZERO), Topic::Events], receipt(2));
    backend.feed().publish(vec![Topic::Events], receipt(3));
    let second = next(&mut events).await;
    assert_eq!((second.cursor, second.channel, second.body), (U64(2), Some(Topic::Events), receipt(2)));
    assert_eq!(next(&mut events).await.cursor, U64(3));
}

#[tokio::test]
async fn resuming_from_a_cursor_leaves_no_gap_and_repeats_nothing() {
    let (server, backend) = started(|_| ()).await;
    let client = client(&server).await;
    for number in 1..=10 {
        backend.feed().publish(vec![Topic::Events], receipt(number));
    }
    let mut events = subscribe(&client, &["events"], Some(4)).await.unwrap();
    backend.feed().publish(vec![Topic::Events], receipt(11));
    for expected in 5..=11 {
        assert_eq!(next(&mut events).await.cursor, U64(expected));
    }
}

#[tokio::test]
async fn a_cursor_out_of_reach_is_refused_instead_of_skipping() {
    let (server, backend) = started(|_| ()).await;
    let client = client(&server).await;
    for _ in 0..KEPT + 2 {
        backend.feed().publish(vec![Topic::Events], receipt(1));
    }
    for from in [1, 1_000] {
        let error = subscribe(&client, &["events"], Some(from)).await.unwrap_err();
        assert!(error.to_string().contains("out of reach"), "{error}");
    }
    assert!(subscribe(&client, &["events"], Some(2)).await.is_ok());
    assert!(subscribe(&client, &[], None).await.is_err());
    assert!(subscribe(&client, &["nothing"], None).await.is_err());
}

#[tokio::test]
async fn a_slow_reader_is_told_and_dropped_and_can_go_on_where_it_was() {
    let (server, backend) = started(|_| ()).await;
    let client = client(&server).await;
    let mut events = subscribe(&client, &["events"], None).await.unwrap();
    // One thread, and publishing does not yield: the subscriber cannot read in between.
    for number in 1..=100 {
        backend.feed().publish(vec![Topic::Events], receipt(number));
    }
    assert_eq!(backend.feed().subscribers(), 0);
    let mut last = U64(0);
    loop {
        let notification = next(&mut events).await;
        if notification.body == Body::Lagged {
            assert_eq!((notification.cursor, notification.channel), (last, None));
            break;
        }
        assert_eq!(notification.cursor, U64(last.0 + 1));
        last = notification.cursor;
    }
    assert_eq!(last, U64(u64::try_from(QUEUE).unwrap()));
    let mut events = subscribe(&client, &["events"], Some(last.0)).await.unwrap();
    for expected in last.0 + 1..=100 {
        assert_eq!(next(&mut events).await.cursor, U64(expected));
    }
}

#[tokio::test]
async fn a_connection_has_so_many_subscriptions_and_no_more() {
    let (server, _) = started(|config| config.max_subscriptions = 1).await;
    let client = client(&server).await;
    let _first = subscribe(&client, &["blocks"], None).await.unwrap();
    assert!(subscribe(&client, &["blocks"], None).await.is_err());
}

#[test]
fn a_notification_reads_as_documented() {
    let notification = Notification { cursor: U64(7), channel: Some(Topic::Blocks), body: Body::Lagged };
    let expected = json!({ "cursor": "7", "channel": "blocks", "body": { "kind": "lagged" } });
    assert_eq!(serde_json::to_value(&notification).unwrap(), expected);
}
