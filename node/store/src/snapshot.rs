//! The mutable snapshot: the state on disk and the point in the chain that it belongs to.
//!
//! The state is never written through the write-ahead log, which belongs to the slices. What changed since the last snapshot is
//! written to sorted files, and the files become part of the column in one step:
//!
//! ```text
//!   begin_snapshot(marker)
//!     │  outbox, proofs  ─►  files of those columns     idempotent: they may be newer than the state, never older
//!     │  marker, state   ─►  files of the state column  (the marker is the column's first row)
//!   finish
//!     ├─ 1. files of outbox and proofs ingested
//!     └─ 2. files of the state ingested: one step, rows and marker together
//! ```
//!
//! A crash before step 2 leaves the old snapshot, one after it the new one. What an interrupted snapshot leaves are files in
//! a folder that the next start empties.

use std::{
    fs, io,
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{BlockHeader, ChannelId, EntityId, Hash, SignerId};

use crate::{
    Column, PeerId, Store, StoreError,
    key::{self, HEAD},
    sorted_files::SortedFiles,
    state::parse_marker,
};

/// Folder of the files that are being written, in that of the database.
const FOLDER: &str = "unfinished";

/// Where the state on disk stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct SnapshotMarker {
    /// The last block whose effects it has.
    pub block: BlockHeader,
    /// The last slice whose effects it has; replay starts with the next.
    pub slice: u64,
    /// Root of the server's tree, to compare after loading.
    pub state_root: Hash,
}

/// A snapshot that is being written. Dropping it without [`SnapshotWriter::finish`] leaves the one before.
pub struct SnapshotWriter<'a> {
    began: Instant,
    state: SortedFiles<'a>,
    proofs: SortedFiles<'a>,
    outbox: SortedFiles<'a>,
    marks: SortedFiles<'a>,
    /// Where keys are put together.
    key: Vec<u8>,
    // Last: the folder goes after the files in it are closed.
    _folder: Folder<'a>,
}

/// What a snapshot wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotWritten {
    /// Rows of the state that were written or removed.
    pub rows: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// From beginning to end.
    pub duration: Duration,
    /// Of this, how long the database took to take the files over.
    pub ingestion: Duration,
}

impl Store {
    /// Where the state on disk stands; `None` before the first snapshot.
    pub fn snapshot_marker(&self) -> Result<Option<SnapshotMarker>, StoreError> {
        let key = key::marker();
        self.get(Column::State, &key)?.map(|bytes| parse_marker(&bytes)).transpose()
    }

    /// Begins to write the snapshot that stands at `marker`. One at a time.
    ///
    /// Fails if another one is being written, or a file cannot be made.
    pub fn begin_snapshot(&self, marker: &SnapshotMarker) -> Result<SnapshotWriter<'_>, StoreError> {
        let folder = Folder::claim(self)?;
        let files = |column| SortedFiles::new(self, column, Arc::clone(&folder.path));
        let mut state = files(Column::State);
        state.push(&key::marker(), Some(&marker.encode()))?;
        Ok(SnapshotWriter {
            began: Instant::now(),
            state,
            proofs: files(Column::Proofs),
            outbox: files(Column::Outbox),
            marks: files(Column::Consensus),
            key: Vec::new(),
            _folder: folder,
        })
    }
}

impl SnapshotWriter<'_> {
    /// Writes, or with `None` removes, what an entity stores under `key`, whose first byte is its storage type.
    ///
    /// Rows come in the order of signer, entity and key, an entity's head first; anything else is refused, as is a key
    /// that is empty or of type 0.
    pub fn put_state(
        &mut self,
        signer: &SignerId,
        entity: &EntityId,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        key::write_state(&mut self.key, signer, entity, key);
        if key.first().is_none_or(|kind| *kind == HEAD) {
            return Err(StoreError::malformed(Column::State, &self.key));
        }
        self.state.push(&self.key, value)
    }

    /// Writes, or with `None` removes, the head of an entity: its latest frame header and certificate.
    pub fn put_head(
        &mut self,
        signer: &SignerId,
        entity: &EntityId,
        head: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        key::write_state(&mut self.key, signer, entity, &[HEAD]);
        self.state.push(&self.key, head)
    }

    /// Stores the newest dispute proof that `entity` holds for a channel, in place of the one before. In the order of
    /// entity and channel; durable before the snapshot stands.
    pub fn put_proof(
        &mut self,
        entity: &EntityId,
        channel: &ChannelId,
        proof: &[u8],
    ) -> Result<(), StoreError> {
        self.proofs.push(&key::proof(entity, channel), Some(proof))
    }

    /// Keeps a message for a peer, or with `None` forgets one that the peer has confirmed. In the order of peer and
    /// sequence; durable before the snapshot stands.
    pub fn put_outbox(
        &mut self,
        peer: &PeerId,
        sequence: u64,
        message: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        self.outbox.push(&key::outbox(peer, sequence), message)
    }

    /// Writes a row of an immutable snapshot into the column of its key, in the order of keys.
    pub(crate) fn put_archived(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let files = match key.first().and_then(|number| Column::ALL.get(usize::from(*number))) {
            Some(Column::Consensus) => &mut self.marks,
            Some(Column::Outbox) => &mut self.outbox,
            Some(Column::Proofs) => &mut self.proofs,
            _ => &mut self.state,
        };
        files.push(key, Some(value))
    }

    /// Moves the snapshot: everything is on disk when this returns.
    ///
    /// If the database fails to take the files over, the store is poisoned as after a failed commit.
    pub fn finish(mut self) -> Result<SnapshotWritten, StoreError> {
        let (rows, ingestion) = (self.state.rows().saturating_sub(1), Instant::now());
        self.marks.ingest()?;
        self.proofs.ingest()?;
        self.outbox.ingest()?;
        self.state.ingest()?;
        let bytes = [&self.state, &self.proofs, &self.outbox, &self.marks].map(SortedFiles::bytes);
        Ok(SnapshotWritten {
            rows,
            bytes: bytes.into_iter().fold(0, u64::saturating_add),
            duration: self.began.elapsed(),
            ingestion: ingestion.elapsed(),
        })
    }
}

