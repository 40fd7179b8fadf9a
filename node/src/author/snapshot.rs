//! The mutable snapshot, written beside the author's work.
//!
//! The rows are taken in the author's thread, so that they are the state of one block; writing them takes longer than a
//! block may, and happens on a thread of its own. Slices go on becoming durable meanwhile. If the process ends in between, the
//! old marker still stands and more of the log is replayed.

use std::{sync::Arc, thread::JoinHandle, time::Instant};

use xln_runtime::{Server, StateRow};
use xln_store::{Batch, SnapshotMarker, Store, StoreError};

use super::SNAPSHOT_INTERVAL;
use crate::{metrics::Metrics, retained::Retained};

/// When the next snapshot is due, and the one that is being written.
pub(super) struct Snapshots {
    last_block: u64,
    writing: Option<JoinHandle<Result<(), StoreError>>>,
}

impl Snapshots {
    /// Counts from this block on.
    pub(super) const fn since(block: u64) -> Self {
        Self { last_block: block, writing: None }
    }

    /// Whether one is due at this block. Fails if the last one failed.
    pub(super) fn due(&mut self, block: u64) -> Result<bool, StoreError> {
        if block < self.last_block.saturating_add(SNAPSHOT_INTERVAL) {
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

    /// Writes rows and marker on a thread of their own, and what slices left beside the state.
    pub(super) fn begin(
        &mut self,
        store: Store,
        retained: Arc<Retained>,
        metrics: Arc<Metrics>,
        rows: Vec<StateRow>,
        marker: SnapshotMarker,
    ) -> Result<(), StoreError> {
        self.wait()?;
        let beside = retained.rows(marker.slice);
        let (path, block) = (store.path().to_path_buf(), marker.block.number);
        let thread = std::thread::Builder::new().name("snapshot".into()).spawn(move || {
            let start = Instant::now();
            let mut batch = snapshot_batch(&rows, &marker);
            beside.put(&mut batch);
            store.commit(batch)?;
            retained.written(&beside);
            metrics.snapshot_written(start.elapsed());
            tracing::debug!(block = marker.block.number, rows = rows.len(), "snapshot");
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

/// The batch that writes changed rows and moves the marker.
pub(crate) fn snapshot_batch(rows: &[StateRow], marker: &SnapshotMarker) -> Batch {
    let mut batch = Batch::new();
    for row in rows {
        match row {
            StateRow::Value { signer, entity, key, value } => {
                batch.put_state(signer, entity, key, value.as_deref());
            }
            StateRow::Head { signer, entity, head } => batch.put_head(signer, entity, head),
        }
    }
    batch.move_snapshot(marker);
    batch
}
