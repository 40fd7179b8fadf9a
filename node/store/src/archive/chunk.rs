//! Chunks: rows of the database in the order of their keys, compressed together.
//!
//! ```text
//!   row = shared (1 byte) ‖ rest (1 byte) ‖ the last `rest` bytes of the key ‖ length (compact) ‖ value
//! ```
//!
//! `shared` is how many bytes the key has in common with the one before in the chunk. Keys are whole, with the number of
//! their column; values are without checksums.

use codec::{Compact, Decode, Encode};
use xln_primitives::{EntityId, Hash};

use super::{ArchiveError, ChunkFault, ChunkInfo, manifest::CHUNK_SIZE_MAX};
use crate::{Column, SignedMark, StateRow, StoreError, key, signed, state::parse};

/// The columns of a snapshot, in order.
pub(super) const COLUMNS: [Column; 4] = [Column::State, Column::Consensus, Column::Outbox, Column::Proofs];

/// A chunk does not end before it has this many bytes of rows, unless its column does.
const SIZE_MIN: usize = 1 << 20;
/// A chunk ends at this many bytes at the latest.
const SIZE_CUT: usize = 8 << 20;
/// Of the keys after that, one in so many ends a chunk: in rows of 150 bytes, after another megabyte.
const CUT_EVERY: u32 = 8_192;
/// How hard zstd tries: measured in docs/benchmarks.
const LEVEL: i32 = 3;

/// A chunk that is being filled.
#[derive(Default)]
pub(super) struct ChunkWriter {
    bytes: Vec<u8>,
    last: Vec<u8>,
    rows: u32,
}

/// A chunk that is complete.
pub(super) struct Chunk {
    pub(super) info: ChunkInfo,
    pub(super) bytes: Vec<u8>,
}

impl ChunkWriter {
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        let shared = self.last.iter().zip(key).take_while(|(a, b)| a == b).count().min(usize::from(u8::MAX));
        let rest = key.get(shared..).unwrap_or_default();
        // Keys of the database have at most 192 bytes.
        self.bytes.push(u8::try_from(shared).unwrap_or(u8::MAX));
        self.bytes.push(u8::try_from(rest.len()).unwrap_or(u8::MAX));
        self.bytes.extend_from_slice(rest);
        Compact(u32::try_from(value.len()).unwrap_or(u32::MAX)).encode_to(&mut self.bytes);
        self.bytes.extend_from_slice(value);
        self.last.clear();
        self.last.extend_from_slice(key);
        self.rows = self.rows.saturating_add(1);
    }

    /// Whether the chunk ends after the last row, with a row of this size to come.
    pub(super) fn ends(&self, next: usize) -> bool {
        let size = self.bytes.len();
        if size < SIZE_MIN {
            return size.saturating_add(next) > SIZE_CUT && size > 0;
        }
        size.saturating_add(next) > SIZE_CUT || ends_a_chunk(&self.last)
    }

    /// The rows so far as a chunk; none if there are none.
    pub(super) fn finish(&mut self) -> std::io::Result<Option<Chunk>> {
        if self.rows == 0 {
            return Ok(None);
        }
        let raw = core::mem::take(&mut self.bytes);
        let rows = core::mem::take(&mut self.rows);
        self.last.clear();
        let bytes = zstd::bulk::compress(&raw, LEVEL)?;
        let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let info =
            ChunkInfo { hash: hash(&bytes), rows, size: size(raw.len()), compressed: size(bytes.len()) };
        Ok(Some(Chunk { info, bytes }))
    }
}

/// Whether a chunk may end after the row with this key.
fn ends_a_chunk(key: &[u8]) -> bool {
    let digest = blake3::hash(key);
    let first = digest.as_bytes().first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    first.is_multiple_of(CUT_EVERY)
}

pub(super) fn hash(bytes: &[u8]) -> Hash {
    Hash::new(*blake3::hash(bytes).as_bytes())
}

/// A row of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchivedRow<'a> {
    /// Of the state.
    State(StateRow<'a>),
    /// The last frame that an entity's key has certified.
    Signed {
        /// The entity.
        entity: EntityId,
        /// The frame.
        mark: SignedMark,
    },
    /// A message or a proof.
    Beside,
}

