//! Making a snapshot.

use std::{ops::ControlFlow, sync::atomic::Ordering};

use super::{
    ArchiveError, ChunkFault, Manifest,
    chunk::{COLUMNS, ChunkWriter},
    files::ChunkFolder,
};
use crate::{Batch, StateView, Store};

/// How far making a snapshot is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ArchiveProgress {
    /// Rows so far.
    pub rows: u64,
    /// Bytes of them.
    pub size: u64,
    /// Bytes of the chunks.
    pub compressed: u64,
    /// Chunks that were there already, from a snapshot before.
    pub shared: u64,
}

/// The right to make or remove snapshots, which one at a time has.
pub(super) struct Claim<'a>(&'a Store);

impl<'a> Claim<'a> {
    pub(super) fn new(store: &'a Store) -> Result<Self, ArchiveError> {
        if store.inner.archive_open.swap(true, Ordering::Acquire) {
            return Err(ArchiveError::Busy);
        }
        Ok(Self(store))
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.inner.archive_open.store(false, Ordering::Release);
    }
}

impl StateView<'_> {
    /// Makes an immutable snapshot of what this view shows, and returns its manifest, which is durable then.
    ///
    /// `pace` is called after each chunk; it may take its time, so that others have the disk and the processor, and say
    /// that the work is to stop. What was written until then is removed by the next snapshot that is removed or made.
    pub fn archive(
        &self,
        mut pace: impl FnMut(ArchiveProgress) -> ControlFlow<()>,
    ) -> Result<Manifest, ArchiveError> {
        let store = self.store();
        let _claim = Claim::new(store)?;
        let folder = ChunkFolder::of(store);
        folder.create()?;
        let (mut chunks, mut progress, mut writer) =
            (Vec::new(), ArchiveProgress::default(), ChunkWriter::default());
        let mut end_chunk = |writer: &mut ChunkWriter, progress: &mut ArchiveProgress| {
            let failed = |error: std::io::Error| ArchiveError::Chunk {
                index: chunks.len(),
                offset: progress.compressed,
                fault: ChunkFault::Compression(error.to_string()),
            };
            let Some(chunk) = writer.finish().map_err(failed)? else { return Ok(()) };
            let new = folder.write(&chunk)?;
            progress.rows = progress.rows.saturating_add(u64::from(chunk.info.rows));
            progress.size = progress.size.saturating_add(u64::from(chunk.info.size));
            progress.compressed = progress.compressed.saturating_add(u64::from(chunk.info.compressed));
            progress.shared = progress.shared.saturating_add(u64::from(!new));
            chunks.push(chunk.info);
            match pace(*progress) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(ArchiveError::Stopped),
            }
        };
        for column in COLUMNS {
            for batch in self.column_in_order(column) {
                for (key, value) in batch?.pairs() {
                    if writer.ends(value.len()) {
                        end_chunk(&mut writer, &mut progress)?;
                    }
                    writer.push(key, value);
                }
            }
            end_chunk(&mut writer, &mut progress)?;
        }
        folder.sync()?;
        let manifest = Manifest::new(store.network(), self.marker(), chunks);
        manifest.check_size()?;
        let mut batch = Batch::new();
        batch.put_manifest(&manifest);
        store.commit(batch)?;
        Ok(manifest)
    }
}
