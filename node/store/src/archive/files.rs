//! Chunks as files, and the snapshots that they belong to.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Write},
    path::PathBuf,
};

use codec::Encode;
use xln_primitives::Hash;

use super::{
    ArchiveError, ChunkFault, ChunkInfo, ChunkReader, Manifest,
    chunk::{Chunk, hash},
    create::Claim,
};
use crate::{Batch, Column, Store, StoreError, key};

/// Folder of the chunks, in that of the database.
const FOLDER: &str = "snapshots";

/// Where chunks lie.
pub(super) struct ChunkFolder(PathBuf);

impl ChunkFolder {
    pub(super) fn of(store: &Store) -> Self {
        Self(store.path().join(FOLDER))
    }

    fn file(&self, chunk: &Hash) -> PathBuf {
        self.0.join(hex::encode(chunk.as_bytes()))
    }

    pub(super) fn create(&self) -> Result<(), StoreError> {
        fs::create_dir_all(&self.0).map_err(StoreError::file(&self.0))
    }

    /// Writes a chunk unless it is there. Returns whether it was not. The file is durable when this returns, its name
    /// after [`ChunkFolder::sync`].
    pub(super) fn write(&self, chunk: &Chunk) -> Result<bool, StoreError> {
        let path = self.file(&chunk.info.hash);
        if fs::metadata(&path).is_ok_and(|found| found.len() == u64::from(chunk.info.compressed)) {
            return Ok(false);
        }
        let unfinished = path.with_extension("tmp");
        let write = || -> io::Result<()> {
            let mut file = File::create(&unfinished)?;
            file.write_all(&chunk.bytes)?;
            file.sync_data()?;
            fs::rename(&unfinished, &path)
        };
        write().map_err(StoreError::file(&path)).map(|()| true)
    }

    /// A chunk, checked against its hash.
    fn read(&self, index: usize, info: &ChunkInfo) -> Result<Vec<u8>, ArchiveError> {
        let path = self.file(&info.hash);
        let failed = |fault| ArchiveError::Chunk { index, offset: 0, fault };
        let file = File::open(&path).map_err(StoreError::file(&path))?;
        let mut bytes = Vec::new();
        // One byte more than there may be, so that a longer file is found out.
        let most = u64::from(info.compressed).saturating_add(1);
        file.take(most).read_to_end(&mut bytes).map_err(StoreError::file(&path))?;
        let found = hash(&bytes);
        if found != info.hash {
            return Err(failed(ChunkFault::Hash { found, expected: info.hash }));
        }
        Ok(bytes)
    }

    /// Makes the names of all files durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        File::open(&self.0).and_then(|folder| folder.sync_all()).map_err(StoreError::file(&self.0))
    }

    /// Removes every file that is none of these chunks. Returns how many bytes that were.
    fn keep_only(&self, chunks: &BTreeSet<Hash>) -> Result<u64, StoreError> {
        let failed = StoreError::file(&self.0);
        let names: BTreeSet<_> = chunks.iter().map(|hash| hex::encode(hash.as_bytes())).collect();
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            entries => entries.map_err(&failed)?,
        };
        let mut removed = 0_u64;
        for entry in entries {
            let entry = entry.map_err(&failed)?;
            if entry.file_name().to_str().is_none_or(|name| !names.contains(name)) {
                removed = removed.saturating_add(entry.metadata().map_err(&failed)?.len());
                fs::remove_file(entry.path()).map_err(&failed)?;
            }
        }
        Ok(removed)
    }
}

/// Chunks that arrive and belong to no database yet.
pub struct Staging(ChunkFolder);

impl Staging {
    /// In a folder that exists.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self(ChunkFolder(folder))
    }

    /// Keeps a chunk.
    pub fn write(&self, info: &ChunkInfo, bytes: Vec<u8>) -> Result<(), ArchiveError> {
        self.0.write(&Chunk { info: *info, bytes })?;
        Ok(())
    }

    /// The compressed bytes of chunk `index`, checked against its hash.
    pub fn chunk(&self, index: usize, info: &ChunkInfo) -> Result<Vec<u8>, ArchiveError> {
        self.0.read(index, info)
    }
}

