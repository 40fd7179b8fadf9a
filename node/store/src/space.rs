//! Space: what is free, what the database takes.

use std::{fs, path::Path, sync::atomic::Ordering};

use rocksdb::properties;

use crate::{Column, Store, StoreError};

/// What one column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnStats {
    /// The column.
    pub column: Column,
    /// Rows, estimated.
    pub rows: u64,
    /// Size of its files in bytes.
    pub bytes: u64,
}

/// What the database holds and did since it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// By column.
    pub columns: Vec<ColumnStats>,
    /// Commits since it was opened.
    pub commits: u64,
    /// Bytes that they wrote to the log.
    pub written: u64,
}

/// Bytes that an ordinary user may still write to the file system of `path`.
pub fn free_space(path: impl AsRef<Path>) -> Result<u64, StoreError> {
    let path = path.as_ref();
    let space = rustix::fs::statvfs(path).map_err(|error| StoreError::file(path)(error.into()))?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Fails if the file system of `path` has less than `needed` bytes free.
pub fn check_free_space(path: impl AsRef<Path>, needed: u64) -> Result<(), StoreError> {
    let path = path.as_ref();
    let free = free_space(path)?;
    if free < needed {
        return Err(StoreError::DiskFull { path: path.to_path_buf(), free, needed });
    }
    Ok(())
}

impl Store {
    /// Fails if the file system of the database has less than `needed` bytes free.
    pub fn check_free_space(&self, needed: u64) -> Result<(), StoreError> {
        check_free_space(self.path(), needed)
    }

    /// Bytes that all files of the database take, the write-ahead log included.
    pub fn size(&self) -> Result<u64, StoreError> {
        let path = self.path();
        let mut size = 0_u64;
        for entry in fs::read_dir(path).map_err(StoreError::file(path))? {
            let entry = entry.map_err(StoreError::file(path))?;
            match entry.metadata() {
                Ok(metadata) => size = size.saturating_add(metadata.len()),
                // Compaction removed it in the meantime.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(StoreError::File { path: entry.path(), source }),
            }
        }
        Ok(size)
    }

    /// What a column holds.
    pub(crate) fn stats_of(&self, column: Column) -> Result<ColumnStats, StoreError> {
        let number = |name| {
            self.inner
                .db
                .property_int_value_cf(self.column(column), name)
                .map(Option::unwrap_or_default)
                .map_err(StoreError::database("read the statistics"))
        };
        let rows = number(properties::ESTIMATE_NUM_KEYS)?;
        Ok(ColumnStats { column, rows, bytes: number(properties::TOTAL_SST_FILES_SIZE)? })
    }

    /// What the database holds and did.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let columns = Column::ALL.into_iter().map(|column| self.stats_of(column));
        Ok(Stats {
            columns: columns.collect::<Result<_, StoreError>>()?,
            commits: self.inner.commits.load(Ordering::Relaxed),
            written: self.inner.written.load(Ordering::Relaxed),
        })
    }
}
