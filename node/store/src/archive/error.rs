//! What can be wrong with a snapshot, and where.

use xln_primitives::{DecodeError, Hash};

use crate::StoreError;

/// Why a snapshot cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Reading or writing a stream.
    #[error("at byte {offset}: {source}")]
    Stream {
        /// Bytes read or written before.
        offset: u64,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Not the file of a snapshot.
    #[error("this is not a snapshot of XLN, or one of another version")]
    NotASnapshot,
    /// A manifest beyond every limit.
    #[error("the manifest has {size} bytes, more than {size_max}")]
    ManifestTooLarge {
        /// Its size.
        size: u64,
        /// Most bytes of a manifest.
        size_max: u64,
    },
    /// A manifest that does not decode.
    #[error("the manifest is unreadable: {0}")]
    Manifest(DecodeError),
    /// A manifest that contradicts itself.
    #[error("the manifest is inconsistent: {0}")]
    Inconsistent(&'static str),
    /// There is no such snapshot.
    #[error("there is no snapshot {0}")]
    Unknown(Hash),
    /// A chunk is not what the manifest says.
    #[error("chunk {index} at byte {offset}: {fault}")]
    Chunk {
        /// Its place in the manifest, from 0.
        index: usize,
        /// Where it begins, counted over all compressed chunks.
        offset: u64,
        /// What is wrong.
        fault: ChunkFault,
    },
    /// Bytes after the last chunk.
    #[error("there are bytes after the last chunk, which ends at byte {offset}")]
    Trailing {
        /// Where the snapshot ends.
        offset: u64,
    },
    /// Only one snapshot is made or removed at a time.
    #[error("another snapshot is being made")]
    Busy,
    /// Whoever asked for it wants it no more.
    #[error("making the snapshot was stopped")]
    Stopped,
}

/// What is wrong with a chunk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkFault {
    /// It ends too early.
    #[error("it is cut short")]
    CutShort,
    /// Another content.
    #[error("its hash is {found}, not {expected}")]
    Hash {
        /// Hash of what is there.
        found: Hash,
        /// Hash in the manifest.
        expected: Hash,
    },
    /// It does not decompress to the size in the manifest.
    #[error("it does not decompress: {0}")]
    Compression(String),
    /// A row that does not decode.
    #[error("its row {row} is malformed")]
    Row {
        /// Which row, from 0.
        row: usize,
    },
    /// A key that no column of a snapshot has.
    #[error("its row {row} has the key 0x{}, which no snapshot has", hex::encode(.key))]
    Key {
        /// Which row, from 0.
        row: usize,
        /// Its key.
        key: Vec<u8>,
    },
    /// A key that is not greater than the one before.
    #[error("its row {row} is out of order")]
    Unsorted {
        /// Which row, from 0.
        row: usize,
    },
    /// Another number of rows.
    #[error("it has {found} rows, not {expected}")]
    Rows {
        /// Rows that are there.
        found: usize,
        /// Rows in the manifest.
        expected: u32,
    },
}
