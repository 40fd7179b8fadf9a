//! Opening, identity and the commit point.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use codec::{Decode, DecodeWithMemTracking, Encode};
use rocksdb::{ColumnFamily, DB, WriteBatch, WriteOptions};
use xln_primitives::{Network, decode_exact};

use crate::{Batch, Column, Options, StoreError, snapshot::clear_unfinished};

/// Version of the layout in the crate's documentation.
const SCHEMA: u32 = 2;

const IDENTITY_KEY: &[u8] = b"identity";
const LOCK_FILE: &str = "store.lock";

/// Whose database it is.
#[derive(Encode, Decode, DecodeWithMemTracking)]
struct Identity {
    schema: u32,
    network: Network,
}

/// An open database. Clones are handles to the same one, which closes with the last of them.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: DB,
    pub(crate) path: PathBuf,
    poison: OnceLock<String>,
    pub(crate) commits: AtomicU64,
    pub(crate) written: AtomicU64,
    /// Whether a snapshot is being written.
    pub(crate) snapshot_open: AtomicBool,
    /// Whether an immutable snapshot is being made or removed.
    pub(crate) archive_open: AtomicBool,
    network: Network,
    /// How sorted files of each column are written, by the column's number.
    files: Vec<rocksdb::Options>,
    // Declared after the database: the lock outlives it.
    _lock: File,
}

/// What a commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Bytes written to the log.
    pub bytes: u64,
    /// Time that the write and its fsync took.
    pub duration: Duration,
}

