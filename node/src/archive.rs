//! Immutable snapshots as a node uses them: made every ten thousand blocks, checked to the last row before they are used.
//!
//! ```text
//!   mutable snapshot written ─► ten thousand blocks since the last immutable one?
//!                                  └─► a thread of its own reads the state's column and writes chunks, half of the time resting
//!                            ─► history pruned by what was promised
//!
//!   chunks ─► hash, size, order of keys ─► trees ─► root of every entity against its frame
//!                                                 ─► every frame against its board's certificate, or the genesis
//!                                                 ─► root over all against the block
//! ```

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use rayon::prelude::*;
use xln_primitives::{EntityId, Network};
use xln_runtime::{Entity, Genesis, RestoreError, Restoring, Server};
use xln_store::{ArchiveError, ArchiveProgress, ArchivedRow, ChunkInfo, ChunkReader, Manifest, Store};

use crate::recovery::runtime_row;

/// An immutable snapshot is made every so many blocks.
pub const ARCHIVE_INTERVAL: u64 = 10_000;

/// Why a snapshot is not what it says.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Its form.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// It belongs to another network.
    #[error("the snapshot belongs to network {found}, not to {expected}")]
    OtherNetwork {
        /// Its network.
        found: Network,
        /// That of the chain spec.
        expected: Network,
    },
    /// Its rows are no state of its block.
    #[error("the snapshot of block {block} cannot be started from: {reason}")]
    Restore {
        /// Its block.
        block: u64,
        /// What is wrong.
        reason: Box<RestoreError>,
    },
    /// An entity's frame that its board did not certify.
    #[error("frame {height} of entity {entity}: {reason}")]
    Uncertified {
        /// Whose frame.
        entity: EntityId,
        /// Its height.
        height: u64,
        /// What is wrong.
        reason: String,
    },
}

/// Reads a snapshot, chunk by chunk, and checks all of it: see the module. Returns the server as it was.
///
/// `next` gives the compressed bytes of a chunk by its place; `told` hears of the rows so far.
pub fn load(
    genesis: &Genesis,
    manifest: &Manifest,
    mut next: impl FnMut(usize, &ChunkInfo) -> Result<Vec<u8>, ArchiveError>,
    mut told: impl FnMut(u64),
) -> Result<Server, SnapshotError> {
    if manifest.network != genesis.network {
        return Err(SnapshotError::OtherNetwork { found: manifest.network, expected: genesis.network });
    }
    let block = manifest.block.number;
    let failed = |reason| SnapshotError::Restore { block, reason: Box::new(reason) };
    let (mut restoring, mut reader) = (Restoring::new(), ChunkReader::new());
    for (index, info) in manifest.chunks.iter().enumerate() {
        let bytes = next(index, info)?;
        reader.read(info, &bytes, |key, value| {
            match ArchivedRow::parse(key, value).map_err(ArchiveError::from)? {
                ArchivedRow::State(row) => restoring.push(&runtime_row(row)).map_err(failed),
                ArchivedRow::Signed { .. } | ArchivedRow::Beside => Ok(()),
            }
        })?;
        told(restoring.rows());
    }
    restoring.finish(genesis, manifest.block.clone(), manifest.slice).map_err(failed)
}

/// Checks that every entity's latest frame was certified by its board, or stands in the genesis.
pub fn check_certificates(genesis: &Genesis, server: &Server) -> Result<(), SnapshotError> {
    let founded = server.entities().any(|entity| entity.head().is_none_or(|head| head.certificate.is_none()));
    let founders = founded
        .then(|| genesis.build())
        .transpose()
        .map_err(|error| SnapshotError::Restore { block: 0, reason: Box::new(error.into()) })?;
    let entities: Vec<&Entity> = server.entities().collect();
    entities.into_par_iter().try_for_each(|entity| {
        let Some(head) = entity.head() else { return Ok(()) };
        let checked = match &head.certificate {
            Some(certificate) => {
                // In this very frame another board may have followed on it.
                let board = pallet_entities::board_at(&entity.state(), head.header.height);
                board.ok().flatten().ok_or_else(|| "its board is not known".to_owned()).and_then(|board| {
                    board.validate().map_err(|error| error.to_string())?;
                    let verified = certificate.verify(genesis.network, &board, &head.header);
                    verified.map_err(|error| error.to_string())
                })
            }
            None => {
                let founder = founders.as_ref().and_then(|server| server.entity(&entity.id()));
                let same = founder.and_then(Entity::head) == Some(head);
                same.then_some(()).ok_or_else(|| "it has no certificate and is not the genesis'".to_owned())
            }
        };
        let (entity, height) = (entity.id(), head.header.height);
        checked.map_err(|reason| SnapshotError::Uncertified { entity, height, reason })
    })
}

/// Makes immutable snapshots beside the author's work, one at a time.
pub(crate) struct Archiver {
    store: Store,
    stop: Arc<AtomicBool>,
    /// Block of the last one.
    last: u64,
    making: Option<JoinHandle<Option<u64>>>,
}

impl Archiver {
    /// Goes on after the last one in the database.
    pub(crate) fn new(store: Store) -> Self {
        let last = store.archives().ok().and_then(|archives| Some(archives.last()?.block.number));
        Self { store, stop: Arc::default(), last: last.unwrap_or(0), making: None }
    }

    /// The mutable snapshot stands at `block`: begins an immutable one if it is due and none is being made.
    pub(crate) fn reached(&mut self, block: u64) {
        if self.making.as_ref().is_some_and(|making| !making.is_finished()) {
            return;
        }
        self.conclude();
        if block / ARCHIVE_INTERVAL <= self.last / ARCHIVE_INTERVAL {
            return;
        }
        let (store, stop) = (self.store.clone(), Arc::clone(&self.stop));
        let making = thread::Builder::new().name("archive".into()).spawn(move || make(&store, &stop));
        match making {
            Ok(making) => self.making = Some(making),
            Err(error) => tracing::error!(%error, "no immutable snapshot: there is no thread for it"),
        }
    }

    fn conclude(&mut self) {
        if let Some(Ok(Some(block))) = self.making.take().map(JoinHandle::join) {
            self.last = block;
        }
    }
}

impl Drop for Archiver {
    /// What is not finished is made after the next start.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.conclude();
    }
}

/// Makes a snapshot and rests as long as it works, so that others have the disk and the processor. A failure is no reason to
/// stop authoring: the next mutable snapshot tries again.
fn make(store: &Store, stop: &AtomicBool) -> Option<u64> {
    let (began, mut working) = (Instant::now(), Instant::now());
    let pace = |_: ArchiveProgress| {
        if stop.load(Ordering::Acquire) {
            return ControlFlow::Break(());
        }
        thread::sleep(working.elapsed());
        working = Instant::now();
        ControlFlow::Continue(())
    };
    let made = store.state().map_err(ArchiveError::from).and_then(|state| match state {
        Some(state) => state.archive(pace).map(Some),
        None => Ok(None),
    });
    match made {
        Ok(manifest) => {
            let manifest = manifest?;
            tracing::info!(
                block = manifest.block.number,
                hash = %manifest.hash(),
                rows = manifest.rows(),
                bytes = manifest.compressed(),
                took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                "immutable snapshot"
            );
            Some(manifest.block.number)
        }
        Err(ArchiveError::Stopped) => None,
        Err(error) => {
            tracing::error!(%error, "no immutable snapshot was made");
            None
        }
    }
}
