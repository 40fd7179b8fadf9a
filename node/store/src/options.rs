//! How much memory and how many threads the database may take.

use rocksdb::{BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode};

use crate::Column;

/// Limits of the database. The defaults suit a server with a few gigabytes of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether to make a database where there is none.
    pub create: bool,
    /// Cache of blocks read, in bytes. The active state lives in the node's memory, so this may be small.
    pub cache_size: usize,
    /// Writes of all columns kept in memory before they are sorted into files, in bytes.
    pub write_buffer_size: usize,
    /// Write-ahead log that may have to be replayed at start-up, in bytes.
    pub log_size: u64,
    /// Files kept open.
    pub max_open_files: i32,
    /// Threads for flushing and compaction.
    pub background_jobs: i32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            create: true,
            cache_size: 64 << 20,
            write_buffer_size: 256 << 20,
            log_size: 512 << 20,
            max_open_files: 512,
            background_jobs: 2,
        }
    }
}

impl Options {
    pub(crate) fn database(&self) -> rocksdb::Options {
        let mut options = rocksdb::Options::default();
        options.create_if_missing(self.create);
        options.create_missing_column_families(true);
        options.set_paranoid_checks(true);
        // Every acknowledged write was synced, so only an incomplete last record may be dropped.
        options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
        options.set_wal_compression_type(DBCompressionType::None);
        options.set_manual_wal_flush(false);
        options.set_max_total_wal_size(self.log_size);
        options.set_db_write_buffer_size(self.write_buffer_size);
        options.set_max_open_files(self.max_open_files);
        options.set_max_background_jobs(self.background_jobs);
        // Files are written out as they grow, so that a flush does not stall the fsync of a commit.
        options.set_bytes_per_sync(1 << 20);
        options.set_skip_stats_update_on_db_open(true);
        options.set_stats_dump_period_sec(0);
        options.set_max_log_file_size(16 << 20);
        options.set_keep_log_file_num(4);
        options
    }

    pub(crate) fn columns(&self) -> Vec<ColumnFamilyDescriptor> {
        let cache = Cache::new_lru_cache(self.cache_size);
        let mut columns: Vec<_> = Column::ALL
            .into_iter()
            .map(|column| ColumnFamilyDescriptor::new(column.name(), self.column(column, &cache)))
            .collect();
        // The identity of the database lives in the column that RocksDB always has.
        columns.push(ColumnFamilyDescriptor::new("default", rocksdb::Options::default()));
        columns
    }

    /// How sorted files of each column are written, in the order of [`Column::ALL`].
    pub(crate) fn files(&self) -> Vec<rocksdb::Options> {
        // Writing a file reads none.
        let cache = Cache::new_lru_cache(0);
        Column::ALL.into_iter().map(|column| self.column(column, &cache)).collect()
    }

    fn column(&self, column: Column, cache: &Cache) -> rocksdb::Options {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(cache);
        if column.looked_up() {
            table.set_bloom_filter(10.0, false);
        }
        let mut options = rocksdb::Options::default();
        options.set_block_based_table_factory(&table);
        options.set_compression_type(DBCompressionType::Lz4);
        options.set_write_buffer_size(self.write_buffer_size / 4);
        if column == Column::State {
            // Only snapshots write here, as files. However far compaction is behind, commits must not wait for it.
            options.set_level_zero_slowdown_writes_trigger(i32::MAX);
            options.set_level_zero_stop_writes_trigger(i32::MAX);
            options.set_soft_pending_compaction_bytes_limit(0);
            options.set_hard_pending_compaction_bytes_limit(0);
        }
        options
    }
}
