//! What can go wrong between memory and disk.

use std::path::PathBuf;

use xln_primitives::{Hash, Network};

use crate::Column;

/// Why the store did not open, read or write.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database belongs to another network.
    #[error(
        "the database in {} belongs to network {found}, not to {expected}; use another --base-path or the \
         chain spec that it was made with",
        path.display()
    )]
    OtherNetwork {
        /// Folder of the database.
        path: PathBuf,
        /// Network that it was made for.
        found: Network,
        /// Network of the caller.
        expected: Network,
    },
    /// The layout is of another version.
    #[error(
        "the database in {} has layout {found}; this version reads layout {expected}. Export a snapshot with the version \
         that wrote it (`snapshot export`) and import it with this one, or start on an empty folder",
        path.display()
    )]
    Schema {
        /// Folder of the database.
        path: PathBuf,
        /// Version found.
        found: u32,
        /// Version that this crate writes.
        expected: u32,
    },
    /// A column that this version does not know.
    #[error("the database in {} has the column `{column}`, which this version does not know", path.display())]
    UnknownColumn {
        /// Folder of the database.
        path: PathBuf,
        /// Name of the column.
        column: String,
    },
    /// The row that names the network is missing or damaged.
    #[error("the database in {} does not say which network it belongs to; restore a backup", path.display())]
    NoIdentity {
        /// Folder of the database.
        path: PathBuf,
    },
    /// Another process, or another part of this one, has it open.
    #[error("the database in {} is in use; stop the node that runs on it", path.display())]
    Locked {
        /// Folder of the database.
        path: PathBuf,
    },
    /// There is no database and none was to be made.
    #[error("there is no database in {}", path.display())]
    Missing {
        /// Folder that was searched.
        path: PathBuf,
    },
    /// The database does not open.
    #[error("the database in {} does not open: {source}{}", path.display(), damage.as_deref().unwrap_or_default())]
    Open {
        /// Its folder.
        path: PathBuf,
        /// RocksDB's words.
        source: rocksdb::Error,
        /// Where the damage is, as far as it is known, and the way out.
        damage: Option<String>,
    },
    /// The file from which a database is read is gone, and others are still there.
    #[error(
        "{} has the file {} of a database, but not its file CURRENT; restore a backup",
        path.display(), file.display()
    )]
    NoCurrent {
        /// Folder of the database.
        path: PathBuf,
        /// One of the files that are left.
        file: PathBuf,
    },
    /// The database holds less than was durable before.
    #[error(
        "the database in {} ends at slice {found_slice} and block {found_block}, but slice {slice} and block {block} were \
         durable: its log has lost its end; restore a newer copy, since going on from here would certify heights twice",
        path.display()
    )]
    Shortened {
        /// Folder of the database.
        path: PathBuf,
        /// Last slice that it holds.
        found_slice: u64,
        /// Last slice that was durable.
        slice: u64,
        /// Last block that it holds.
        found_block: u64,
        /// Last block that was durable.
        block: u64,
    },
    /// The file that tells how far the log had come is damaged.
    #[error(
        "{} is damaged: it does not tell how far the log had come; if `xln-node db verify` finds nothing else on a copy \
         without this file, remove it",
        path.display()
    )]
    DamagedMark {
        /// The file.
        path: PathBuf,
    },
    /// A value does not fit its checksum or does not decode.
    #[error("the value under 0x{} in column {column} is damaged; restore a backup", hex::encode(.key))]
    Corrupt {
        /// Column.
        column: Column,
        /// Whole key.
        key: Vec<u8>,
    },
    /// A key that the store does not write.
    #[error("0x{} is not a key of column {column}", hex::encode(.key))]
    MalformedKey {
        /// Column.
        column: Column,
        /// Whole key.
        key: Vec<u8>,
    },
    /// A row that does not come after the one before.
    #[error("0x{} in column {column} is not greater than the key before it", hex::encode(.key))]
    Unsorted {
        /// Column.
        column: Column,
        /// Whole key.
        key: Vec<u8>,
    },
    /// There is something where nothing may be.
    #[error("the database in {} is not empty; `purge-chain` removes it", path.display())]
    NotEmpty {
        /// Folder of the database.
        path: PathBuf,
    },
    /// One snapshot is written at a time.
    #[error("another snapshot is being written")]
    SnapshotOpen,
    /// A number is missing.
    #[error("column {column} has {found} where {expected} should be")]
    Gap {
        /// Column.
        column: Column,
        /// Number that should be next.
        expected: u64,
        /// Number that is next.
        found: u64,
    },
    /// The slices that lead from the snapshot to the present start too late.
    #[error("the snapshot stands at slice {snapshot}, but the first slice is {first}")]
    Unreachable {
        /// Last slice in the snapshot.
        snapshot: u64,
        /// First slice that is there.
        first: u64,
    },
    /// A block does not build on the one before.
    #[error("block {number} has parent {found}, but block {} is {expected}", number.saturating_sub(1))]
    BrokenChain {
        /// Number of the block.
        number: u64,
        /// Hash of the block before.
        expected: Hash,
        /// Its parent.
        found: Hash,
    },
    /// The columns of blocks by hash and by number do not agree about a block.
    #[error("block {number} with hash {hash} is not listed under both its hash and its number")]
    UnlistedBlock {
        /// Its number.
        number: u64,
        /// Its hash.
        hash: Hash,
    },
    /// A write failed before; what reached the disk is unknown.
    #[error("no more writes after a failed one ({reason}); repair the cause and restart")]
    Poisoned {
        /// The first failure.
        reason: String,
    },
    /// Too little free space.
    #[error("{} has {free} bytes free, {needed} are needed", path.display())]
    DiskFull {
        /// Folder.
        path: PathBuf,
        /// Bytes that are free.
        free: u64,
        /// Bytes that are needed.
        needed: u64,
    },
    /// The database failed.
    #[error("could not {action}: {source}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// RocksDB's words, with the file.
        source: rocksdb::Error,
    },
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    File {
        /// File or folder.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
}

impl StoreError {
    pub(crate) fn corrupt(column: Column, key: &[u8]) -> Self {
        Self::Corrupt { column, key: key.to_vec() }
    }

    pub(crate) fn malformed(column: Column, key: &[u8]) -> Self {
        Self::MalformedKey { column, key: key.to_vec() }
    }

    pub(crate) fn database(action: &'static str) -> impl Fn(rocksdb::Error) -> Self {
        move |source| Self::Database { action, source }
    }

    pub(crate) fn file(path: &std::path::Path) -> impl Fn(std::io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_path_buf(), source }
    }
}
