//! Subcommands about immutable snapshots.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, Subcommand};
use xln_primitives::Hash;

use super::{DatabaseArgs, OutputArgs};

/// Make, list, check and carry snapshots of the state
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    xln-node snapshot create --chain spec.json                      # of the state on disk\n  \
    xln-node snapshot export --chain spec.json --to state.xln       # the latest one, as a file\n  \
    xln-node snapshot export --chain spec.json | ssh backup 'cat > state.xln'\n  \
    xln-node snapshot verify --chain spec.json --file state.xln     # every root and certificate\n  \
    xln-node snapshot import --chain spec.json state.xln            # into an empty database")]
pub struct Snapshot {
    /// What to do.
    #[command(subcommand)]
    pub command: SnapshotCommand,
}

/// What to do with snapshots.
#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// Make a snapshot of the state as it is on the disk of a stopped node
    Create {
        /// Which database.
        #[command(flatten)]
        database: DatabaseArgs,
        /// How the result is printed.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List the snapshots of a stopped node
    List {
        /// Which database.
        #[command(flatten)]
        database: DatabaseArgs,
        /// How the result is printed.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Print what a snapshot consists of
    Show {
        /// Which snapshot.
        #[command(flatten)]
        which: WhichArgs,
        /// Which database.
        #[command(flatten)]
        database: DatabaseArgs,
        /// How the result is printed.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Write a snapshot to a file or to standard output
    Export {
        /// Which snapshot.
        #[command(flatten)]
        which: WhichArgs,
        /// Which database.
        #[command(flatten)]
        database: DatabaseArgs,
        /// File to make; it must not be there [default: standard output]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Start an empty database from a snapshot, after checking all of it
    Import(Import),
    /// Check a snapshot: every chunk, root and certificate
    Verify {
        /// Which snapshot.
        #[command(flatten)]
        which: WhichArgs,
        /// A file instead of a snapshot in the database
        #[arg(long, value_name = "FILE", conflicts_with = "snapshot")]
        file: Option<PathBuf>,
        /// Which database.
        #[command(flatten)]
        database: DatabaseArgs,
        /// How the result is printed.
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// Start an empty database from a snapshot.
#[derive(Debug, Args)]
pub struct Import {
    /// File of the snapshot; - reads standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The keys of this node may go on where the snapshot ends
    ///
    /// Only if the node that made it was stopped before, and will never run again: a key that certifies two frames at one
    /// height is evidence against its owner.
    #[arg(long)]
    pub take_over: bool,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Which snapshot.
#[derive(Debug, Clone, Default, Args)]
pub struct WhichArgs {
    /// Hash of the snapshot, or number of its block [default: the latest]
    #[arg(value_name = "HASH|BLOCK")]
    pub snapshot: Option<Which>,
}

/// A snapshot by its name or its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// By hash.
    Hash(Hash),
    /// By the number of its block.
    Block(u64),
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hash = || {
            let bytes = hex::decode(text.strip_prefix("0x")?).ok()?;
            <[u8; 32]>::try_from(bytes).ok().map(|bytes| Self::Hash(Hash::new(bytes)))
        };
        let block = || text.parse().ok().map(Self::Block);
        hash().or_else(block).ok_or_else(|| format!("{text:?} is neither a hash (0x…) nor a block"))
    }
}