impl Batch {
    /// Notes an immutable snapshot whose chunks are there.
    pub(super) fn put_manifest(&mut self, manifest: &Manifest) {
        let key = key::digest(Column::Archive, manifest.hash().as_bytes());
        self.put(Column::Archive, key, &manifest.encode());
    }

    fn remove_manifest(&mut self, hash: &Hash) {
        self.remove(Column::Archive, key::digest(Column::Archive, hash.as_bytes()));
    }
}

impl Store {
    /// Takes over a snapshot whose chunks are staged on the same file system: as an immutable one, and as where the state
    /// stands. Its block becomes the first of the chain.
    ///
    /// Whoever calls has checked that its rows lead to its state root. Refused unless the database is empty. If it fails in the
    /// middle, the database has no state, and is not empty either.
    pub fn import(&self, manifest: &Manifest, staged: &Staging) -> Result<(), ArchiveError> {
        let _claim = Claim::new(self)?;
        if !self.is_empty()? {
            return Err(StoreError::NotEmpty { path: self.path().to_path_buf() }.into());
        }
        let folder = ChunkFolder::of(self);
        folder.create()?;
        for info in &manifest.chunks {
            let (from, to) = (staged.0.file(&info.hash), folder.file(&info.hash));
            // The same chunk may stand in a snapshot twice.
            if !to.exists() {
                fs::rename(&from, &to).map_err(StoreError::file(&from))?;
            }
        }
        folder.sync()?;
        let mut snapshot = self.begin_snapshot(&manifest.marker())?;
        let mut chunks = ChunkReader::new();
        for (index, info) in manifest.chunks.iter().enumerate() {
            let bytes = self.chunk(index, info)?;
            chunks
                .read(info, &bytes, |key, value| Ok::<_, ArchiveError>(snapshot.put_archived(key, value)?))?;
        }
        let mut batch = Batch::new();
        batch.put_block(&manifest.block);
        batch.put_manifest(manifest);
        self.commit(batch)?;
        snapshot.finish()?;
        Ok(())
    }

    /// Whether nothing was ever written; what is kept of the past may have been said.
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        for column in Column::ALL.into_iter().filter(|column| *column != Column::Snapshot) {
            if self.sealed_rows(column, &[]).next().transpose()?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The immutable snapshots, by block.
    pub fn archives(&self) -> Result<Vec<Manifest>, ArchiveError> {
        let mut manifests = Vec::new();
        for row in self.rows(Column::Archive, &[Column::Archive as u8]) {
            let (key, bytes) = row?;
            let manifest = Manifest::decode(&bytes)?;
            if key.get(1..) != Some(manifest.hash().as_ref()) {
                return Err(StoreError::corrupt(Column::Archive, &key).into());
            }
            manifests.push(manifest);
        }
        manifests.sort_by_key(|manifest| manifest.block.number);
        Ok(manifests)
    }

    /// The immutable snapshot of this name.
    pub fn archive(&self, hash: &Hash) -> Result<Manifest, ArchiveError> {
        let bytes = self.get(Column::Archive, &key::digest(Column::Archive, hash.as_bytes()))?;
        Manifest::decode(&bytes.ok_or(ArchiveError::Unknown(*hash))?)
    }

    /// Forgets an immutable snapshot, and removes the chunks that only it has. Returns how many bytes that were.
    pub fn remove_archive(&self, hash: &Hash) -> Result<u64, ArchiveError> {
        let _claim = Claim::new(self)?;
        let mut batch = Batch::new();
        batch.remove_manifest(hash);
        self.commit(batch)?;
        let chunks =
            self.archives()?.iter().flat_map(|manifest| &manifest.chunks).map(|chunk| chunk.hash).collect();
        Ok(ChunkFolder::of(self).keep_only(&chunks)?)
    }

    /// The compressed bytes of chunk `index` of a snapshot, checked against its hash.
    pub fn chunk(&self, index: usize, info: &ChunkInfo) -> Result<Vec<u8>, ArchiveError> {
        ChunkFolder::of(self).read(index, info)
    }
}
