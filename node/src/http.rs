//! Metrics and health over HTTP.
//!
//! | path | answer |
//! |---|---|
//! | `/metrics` | everything in [`Metrics`], as OpenMetrics text |
//! | `/health`, `/health/readiness` | 200 if the node does its work, else 503 with the reason |
//! | `/health/liveness` | 200 as long as the process answers at all |
//!
//! A client that sends its request slowly is cut off, and connections are counted, so that the port cannot be
//! used to exhaust the node.

use std::{
    future::Future,
    io,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use serde_json::json;
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

use crate::metrics::Metrics;

/// Longest time that a client may take to send the head of a request.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// Longest life of a connection. Scrapers reconnect.
const CONNECTION_DEADLINE: Duration = Duration::from_secs(300);
/// Most connections at once; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 64;

/// Whether the node does its work. Clones speak of the same node.
#[derive(Debug, Clone)]
pub struct Health(Arc<RwLock<Result<(), String>>>);

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(RwLock::new(Err("starting".to_owned()))))
    }
}

impl Health {
    /// A node that is starting, and not ready yet.
    #[must_use]
    pub fn starting() -> Self {
        Self::default()
    }

    /// The node does its work from now on.
    pub fn ready(&self) {
        self.set(Ok(()));
    }

    /// The node does not do its work, for this reason. The reason is shown to whoever asks.
    pub fn unready(&self, reason: impl Into<String>) {
        self.set(Err(reason.into()));
    }

    /// `Ok` if ready, else the reason why not.
    pub fn status(&self) -> Result<(), String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, status: Result<(), String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = status;
    }
}

/// Answers on `listener` until `shutdown` completes.
pub async fn serve(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    health: Health,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let service = TowerToHyperService::new(router(metrics, health));
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accept = async {
            let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
            listener.accept().await.map(|(stream, _)| (stream, place))
        };
        let (stream, place) = tokio::select! {
            () = &mut shutdown => return Ok(()),
            accepted = accept => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Descriptors may be short for a moment; the port must survive that.
                    tracing::warn!(%error, "metrics: connection not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let service = service.clone();
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_DEADLINE)
                .max_buf_size(16 * 1024)
                .serve_connection(TokioIo::new(stream), service);
            // A broken connection concerns only the client.
            let _ = timeout(CONNECTION_DEADLINE, connection).await;
            drop(place);
        });
    }
}

fn router(metrics: Arc<Metrics>, health: Health) -> Router {
    Router::new()
        .route("/metrics", get(export).with_state(metrics))
        .route("/health", get(readiness).with_state(health.clone()))
        .route("/health/readiness", get(readiness).with_state(health))
        .route("/health/liveness", get(|| async { Json(json!({ "status": "alive" })) }))
}

async fn export(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.text() {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn readiness(State(health): State<Health>) -> Response {
    match health.status() {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(reason) => {
            let body = Json(json!({ "status": "unready", "reason": reason }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        sync::oneshot,
        task::JoinHandle,
    };

    use super::*;

    async fn ask(address: std::net::SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn server(
        health: Health,
    ) -> (std::net::SocketAddr, oneshot::Sender<()>, JoinHandle<io::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let task = tokio::spawn(serve(listener, Arc::new(Metrics::new(&[])), health, shutdown));
        (address, stop, task)
    }

    #[tokio::test]
    async fn readiness_follows_the_node_and_says_why_not() {
        let health = Health::starting();
        let (address, stop, task) = server(health.clone()).await;
        let answer = ask(address, "/health").await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("starting"), "{answer}");
        assert!(ask(address, "/health/liveness").await.starts_with("HTTP/1.1 200"));
        health.ready();
        let answer = ask(address, "/health/readiness").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("ready"), "{answer}");
        health.unready("disk full: 10 bytes free");
        let answer = ask(address, "/health/readiness").await;
        assert!(
            answer.starts_with("HTTP/1.1 503") && answer.contains("disk full: 10 bytes free"),
            "{answer}"
        );
        stop.send(()).unwrap();
        task.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn metrics_are_open_metrics_text() {
        let (address, _stop, _task) = server(Health::starting()).await;
        let answer = ask(address, "/metrics").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("application/openmetrics-text"), "{answer}");
        assert!(answer.contains("xln_build_info{") && answer.trim_end().ends_with("# EOF"), "{answer}");
        assert!(ask(address, "/other").await.starts_with("HTTP/1.1 404"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_its_request_slowly_is_cut_off() {
        let (address, _stop, _task) = server(Health::starting()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metr").await.unwrap();
        let mut answer = Vec::new();
        // Time is virtual: it jumps to the deadline as soon as everybody waits.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    }
}