/// The folder of the files that are being written, which one writer at a time may use.
struct Folder<'a> {
    store: &'a Store,
    path: Arc<Path>,
}

impl<'a> Folder<'a> {
    fn claim(store: &'a Store) -> Result<Self, StoreError> {
        if store.inner.snapshot_open.swap(true, Ordering::Acquire) {
            return Err(StoreError::SnapshotOpen);
        }
        // From here on the claim is given back when this goes.
        let folder = Self { store, path: store.path().join(FOLDER).into() };
        clear_unfinished(store.path())?;
        fs::create_dir(&folder.path).map_err(StoreError::file(&folder.path))?;
        Ok(folder)
    }
}

impl Drop for Folder<'_> {
    fn drop(&mut self) {
        // What stays is removed by the next snapshot, or the next start.
        let _ = clear_unfinished(self.store.path());
        self.store.inner.snapshot_open.store(false, Ordering::Release);
    }
}

/// Removes what an interrupted snapshot left in the folder of a database.
pub(crate) fn clear_unfinished(database: &Path) -> Result<(), StoreError> {
    let path = database.join(FOLDER);
    match fs::remove_dir_all(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::file(&path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use xln_primitives::{Network, Timestamp};

    fn marker(number: u64) -> SnapshotMarker {
        let zero = Hash::ZERO;
        let block = BlockHeader {
            number,
            parent: zero,
            timestamp: Timestamp::from_millis(number),
            first_slice: 1,
            slices: 1,
            inputs_root: zero,
            state_root: zero,
            receipts_root: zero,
        };
        SnapshotMarker { block, slice: 1, state_root: zero }
    }

    #[test]
    fn a_crash_between_the_other_columns_and_the_state_leaves_the_old_state_with_newer_proofs() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path(), Network::ZERO, &Options::default()).unwrap();
        let (signer, entity, channel) = (SignerId::ZERO, EntityId::ZERO, ChannelId::ZERO);
        let store = open();
        for (number, value) in [(1, b"old"), (2, b"new")] {
            let mut snapshot = store.begin_snapshot(&marker(number)).unwrap();
            snapshot.put_state(&signer, &entity, &[5], Some(value)).unwrap();
            snapshot.put_proof(&entity, &channel, value).unwrap();
            if number == 1 {
                snapshot.finish().unwrap();
            } else {
                snapshot.proofs.ingest().unwrap();
                snapshot.outbox.ingest().unwrap();
                // As a crash does: the files of the state are left behind.
                core::mem::forget(snapshot);
            }
        }
        // The database itself closes as it would be found after a crash: nothing of the second state was told to it.
        drop(store);
        let store = open();
        assert!(!store.path().join(FOLDER).exists());
        assert_eq!(store.snapshot_marker().unwrap(), Some(marker(1)));
        assert_eq!(store.proof(&entity, &channel).unwrap().unwrap(), b"new");
        let state = store.state().unwrap().unwrap();
        let rows: Vec<_> = state.in_order().map(Result::unwrap).collect();
        assert!(
            rows.iter()
                .flat_map(crate::StateBatch::rows)
                .all(|row| matches!(row, Ok(crate::StateRow::Entry { value: b"old", .. })))
        );
        assert!(store.verify(&mut |_, _| {}).unwrap().is_sound());
    }
}