/// Reads chunks one after the other, and checks that they are what the manifest says and follow each other.
#[derive(Debug, Default)]
pub struct ChunkReader {
    /// Place of the next chunk.
    index: usize,
    /// Where it begins.
    offset: u64,
    /// The last key.
    last: Vec<u8>,
}

impl ChunkReader {
    /// Before the first chunk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks the next chunk and calls `take` with the key and the value of each of its rows.
    ///
    /// Nothing is decompressed before its hash is right, and no more than the manifest says.
    pub fn read<E: From<ArchiveError>>(
        &mut self,
        info: &ChunkInfo,
        bytes: &[u8],
        mut take: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (index, offset) = (self.index, self.offset);
        let failed = move |fault| ArchiveError::Chunk { index, offset, fault };
        let found = hash(bytes);
        if found != info.hash {
            return Err(failed(ChunkFault::Hash { found, expected: info.hash }).into());
        }
        let size = usize::try_from(info.size.min(CHUNK_SIZE_MAX)).unwrap_or(usize::MAX);
        let raw = zstd::bulk::decompress(bytes, size)
            .map_err(|error| failed(ChunkFault::Compression(error.to_string())))?;
        if raw.len() != size {
            let text = format!("{} bytes instead of {size}", raw.len());
            return Err(failed(ChunkFault::Compression(text)).into());
        }
        let (mut rest, mut row, mut first) = (raw.as_slice(), 0_usize, true);
        while !rest.is_empty() {
            let value = self.row(&mut rest, first).map_err(|fault| failed(fault(row)))?;
            take(&self.last, value)?;
            (row, first) = (row.saturating_add(1), false);
        }
        if u32::try_from(row) != Ok(info.rows) {
            return Err(failed(ChunkFault::Rows { found: row, expected: info.rows }).into());
        }
        self.index = index.saturating_add(1);
        self.offset = offset.saturating_add(u64::from(info.compressed));
        Ok(())
    }

    /// Takes the next row: its key becomes the last one, its value is returned.
    fn row<'a>(
        &mut self,
        rest: &mut &'a [u8],
        first: bool,
    ) -> Result<&'a [u8], impl FnOnce(usize) -> ChunkFault + use<>> {
        enum Wrong {
            Form,
            Order,
            Key(Vec<u8>),
        }
        let mut parse = || {
            let (&[shared, length], after) = rest.split_first_chunk().ok_or(Wrong::Form)?;
            let (suffix, mut after) = after.split_at_checked(usize::from(length)).ok_or(Wrong::Form)?;
            let Compact(size) = Compact::<u32>::decode(&mut after).map_err(|_| Wrong::Form)?;
            let size = usize::try_from(size).map_err(|_| Wrong::Form)?;
            let (value, after) = after.split_at_checked(size).ok_or(Wrong::Form)?;
            *rest = after;
            let shared = usize::from(shared);
            // A chunk stands for itself: its first key is whole.
            if (first && shared > 0) || shared > self.last.len() {
                return Err(Wrong::Form);
            }
            let mut key = self.last.get(..shared).unwrap_or_default().to_vec();
            key.extend_from_slice(suffix);
            let known = COLUMNS.iter().any(|column| key::is_well_formed(*column, &key));
            if !known || key == key::marker() {
                return Err(Wrong::Key(key));
            }
            if key <= self.last {
                return Err(Wrong::Order);
            }
            self.last = key;
            Ok(value)
        };
        parse().map_err(|wrong| {
            move |row| match wrong {
                Wrong::Form => ChunkFault::Row { row },
                Wrong::Order => ChunkFault::Unsorted { row },
                Wrong::Key(key) => ChunkFault::Key { row, key },
            }
        })
    }
}

impl<'a> ArchivedRow<'a> {
    /// What a row is, by its key.
    pub fn parse(key: &'a [u8], value: &'a [u8]) -> Result<Self, StoreError> {
        match key.first() {
            Some(number) if *number == Column::State as u8 => parse(key, value).map(Self::State),
            Some(number) if *number == Column::Consensus as u8 => {
                let mark = signed::parse(key, value)?;
                Ok(mark.map_or(Self::Beside, |(entity, mark)| Self::Signed { entity, mark }))
            }
            _ => Ok(Self::Beside),
        }
    }
}
