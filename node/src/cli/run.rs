//! The flags of a running node. Every one of them is optional here: what is not given comes from the environment,
//! the configuration file or the defaults.

use std::{num::NonZeroU64, path::PathBuf};

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::{KeepArg, PasswordArgs};
use crate::{logging::LogFormat, vote_marks::DeclaredHistory};

/// Flags of a running node.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunArgs {
    /// A network on this machine for trying things out: a depositary, a hub, funded users
    ///
    /// Their keys are known to everybody. Without --base-path everything is in a temporary folder that is removed
    /// at the end.
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dev: bool,
    /// The network: a chain spec file, dev, or local (four validators and two hubs; see --server)
    #[arg(long, value_name = "dev|local|FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// What the node calls itself in logs and answers [default: the name of the host]
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Folder of databases and keys [default: ~/.local/share/xln]
    #[arg(long, value_name = "FOLDER", conflicts_with = "tmp")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_path: Option<PathBuf>,
    /// Use a temporary folder that is removed at the end
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tmp: bool,
    /// Shift every port by N, and use a folder of its own unless one is named
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<u16>,
    /// Stop making blocks when fewer MiB are free on the disk [default: 1024]
    #[arg(long, value_name = "MIB")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_free_space: Option<u64>,
    /// Write the changed state every so many blocks; a start replays at most about as many [default: 100]
    #[arg(long, value_name = "BLOCKS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_interval: Option<NonZeroU64>,
    /// How many blocks keep slices and receipts: a number, or archive for all [default: archive]
    ///
    /// Headers are always kept, and what a start or a promised state needs.
    #[arg(long, value_name = "N|archive")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks_pruning: Option<KeepArg>,
    /// For how many past blocks the state can be had: a number, or archive for all [default: 256]
    ///
    /// An old state is the nearest immutable snapshot before it and the slices in between.
    #[arg(long, value_name = "N|archive")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_pruning: Option<KeepArg>,
    /// Configuration file, TOML: the long flags without their dashes, such as rpc-port = 9950
    #[arg(long, value_name = "FILE", env = "XLN_CONFIG")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Development keys.
    #[command(flatten, next_help_heading = "Keys")]
    #[serde(skip)]
    pub dev_keys: DevKeys,
    /// Folder of the encrypted keys [default: beside the database]
    #[arg(long, value_name = "FOLDER", help_heading = "Keys")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keystore_path: Option<PathBuf>,
    /// Where the password comes from.
    #[command(flatten, next_help_heading = "Keys")]
    #[serde(flatten)]
    pub password: PasswordArgs,

    /// Be this server of the chain spec, with its well-known keys; not on a live network
    ///
    /// The keys of its connections, of its votes and of the entities that it hosts follow from the names.
    #[arg(long, value_name = "NAME", help_heading = "Network", conflicts_with = "node_key_file")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Vote on boards; refuse to start without the voting key that the chain spec names for this server
    #[arg(long, help_heading = "Network")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub validator: bool,
    /// What is known of the votes that this server's key gave before; for one start, and only with reason
    ///
    /// A server knows it by itself as long as its database and its marks of votes are there.
    #[arg(long, value_name = "HISTORY", help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vote_history: Option<DeclaredHistory>,
    /// Port for other servers, TCP and QUIC; 0 takes a free one [default: 30333]
    #[arg(long, value_name = "PORT", help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Where to listen for other servers, such as /ip4/10.0.0.1/tcp/30333 [default: every address, with --port]
    #[arg(long, value_name = "ADDRESSES", value_delimiter = ',', help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen_addr: Option<Vec<String>>,
    /// Further servers to find others by, such as /ip4/10.0.0.1/tcp/30333/p2p/12D3Koo…
    #[arg(long, value_name = "ADDRESSES", value_delimiter = ',', help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootnodes: Option<Vec<String>>,
    /// Connect only to addresses that the chain spec and --bootnodes name: tell nobody where servers are, and believe nobody
    #[arg(long, help_heading = "Network")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_discovery: bool,
    /// File with the secret key of this server's connections, 64 hex digits [default: made in the chain's folder]
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_key_file: Option<PathBuf>,

    /// Port of JSON-RPC, HTTP and WebSocket; 0 takes a free one [default: 9944]
    #[arg(long, value_name = "PORT", help_heading = "RPC")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_port: Option<u16>,
    /// Listen on every address, not only on this machine; encrypt it with a proxy in front
    #[arg(long, help_heading = "RPC")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rpc_external: bool,
    /// Whether methods are answered that use keys of the node; auto: only on this machine [default: auto]
    #[arg(long, value_enum, value_name = "WHICH", help_heading = "RPC")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_methods: Option<RpcMethods>,
    /// Web pages that may ask: origins separated by commas, or all [default: pages of this machine]
    #[arg(long, value_name = "ORIGINS", value_delimiter = ',', help_heading = "RPC")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_cors: Option<Vec<String>>,
    /// Host names by which the node may be addressed, separated by commas, besides addresses and localhost
    ///
    /// Requests to other names are refused [default: no other name on this machine only, any with --rpc-external]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = "RPC")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_hosts: Option<Vec<String>>,
    /// Most connections at once [default: 1000]
    #[arg(long, value_name = "N", help_heading = "RPC")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_max_connections: Option<u32>,
    /// Largest request in MiB [default: 1]
    #[arg(long, value_name = "MIB", help_heading = "RPC")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_max_request_size: Option<u32>,
    /// Largest answer in MiB [default: 8]
    #[arg(long, value_name = "MIB", help_heading = "RPC")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_max_response_size: Option<u32>,
    /// Most subscriptions of one connection [default: 64]
    #[arg(long, value_name = "N", help_heading = "RPC")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_max_subscriptions_per_connection: Option<u32>,
    /// Most calls in one batch [default: 100]
    #[arg(long, value_name = "N", help_heading = "RPC")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_max_batch: Option<u32>,
    /// Most calls per minute and address [default: no limit]
    #[arg(long, value_name = "N", help_heading = "RPC")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_rate_limit: Option<u32>,

    /// Port of /metrics and /health; 0 takes a free one [default: 9615]
    #[arg(long, value_name = "PORT", help_heading = "Observation")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prometheus_port: Option<u16>,
    /// Answer for metrics and health on every address, not only on this machine
    #[arg(long, help_heading = "Observation")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub prometheus_external: bool,
    /// Serve neither metrics nor health
    #[arg(long, help_heading = "Observation")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_prometheus: bool,
    /// What is logged: LEVEL or TARGET=LEVEL, separated by commas [default: info]
    ///
    /// Levels are error, warn, info, debug, trace. Targets are crates and modules: xln_node=debug,xln_rpc=trace
    #[arg(short = 'l', long, value_name = "FILTER", help_heading = "Observation")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// How a line of the log looks [default: text]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Observation")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,
}

