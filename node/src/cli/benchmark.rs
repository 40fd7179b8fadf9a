//! `benchmark`: measuring this machine.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Output;
use crate::benchmark::{Kind, Wanted};

const EXAMPLES: &str = "\
Examples:
  The figure by which hubs are compared: routed payments, each by a different user, one per frame
    xln-node benchmark hub --channels 100000 --payments 200000 --kind routed --base-path /data/bench

  What batching under one signature gives
    xln-node benchmark hub --payments 2000000 --kind routed --per-frame 100

  Latency at half of the peak: smaller slices, payments that come evenly spread
    xln-node benchmark hub --payments 100000 --slice 100 --rate 12000

  A hub with ten million channels, of which 100,000 pay; about 10 GB of memory
    xln-node benchmark hub --channels 10000000 --users 100000 --payments 200000

  A whole node over WebSocket, its users on the same server: 32 of them pay as fast as they are answered
    xln-node benchmark hub --mode rpc --users 32 --payments 20000

  For programs
    xln-node benchmark hub --json | jq .payments_per_second

What is measured: the hub of a network whose users live elsewhere. It verifies every certificate that arrives, executes,
signs its own frames, and syncs every slice to disk before anything of it counts as sent.

What is not: the users' work, which is recorded beforehand (in a file of about 2.5 KB per routed payment, in memory
about 2 KB per payment while it is recorded), the network between them and the hub, and, except in the figures of
--rate, waiting for anybody to pay.

Four figures are printed, each with more around it: the state transition alone; with signatures; with the log; and the rate
at which this machine checks the same signatures and does nothing else, which bounds them. A run of which any frame comes
out differently than recorded, any invariant fails or any two copies of a channel disagree, ends with an error.";

/// Measure this machine
#[derive(Debug, Args)]
pub struct Benchmark {
    /// What to measure.
    #[command(subcommand)]
    pub command: BenchmarkCommand,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum BenchmarkCommand {
    /// How many payments a hub carries
    Hub(BenchmarkHub),
}

/// What is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BenchmarkMode {
    /// The hub alone, in this process: pool, inbox, author, writer and database of a node
    Node,
    /// A node as a process of its own, with the hub and all users, asked over WebSocket by payment.send
    Rpc,
}

/// How many payments a hub carries
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct BenchmarkHub {
    /// What is run
    #[arg(long, value_enum, default_value = "node")]
    pub mode: BenchmarkMode,
    /// Channels of the hub
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub channels: u64,
    /// Payments
    #[arg(long, value_name = "M", default_value_t = 200_000)]
    pub payments: u64,
    /// How they go through the hub
    #[arg(long, value_enum, default_value = "routed")]
    pub kind: Kind,
    /// Payments of one payer to one payee in one channel frame, at most 1000
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub per_frame: u32,
    /// Channels whose users pay and are paid [default: all, at most 100000; over RPC 32]
    #[arg(long, value_name = "U")]
    pub users: Option<u32>,
    /// Everything random follows from it
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Payments that begin in one slice; fewer if there are not enough users [default: 500, or 50 frames]
    #[arg(long, value_name = "PAYMENTS")]
    pub slice: Option<u32>,
    /// Slices between a message of the hub and its answer, at least 2: so many are under way at once
    #[arg(long, value_name = "SLICES", default_value_t = 4)]
    pub depth: u32,
    /// Payments per second that come, evenly spread [default: as fast as they can]
    #[arg(long, value_name = "R")]
    pub rate: Option<u32>,
    /// Folder on the disk to be measured; a database and a recording of an earlier run there are replaced
    ///
    /// Without it everything is in a temporary folder that is removed at the end.
    #[arg(long, value_name = "FOLDER")]
    pub base_path: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

impl BenchmarkHub {
    /// The sizes that were asked for.
    #[must_use]
    pub const fn wanted(&self) -> Wanted {
        Wanted {
            channels: self.channels,
            users: self.users,
            payments: self.payments,
            kind: self.kind,
            per_frame: self.per_frame,
            slice: self.slice,
            depth: self.depth,
            seed: self.seed,
        }
    }

    /// How the result is printed.
    #[must_use]
    pub const fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Table }
    }
}
