//! The layers of the configuration, as they are written.

use std::{num::NonZeroU64, path::PathBuf};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Deserializer, Serialize};

use xln_store::Keep;

use super::ConfigError;
use crate::{
    author::SNAPSHOT_INTERVAL,
    cli::{KeepArg, RpcMethods, RunArgs},
    logging::LogFormat,
    vote_marks::DeclaredHistory,
};

/// Past blocks whose state can be had unless something else is said: as Substrate nodes have it.
const STATES_KEPT: u64 = 256;

/// Everything that can be set, under the names of the flags.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) dev: bool,
    pub(super) chain: Option<String>,
    pub(super) name: Option<String>,
    pub(super) base_path: Option<PathBuf>,
    pub(super) tmp: bool,
    pub(super) instance: u16,
    pub(super) min_free_space: u64,
    pub(super) snapshot_interval: NonZeroU64,
    pub(super) blocks_pruning: KeepArg,
    pub(super) state_pruning: KeepArg,
    #[serde(deserialize_with = "list")]
    pub(super) dev_keys: Vec<String>,
    pub(super) keystore_path: Option<PathBuf>,
    pub(super) password_filename: Option<PathBuf>,
    pub(super) password_interactive: bool,
    pub(super) server: Option<String>,
    pub(super) validator: bool,
    pub(super) vote_history: Option<DeclaredHistory>,
    pub(super) port: u16,
    #[serde(deserialize_with = "optional_list")]
    pub(super) listen_addr: Option<Vec<String>>,
    #[serde(deserialize_with = "optional_list")]
    pub(super) bootnodes: Option<Vec<String>>,
    pub(super) no_discovery: bool,
    pub(super) node_key_file: Option<PathBuf>,
    pub(super) rpc_port: u16,
    pub(super) rpc_external: bool,
    pub(super) rpc_methods: RpcMethods,
    #[serde(deserialize_with = "optional_list")]
    pub(super) rpc_cors: Option<Vec<String>>,
    #[serde(deserialize_with = "optional_list")]
    pub(super) rpc_hosts: Option<Vec<String>>,
    pub(super) rpc_max_connections: Option<u32>,
    pub(super) rpc_max_request_size: Option<u32>,
    pub(super) rpc_max_response_size: Option<u32>,
    pub(super) rpc_max_subscriptions_per_connection: Option<u32>,
    pub(super) rpc_max_batch: Option<u32>,
    pub(super) rpc_rate_limit: Option<u32>,
    pub(super) prometheus_port: u16,
    pub(super) prometheus_external: bool,
    pub(super) no_prometheus: bool,
    pub(super) log: String,
    pub(super) log_format: LogFormat,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dev: false,
            chain: None,
            name: None,
            base_path: None,
            tmp: false,
            instance: 0,
            min_free_space: 1024,
            snapshot_interval: SNAPSHOT_INTERVAL,
            blocks_pruning: KeepArg(Keep::All),
            state_pruning: KeepArg(Keep::Last(STATES_KEPT)),
            dev_keys: Vec::new(),
            keystore_path: None,
            password_filename: None,
            password_interactive: false,
            server: None,
            validator: false,
            vote_history: None,
            port: 30333,
            listen_addr: None,
            bootnodes: None,
            no_discovery: false,
            node_key_file: None,
            rpc_port: 9944,
            rpc_external: false,
            rpc_methods: RpcMethods::Auto,
            rpc_cors: None,
            rpc_hosts: None,
            rpc_max_connections: None,
            rpc_max_request_size: None,
            rpc_max_response_size: None,
            rpc_max_subscriptions_per_connection: None,
            rpc_max_batch: None,
            rpc_rate_limit: None,
            prometheus_port: 9615,
            prometheus_external: false,
            no_prometheus: false,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
        }
    }
}

impl Settings {
    /// flag > environment > file > default.
    pub(super) fn load(flags: &RunArgs) -> Result<Self, ConfigError> {
        let mut layers = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = &flags.config {
            if !file.is_file() {
                return Err(ConfigError::NoFile(file.clone()));
            }
            layers = layers.merge(Toml::file_exact(file));
        }
        let known: Vec<String> = names()?;
        let environment = Env::prefixed("XLN_")
            .map(|name| name.as_str().to_ascii_lowercase().replace('_', "-").into())
            .filter(move |name| known.iter().any(|known| name == known.as_str()));
        layers = layers.merge(environment).merge(Serialized::defaults(flags));
        let dev_keys = flags.dev_keys.names();
        if !dev_keys.is_empty() {
            layers = layers.merge(Serialized::default("dev-keys", dev_keys));
        }
        Ok(layers.extract().map_err(Box::new)?)
    }
}

