//! A real server on a free port, asked by the typed client and by raw bytes.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod memory;
mod methods;
mod protocol;
mod raw;
mod subscriptions;

use std::sync::Arc;

use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use xln_rpc::{RpcServer, ServerConfig, serve};

use memory::Memory;

/// A server for a fresh backend, with changed settings.
async fn started(change: impl FnOnce(&mut ServerConfig)) -> (RpcServer, Arc<Memory>) {
    let mut config = ServerConfig::at("127.0.0.1:0".parse().unwrap());
    change(&mut config);
    let backend = Memory::new();
    let server = serve(Arc::clone(&backend), config, "1.2.3").await.unwrap();
    (server, backend)
}

async fn client(server: &RpcServer) -> WsClient {
    WsClientBuilder::new().build(format!("ws://{}", server.address())).await.unwrap()
}
