//! Reading the state: all rows of one snapshot, whatever is written meanwhile.
//!
//! A few readers share the column. Each takes one range of keys after the other, checks every row and hands rows on in
//! batches; there are never more batches than a few per reader, so memory is bounded however large the state is:
//!
//! ```text
//!   ranges of keys ─► reader ─┐
//!                  ─► reader ─┼─► batches of rows, those of one range in order ─► one consumer
//!                  ─► reader ─┘   (bounded queue)
//! ```

use std::{
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

use rocksdb::{DBRawIterator, ReadOptions, Snapshot};
use xln_primitives::{EntityId, SignerId, decode_exact};

use crate::{
    Column, SnapshotMarker, Store, StoreError,
    checksum::check,
    key::{self, HEAD},
};

/// Bytes that a reader reads ahead.
const READAHEAD: usize = 4 << 20;
/// A batch is handed on when its rows have this many bytes.
const BATCH_BYTES: usize = 1 << 20;
/// Batches that wait, for each reader.
const BATCHES_WAITING: usize = 2;
/// Ranges for each reader, so that none is left with a large one at the end.
const RANGES_PER_READER: usize = 4;

/// A row of the state. An entity's head comes before its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateRow<'a> {
    /// Latest frame header and certificate of an entity.
    Head {
        /// Signer that hosts it.
        signer: SignerId,
        /// The entity.
        entity: EntityId,
        /// As it was stored.
        head: &'a [u8],
    },
    /// Something that an entity stores.
    Entry {
        /// Signer that hosts it.
        signer: SignerId,
        /// The entity.
        entity: EntityId,
        /// Storage type and key.
        key: &'a [u8],
        /// As it was stored.
        value: &'a [u8],
    },
}

/// Rows of the state, in order.
#[derive(Debug, Default)]
pub struct StateBatch {
    /// Whole keys and values, one after the other.
    bytes: Vec<u8>,
    /// For each row the ends of its key and of its value in `bytes`.
    ends: Vec<(usize, usize)>,
}

impl StateBatch {
    /// How many rows there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = Result<StateRow<'_>, StoreError>> {
        self.pairs().map(|(key, value)| parse(key, value))
    }

    /// Whole keys and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |(key_end, end)| {
            let key = self.bytes.get(start..*key_end).unwrap_or_default();
            start = *end;
            (key, self.bytes.get(*key_end..*end).unwrap_or_default())
        })
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push((key_end, self.bytes.len()));
    }
}

/// A row from its whole key and its value.
pub(crate) fn parse<'a>(whole: &'a [u8], value: &'a [u8]) -> Result<StateRow<'a>, StoreError> {
    let (signer, entity, key) = key::parse_state(whole)?;
    Ok(if key == [HEAD] {
        StateRow::Head { signer, entity, head: value }
    } else {
        StateRow::Entry { signer, entity, key, value }
    })
}

/// The state as of one snapshot. A later one does not change what this shows.
pub struct StateView<'a> {
    store: &'a Store,
    snapshot: Snapshot<'a>,
    marker: SnapshotMarker,
}

impl Store {
    /// The state as it is on disk now; `None` before the first snapshot.
    pub fn state(&self) -> Result<Option<StateView<'_>>, StoreError> {
        let snapshot = self.inner.db.snapshot();
        let key = key::marker();
        let Some(sealed) = snapshot
            .get_pinned_cf(self.column(Column::State), &key)
            .map_err(StoreError::database("read the snapshot's marker"))?
        else {
            return Ok(None);
        };
        let marker = parse_marker(check(Column::State, &key, &sealed)?)?;
        drop(sealed);
        Ok(Some(StateView { store: self, snapshot, marker }))
    }
}

pub(crate) fn parse_marker(bytes: &[u8]) -> Result<SnapshotMarker, StoreError> {
    decode_exact(bytes, bytes.len()).map_err(|_| StoreError::corrupt(Column::State, &key::marker()))
}

