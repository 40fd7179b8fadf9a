//! `subscribe`: hands a [`Feed`](crate::Feed) to a connection, one notification after the other.

use std::{sync::Arc, time::Duration};

use jsonrpsee::{
    PendingSubscriptionSink, SubscriptionMessage,
    core::{RegisterMethodError, to_json_raw_value},
    server::RpcModule,
};

use crate::{
    Backend, RpcError,
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
            let request = parse::<Subscribe>(&params);
            serve(request, pending, backend, reader_deadline)
        },
    )?;
    Ok(())
}

/// Delivers until the reader leaves, the feed ends, or a notification stays unread for `deadline`.
async fn serve<B: Backend>(
    request: Result<Subscribe, RpcError>,
    pending: PendingSubscriptionSink,
    backend: Arc<B>,
    deadline: Duration,
) {
    let subscription = request
        .and_then(|Subscribe { channels, from }| backend.feed().subscribe(channels, from.map(u64::from)));
    drop(backend);
    let mut subscription = match subscription {
        Ok(subscription) => subscription,
        Err(error) => return pending.reject(error).await,
    };
    let Ok(sink) = pending.accept().await else { return };
    loop {
        let notification = tokio::select! {
            () = sink.closed() => return,
            notification = subscription.next() => notification,
        };
        let Some(notification) = notification else { return };
        let Ok(json) = to_json_raw_value(&notification) else { return };
        if sink.send_timeout(SubscriptionMessage::from(json), deadline).await.is_err() {
            tracing::debug!("a subscriber does not read; its subscription ends");
            return;
        }
    }
}