impl Store {
    /// Opens the database in the folder `path`, or makes one if `options` say so, for one network.
    pub fn open(path: impl AsRef<Path>, network: Network, options: &Options) -> Result<Self, StoreError> {
        let path = path.as_ref().to_path_buf();
        let exists = path.join("CURRENT").exists();
        if !exists && !options.create {
            return Err(StoreError::Missing { path });
        }
        std::fs::create_dir_all(&path).map_err(StoreError::file(&path))?;
        let lock = lock(&path)?;
        if exists {
            check_columns(&path)?;
        }
        clear_unfinished(&path)?;
        let db = DB::open_cf_descriptors(&options.database(), &path, options.columns())
            .map_err(StoreError::database("open the database"))?;
        identify(&db, &path, network)?;
        let inner = Inner {
            db,
            path,
            poison: OnceLock::new(),
            commits: AtomicU64::new(0),
            written: AtomicU64::new(0),
            snapshot_open: AtomicBool::new(false),
            archive_open: AtomicBool::new(false),
            network,
            files: options.files(),
            _lock: lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Writes a batch: all of it is on disk when this returns. An empty batch writes nothing.
    ///
    /// After a failure what reached the disk is unknown, and every later commit fails with
    /// [`StoreError::Poisoned`]. A batch that is refused for its content does not poison.
    pub fn commit(&self, batch: Batch) -> Result<Written, StoreError> {
        let mut writes = WriteBatch::default();
        for row in batch.into_rows() {
            let column = self.column(row.column);
            match row.sealed {
                Some(sealed) => writes.put_cf(column, &row.key, sealed),
                None => writes.delete_cf(column, &row.key),
            }
        }
        self.write(writes, "write a batch")
    }

    /// One atomic, synced write.
    pub(crate) fn write(&self, writes: WriteBatch, action: &'static str) -> Result<Written, StoreError> {
        if writes.is_empty() {
            return match self.poisoned() {
                Some(reason) => Err(StoreError::Poisoned { reason: reason.to_owned() }),
                None => Ok(Written { bytes: 0, duration: Duration::ZERO }),
            };
        }
        let bytes = u64::try_from(writes.size_in_bytes()).unwrap_or(u64::MAX);
        let start = Instant::now();
        self.poisoning(action, |db| db.write_opt(writes, &synced()))?;
        self.inner.commits.fetch_add(1, Ordering::Relaxed);
        self.inner.written.fetch_add(bytes, Ordering::Relaxed);
        Ok(Written { bytes, duration: start.elapsed() })
    }

    /// The one place that changes the database: nothing is changed after a failure.
    pub(crate) fn poisoning(
        &self,
        action: &'static str,
        change: impl FnOnce(&DB) -> Result<(), rocksdb::Error>,
    ) -> Result<(), StoreError> {
        if let Some(reason) = self.inner.poison.get() {
            return Err(StoreError::Poisoned { reason: reason.clone() });
        }
        change(&self.inner.db).map_err(|source| {
            let reason = self.inner.poison.get_or_init(|| source.to_string());
            tracing::error!(%reason, path = %self.inner.path.display(), "the store refuses all further writes");
            StoreError::Database { action, source }
        })
    }

    /// How sorted files of a column are written.
    pub(crate) fn file_options(&self, column: Column) -> &rocksdb::Options {
        #[expect(clippy::indexing_slicing, reason = "there are as many as columns, numbered from 0 on")]
        &self.inner.files[column as usize]
    }

    /// Why the store refuses to write, if it does.
    #[must_use]
    pub fn poisoned(&self) -> Option<&str> {
        self.inner.poison.get().map(String::as_str)
    }

    /// The network that it belongs to.
    #[must_use]
    pub fn network(&self) -> Network {
        self.inner.network
    }

    /// Folder of the database.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    pub(crate) fn column(&self, column: Column) -> &ColumnFamily {
        #[expect(clippy::expect_used, reason = "`open` opens every column of `Column::ALL` or fails")]
        self.inner.db.cf_handle(column.name()).expect("every column was opened")
    }
}

impl core::fmt::Debug for Store {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Store").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}

/// RocksDB has a lock of its own; ours says in a type, not in a text, that somebody else is there.
fn lock(path: &Path) -> Result<File, StoreError> {
    let name = path.join(LOCK_FILE);
    let file = File::create(&name).map_err(StoreError::file(&name))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(StoreError::File { path: name, source }),
    }
}

/// Refuses columns of a newer version, which RocksDB would only report by a text.
fn check_columns(path: &Path) -> Result<(), StoreError> {
    let names = DB::list_cf(&rocksdb::Options::default(), path)
        .map_err(StoreError::database("list the columns of the database"))?;
    let known = |name: &String| name == "default" || Column::ALL.iter().any(|column| column.name() == name);
    match names.into_iter().find(|name| !known(name)) {
        Some(column) => Err(StoreError::UnknownColumn { path: path.to_path_buf(), column }),
        None => Ok(()),
    }
}

/// Checks whose database it is; a new one is claimed for `network`.
fn identify(db: &DB, path: &Path, network: Network) -> Result<(), StoreError> {
    let path = path.to_path_buf();
    let Some(bytes) = db.get(IDENTITY_KEY).map_err(StoreError::database("read the identity"))? else {
        if db.latest_sequence_number() != 0 {
            return Err(StoreError::NoIdentity { path });
        }
        let identity = Identity { schema: SCHEMA, network };
        return db
            .put_opt(IDENTITY_KEY, identity.encode(), &synced())
            .map_err(StoreError::database("write the identity"));
    };
    // The version comes first, whatever a later layout adds behind it.
    let found =
        u32::decode(&mut bytes.as_slice()).map_err(|_| StoreError::NoIdentity { path: path.clone() })?;
    if found != SCHEMA {
        return Err(StoreError::Schema { path, found, expected: SCHEMA });
    }
    let identity: Identity =
        decode_exact(&bytes, bytes.len()).map_err(|_| StoreError::NoIdentity { path: path.clone() })?;
    if identity.network != network {
        return Err(StoreError::OtherNetwork { path, found: identity.network, expected: network });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reopened(change: impl FnOnce(&DB)) -> StoreError {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Network::ZERO, &Options::default()).unwrap();
        change(&store.inner.db);
        drop(store);
        Store::open(folder.path(), Network::ZERO, &Options::default()).unwrap_err()
    }

    #[test]
    fn another_layout_is_refused_by_its_version() {
        // A later layout may say more about itself than this version can read.
        let later = (SCHEMA + 1, Network::ZERO, 5_u64).encode();
        let refusal = reopened(|db| db.put(IDENTITY_KEY, later).unwrap());
        assert!(matches!(refusal, StoreError::Schema { found: 3, expected: SCHEMA, .. }));
    }

    #[test]
    fn a_database_that_lost_its_identity_is_not_claimed_anew() {
        let lost = reopened(|db| db.delete(IDENTITY_KEY).unwrap());
        assert!(matches!(lost, StoreError::NoIdentity { .. }));
        let damaged = reopened(|db| db.put(IDENTITY_KEY, [2, 0, 0, 0, 9]).unwrap());
        assert!(matches!(damaged, StoreError::NoIdentity { .. }));
    }

    #[test]
    fn a_column_of_a_later_version_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path(), Network::ZERO, &Options::default()).unwrap());
        let names = DB::list_cf(&rocksdb::Options::default(), folder.path()).unwrap();
        let mut db = DB::open_cf(&rocksdb::Options::default(), folder.path(), names).unwrap();
        db.create_cf("holograms", &rocksdb::Options::default()).unwrap();
        drop(db);
        let refusal = Store::open(folder.path(), Network::ZERO, &Options::default()).unwrap_err();
        assert!(matches!(refusal, StoreError::UnknownColumn { column, .. } if column == "holograms"));
    }
}
