//! What a state consists of: the frame that certifies it, and the chunks of its rows.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{BoundedVec, Certificate, ConstU32, DecodeError, FrameHeader, Hash, decode_exact};
use xln_tree::Hasher;

use super::succession::Handovers;

/// Size of every chunk but the last, in bytes.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Most chunks of a state: 16 GiB of rows.
pub const CHUNKS_MAX: u32 = 16_384;
/// Most bytes of changes of the board that come with a state: some eight hundred of a board of four.
pub(super) const HANDOVER_BYTES_MAX: usize = 1 << 20;
/// Most bytes of an encoded manifest: its hashes, its changes of the board, and a page for the rest.
const MANIFEST_BYTES_MAX: usize = CHUNKS_MAX as usize * 32 + HANDOVER_BYTES_MAX + 4_096;
/// The layout of manifest and rows.
const VERSION: u16 = 2;

/// The state of an entity after one of its frames, by the hashes of its chunks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct StateManifest {
    version: u16,
    /// The frame after which this is the state.
    pub header: FrameHeader,
    /// That the board stands behind it.
    pub certificate: Certificate,
    /// How many rows there are.
    pub rows: u64,
    /// Bytes of all chunks.
    pub bytes: u64,
    /// BLAKE3 of each chunk, in order.
    pub chunks: BoundedVec<Hash, ConstU32<CHUNKS_MAX>>,
    /// How its board came to speak for it.
    pub handovers: Handovers,
}

/// A manifest of no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not the bytes of a manifest.
    #[error("a manifest of a state: {0}")]
    Malformed(#[from] DecodeError),
    /// Of another layout.
    #[error("the manifest has layout {found}, this version reads {VERSION}")]
    Version {
        /// Its layout.
        found: u16,
    },
    /// Its numbers do not fit each other.
    #[error("the manifest says {rows} rows in {bytes} bytes and {chunks} chunks, which cannot be")]
    Numbers {
        /// How many rows it says.
        rows: u64,
        /// How many bytes.
        bytes: u64,
        /// How many chunks.
        chunks: usize,
    },
}

impl StateManifest {
    pub(super) fn new(
        header: FrameHeader,
        certificate: Certificate,
        (rows, bytes): (u64, u64),
        chunks: BoundedVec<Hash, ConstU32<CHUNKS_MAX>>,
    ) -> Self {
        Self { version: VERSION, header, certificate, rows, bytes, chunks, handovers: Handovers::new() }
    }

    /// A manifest from foreign bytes, whose numbers fit each other.
    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        if let Some(found) = bytes.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
            && found != VERSION
        {
            return Err(ManifestError::Version { found });
        }
        let manifest: Self = decode_exact(bytes, MANIFEST_BYTES_MAX)?;
        let (rows, bytes, chunks) = (manifest.rows, manifest.bytes, manifest.chunks.len());
        let wanted = bytes.div_ceil(u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX));
        // The board is a row of every state, and no row is shorter than its two lengths.
        let fits = rows > 0 && rows.saturating_mul(5) <= bytes && u64::try_from(chunks) == Ok(wanted);
        if fits { Ok(manifest) } else { Err(ManifestError::Numbers { rows, bytes, chunks }) }
    }

    /// BLAKE3 of the SCALE encoding: what chunks are asked for by.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.using_encoded(hash_of)
    }

    /// How many bytes chunk `index` has; none if there is no such chunk.
    #[must_use]
    pub fn size(&self, index: u32) -> Option<usize> {
        let (place, count) = (usize::try_from(index).ok()?, self.chunks.len());
        match place.saturating_add(1) {
            next if next < count => Some(CHUNK_BYTES),
            next if next == count => {
                usize::try_from(self.bytes).ok()?.checked_sub(place.checked_mul(CHUNK_BYTES)?)
            }
            _ => None,
        }
    }
}

pub(super) fn hash_of(bytes: &[u8]) -> Hash {
    Hash::new(Hasher::Blake3.value(bytes))
}
