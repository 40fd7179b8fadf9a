//! The configuration of a running node, from four layers: flag > environment `XLN_*` > file > default.
//!
//! The file is TOML; its keys are the long flags without their dashes. An environment variable is the flag in
//! capitals with underscores: `--rpc-port` is `rpc-port` in the file and `XLN_RPC_PORT` in the environment. A key
//! of the file that means nothing is an error; other `XLN_*` variables belong to other programs.

mod folder;
mod settings;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU64,
    path::PathBuf,
};

use xln_network::{Multiaddr, ServerAddress};
use xln_rpc::{MethodAccess, Origins, ServerConfig};
use xln_store::Pruning;

use crate::{
    cli::{PasswordSource, RpcMethods, RunArgs},
    logging::LogFormat,
    vote_marks::DeclaredHistory,
};

pub use folder::{BaseFolder, BasePath, ChainFolder, default_base_path};
use settings::Settings;

/// How a node runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The network: `dev` or a chain spec file.
    pub chain: String,
    /// Whether the node plays the whole development network: it holds the well-known keys of all its entities.
    pub dev: bool,
    /// Names whose well-known development keys it holds, besides those of `dev`.
    pub dev_keys: Vec<String>,
    /// What the node calls itself.
    pub name: String,
    /// Where databases and keys are.
    pub base_path: BasePath,
    /// Folder of the encrypted keys, if not beside the database.
    pub keystore_path: Option<PathBuf>,
    /// Where their password comes from.
    pub password: PasswordSource,
    /// Blocks are made only while so many bytes are free on the disk.
    pub min_free_space: u64,
    /// The changed state is written every so many blocks.
    pub snapshot_interval: NonZeroU64,
    /// What is kept of the past.
    pub pruning: Pruning,
    /// How it meets other servers.
    pub peers: PeersConfig,
    /// Address, gates and limits of JSON-RPC.
    pub rpc: ServerConfig,
    /// Address of metrics and health, if they are served.
    pub prometheus: Option<SocketAddr>,
    /// What is logged.
    pub log: String,
    /// How a line of the log looks.
    pub log_format: LogFormat,
}

/// How a node meets other servers, if its chain spec names any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeersConfig {
    /// Be this server of the chain spec, with well-known keys.
    pub server: Option<String>,
    /// Whether it has to vote.
    pub validator: bool,
    /// What the operator says of earlier votes.
    pub vote_history: Option<DeclaredHistory>,
    /// Where it listens.
    pub listen: Vec<Multiaddr>,
    /// Further servers to find others by.
    pub bootnodes: Vec<ServerAddress>,
    /// Whether it dials only addresses that the chain spec and the bootnodes name.
    pub no_discovery: bool,
    /// File with the secret key of its connections.
    pub key_file: Option<PathBuf>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A layer has a key or a value that means nothing. Names it and where it comes from.
    #[error("configuration: {0}")]
    Layer(#[from] Box<figment::Error>),
    /// The configuration file is not there.
    #[error("configuration: there is no file {}", .0.display())]
    NoFile(PathBuf),
    /// Two settings exclude each other.
    #[error("configuration: {one} and {other} exclude each other")]
    Conflict {
        /// A setting.
        one: &'static str,
        /// Another.
        other: &'static str,
    },
    /// No network was named.
    #[error("no network is named; use --dev to try things out, or --chain FILE with a chain spec")]
    NoChain,
    /// An address of a server that means nothing.
    #[error("configuration: {setting}: {reason}")]
    Address {
        /// Which setting.
        setting: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A port beyond the last one.
    #[error("configuration: {setting} {port} shifted by --instance {instance} is above 65535")]
    Port {
        /// Which port.
        setting: &'static str,
        /// Its number.
        port: u16,
        /// The shift.
        instance: u16,
    },
    /// A size beyond what fits.
    #[error("configuration: {setting} of {mebibytes} MiB is too large")]
    Size {
        /// Which size.
        setting: &'static str,
        /// Its value.
        mebibytes: u64,
    },
    /// There is no home folder to put anything in.
    #[error("neither --base-path, --tmp nor a home folder says where databases go")]
    NoFolder,
}

impl Config {
    /// Lays the flags over the environment, the file that they name, and the defaults.
    pub fn load(flags: &RunArgs) -> Result<Self, ConfigError> {
        Self::from_settings(Settings::load(flags)?)
    }

    fn from_settings(settings: Settings) -> Result<Self, ConfigError> {
        let instance = settings.instance;
        if settings.tmp && settings.base_path.is_some() {
            return Err(ConfigError::Conflict { one: "tmp", other: "base-path" });
        }
        if settings.password_interactive && settings.password_filename.is_some() {
            return Err(ConfigError::Conflict { one: "password-interactive", other: "password-filename" });
        }
        let base_path = match settings.base_path.clone() {
            Some(path) => BasePath::Kept(path),
            None if settings.tmp || settings.dev => BasePath::Temporary,
            None => BasePath::Kept(default_base_path(instance).ok_or(ConfigError::NoFolder)?),
        };
        let rpc = rpc(&settings)?;
        let peers = peers(&settings)?;
        let prometheus = if settings.no_prometheus {
            None
        } else {
            let port = shifted("prometheus-port", settings.prometheus_port, instance)?;
            Some(listen(settings.prometheus_external, port))
        };
        let chain = settings.chain.or_else(|| settings.dev.then(|| "dev".to_owned()));
        Ok(Self {
            chain: chain.ok_or(ConfigError::NoChain)?,
            dev: settings.dev,
            dev_keys: settings.dev_keys,
            name: settings.name.unwrap_or_else(host_name),
            base_path,
            keystore_path: settings.keystore_path,
            password: PasswordSource::new(settings.password_filename, settings.password_interactive),
            min_free_space: mebibytes("min-free-space", settings.min_free_space)?,
            snapshot_interval: settings.snapshot_interval,
            pruning: Pruning { blocks: settings.blocks_pruning.0, state: settings.state_pruning.0 },
            peers,
            rpc,
            prometheus,
            log: settings.log,
            log_format: settings.log_format,
        })
    }
}

fn peers(settings: &Settings) -> Result<PeersConfig, ConfigError> {
    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        setting: &'static str,
        list: &[String],
    ) -> Result<Vec<T>, ConfigError> {
        let address = |text: &String| {
            text.parse()
                .map_err(|error: T::Err| ConfigError::Address { setting, reason: format!("{text}: {error}") })
        };
        list.iter().map(address).collect()
    }
    let port = shifted("port", settings.port, settings.instance)?;
    let everywhere = || vec![format!("/ip4/0.0.0.0/tcp/{port}"), format!("/ip4/0.0.0.0/udp/{port}/quic-v1")];
    let listen = settings.listen_addr.clone().unwrap_or_else(everywhere);
    Ok(PeersConfig {
        server: settings.server.clone(),
        validator: settings.validator,
        vote_history: settings.vote_history,
        listen: parsed("listen-addr", &listen)?,
        bootnodes: parsed("bootnodes", settings.bootnodes.as_deref().unwrap_or_default())?,
        no_discovery: settings.no_discovery,
        key_file: settings.node_key_file.clone(),
    })
}

