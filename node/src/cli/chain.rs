//! Subcommands about a chain: its spec and its database.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::OutputArgs;

/// Which chain.
#[derive(Debug, Clone, Default, Args)]
pub struct ChainArgs {
    /// The network: a chain spec file, or dev, local, consortium, which are built in
    #[arg(long, value_name = "dev|local|consortium|FILE", default_value = "dev", env = "XLN_CHAIN")]
    pub chain: String,
}

/// Which database.
#[derive(Debug, Clone, Default, Args)]
pub struct DatabaseArgs {
    /// Which chain.
    #[command(flatten)]
    pub chain: ChainArgs,
    /// Folder of databases and keys [default: ~/.local/share/xln]
    #[arg(long, value_name = "FOLDER", env = "XLN_BASE_PATH")]
    pub base_path: Option<PathBuf>,
}

/// Print a chain spec, checked
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    xln-node build-spec --chain dev > my.json     # a spec to edit\n  \
    xln-node build-spec --chain consortium        # one of several servers; nobody has the secrets of its keys\n  \
    xln-node build-spec --chain my.json --raw     # the bytes whose hash is the genesis hash")]
pub struct BuildSpec {
    /// Which chain.
    #[command(flatten)]
    pub chain: ChainArgs,
    /// Print the raw form: every default and identifier stated, byte for byte what is hashed
    #[arg(long)]
    pub raw: bool,
}

/// Print what a chain spec is
#[derive(Debug, Args)]
pub struct ChainInfo {
    /// Which chain.
    #[command(flatten)]
    pub chain: ChainArgs,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Look into the database of a stopped node
#[derive(Debug, Args)]
pub struct Database {
    /// What to do.
    #[command(subcommand)]
    pub command: DatabaseCommand,
}

/// What to do with the database.
#[derive(Debug, Subcommand)]
pub enum DatabaseCommand {
    /// Print rows and sizes by column, and how far the chain is
    Stats {
        /// Which database.
        #[command(flatten)]
        database: DatabaseArgs,
        /// How the result is printed.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Read every row and check it; faults are listed and give exit code 65
    Verify {
        /// Which database.
        #[command(flatten)]
        database: DatabaseArgs,
        /// How the result is printed.
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// Check every root, certificate and invariant of the state of a stopped node
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    xln-node check-state --chain dev --base-path ./data\n  \
    xln-node check-state --chain dev --base-path ./data --at 1200   # as it was after block 1200")]
pub struct CheckState {
    /// The state after this block instead of the latest: the nearest snapshot before it, and the log in between
    #[arg(long, value_name = "BLOCK")]
    pub at: Option<u64>,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Remove the database of a chain; keys stay
#[derive(Debug, Args)]
pub struct PurgeChain {
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
