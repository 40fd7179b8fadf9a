//! Cutting a state into chunks, for others.

use core::mem::take;

use codec::Encode;
use xln_primitives::{BoundedVec, EntityId, Hash};

use super::{
    manifest::{CHUNK_BYTES, CHUNKS_MAX, HANDOVER_BYTES_MAX, StateManifest, hash_of},
    rows,
    succession::HANDOVERS_MAX,
};
use crate::{BoardProof, Entity};

/// A state that cannot be given to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntitySnapshotError {
    /// Nothing certifies it: the entity has made no frame since the genesis.
    #[error("entity {entity} has made no frame that its board certified")]
    NotCertified {
        /// Which entity.
        entity: EntityId,
    },
    /// More rows than a manifest holds.
    #[error("the state of entity {entity} has more than {CHUNKS_MAX} chunks of {CHUNK_BYTES} bytes")]
    TooLarge {
        /// Which entity.
        entity: EntityId,
    },
}

/// The state of an entity after its latest frame, ready to be given to others chunk by chunk.
///
/// It is a handle: rows are shared with the entity as it goes on, and read again when a chunk is asked for. What it keeps
/// alive is what the entity has changed since, and a few dozen bytes for each chunk.
#[derive(Debug, Clone)]
pub struct EntitySnapshot {
    entity: Entity,
    manifest: StateManifest,
    cuts: Vec<Cut>,
}

/// Where a chunk begins.
#[derive(Debug, Clone, Default)]
struct Cut {
    /// The last key before the row in which it begins; none if that is the first row.
    after: Option<Vec<u8>>,
    /// Bytes of that row which belong to the chunk before.
    skip: usize,
}

impl EntitySnapshot {
    /// Reads all rows once, to hash them: about a second for each gigabyte.
    ///
    /// Errors: the entity has no certified frame; it is too large.
    pub fn of(entity: &Entity) -> Result<Self, EntitySnapshotError> {
        let id = entity.id();
        let certified = entity.head().and_then(|head| Some((head.header.clone(), head.certificate.clone()?)));
        let (header, certificate) = certified.ok_or(EntitySnapshotError::NotCertified { entity: id })?;
        let (mut cuts, mut hashes) = (vec![Cut::default()], Vec::new());
        let (mut rows_count, mut bytes) = (0_u64, 0_u64);
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let mut before: Option<&[u8]> = None;
        let mut row = Vec::new();
        for (key, value) in entity.tree() {
            row.clear();
            rows::encode(key, value, &mut row);
            let mut done = 0;
            while let Some(rest) = row.get(done..).filter(|rest| !rest.is_empty()) {
                if chunk.len() == CHUNK_BYTES {
                    hashes.push(hash_of(&chunk));
                    chunk.clear();
                    cuts.push(Cut { after: before.map(<[u8]>::to_vec), skip: done });
                }
                let room = CHUNK_BYTES.saturating_sub(chunk.len()).min(rest.len());
                chunk.extend_from_slice(rest.get(..room).unwrap_or(rest));
                done = done.saturating_add(room);
            }
            before = Some(key);
            rows_count = rows_count.saturating_add(1);
            bytes = bytes.saturating_add(u64::try_from(row.len()).unwrap_or(u64::MAX));
        }
        hashes.push(hash_of(&chunk));
        let chunks: BoundedVec<Hash, _> =
            hashes.try_into().map_err(|_| EntitySnapshotError::TooLarge { entity: id })?;
        let manifest = StateManifest::new(header, certificate, (rows_count, bytes), chunks);
        Ok(Self { entity: entity.clone(), manifest, cuts })
    }

    /// With the changes of its board up to the one that certified the frame, for those who know an earlier one. `handovers` in the
    /// order of their heights; of too many the newest, which lead there from the boards of late.
    #[must_use]
    pub fn with_handovers(mut self, mut handovers: Vec<BoardProof>) -> Self {
        handovers.retain(|handover| handover.header.height < self.manifest.header.height);
        let mut room = HANDOVER_BYTES_MAX;
        let fits = |handover: &&BoardProof| match room.checked_sub(handover.encoded_size()) {
            Some(rest) => {
                room = rest;
                true
            }
            None => false,
        };
        let most = usize::try_from(HANDOVERS_MAX).unwrap_or(usize::MAX);
        let newest = handovers.iter().rev().take(most).take_while(fits).count();
        let newest = handovers.split_off(handovers.len().saturating_sub(newest));
        self.manifest.handovers = newest.try_into().unwrap_or_default();
        self
    }

    /// What the state consists of.
    #[must_use]
    pub const fn manifest(&self) -> &StateManifest {
        &self.manifest
    }

    /// The bytes of chunk `index`; none if there is no such chunk. Costs the rows in it.
    #[must_use]
    pub fn chunk(&self, index: u32) -> Option<Vec<u8>> {
        let size = self.manifest.size(index)?;
        let cut = self.cuts.get(usize::try_from(index).ok()?)?;
        let mut bytes = Vec::with_capacity(size.saturating_add(4_096));
        let mut skip = cut.skip;
        for (key, value) in self.entity.tree().range(&[], cut.after.as_deref()) {
            rows::encode(key, value, &mut bytes);
            if skip > 0 {
                bytes.drain(..take(&mut skip).min(bytes.len()));
            }
            if bytes.len() >= size {
                bytes.truncate(size);
                break;
            }
        }
        Some(bytes)
    }
}
