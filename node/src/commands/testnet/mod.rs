//! `testnet`: a network of several servers as a folder.
//!
//! ```text
//!   OUT/chain.json                   who takes part; the same file for everybody
//!   OUT/start, OUT/compose.yaml      all servers as processes, as containers
//!   OUT/<server>/config.toml         what this server is told
//!   OUT/<server>/password            opens its keystore, 0600      ┐
//!   OUT/<server>/node.key            key of its connections, 0600  ├ not with --well-known
//!   OUT/<server>/data/…/keystore     its other keys, encrypted     ┘
//! ```

mod files;
mod keys;
mod spec;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::CommandError;
use crate::cli::Testnet;
use keys::Keys;

/// RPC ports lie so far above those for other servers.
const RPC: u16 = 100;
/// Ports of metrics lie so far above those for other servers.
const METRICS: u16 = 200;

/// A network that was written down.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    /// The chain spec.
    pub chain: PathBuf,
    /// Starts all servers as processes.
    pub start: PathBuf,
    /// Describes all servers as containers.
    pub compose: PathBuf,
    /// Whether everybody knows the keys.
    pub well_known: bool,
    /// The servers.
    pub servers: Vec<WrittenServer>,
}

/// A server of such a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WrittenServer {
    /// What the chain spec calls it.
    pub name: String,
    /// Whether it votes.
    pub validator: bool,
    /// Its port for other servers.
    pub port: u16,
    /// Its port of JSON-RPC.
    pub rpc_port: u16,
    /// Its port of metrics and health.
    pub prometheus_port: u16,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for server in &self.servers {
            let WrittenServer { name, port, rpc_port, prometheus_port, .. } = server;
            writeln!(
                f,
                "{name:<14} for servers {port}, RPC ws://127.0.0.1:{rpc_port}, metrics http://127.0.0.1:{prometheus_port}/metrics"
            )?;
        }
        if self.well_known {
            writeln!(f, "everybody knows these keys: never put anything of value on this network")?;
        }
        writeln!(f, "start all of them: {}", self.start.display())
    }
}

/// Writes a network down.
pub fn testnet(args: &Testnet) -> Result<Written, CommandError> {
    let chain = args.out.join("chain.json");
    if chain.exists() {
        return Err(CommandError::NotEmpty { path: args.out.clone() });
    }
    let plan = spec::Plan::new(args)?;
    fs::create_dir_all(&args.out)?;
    let keys: Box<dyn Keys> =
        if args.well_known { Box::new(keys::WellKnown) } else { Box::new(keys::Fresh::new(&args.out)) };
    let spec = spec::spec(&plan, keys.as_ref())?;
    let servers: Vec<WrittenServer> = (0_u16..)
        .zip(&spec.servers)
        .map(|(place, server)| {
            let port = args.port.saturating_add(place);
            WrittenServer {
                name: server.name.clone(),
                validator: server.validator.is_some(),
                port,
                rpc_port: port.saturating_add(RPC),
                prometheus_port: port.saturating_add(METRICS),
            }
        })
        .collect();
    for server in &servers {
        files::config(&args.out, server, args.well_known)?;
    }
    let start = files::start(&args.out, &servers)?;
    let compose = files::compose(&args.out, &servers)?;
    // Last: a folder with a chain spec is a whole network.
    files::chain(&chain, &spec)?;
    Ok(Written {
        chain: absolute(&chain),
        start: absolute(&start),
        compose: absolute(&compose),
        well_known: args.well_known,
        servers,
    })
}

fn absolute(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

#[cfg(test)]
mod tests;
