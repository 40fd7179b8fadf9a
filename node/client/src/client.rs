//! A connection to a node, over WebSocket or HTTP.

use std::{fmt, time::Duration};

use jsonrpsee::core::{
    ClientError, DeserializeOwned, JsonRawValue,
    client::{BatchResponse, ClientT, Subscription, SubscriptionClientT},
    params::BatchRequestBuilder,
    to_json_raw_value,
    traits::ToRpcParams,
};
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use xln_rpc::{SUBSCRIBE, UNSUBSCRIBE, params::Subscribe, view::Notification};

use crate::{Error, error::root_cause};

/// Largest answer that is read, in bytes.
const MAX_ANSWER: u32 = 32 << 20;

/// A connection to a node. With [`Calls`](xln_rpc::Calls) in scope it has one function per method.
pub struct Client {
    transport: Transport,
}

enum Transport {
    WebSocket(WsClient),
    Http(HttpClient),
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.transport {
            Transport::WebSocket(_) => "Client(WebSocket)",
            Transport::Http(_) => "Client(HTTP)",
        })
    }
}

impl Client {
    /// Connects to `ws://…` or prepares to ask `http://…`; `timeout` is for connecting and for each request.
    pub async fn connect(url: &str, timeout: Duration) -> Result<Self, Error> {
        let unreachable =
            |cause: ClientError| Error::Unreachable { url: url.to_owned(), cause: root_cause(&cause) };
        let transport = if url.starts_with("ws://") {
            let builder = WsClientBuilder::new()
                .connection_timeout(timeout)
                .request_timeout(timeout)
                .max_response_size(MAX_ANSWER);
            Transport::WebSocket(builder.build(url).await.map_err(unreachable)?)
        } else if url.starts_with("http://") {
            let builder = HttpClientBuilder::new()
                .connect_timeout(timeout)
                .request_timeout(timeout)
                .max_response_size(MAX_ANSWER);
            Transport::Http(builder.build(url).map_err(unreachable)?)
        } else {
            return Err(Error::Address { url: url.to_owned() });
        };
        Ok(Self { transport })
    }

    /// Subscribes to what happens; over WebSocket only.
    pub async fn notifications(&self, request: &Subscribe) -> Result<Notifications, Error> {
        let Transport::WebSocket(client) = &self.transport else { return Err(Error::NoSubscriptions) };
        Ok(Notifications(client.subscribe(SUBSCRIBE, Json(request), UNSUBSCRIBE).await?))
    }
}

struct Json<'a>(&'a Subscribe);

impl ToRpcParams for Json<'_> {
    fn to_rpc_params(self) -> Result<Option<Box<JsonRawValue>>, serde_json::Error> {
        to_json_raw_value(self.0).map(Some)
    }
}

/// What a subscription delivers.
#[derive(Debug)]
pub struct Notifications(Subscription<Notification>);

impl Notifications {
    /// The next notification; `None` once the subscription has ended.
    pub async fn next(&mut self) -> Option<Result<Notification, Error>> {
        self.0.next().await.map(|notification| notification.map_err(|error| Error::Answer(error.to_string())))
    }
}

impl ClientT for Client {
    async fn notification<P: ToRpcParams + Send>(&self, method: &str, params: P) -> Result<(), ClientError> {
        match &self.transport {
            Transport::WebSocket(client) => client.notification(method, params).await,
            Transport::Http(client) => client.notification(method, params).await,
        }
    }

    async fn request<R: DeserializeOwned, P: ToRpcParams + Send>(
        &self,
        method: &str,
        params: P,
    ) -> Result<R, ClientError> {
        match &self.transport {
            Transport::WebSocket(client) => client.request(method, params).await,
            Transport::Http(client) => client.request(method, params).await,
        }
    }

    async fn batch_request<'a, R: DeserializeOwned + fmt::Debug + 'a>(
        &self,
        batch: BatchRequestBuilder<'a>,
    ) -> Result<BatchResponse<'a, R>, ClientError> {
        match &self.transport {
            Transport::WebSocket(client) => client.batch_request(batch).await,
            Transport::Http(client) => client.batch_request(batch).await,
        }
    }
}
