//! The mutable snapshot, written beside the author's work.
//!
//! The author takes handles of the entities that changed, which copies no row. Finding the changed rows and writing them takes
//! longer than a block may, and happens on a thread of its own, beside the write-ahead log: slices go on becoming durable
//! meanwhile. If the process ends in between, the old snapshot still stands and more of the log is replayed.

use std::{num::NonZeroU64, sync::Arc, thread::JoinHandle, time::Duration};

use xln_runtime::{Server, StateChanges, StateRow};
use xln_store::{Pruned, SnapshotMarker, SnapshotWritten, Store, StoreError};

use crate::{
    archive::Archiver,
    metrics::Metrics,
    retained::{Retained, Rows},
};

/// When the next snapshot is due, and the one that is being written.
pub(super) struct Snapshots {
    last_block: u64,
    interval: NonZeroU64,
    writing: Option<JoinHandle<Result<(), StoreError>>>,
    archiver: Archiver,
}

impl Snapshots {
    /// One every `interval` blocks, counted from this block on.
    pub(super) fn since(block: u64, interval: NonZeroU64, store: Store) -> Self {
        Self { last_block: block, interval, writing: None, archiver: Archiver::new(store) }
    }

    /// Whether one is due at this block. Fails if the last one failed.
    pub(super) fn due(&mut self, block: u64) -> Result<bool, StoreError> {
        if block < self.last_block.saturating_add(self.interval.get()) {
            return Ok(false);
        }
        match &self.writing {
            Some(thread) if !thread.is_finished() => Ok(false),
            _ => self.wait().map(|()| true),
        }
    }

    /// Waits for the one that is being written.
    pub(super) fn wait(&mut self) -> Result<(), StoreError> {
        match self.writing.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(error),
            Some(Err(_)) => {
                Err(StoreError::Poisoned { reason: "the writer of the snapshot has panicked".into() })
            }
        }
    }

    /// Writes what changed on a thread of its own, and what slices left beside the state.
    pub(super) fn begin(
        &mut self,
        store: Store,
        retained: Arc<Retained>,
        metrics: Arc<Metrics>,
        changes: StateChanges,
        marker: SnapshotMarker,
    ) -> Result<(), StoreError> {
        self.wait()?;
        // What was written last is there now.
        self.archiver.reached(self.last_block);
        let beside = retained.rows(marker.slice);
        let (path, block) = (store.path().to_path_buf(), marker.block.number);
        let thread = std::thread::Builder::new().name("snapshot".into()).spawn(move || {
            let written = write_snapshot(&store, &changes, Some(&beside), &marker)?;
            retained.written(&beside);
            metrics.snapshot_written(written.duration);
            tracing::debug!(
                block = marker.block.number,
                entities = changes.entities(),
                rows = written.rows,
                bytes = written.bytes,
                took_ms = millis(written.duration),
                ingestion_ms = millis(written.ingestion),
                "snapshot"
            );
            forget(&store);
            Ok(())
        });
        self.last_block = block;
        self.writing = Some(thread.map_err(|source| StoreError::File { path, source })?);
        Ok(())
    }
}

/// Where a snapshot of `server` stands.
pub(crate) fn marker(server: &Server) -> SnapshotMarker {
    let block = server.head().clone();
    SnapshotMarker { state_root: block.state_root, slice: server.slice(), block }
}

/// Writes the rows that changed and moves the snapshot: both or neither. What lies beside the state is there before.
pub(crate) fn write_snapshot(
    store: &Store,
    changes: &StateChanges,
    beside: Option<&Rows>,
    marker: &SnapshotMarker,
) -> Result<SnapshotWritten, StoreError> {
    let mut snapshot = store.begin_snapshot(marker)?;
    for row in changes.rows() {
        match row {
            StateRow::Value { signer, entity, key, value } => {
                snapshot.put_state(&signer, &entity, &key, value.as_deref())?;
            }
            StateRow::Head { signer, entity, head } => {
                snapshot.put_head(&signer, &entity, head.as_deref())?;
            }
        }
    }
    if let Some(beside) = beside {
        beside.put(&mut snapshot)?;
    }
    snapshot.finish()
}

/// Prunes the history. What cannot be removed now does no harm, and the next snapshot tries again; a failed write stops the
/// author by itself.
fn forget(store: &Store) {
    let pruned = store.pruning().map_err(Into::into).and_then(|pruning| store.prune(pruning));
    match pruned {
        Ok(pruned) if pruned != Pruned::default() => {
            let Pruned { slices, receipts, snapshots, .. } = pruned;
            tracing::debug!(slices, receipts, snapshots, "pruned");
        }
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "the history cannot be pruned"),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