fn rpc(settings: &Settings) -> Result<ServerConfig, ConfigError> {
    let port = shifted("rpc-port", settings.rpc_port, settings.instance)?;
    let defaults = ServerConfig::at(listen(settings.rpc_external, port));
    let size = |setting, size: Option<u32>, default| match size {
        None => Ok(default),
        Some(size) => {
            let bytes = mebibytes(setting, u64::from(size))?;
            u32::try_from(bytes).map_err(|_| ConfigError::Size { setting, mebibytes: u64::from(size) })
        }
    };
    Ok(ServerConfig {
        methods: match settings.rpc_methods {
            RpcMethods::Auto => MethodAccess::Auto,
            RpcMethods::Safe => MethodAccess::Safe,
            RpcMethods::Unsafe => MethodAccess::Unsafe,
        },
        origins: match settings.rpc_cors.as_deref() {
            None => Origins::Local,
            Some([all]) if all == "all" => Origins::Any,
            Some(list) => Origins::List(list.to_vec()),
        },
        hosts: settings.rpc_hosts.clone(),
        max_connections: settings.rpc_max_connections.unwrap_or(defaults.max_connections),
        max_request_bytes: size(
            "rpc-max-request-size",
            settings.rpc_max_request_size,
            defaults.max_request_bytes,
        )?,
        max_response_bytes: size(
            "rpc-max-response-size",
            settings.rpc_max_response_size,
            defaults.max_response_bytes,
        )?,
        max_subscriptions: settings
            .rpc_max_subscriptions_per_connection
            .unwrap_or(defaults.max_subscriptions),
        max_batch: settings.rpc_max_batch.unwrap_or(defaults.max_batch),
        calls_per_minute: settings.rpc_rate_limit.or(defaults.calls_per_minute),
        ..defaults
    })
}

fn listen(external: bool, port: u16) -> SocketAddr {
    let address = if external { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
    SocketAddr::new(address, port)
}

/// Port 0 stays: it takes a free one anyway.
fn shifted(setting: &'static str, port: u16, instance: u16) -> Result<u16, ConfigError> {
    match port {
        0 => Ok(0),
        _ => port.checked_add(instance).ok_or(ConfigError::Port { setting, port, instance }),
    }
}

fn mebibytes(setting: &'static str, mebibytes: u64) -> Result<u64, ConfigError> {
    mebibytes.checked_mul(1024 * 1024).ok_or(ConfigError::Size { setting, mebibytes })
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "xln-node".to_owned(),
        name => name.to_owned(),
    }
}
