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

use crate::{
    Batch, Column, Options, StoreError, damage,
    high_water::{HighWater, Mark},
    key,
    snapshot::clear_unfinished,
};

/// Version of the layout in the crate's documentation.
const SCHEMA: u32 = 5;

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
    high_water: HighWater,
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
        } else {
            refuse_remains(&path)?;
        }
        clear_unfinished(&path)?;
        let db = DB::open_cf_descriptors(&options.database(), &path, options.columns())
            .map_err(damage::opening(&path))?;
        identify(&db, &path, network)?;
        let high_water = HighWater::open(&path)?;
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
            high_water,
            _lock: lock,
        };
        let store = Self { inner: Arc::new(inner) };
        store.check_high_water()?;
        Ok(store)
    }

    /// Refuses a database that holds less than was durable before.
    fn check_high_water(&self) -> Result<(), StoreError> {
        let Mark { slice, block } = self.inner.high_water.mark();
        let marker = self.snapshot_marker()?;
        // Pruning may have removed everything up to the snapshot.
        let (snapshot_slice, snapshot_block) =
            marker.map_or((0, 0), |marker| (marker.slice, marker.block.number));
        let found_slice = self.latest_slice()?.unwrap_or_default().max(snapshot_slice);
        let found_block = self.latest_block()?.map_or(0, |block| block.number).max(snapshot_block);
        if found_slice < slice || found_block < block {
            let path = self.inner.path.clone();
            return Err(StoreError::Shortened { path, found_slice, slice, found_block, block });
        }
        Ok(())
    }

    /// Writes a batch: all of it is on disk when this returns. An empty batch writes nothing.
    ///
    /// After a failure what reached the disk is unknown, and every later commit fails with
    /// [`StoreError::Poisoned`]. A batch that is refused for its content does not poison.
    pub fn commit(&self, batch: Batch) -> Result<Written, StoreError> {
        let mut writes = WriteBatch::default();
        let (mut slice, mut block) = (None, None);
        for row in batch.into_rows() {
            match row.column {
                Column::Slices => slice = slice.max(key::parse_number(row.column, &row.key).ok()),
                Column::BlockNumbers => block = block.max(key::parse_number(row.column, &row.key).ok()),
                _ => {}
            }
            let column = self.column(row.column);
            match row.sealed {
                Some(sealed) => writes.put_cf(column, &row.key, sealed),
                None => writes.delete_cf(column, &row.key),
            }
        }
        let written = self.write(writes, "write a batch")?;
        if let Err(error) = self.inner.high_water.raise(slice, block) {
            // The batch is durable, but the disk fails.
            self.inner.poison.get_or_init(|| error.to_string());
            return Err(error);
        }
        Ok(written)
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

/// Refuses a folder whose database has lost the file that everything in it starts from: a new database there would
/// overwrite what is left.
fn refuse_remains(path: &Path) -> Result<(), StoreError> {
    for entry in std::fs::read_dir(path).map_err(StoreError::file(path))? {
        let entry = entry.map_err(StoreError::file(path))?;
        let file = entry.path();
        if file.extension().is_some_and(|extension| extension == "sst" || extension == "log")
            && entry.metadata().map_err(StoreError::file(&file))?.len() > 0
        {
            return Err(StoreError::NoCurrent { path: path.to_path_buf(), file });
        }
    }
    Ok(())
}

/// Refuses columns of a newer version, which RocksDB would only report by a text.
fn check_columns(path: &Path) -> Result<(), StoreError> {
    let names = DB::list_cf(&rocksdb::Options::default(), path).map_err(damage::opening(path))?;
    let known = |name: &String| name == "default" || Column::ALL.iter().any(|column| column.name() == name);
    let Some(column) = names.into_iter().find(|name| !known(name)) else { return Ok(()) };
    // An earlier layout may have had it.
    let db =
        DB::open_for_read_only(&rocksdb::Options::default(), path, false).map_err(damage::opening(path))?;
    match db.get(IDENTITY_KEY).map_err(StoreError::database("read the identity"))? {
        Some(bytes) => check_schema(path, &bytes)?,
        None => return Err(StoreError::NoIdentity { path: path.to_path_buf() }),
    }
    Err(StoreError::UnknownColumn { path: path.to_path_buf(), column })
}

/// Refuses the identity of another layout.
fn check_schema(path: &Path, mut identity: &[u8]) -> Result<(), StoreError> {
    // The version comes first, whatever a later layout adds behind it.
    match u32::decode(&mut identity) {
        Ok(SCHEMA) => Ok(()),
        Ok(found) => Err(StoreError::Schema { path: path.to_path_buf(), found, expected: SCHEMA }),
        Err(_) => Err(StoreError::NoIdentity { path: path.to_path_buf() }),
    }
}

/// Checks whose database it is; a new one is claimed for `network`.
fn identify(db: &DB, path: &Path, network: Network) -> Result<(), StoreError> {
    let Some(bytes) = db.get(IDENTITY_KEY).map_err(StoreError::database("read the identity"))? else {
        if db.latest_sequence_number() != 0 {
            return Err(StoreError::NoIdentity { path: path.to_path_buf() });
        }
        let identity = Identity { schema: SCHEMA, network };
        return db
            .put_opt(IDENTITY_KEY, identity.encode(), &synced())
            .map_err(StoreError::database("write the identity"));
    };
    check_schema(path, &bytes)?;
    let path = path.to_path_buf();
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
        let later = (SCHEMA + 1, Network::ZERO, 6_u64).encode();
        let refusal = reopened(|db| db.put(IDENTITY_KEY, later).unwrap());
        assert!(matches!(refusal, StoreError::Schema { found: 6, expected: SCHEMA, .. }));
    }

    #[test]
    fn a_database_that_lost_its_identity_is_not_claimed_anew() {
        let lost = reopened(|db| db.delete(IDENTITY_KEY).unwrap());
        assert!(matches!(lost, StoreError::NoIdentity { .. }));
        let damaged = reopened(|db| db.put(IDENTITY_KEY, [5, 0, 0, 0, 9]).unwrap());
        assert!(matches!(damaged, StoreError::NoIdentity { .. }));
    }

    #[test]
    fn a_database_without_its_first_file_is_not_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path(), Network::ZERO, &Options::default());
        drop(open().unwrap());
        std::fs::remove_file(folder.path().join("CURRENT")).unwrap();
        let refusal = open().unwrap_err();
        assert!(matches!(refusal, StoreError::NoCurrent { .. }), "{refusal}");
    }

    #[test]
    fn a_log_that_lost_its_end_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path(), Network::ZERO, &Options::default());
        let store = open().unwrap();
        for number in 1..=9 {
            let mut batch = Batch::new();
            batch.put_slice(number, &[7; 100]);
            store.commit(batch).unwrap();
        }
        drop(store);
        let log = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let log = log.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
        let log = log.max_by_key(|path| std::fs::metadata(path).unwrap().len()).unwrap();
        let length = std::fs::metadata(&log).unwrap().len();
        std::fs::File::options().write(true).open(&log).unwrap().set_len(length - 150).unwrap();
        let refusal = open().unwrap_err();
        assert!(matches!(refusal, StoreError::Shortened { found_slice: 7, slice: 9, .. }), "{refusal}");
    }

    /// Opens a database that somebody has given another column.
    fn with_column(name: &str, change: impl FnOnce(&DB)) -> StoreError {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path(), Network::ZERO, &Options::default()).unwrap());
        let names = DB::list_cf(&rocksdb::Options::default(), folder.path()).unwrap();
        let mut db = DB::open_cf(&rocksdb::Options::default(), folder.path(), names).unwrap();
        db.create_cf(name, &rocksdb::Options::default()).unwrap();
        change(&db);
        drop(db);
        Store::open(folder.path(), Network::ZERO, &Options::default()).unwrap_err()
    }

    #[test]
    fn a_column_of_a_later_version_is_refused_by_name() {
        let refusal = with_column("holograms", |_| {});
        assert!(matches!(refusal, StoreError::UnknownColumn { column, .. } if column == "holograms"));
    }

    #[test]
    fn an_earlier_layout_with_a_column_that_is_no_more_is_refused_by_its_version() {
        let earlier = Identity { schema: 3, network: Network::ZERO }.encode();
        let refusal = with_column("events", |db| db.put(IDENTITY_KEY, earlier).unwrap());
        assert!(matches!(refusal, StoreError::Schema { found: 3, expected: SCHEMA, .. }));
        let text = refusal.to_string();
        assert!(text.contains("layout 3") && text.contains("snapshot export"), "{text}");
    }
}
