//! `subscribe`: hands a [`Feed`](crate::Feed) to a connection, one notification after the other.

use std::time::Duration;

use jsonrpsee::{
    PendingSubscriptionSink, SubscriptionMessage,
    core::{RegisterMethodError, SubscriptionError, to_json_raw_value},
    server::RpcModule,
};

use crate::{
    Backend, RpcError, Subscription,
    api::{SUBSCRIBE, UNSUBSCRIBE, parse},
    params::Subscribe,
};

/// The method that notifications carry.
const NOTIFICATION: &str = "notification";

pub(super) fn register<B: Backend>(
    module: &mut RpcModule<B>,
    reader_deadline: Duration,
) -> Result<(), RegisterMethodError> {
    module.register_subscription(
        SUBSCRIBE,
        NOTIFICATION,
        UNSUBSCRIBE,
        move |params, pending, backend, _| {
            let subscription = parse::<Subscribe>(&params).and_then(|Subscribe { channels, from }| {
                backend.feed().subscribe(channels, from.map(u64::from))
            });
            serve(subscription, pending, reader_deadline)
        },
    )?;
    Ok(())
}

/// Delivers until the reader leaves or the feed ends. A notification that stays unread for `deadline` is the last one;
/// the error says so, as soon as the reader reads again.
async fn serve(
    subscription: Result<Subscription, RpcError>,
    pending: PendingSubscriptionSink,
    deadline: Duration,
) -> Result<(), SubscriptionError> {
    let mut subscription = match subscription {
        Ok(subscription) => subscription,
        Err(error) => {
            pending.reject(error).await;
            return Ok(());
        }
    };
    let Ok(sink) = pending.accept().await else { return Ok(()) };
    loop {
        let notification = tokio::select! {
            () = sink.closed() => return Ok(()),
            notification = subscription.next() => notification,
        };
        let Some(notification) = notification else { return Ok(()) };
        let json = to_json_raw_value(&notification)?;
        if sink.send_timeout(SubscriptionMessage::from(json), deadline).await.is_err() {
            if sink.is_closed() {
                return Ok(());
            }
            tracing::debug!("a subscriber does not read; its subscription ends");
            let message = format!(
                "a notification was not read within {} ms; subscribe again from the last cursor",
                deadline.as_millis()
            );
            return Err(message.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Feed, Topic, view::Body};

    #[tokio::test]
    async fn who_leaves_a_notification_unread_is_told_why_the_subscription_ends() {
        let feed = Feed::new(1, 10, 10);
        let mut module = RpcModule::from_arc(Arc::clone(&feed));
        let subscribed = |_: jsonrpsee::types::Params<'static>, pending, feed: Arc<Feed>, _| {
            serve(feed.subscribe(vec![Topic::Events], None), pending, Duration::from_millis(10))
        };
        module.register_subscription(SUBSCRIBE, NOTIFICATION, UNSUBSCRIBE, subscribed).unwrap();
        let request = r#"{"jsonrpc":"2.0","id":1,"method":"subscribe"}"#;
        let (answer, mut messages) = module.raw_json_request(request, 1).await.unwrap();
        assert!(answer.get().contains("result"), "{answer}");
        for _ in 0..3 {
            feed.publish(vec![Topic::Events], Body::Lagged);
        }
        // Once its deadline is over, the subscription has left the feed; only then is anything read.
        while feed.subscribers() > 0 {
            tokio::task::yield_now().await;
            feed.publish(vec![Topic::Blocks], Body::Lagged);
        }
        assert!(messages.recv().await.unwrap().get().contains("cursor"));
        let last = messages.recv().await.unwrap();
        assert!(last.get().contains("not read within 10 ms"), "{last}");
        assert!(messages.recv().await.is_none());
    }
}
