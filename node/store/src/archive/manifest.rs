//! The manifest: what a snapshot consists of.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{BlockHeader, Hash, Network, decode_exact};

use super::ArchiveError;
use crate::SnapshotMarker;

/// Version of the layout of manifests and chunks.
const VERSION: u16 = 1;

/// Most bytes of a manifest: enough for about 80,000 chunks, which hold 150 GB of rows.
pub(super) const MANIFEST_SIZE_MAX: usize = 4 << 20;

/// Most bytes of a chunk's rows, and of a compressed chunk. The largest row has 16 MiB and a key.
pub(super) const CHUNK_SIZE_MAX: u32 = 32 << 20;

/// What a snapshot consists of. Its hash is the name of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Manifest {
    version: u16,
    /// The network.
    pub network: Network,
    /// The last block whose effects the state has; the rows lead to its state root.
    pub block: BlockHeader,
    /// The last slice whose effects the state has.
    pub slice: u64,
    /// The chunks, in the order of their rows' keys.
    pub chunks: Vec<ChunkInfo>,
}

/// What the manifest says of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct ChunkInfo {
    /// BLAKE3 of the compressed bytes.
    pub hash: Hash,
    /// How many rows it has.
    pub rows: u32,
    /// Bytes of its rows.
    pub size: u32,
    /// Bytes when compressed.
    pub compressed: u32,
}

impl Manifest {
    pub(super) fn new(network: Network, marker: &SnapshotMarker, chunks: Vec<ChunkInfo>) -> Self {
        Self { version: VERSION, network, block: marker.block.clone(), slice: marker.slice, chunks }
    }

    /// The name of the snapshot: BLAKE3 of the manifest's encoding.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.using_encoded(|bytes| Hash::new(*blake3::hash(bytes).as_bytes()))
    }

    /// Rows of all chunks.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.total(|chunk| chunk.rows)
    }

    /// Bytes of all rows.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.total(|chunk| chunk.size)
    }

    /// Bytes of all compressed chunks.
    #[must_use]
    pub fn compressed(&self) -> u64 {
        self.total(|chunk| chunk.compressed)
    }

    fn total(&self, of: impl Fn(&ChunkInfo) -> u32) -> u64 {
        self.chunks.iter().fold(0, |total, chunk| total.saturating_add(u64::from(of(chunk))))
    }

    /// Where the mutable snapshot stands after this one was taken over.
    #[must_use]
    pub fn marker(&self) -> SnapshotMarker {
        SnapshotMarker { block: self.block.clone(), slice: self.slice, state_root: self.block.state_root }
    }

    /// Whether it can be read again.
    pub(super) fn check_size(&self) -> Result<(), ArchiveError> {
        let count = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
        let (size, size_max) = (count(self.encoded_size()), count(MANIFEST_SIZE_MAX));
        if size > size_max { Err(ArchiveError::ManifestTooLarge { size, size_max }) } else { Ok(()) }
    }

    /// A manifest from foreign bytes, with every number within its limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, ArchiveError> {
        // The version comes first, whatever a later layout has behind it.
        if bytes.first_chunk() != Some(&VERSION.to_le_bytes()) {
            return Err(ArchiveError::NotASnapshot);
        }
        let manifest: Self = decode_exact(bytes, MANIFEST_SIZE_MAX).map_err(ArchiveError::Manifest)?;
        let within = |chunk: &ChunkInfo| {
            let sizes = 1..=CHUNK_SIZE_MAX;
            chunk.rows > 0 && sizes.contains(&chunk.size) && sizes.contains(&chunk.compressed)
        };
        if !manifest.chunks.iter().all(within) {
            return Err(ArchiveError::Inconsistent("a chunk is empty or larger than any may be"));
        }
        let block = &manifest.block;
        let last =
            block.first_slice.checked_add(u64::from(block.slices)).and_then(|next| next.checked_sub(1));
        if last != Some(manifest.slice) {
            return Err(ArchiveError::Inconsistent("its slice is not the last of its block"));
        }
        Ok(manifest)
    }
}
