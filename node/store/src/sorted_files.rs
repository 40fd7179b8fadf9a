//! Rows of one column in sorted files that RocksDB takes over as they are.
//!
//! The rows are written once, beside the write-ahead log and the memory tables, and become visible all together when the files
//! are ingested. Until then they are ordinary files in a folder of their own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rocksdb::{IngestExternalFileOptions, SstFileWriter};

use crate::{Column, Store, StoreError, checksum::seal_into};

/// A file is closed when it has grown to this many bytes.
const FILE_SIZE: u64 = 64 << 20;

/// Files of one column that are being written.
pub(crate) struct SortedFiles<'a> {
    store: &'a Store,
    column: Column,
    folder: Arc<Path>,
    open: Option<SstFileWriter<'a>>,
    files: Vec<PathBuf>,
    last: Vec<u8>,
    /// Where a value gets its checksum.
    sealed: Vec<u8>,
    rows: u64,
    bytes: u64,
}

impl<'a> SortedFiles<'a> {
    /// No file yet; they will lie in `folder`, on the same file system as the database.
    pub(crate) fn new(store: &'a Store, column: Column, folder: Arc<Path>) -> Self {
        Self {
            store,
            column,
            folder,
            open: None,
            files: Vec::new(),
            last: Vec::new(),
            sealed: Vec::new(),
            rows: 0,
            bytes: 0,
        }
    }

    /// Writes a row, or with `None` its removal. Keys come in strictly ascending order.
    pub(crate) fn push(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), StoreError> {
        if !crate::key::is_well_formed(self.column, key) {
            return Err(StoreError::malformed(self.column, key));
        }
        if self.last.as_slice() >= key {
            return Err(StoreError::Unsorted { column: self.column, key: key.to_vec() });
        }
        self.last.clear();
        self.last.extend_from_slice(key);
        let failed = StoreError::database("write a sorted file");
        let mut file = match self.open.take() {
            Some(file) => file,
            None => self.begin()?,
        };
        match value {
            Some(value) => {
                seal_into(&mut self.sealed, key, value);
                file.put(key, &self.sealed).map_err(failed)?;
            }
            None => file.delete(key).map_err(failed)?,
        }
        self.rows = self.rows.saturating_add(1);
        if file.file_size() >= FILE_SIZE {
            self.close(file)
        } else {
            self.open = Some(file);
            Ok(())
        }
    }

    fn begin(&mut self) -> Result<SstFileWriter<'a>, StoreError> {
        let path = self.folder.join(format!("{}-{}.sst", self.column, self.files.len()));
        let file = SstFileWriter::create(self.store.file_options(self.column));
        file.open(&path).map_err(StoreError::database("make a sorted file"))?;
        self.files.push(path);
        Ok(file)
    }

    /// The file is on disk when this returns: RocksDB syncs it.
    fn close(&mut self, mut file: SstFileWriter<'a>) -> Result<(), StoreError> {
        file.finish().map_err(StoreError::database("finish a sorted file"))?;
        self.bytes = self.bytes.saturating_add(file.file_size());
        Ok(())
    }

    /// Makes all rows part of the column, at once and durably. Nothing of them is, if it fails.
    pub(crate) fn ingest(&mut self) -> Result<(), StoreError> {
        if let Some(file) = self.open.take() {
            self.close(file)?;
        }
        let files = core::mem::take(&mut self.files);
        if files.is_empty() {
            return Ok(());
        }
        let mut options = IngestExternalFileOptions::default();
        options.set_move_files(true);
        let column = self.store.column(self.column);
        self.store
            .poisoning("ingest sorted files", |db| db.ingest_external_file_cf_opts(column, &options, files))
    }

    /// Rows and removals so far.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of the closed files.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }
}
