//! `db stats` and `db verify`.

use std::{
    fmt,
    time::{Duration, Instant},
};

use serde::Serialize;
use xln_chain_spec::ChainSpec;
use xln_store::{Options, Store};

use super::{CommandError, purge::database_folder};
use crate::cli::{DatabaseArgs, KeepArg};

/// Progress is told no more often than this, so that nothing is told of a small database.
const PROGRESS: Duration = Duration::from_secs(1);

/// What a database holds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseStats {
    /// Size of all files in bytes.
    pub bytes: u64,
    /// Number of the last sealed block.
    pub block: Option<u64>,
    /// Number of the last durable slice.
    pub slice: Option<u64>,
    /// Block of the mutable snapshot.
    pub snapshot_block: Option<u64>,
    /// First slice whose inputs were not pruned.
    pub first_slice: Option<u64>,
    /// First slice whose receipts were not pruned.
    pub first_receipts: Option<u64>,
    /// How many blocks keep slices and receipts, when the node last ran.
    pub blocks_pruning: String,
    /// For how many blocks the state can be had, when the node last ran.
    pub state_pruning: String,
    /// Immutable snapshots.
    pub snapshots: usize,
    /// By column.
    pub columns: Vec<ColumnRows>,
}

/// What a column holds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnRows {
    /// Its name.
    pub name: String,
    /// Rows, estimated.
    pub rows: u64,
    /// Bytes of its files.
    pub bytes: u64,
}

/// What a verification found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseVerdict {
    /// Rows that were read.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// How many faults there are.
    pub faults: u64,
    /// The first of them.
    pub listed: Vec<String>,
}

pub(super) fn open(args: &DatabaseArgs) -> Result<Store, CommandError> {
    let network = ChainSpec::load(&args.chain.chain)?.network()?;
    let options = Options { create: false, ..Options::default() };
    Ok(Store::open(database_folder(args)?, network, &options)?)
}

/// What the database of a stopped node holds.
pub fn database_stats(args: &DatabaseArgs) -> Result<DatabaseStats, CommandError> {
    let store = open(args)?;
    let columns = store.stats()?.columns.into_iter().map(|column| ColumnRows {
        name: column.column.name().to_owned(),
        rows: column.rows,
        bytes: column.bytes,
    });
    Ok(DatabaseStats {
        bytes: store.size()?,
        block: store.latest_block()?.map(|block| block.number),
        slice: store.latest_slice()?,
        snapshot_block: store.snapshot_marker()?.map(|marker| marker.block.number),
        first_slice: store.earliest_slice()?,
        first_receipts: store.earliest_receipts()?,
        blocks_pruning: KeepArg(store.pruning()?.blocks).to_string(),
        state_pruning: KeepArg(store.pruning()?.state).to_string(),
        snapshots: store.archives()?.len(),
        columns: columns.collect(),
    })
}

/// Reads and checks every row of the database of a stopped node.
pub fn verify_database(args: &DatabaseArgs) -> Result<DatabaseVerdict, CommandError> {
    let mut told = Instant::now();
    let report = open(args)?.verify(&mut |rows, column| {
        if told.elapsed() >= PROGRESS {
            tracing::info!(rows, column, "verifying");
            told = Instant::now();
        }
    })?;
    Ok(DatabaseVerdict {
        rows: report.rows,
        bytes: report.bytes,
        faults: report.faults,
        listed: report.listed.iter().map(ToString::to_string).collect(),
    })
}

impl fmt::Display for DatabaseStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map_or_else(|| "none".to_owned(), |n| n.to_string());
        writeln!(f, "size            {} bytes", self.bytes)?;
        writeln!(f, "last block      {}", number(self.block))?;
        writeln!(f, "last slice      {}", number(self.slice))?;
        writeln!(f, "snapshot block  {}", number(self.snapshot_block))?;
        writeln!(
            f,
            "first slice     {} (receipts {})",
            number(self.first_slice),
            number(self.first_receipts)
        )?;
        writeln!(f, "pruning         blocks {}, state {}", self.blocks_pruning, self.state_pruning)?;
        writeln!(f, "snapshots       {}", self.snapshots)?;
        for ColumnRows { name, rows, bytes } in &self.columns {
            writeln!(f, "{name:<15} {rows} rows, {bytes} bytes")?;
        }
        Ok(())
    }
}

impl fmt::Display for DatabaseVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.listed {
            writeln!(f, "{fault}")?;
        }
        writeln!(f, "{} rows, {} bytes read; {} faults", self.rows, self.bytes, self.faults)
    }
}