/// Which RPC methods are answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum RpcMethods {
    /// Those that use keys of the node only to this machine.
    #[default]
    Auto,
    /// Never those that use keys of the node.
    Safe,
    /// All.
    Unsafe,
}

/// Users of the development network that have a flag.
pub const DEV_USERS: [&str; 6] = ["alice", "bob", "carol", "dave", "eve", "ferdie"];

/// Well-known keys for trying things out.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct DevKeys {
    /// Hold the well-known key of alice
    #[arg(long)]
    pub alice: bool,
    /// Hold the well-known key of bob
    #[arg(long)]
    pub bob: bool,
    /// Hold the well-known key of carol
    #[arg(long)]
    pub carol: bool,
    /// Hold the well-known key of dave
    #[arg(long)]
    pub dave: bool,
    /// Hold the well-known key of eve
    #[arg(long)]
    pub eve: bool,
    /// Hold the well-known key of ferdie
    #[arg(long)]
    pub ferdie: bool,
}

impl DevKeys {
    /// The names whose flags are set.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let flags = [self.alice, self.bob, self.carol, self.dave, self.eve, self.ferdie];
        DEV_USERS
            .into_iter()
            .zip(flags)
            .filter(|(_, wanted)| *wanted)
            .map(|(name, _)| name.to_owned())
            .collect()
    }
}
