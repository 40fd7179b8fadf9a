//! The command line of `xln-node`: the conventions of Substrate nodes, so that operators know it already.
//!
//! Secrets are never arguments: they are read from a file that only the owner can read, from the terminal, or
//! from standard input.

mod benchmark;
mod chain;
mod exit;
mod keep;
mod key;
mod run;
mod secret;
mod snapshot;
mod testnet;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use benchmark::{Benchmark, BenchmarkCommand, BenchmarkHub, BenchmarkMode};
pub use chain::{
    BuildSpec, ChainArgs, ChainInfo, CheckState, Database, DatabaseArgs, DatabaseCommand, PurgeChain,
};
pub use exit::Exit;
pub use keep::{KeepArg, KeepError};
pub use key::{
    Generate, GenerateNodeKey, Insert, Inspect, Key, KeyCommand, KeystoreArgs, List, Rotate, SchemeArg,
    SchemeName,
};
pub use run::{DEV_USERS, DevKeys, RpcMethods, RunArgs};
pub(crate) use secret::read_line;
pub use secret::{PasswordArgs, PasswordSource, SecretError};
pub use snapshot::{Import, Snapshot, SnapshotCommand, Which, WhichArgs};
pub use testnet::Testnet;

const EXAMPLES: &str = "\
Examples:
  A network on this machine for trying things out, forgotten at the end:
    xln-node --dev

  The same, kept in a folder:
    xln-node --dev --base-path ./data

  A server of a network, with keys that a password opens:
    xln-node --chain spec.json --name teller-1 --password-filename /etc/xln/password

  A second server beside the first: other ports, another folder:
    xln-node --chain spec.json --instance 1

  Everything that can be a flag can be in a file or the environment (flag > environment > file > default):
    XLN_RPC_PORT=9950 xln-node --dev --config node.toml     # node.toml: log-format = \"json\"";

/// A server of XLN, a network of payment channels with collateral and credit.
///
/// Without a subcommand it runs. Data goes to standard output, the log to standard error; the exit code is one of
/// sysexits.
#[derive(Debug, Parser)]
#[command(name = "xln-node", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
#[command(max_term_width = 110)]
pub struct Cli {
    /// What to do instead of running.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to run.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What to do instead of running.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print a chain spec, checked
    BuildSpec(BuildSpec),
    /// Make, show and keep keys
    Key(Key),
    /// Print what a chain spec is: name, genesis hash, entities, assets, channels
    ChainInfo(ChainInfo),
    /// Look into the database of a stopped node
    Db(Database),
    /// Check every root, certificate and invariant of the state of a stopped node
    CheckState(CheckState),
    /// Measure this machine: how many payments a hub carries on it
    Benchmark(Benchmark),
    /// Make, list, check and carry snapshots of the state
    Snapshot(Snapshot),
    /// Write the files of a network of several servers on this machine
    Testnet(Testnet),
    /// Remove the database of a chain; keys stay
    PurgeChain(PurgeChain),
    /// Print completions for a shell
    ///
    /// For bash: xln-node completions bash > ~/.local/share/bash-completion/completions/xln-node
    Completions {
        /// Which shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page: xln-node man | man -l -
    Man,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArgs {
    /// How the result is printed
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_password_can_never_be_an_argument() {
        for line in [["xln-node", "--password", "x"], ["xln-node", "--suri", "x"]] {
            assert!(Cli::try_parse_from(line).is_err());
        }
    }

    #[test]
    fn running_and_doing_something_else_do_not_mix() {
        assert!(Cli::try_parse_from(["xln-node", "--dev", "chain-info"]).is_err());
        assert!(Cli::try_parse_from(["xln-node", "--dev", "--alice", "--rpc-port", "0"]).is_ok());
        assert!(Cli::try_parse_from(["xln-node", "--tmp", "--base-path", "x"]).is_err());
    }
}
