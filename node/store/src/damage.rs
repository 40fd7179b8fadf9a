//! Where a database is damaged that RocksDB does not open.
//!
//! RocksDB's error does not always name the file. Its own log in the folder does: it tells what of which write-ahead log was
//! dropped, and why.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use rocksdb::ErrorKind;

use crate::StoreError;

/// Most bytes of RocksDB's log that are looked through. It starts anew with every attempt to open.
const LOG_BYTES_MAX: u64 = 4 << 20;

/// The error of a database that does not open.
pub(crate) fn opening(path: &Path) -> impl Fn(rocksdb::Error) -> StoreError + '_ {
    move |source| {
        let damage = (source.kind() == ErrorKind::Corruption).then(|| {
            let place = dropped(path).map(|place| format!("; {place}")).unwrap_or_default();
            format!("{place}; restore a backup")
        });
        StoreError::Open { path: path.to_path_buf(), source, damage }
    }
}

/// What RocksDB dropped first of a write-ahead log: `/path/000031.log: dropping 32768 bytes; Corruption: …`.
fn dropped(path: &Path) -> Option<String> {
    let log = File::open(path.join("LOG")).ok()?;
    let mut lines = BufReader::new(log.take(LOG_BYTES_MAX)).lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains(".log: dropping "))?;
    // Time, thread and place in the source come first.
    line.rsplit_once("] ").map(|(_, complaint)| complaint.to_owned())
}
