//! The server: accepts connections, applies the limits and answers the methods.
//!
//! ```text
//!  accept ─► connection permit ─► gate: host, origin, proxy, rate ─► CORS ─► jsonrpsee ─► throttle ─► method
//!               (else closed)        (else 403, 429)     /health answered here   (body, batch limits)
//! ```

mod config;
mod gate;
mod rate;
mod subscription;
mod throttle;

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures::FutureExt;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use jsonrpsee::{
    core::{RegisterMethodError, middleware::RpcServiceBuilder},
    server::{
        BatchRequestConfig, HttpRequest, HttpResponse, Methods, PingConfig, RpcModule, Server, ServerHandle,
        StopHandle, stop_channel,
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tower::{Layer, Service};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

pub use config::{MethodAccess, Origins, ParseMethodAccessError, ServerConfig};

use self::{
    gate::{Gate, Refusal},
    throttle::{Meter, Throttled},
};
use crate::{
    Backend,
    api::{self, DISCOVER},
    openrpc,
};

/// How long a server that stops waits for its connections.
const PARTING: Duration = Duration::from_secs(3);

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be taken.
    #[error("cannot listen on {address}: {cause}; is another node running? --rpc-port chooses another port")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// Two methods of one name.
    #[error("the table of methods is inconsistent: {0}")]
    Methods(#[from] RegisterMethodError),
}

/// A running server. Dropping it stops it too, without waiting.
#[derive(Debug)]
pub struct RpcServer {
    address: SocketAddr,
    unsafe_methods: bool,
    handle: ServerHandle,
    accepting: tokio::task::JoinHandle<()>,
}

impl RpcServer {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it answers methods that use the node's keys.
    #[must_use]
    pub fn unsafe_methods(&self) -> bool {
        self.unsafe_methods
    }

    /// Accepts no more, lets requests finish for a moment and closes the connections.
    pub async fn stop(self) {
        // An error says that it has stopped already, or that its task was cancelled with the whole process.
        let _ = self.handle.stop();
        let _ = self.accepting.await;
    }
}

/// What every connection shares.
struct Shared<B> {
    backend: Arc<B>,
    methods: Methods,
    config: ServerConfig,
    gate: Arc<Gate>,
    meter: Option<Arc<Meter>>,
    limits: jsonrpsee::server::ServerConfig,
}

/// Starts to answer for `backend`; `version` stands in the API document.
pub async fn serve<B: Backend>(
    backend: Arc<B>,
    config: ServerConfig,
    version: &str,
) -> Result<RpcServer, ServeError> {
    let listen = |cause| ServeError::Listen { address: config.listen, cause };
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let unsafe_methods = config.methods.allows_unsafe(&address);
    let methods = methods(Arc::clone(&backend), &config, unsafe_methods, version)?;
    let meter = config.calls_per_minute.map(|calls| Arc::new(Meter::per_minute(calls)));
    let limits = jsonrpsee::server::ServerConfig::builder()
        .max_request_body_size(config.max_request_bytes)
        .max_response_body_size(config.max_response_bytes)
        .max_connections(config.max_connections)
        .max_subscriptions_per_connection(config.max_subscriptions)
        .set_batch_request_config(BatchRequestConfig::Limit(config.max_batch))
        .set_message_buffer_capacity(config.message_buffer)
        .enable_ws_ping(PingConfig::new())
        .build();
    let gate = Arc::new(Gate::new(&config, address.ip().is_loopback(), meter.clone()));
    let shared = Arc::new(Shared { backend, methods, config, gate, meter, limits });
    let (stop, handle) = stop_channel();
    let accepting = tokio::spawn(accept(listener, shared, stop));
    tracing::info!(%address, unsafe_methods, "JSON-RPC is answered");
    Ok(RpcServer { address, unsafe_methods, handle, accepting })
}

fn methods<B: Backend>(
    backend: Arc<B>,
    config: &ServerConfig,
    unsafe_methods: bool,
    version: &str,
) -> Result<Methods, RegisterMethodError> {
    let mut module = RpcModule::from_arc(backend);
    api::register(&mut module, unsafe_methods)?;
    subscription::register(&mut module, config.reader_deadline)?;
    let document = openrpc(version, api::METHODS);
    module.register_method(DISCOVER, move |_, _, _| {
        Ok::<_, jsonrpsee::types::ErrorObjectOwned>(document.clone())
    })?;
    Ok(module.into())
}

async fn accept<B: Backend>(listener: TcpListener, shared: Arc<Shared<B>>, stop: StopHandle) {
    let limit = shared.config.max_connections;
    let permits = Arc::new(Semaphore::new(usize::try_from(limit).unwrap_or(Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    let stopped = stop.clone().shutdown();
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            () = &mut stopped => break,
            // Ended connections are forgotten as they end.
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                // Out of descriptors, mostly: trying at once again would only burn the processor.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned().map(Arc::new) else {
            tracing::debug!(%peer, limit, "a connection too many is closed");
            continue;
        };
        let (shared, stop) = (Arc::clone(&shared), stop.clone());
        connections.spawn(async move {
            if let Err(error) = connection(socket, peer.ip(), permit, shared, stop).await {
                tracing::debug!(%peer, %error, "a connection ended");
            }
        });
    }
    drop(listener);
    // All permits are back once all connections have ended; HTTP ones that have not by then are closed as the set
    // is dropped.
    let _ = tokio::time::timeout(PARTING, permits.acquire_many(limit)).await;
}

/// Serves one connection. An upgrade to WebSocket outlives this function: the permit goes with its request.
async fn connection<B: Backend>(
    socket: TcpStream,
    address: IpAddr,
    permit: Arc<OwnedSemaphorePermit>,
    shared: Arc<Shared<B>>,
    stop: StopHandle,
) -> Result<(), hyper::Error> {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "answers may be delayed");
    }
    let header_deadline = shared.config.header_deadline;
    let throttle = {
        let meter = shared.meter.clone();
        move |inner| Throttled { inner, meter: meter.clone(), address }
    };
    let rpc = Server::builder()
        .set_config(shared.limits.clone())
        .set_rpc_middleware(RpcServiceBuilder::new().layer_fn(throttle))
        .to_service_builder()
        .build(shared.methods.clone(), stop.clone());
    let cors = {
        let gate = Arc::clone(&shared.gate);
        let allowed = AllowOrigin::predicate(move |origin, _| {
            origin.to_str().is_ok_and(|origin| gate.origin_allowed(origin))
        });
        CorsLayer::new().allow_origin(allowed).allow_methods(Any).allow_headers(Any)
    };
    let answering = cors.layer(rpc);
    let service = tower::service_fn(move |mut request: HttpRequest<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&permit));
        let mut answering = answering.clone();
        let shared = Arc::clone(&shared);
        async move {
            if let Err(refusal) = shared.gate.check(&request, address) {
                return refusal.response();
            }
            if let Some(response) = gate::health(shared.backend.as_ref(), &request) {
                return response;
            }
            let deadline = shared.config.request_deadline;
            match tokio::time::timeout(deadline, answering.call(request)).await {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => Refusal::failed(&error).response(),
                Err(_) => Refusal::late(deadline).response(),
            }
        }
        .map(Ok::<HttpResponse, Infallible>)
        .boxed()
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_deadline)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service))
        .with_upgrades();
    let stopped = stop.shutdown();
    tokio::pin!(connection, stopped);
    tokio::select! {
        ended = &mut connection => return ended,
        () = &mut stopped => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}
