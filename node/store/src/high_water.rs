//! How far the log had come, kept apart from the log.
//!
//! A write-ahead log that lost its end looks like one that was never longer: RocksDB opens it, and a node would go on from a
//! state that it had left behind, certifying heights a second time. So the numbers of the last durable slice and block are
//! also kept in a file of their own:
//!
//! ```text
//!   commit ─► write-ahead log, fsync ─► high-water mark, no fsync ─► outputs leave
//!
//!   slot 0: count ‖ slice ‖ block ‖ checksum        written in turn, so that a write which was cut off
//!   slot 1: count ‖ slice ‖ block ‖ checksum        leaves the mark before it
//! ```
//!
//! Without an fsync it costs a microsecond. It survives the end of the process, and what the operating system had not written
//! when power failed is older than the log, never newer: a mark above what the database holds proves a loss.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::StoreError;

const FILE: &str = "high-water";
/// Three numbers and their checksum.
const SLOT: usize = 4 * 8;

/// The largest numbers that are durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Number of the last slice.
    pub(crate) slice: u64,
    /// Number of the last block.
    pub(crate) block: u64,
}

/// The file.
pub(crate) struct HighWater {
    path: PathBuf,
    file: File,
    last: Mutex<(u64, Mark)>,
}

fn checksum(numbers: &[u8]) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&blake3::hash(numbers).as_bytes()[..8]);
    short
}

fn encode(count: u64, mark: Mark) -> [u8; SLOT] {
    let mut slot = [0; SLOT];
    for (place, number) in slot.chunks_exact_mut(8).zip([count, mark.slice, mark.block]) {
        place.copy_from_slice(&number.to_be_bytes());
    }
    let sum = checksum(&slot[..24]);
    slot[24..].copy_from_slice(&sum);
    slot
}

fn decode(slot: &[u8]) -> Option<(u64, Mark)> {
    let (numbers, sum) = slot.split_at_checked(24)?;
    if sum != checksum(numbers) {
        return None;
    }
    let mut numbers = numbers.chunks_exact(8).map(|bytes| bytes.try_into().map(u64::from_be_bytes));
    let mut next = || numbers.next()?.ok();
    Some((next()?, Mark { slice: next()?, block: next()? }))
}

impl HighWater {
    /// Opens the mark of the database in a folder, or begins one.
    ///
    /// Fails if the file cannot be read, or says nothing that it could have been written with.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(StoreError::file(&path))?;
        let length = file.metadata().map_err(StoreError::file(&path))?.len();
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(2 * SLOT)];
        file.read_exact_at(&mut bytes, 0).map_err(StoreError::file(&path))?;
        let newest = bytes.chunks_exact(SLOT).filter_map(decode).max_by_key(|(count, _)| *count);
        // Zeros are what a file system may show of a file that it had not written yet.
        if newest.is_none() && bytes.iter().any(|byte| *byte != 0) {
            return Err(StoreError::DamagedMark { path });
        }
        Ok(Self { path, file, last: Mutex::new(newest.unwrap_or_default()) })
    }

    /// The numbers that were durable when it was written last.
    pub(crate) fn mark(&self) -> Mark {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Notes what has become durable. Numbers never fall.
    pub(crate) fn raise(&self, slice: Option<u64>, block: Option<u64>) -> Result<(), StoreError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, before) = *last;
        let mark = Mark {
            slice: before.slice.max(slice.unwrap_or_default()),
            block: before.block.max(block.unwrap_or_default()),
        };
        if mark == before {
            return Ok(());
        }
        let count = count.saturating_add(1);
        let place = if count.is_multiple_of(2) { 0 } else { SLOT as u64 };
        self.file.write_all_at(&encode(count, mark), place).map_err(StoreError::file(&self.path))?;
        *last = (count, mark);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_again_and_never_falls() {
        let folder = tempfile::tempdir().unwrap();
        let mark = HighWater::open(folder.path()).unwrap();
        assert_eq!(mark.mark(), Mark::default());
        for slice in 1..=5 {
            mark.raise(Some(slice), None).unwrap();
        }
        mark.raise(Some(3), Some(2)).unwrap();
        drop(mark);
        assert_eq!(HighWater::open(folder.path()).unwrap().mark(), Mark { slice: 5, block: 2 });
    }

    #[test]
    fn one_damaged_slot_leaves_the_mark_before_it_and_two_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mark = HighWater::open(folder.path()).unwrap();
        mark.raise(Some(1), None).unwrap();
        mark.raise(Some(2), None).unwrap();
        let path = folder.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 2 * SLOT);
        bytes[9] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(HighWater::open(folder.path()).unwrap().mark().slice, 1);
        bytes[SLOT + 30] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let error = HighWater::open(folder.path()).map(drop).unwrap_err();
        assert!(error.to_string().contains("high-water"), "{error}");
    }
}
