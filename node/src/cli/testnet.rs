//! `testnet`: the files of a network of several servers.

use std::path::PathBuf;

use clap::Args;

use super::OutputArgs;

/// Write the files of a network of several servers on this machine: chain spec, keys, configurations, start script
///
/// Every key is made anew and encrypted under a password of its server, which lies beside it: for trying things out, and as
/// a pattern of what a consortium's members do each for themselves.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    xln-node testnet --out net                       # four validators, two hubs with a user each\n  \
    XLN_NODE=xln-node net/start                      # all of them as processes, until Ctrl-C\n  \
    docker compose -f net/compose.yaml up            # or as containers\n  \
    xln --url ws://127.0.0.1:30504 --as alice pay bob 10usd\n\n\
    One server alone: cd net && xln-node --config validator-1/config.toml")]
pub struct Testnet {
    /// How many servers vote on the depositary's frames, 1 to 64
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub nodes: u8,
    /// How many further servers there are, each with a hub and a user, 1 to 6
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub hubs: u8,
    /// First port; server i listens for others at port + i, answers RPC at port + 100 + i and metrics at port + 200 + i
    #[arg(long, value_name = "PORT", default_value_t = 30400)]
    pub port: u16,
    /// Use the keys that everybody knows, which follow from the names of servers and entities, and write none
    #[arg(long)]
    pub well_known: bool,
    /// Folder to write to; it is made, and must not hold a network already
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}
