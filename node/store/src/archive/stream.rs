//! A snapshot as one stream of bytes: for files, pipes and networks.
//!
//! ```text
//!   "xln-snapshot" ‖ hash of the manifest ‖ its length (u32, little-endian) ‖ manifest ‖ chunk ‖ chunk ‖ …
//! ```

use std::io::{self, Read, Write};

use codec::Encode;

use super::{ArchiveError, ChunkFault, Manifest, chunk::hash, manifest::MANIFEST_SIZE_MAX};
use crate::Store;

const MAGIC: &[u8; 12] = b"xln-snapshot";

/// Writes a snapshot of `store` to `output`; `told` hears of the bytes so far. Returns how many bytes it has.
pub fn write_stream(
    store: &Store,
    manifest: &Manifest,
    output: &mut impl Write,
    mut told: impl FnMut(u64),
) -> Result<u64, ArchiveError> {
    let mut offset = 0_u64;
    let mut write = |bytes: &[u8]| {
        output.write_all(bytes).map_err(|source| ArchiveError::Stream { offset, source })?;
        offset = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        told(offset);
        Ok::<_, ArchiveError>(offset)
    };
    let encoded = manifest.encode();
    write(MAGIC)?;
    write(manifest.hash().as_ref())?;
    // At most 4 MiB.
    write(&u32::try_from(encoded.len()).unwrap_or(u32::MAX).to_le_bytes())?;
    let mut end = write(&encoded)?;
    for (index, info) in manifest.chunks.iter().enumerate() {
        end = write(&store.chunk(index, info)?)?;
    }
    output.flush().map_err(|source| ArchiveError::Stream { offset: end, source })?;
    Ok(end)
}

/// A snapshot that arrives as a stream. Every chunk is checked against its hash as it comes.
#[derive(Debug)]
pub struct ArchiveStream<R> {
    input: R,
    offset: u64,
    manifest: Manifest,
    next: usize,
}

impl<R: Read> ArchiveStream<R> {
    /// Reads the manifest.
    pub fn open(mut input: R) -> Result<Self, ArchiveError> {
        let mut offset = 0;
        let magic = take(&mut input, &mut offset, MAGIC.len())?;
        if magic != MAGIC {
            return Err(ArchiveError::NotASnapshot);
        }
        let name = take(&mut input, &mut offset, 32)?;
        let length = take(&mut input, &mut offset, 4)?;
        let length = length.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size > MANIFEST_SIZE_MAX {
            let size_max = u64::try_from(MANIFEST_SIZE_MAX).unwrap_or(u64::MAX);
            return Err(ArchiveError::ManifestTooLarge { size: u64::from(length), size_max });
        }
        let encoded = take(&mut input, &mut offset, size)?;
        if hash(&encoded).as_ref() != name {
            return Err(ArchiveError::Inconsistent(
                "its manifest does not have the hash that it is named by",
            ));
        }
        let manifest = Manifest::decode(&encoded)?;
        Ok(Self { input, offset, manifest, next: 0 })
    }

    /// What the snapshot consists of.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Bytes that were read.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The compressed bytes of the next chunk, checked against its hash; none after the last, where the stream ends.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, ArchiveError> {
        let (index, offset) = (self.next, self.offset);
        let Some(info) = self.manifest.chunks.get(index) else {
            let mut more = [0];
            return match self.input.read(&mut more) {
                Ok(0) => Ok(None),
                Ok(_) => Err(ArchiveError::Trailing { offset }),
                Err(source) => Err(ArchiveError::Stream { offset, source }),
            };
        };
        let failed = |fault| ArchiveError::Chunk { index, offset, fault };
        // The manifest was checked: no chunk is larger than 32 MiB.
        let size = usize::try_from(info.compressed).unwrap_or(usize::MAX);
        let bytes = match take(&mut self.input, &mut self.offset, size) {
            Err(ArchiveError::Stream { source, .. }) if source.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(failed(ChunkFault::CutShort));
            }
            bytes => bytes?,
        };
        let found = hash(&bytes);
        if found != info.hash {
            return Err(failed(ChunkFault::Hash { found, expected: info.hash }));
        }
        self.next = index.saturating_add(1);
        Ok(Some(bytes))
    }
}

/// The next `size` bytes. Memory is taken as they come.
fn take(input: &mut impl Read, offset: &mut u64, size: usize) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    let wanted = u64::try_from(size).unwrap_or(u64::MAX);
    let failed = |source| ArchiveError::Stream { offset: *offset, source };
    let read = input.take(wanted).read_to_end(&mut bytes).map_err(failed)?;
    if read < size {
        return Err(failed(io::ErrorKind::UnexpectedEof.into()));
    }
    *offset = offset.saturating_add(wanted);
    Ok(bytes)
}
