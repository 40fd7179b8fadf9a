//! A running XLN server: everything with a clock, a socket, a disk or a key.
//!
//! ```text
//!   xln, wallets ──► xln-rpc ──► backend ──► pool ──► author ──► xln-runtime      metrics, health
//!                      ▲            │ reads             │ execute, write, swap in       ▲
//!                      │            ▼                   ▼                               │
//!                     feed ◄── committed state ◄──── xln-store (one fsync per slice) ───┘
//! ```
//!
//! The node turns the outside world into inputs of the runtime and carries its outputs away, after they are durable.
//! [`service`] says in which order the parts start and stop.

pub mod archive;
pub mod author;
pub mod backend;
pub mod benchmark;
pub mod cli;
pub mod commands;
pub mod config;
pub mod consortium;
mod error;
pub mod http;
pub mod inbox;
pub mod keys;
pub mod logging;
mod membership;
pub mod metrics;
pub mod pool;
pub mod recovery;
pub mod retained;
pub mod service;
mod stream_file;
pub mod vote_marks;

pub use error::RunError;
pub use service::Node;

use crate::config::Config;

/// Runs a node until it is told to stop (SIGINT, SIGTERM) or fails.
pub fn run(config: Config) -> Result<(), RunError> {
    let threads = tokio::runtime::Runtime::new().map_err(RunError::system("cannot start threads"))?;
    threads.block_on(async {
        let mut interrupt = signal(tokio::signal::unix::SignalKind::interrupt())?;
        let mut terminate = signal(tokio::signal::unix::SignalKind::terminate())?;
        let mut node = Node::start(config).await?;
        announce(&node);
        let mut told = async || {
            tokio::select! {
                _ = interrupt.recv() => tracing::info!("stopping (SIGINT)"),
                _ = terminate.recv() => tracing::info!("stopping (SIGTERM)"),
            }
        };
        let failed = tokio::select! {
            () = told() => false,
            () = node.failed() => true,
        };
        if failed {
            // What is durable can still be asked for, and health says why nothing is added to it.
            tracing::error!("the node is not ready; it answers questions until it is stopped");
            told().await;
        }
        node.stop().await?;
        tracing::info!("stopped");
        Ok(())
    })
}

fn signal(kind: tokio::signal::unix::SignalKind) -> Result<tokio::signal::unix::Signal, RunError> {
    tokio::signal::unix::signal(kind).map_err(RunError::system("cannot listen to signals"))
}

/// Says on standard output where the node answers, for people and for scripts that let it choose its ports.
fn announce(node: &Node) {
    println!("JSON-RPC  http://{0}  ws://{0}", node.rpc_address());
    if let Some(address) = node.metrics_address() {
        println!("metrics   http://{address}/metrics");
    }
}