/// The names of all settings.
fn names() -> Result<Vec<String>, ConfigError> {
    let value = figment::value::Value::serialize(Settings::default()).map_err(Box::new)?;
    Ok(value.into_dict().map(|dict| dict.into_keys().collect()).unwrap_or_default())
}

/// A list, or one text with commas, as an environment variable has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum List {
    Items(Vec<String>),
    Text(String),
}

impl List {
    fn items(self) -> Vec<String> {
        match self {
            Self::Items(items) => items,
            Self::Text(text) => text.split(',').map(|item| item.trim().to_owned()).collect(),
        }
    }
}

fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    List::deserialize(deserializer).map(List::items)
}

fn optional_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Option::<List>::deserialize(deserializer)?.map(List::items))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use figment::Jail;

    use super::*;
    use crate::{
        cli::{Cli, PasswordSource},
        config::{BasePath, Config},
    };

    fn load(line: &[&str]) -> Result<Config, ConfigError> {
        let line = [&["xln-node"], line].concat();
        Config::load(&Cli::try_parse_from(line).unwrap().run)
    }

    /// Runs with an environment of its own. The error type is figment's and large.
    fn alone(test: impl FnOnce(&mut Jail)) {
        #[expect(clippy::result_large_err, reason = "figment decides what the closure returns")]
        Jail::expect_with(|jail| {
            jail.clear_env();
            test(jail);
            Ok(())
        });
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
        alone(|jail| {
            jail.create_file(
                "node.toml",
                "rpc-port = 1\nprometheus-port = 2\nlog = \"warn\"\nrpc-max-batch = 7",
            )
            .unwrap();
            jail.set_env("XLN_PROMETHEUS_PORT", "3");
            jail.set_env("XLN_LOG", "debug");
            let config = load(&["--dev", "--config", "node.toml", "-l", "trace"]).unwrap();
            assert_eq!(config.log, "trace", "flag");
            assert_eq!(config.prometheus.unwrap().port(), 3, "environment");
            assert_eq!(config.rpc.listen.port(), 1, "file");
            assert_eq!(config.rpc.max_batch, 7, "file");
            assert_eq!(config.min_free_space, 1 << 30, "default");
        });
    }

    #[test]
    fn the_snapshot_interval_is_a_number_of_blocks_above_zero() {
        alone(|jail| {
            assert_eq!(load(&["--dev"]).unwrap().snapshot_interval.get(), 100);
            jail.create_file("node.toml", "snapshot-interval = 7").unwrap();
            assert_eq!(load(&["--dev", "--config", "node.toml"]).unwrap().snapshot_interval.get(), 7);
            jail.set_env("XLN_SNAPSHOT_INTERVAL", "3");
            assert_eq!(load(&["--dev"]).unwrap().snapshot_interval.get(), 3);
            jail.set_env("XLN_SNAPSHOT_INTERVAL", "0");
            let refusal = load(&["--dev"]).unwrap_err().to_string().to_lowercase();
            assert!(refusal.contains("snapshot-interval") && refusal.contains("nonzero"), "{refusal}");
            assert!(Cli::try_parse_from(["xln-node", "--dev", "--snapshot-interval", "0"]).is_err());
        });
    }

    #[test]
    fn what_is_kept_of_the_past_is_a_number_or_everything() {
        alone(|jail| {
            assert_eq!(load(&["--dev"]).unwrap().pruning.state, Keep::Last(256));
            assert_eq!(load(&["--dev"]).unwrap().pruning.blocks, Keep::All);
            jail.create_file("node.toml", "blocks-pruning = 7\nstate-pruning = \"archive\"").unwrap();
            let kept = load(&["--dev", "--config", "node.toml"]).unwrap().pruning;
            assert_eq!((kept.blocks, kept.state), (Keep::Last(7), Keep::All));
            let kept =
                load(&["--dev", "--blocks-pruning", "archive", "--state-pruning", "9"]).unwrap().pruning;
            assert_eq!((kept.blocks, kept.state), (Keep::All, Keep::Last(9)));
            assert!(Cli::try_parse_from(["xln-node", "--dev", "--state-pruning", "some"]).is_err());
        });
    }

    #[test]
    fn an_unknown_key_of_the_file_is_refused_with_its_name_and_a_variable_is_not() {
        alone(|jail| {
            jail.create_file("node.toml", "rpc-prot = 1").unwrap();
            let message = load(&["--dev", "--config", "node.toml"]).unwrap_err().to_string();
            assert!(message.contains("rpc-prot"), "{message}");
            jail.set_env("XLN_URL", "ws://localhost:9944");
            assert!(load(&["--dev"]).is_ok());
            let message = load(&["--dev", "--config", "nowhere.toml"]).unwrap_err().to_string();
            assert!(message.contains("nowhere.toml"), "{message}");
        });
    }

    #[test]
    fn a_bad_value_is_refused_with_its_name() {
        alone(|jail| {
            jail.set_env("XLN_RPC_PORT", "seventy");
            let message = load(&["--dev"]).unwrap_err().to_string();
            assert!(message.contains("RPC-PORT") && message.contains("seventy"), "{message}");
        });
    }

    #[test]
    fn a_development_network_is_forgotten_unless_a_folder_is_named() {
        alone(|_| {
            assert_eq!(load(&["--dev"]).unwrap().base_path, BasePath::Temporary);
            let kept = load(&["--dev", "--base-path", "data"]).unwrap();
            assert_eq!(kept.base_path, BasePath::Kept("data".into()));
            assert_eq!(kept.chain, "dev");
            assert!(matches!(load(&[]), Err(ConfigError::NoChain | ConfigError::NoFolder)));
        });
    }

    #[test]
    fn an_instance_shifts_every_port_but_the_free_one() {
        alone(|_| {
            let config = load(&["--dev", "--instance", "2"]).unwrap();
            assert_eq!(config.rpc.listen.to_string(), "127.0.0.1:9946");
            assert_eq!(config.prometheus.unwrap().to_string(), "127.0.0.1:9617");
            let free = load(&["--dev", "--instance", "2", "--rpc-port", "0"]).unwrap();
            assert_eq!(free.rpc.listen.port(), 0);
            let message = load(&["--dev", "--instance", "9", "--rpc-port", "65530"]).unwrap_err().to_string();
            assert!(message.contains("rpc-port 65530"), "{message}");
        });
    }

    #[test]
    fn lists_may_be_written_with_commas() {
        alone(|jail| {
            jail.set_env("XLN_RPC_CORS", "https://a.example,https://b.example");
            jail.set_env("XLN_DEV_KEYS", "alice, bob");
            let config = load(&["--dev"]).unwrap();
            let origins = vec!["https://a.example".to_owned(), "https://b.example".to_owned()];
            assert_eq!(config.rpc.origins, xln_rpc::Origins::List(origins));
            assert_eq!(config.dev_keys, ["alice", "bob"]);
            let config = load(&["--dev", "--rpc-cors", "all", "--carol"]).unwrap();
            assert_eq!(config.rpc.origins, xln_rpc::Origins::Any);
            assert_eq!(config.dev_keys, ["carol"]);
            assert_eq!(config.rpc.hosts, None);
            let config = load(&["--dev", "--rpc-hosts", "till.example,node.example"]).unwrap();
            assert_eq!(config.rpc.hosts, Some(vec!["till.example".to_owned(), "node.example".to_owned()]));
        });
    }

    #[test]
    fn sources_that_exclude_each_other_are_refused_across_layers() {
        alone(|jail| {
            jail.set_env("XLN_PASSWORD_FILENAME", "secret");
            let config = load(&["--dev"]).unwrap();
            assert_eq!(config.password, PasswordSource::File("secret".into()));
            assert!(matches!(load(&["--dev", "--password-interactive"]), Err(ConfigError::Conflict { .. })));
            jail.set_env("XLN_BASE_PATH", "data");
            assert!(matches!(load(&["--dev", "--tmp"]), Err(ConfigError::Conflict { .. })));
        });
    }
}