impl StateView<'_> {
    /// Where the snapshot stands.
    #[must_use]
    pub const fn marker(&self) -> &SnapshotMarker {
        &self.marker
    }

    /// Rows of the state, estimated.
    pub fn rows_estimated(&self) -> Result<u64, StoreError> {
        let rows = self.store.stats_of(Column::State)?.rows;
        Ok(rows.saturating_sub(1))
    }

    /// Calls `take` with all rows, batch by batch, on this thread; `readers` others read and check them. Rows within a batch
    /// are in order, batches are not.
    ///
    /// Ends with the first error of the database or of `take`.
    pub fn read<E: From<StoreError>>(
        &self,
        readers: usize,
        mut take: impl FnMut(&StateBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        let readers = readers.max(1);
        let ranges = Mutex::new(self.ranges(readers.saturating_mul(RANGES_PER_READER))?.into_iter());
        let (send, receive) = mpsc::sync_channel(readers.saturating_mul(BATCHES_WAITING));
        thread::scope(|scope| {
            for _ in 0..readers {
                let (send, ranges) = (send.clone(), &ranges);
                scope.spawn(move || {
                    let next = || ranges.lock().unwrap_or_else(PoisonError::into_inner).next();
                    while let Some(range) = next() {
                        for batch in self.batches(Column::State, range) {
                            let last = batch.is_err();
                            // Nobody listens any more after an error.
                            if send.send(batch).is_err() || last {
                                return;
                            }
                        }
                    }
                });
            }
            drop(send);
            // Dropped at the end of this closure, so that readers stop after an error.
            let receive = receive;
            receive.iter().try_for_each(|batch| take(&batch?))
        })
    }

    /// All rows, in order, batch by batch.
    pub fn in_order(&self) -> impl Iterator<Item = Result<StateBatch, StoreError>> + '_ {
        self.column_in_order(Column::State)
    }

    /// All rows of a column as of this view, in order, batch by batch. Of the state without the marker.
    pub(crate) fn column_in_order(
        &self,
        column: Column,
    ) -> impl Iterator<Item = Result<StateBatch, StoreError>> + '_ {
        self.batches(column, (if column == Column::State { first_key() } else { vec![column as u8] }, None))
    }

    pub(crate) const fn store(&self) -> &Store {
        self.store
    }

    /// The rows of one range, in order. Ends after the first error.
    fn batches(
        &self,
        column: Column,
        (from, to): Range,
    ) -> impl Iterator<Item = Result<StateBatch, StoreError>> + '_ {
        let mut options = ReadOptions::default();
        options.set_readahead_size(READAHEAD);
        options.fill_cache(false);
        // Every row has a checksum of ours.
        options.set_verify_checksums(false);
        if let Some(to) = to {
            options.set_iterate_upper_bound(to);
        }
        let family = self.store.column(column);
        let mut rows = Some(self.snapshot.raw_iterator_cf_opt(family, options)).map(|mut rows| {
            rows.seek(&from);
            rows
        });
        core::iter::from_fn(move || {
            let batch = fill(column, rows.as_mut()?);
            match &batch {
                Ok(batch) if batch.is_empty() => {
                    rows = None;
                    return None;
                }
                Ok(_) => {}
                Err(_) => rows = None,
            }
            Some(batch)
        })
    }

    /// Up to about `count` ranges of keys that together are the whole column, of similar size.
    fn ranges(&self, count: usize) -> Result<Vec<Range>, StoreError> {
        let files =
            self.store.inner.db.live_files().map_err(StoreError::database("list the files of the state"))?;
        let mut starts: Vec<(Vec<u8>, usize)> = files
            .into_iter()
            .filter(|file| file.column_family_name == Column::State.name())
            .filter_map(|file| Some((file.start_key?, file.size)))
            .collect();
        starts.sort();
        let total = starts.iter().fold(0_usize, |total, (_, size)| total.saturating_add(*size));
        let share = total / count.max(1);
        let mut ranges = Vec::new();
        let (mut from, mut filled) = (first_key(), 0_usize);
        for (start, size) in starts {
            if filled > share && start > from {
                ranges.push((core::mem::replace(&mut from, start.clone()), Some(start)));
                filled = 0;
            }
            filled = filled.saturating_add(size);
        }
        ranges.push((from, None));
        Ok(ranges)
    }
}

impl core::fmt::Debug for StateView<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StateView").field("marker", &self.marker).finish_non_exhaustive()
    }
}

/// First key, and the first key beyond; none: to the end.
type Range = (Vec<u8>, Option<Vec<u8>>);

/// The first key after the marker.
fn first_key() -> Vec<u8> {
    let mut key = key::marker();
    key.push(0);
    key
}

/// Takes rows until the batch is full or no row is left.
fn fill(column: Column, rows: &mut DBRawIterator<'_>) -> Result<StateBatch, StoreError> {
    let mut batch = StateBatch::default();
    while batch.bytes.len() < BATCH_BYTES {
        let Some((key, sealed)) = rows.item() else {
            rows.status().map_err(StoreError::database("read the next row"))?;
            break;
        };
        if !key::is_well_formed(column, key) {
            return Err(StoreError::malformed(column, key));
        }
        batch.push(key, check(column, key, sealed)?);
        rows.next();
    }
    Ok(batch)
}
