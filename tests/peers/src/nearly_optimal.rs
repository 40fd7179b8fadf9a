//! The nearly optimal Merkle trie on the disk below the directory for temporary files.

use std::path::Path;

use anyhow::Result;
use nomt::{KeyReadWrite, Nomt, Options, SessionParams, hasher::Blake3Hasher};

use crate::{
    keys::{Key, Value},
    measure::Tree,
};

/// Bytes of a node in a proof.
const NODE_BYTES: usize = 32;

pub struct NearlyOptimal {
    nomt: Nomt<Blake3Hasher>,
    directory: tempfile::TempDir,
}

impl NearlyOptimal {
    pub fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut options = Options::new();
        options.path(directory.path().join("nomt"));
        options.commit_concurrency(2);
        // Room for a million entries and more, taken on the disk as it is needed.
        options.hashtable_buckets(1_000_000);
        options.preallocate_ht(false);
        Ok(Self { nomt: Nomt::open(options)?, directory })
    }
}

impl Tree for NearlyOptimal {
    fn describe(&self) -> &'static str {
        "nomt 1.0, blake3, on disk, synced"
    }

    fn apply(&mut self, batch: &[(Key, Value)]) -> Result<[u8; 32]> {
        let session = self.nomt.begin_session(SessionParams::default());
        for (key, _) in batch {
            session.warm_up(*key);
        }
        let writes = batch.iter().map(|(key, value)| (*key, KeyReadWrite::Write(Some(value.to_vec()))));
        let finished = session.finish(writes.collect())?;
        let root = finished.root().into_inner();
        finished.commit(&self.nomt)?;
        Ok(root)
    }

    fn prove(&mut self, key: &Key) -> Result<usize> {
        let session = self.nomt.begin_session(SessionParams::default());
        let proof = session.prove(*key)?;
        // The siblings, and the key and the value's hash at the end.
        Ok((proof.siblings.len() + 2) * NODE_BYTES)
    }

    fn disk_bytes(&self) -> Option<u64> {
        bytes_below(self.directory.path()).ok()
    }
}

fn bytes_below(directory: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_below(&entry.path())? } else { allocated(&metadata) };
    }
    Ok(bytes)
}

/// Bytes that a file occupies, holes left out.
fn allocated(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(metadata) * 512
}
