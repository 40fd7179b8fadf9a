//! Putting a state together that comes from another server.

use xln_primitives::{CertificateError, EntityId, Hash, Height, Network};

use super::{
    adoption::{Adopted, Adoption},
    manifest::{StateManifest, hash_of},
    rows::{Rows, RowsError},
    succession::Succession,
};
use crate::{BoardProofError, Entity};

/// What another server gives is not the state that it says. All but [`AssemblyError::NotLater`] and
/// [`AssemblyError::OtherBoard`] are its fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssemblyError {
    /// The state of somebody else.
    #[error("the state of entity {found} came for that of {asked}")]
    OtherEntity {
        /// Whose was asked for.
        asked: EntityId,
        /// Whose came.
        found: EntityId,
    },
    /// It is not later than what is here.
    #[error("the state is of frame {found}; frame {known} is here")]
    NotLater {
        /// The latest frame here.
        known: Height,
        /// The frame of the state.
        found: Height,
    },
    /// Another board decided the frame, and what came with it does not lead there from the one that is known.
    #[error("board {named} decided the frame, and the boards that are proven here end with {known}")]
    OtherBoard {
        /// Hash of the last board that is known or proven.
        known: Hash,
        /// Hash of the one in the header.
        named: Hash,
    },
    /// A change of the board that proves nothing.
    #[error(transparent)]
    Handover(#[from] BoardProofError),
    /// The board does not stand behind it.
    #[error("the certificate of frame {height} proves nothing: {reason}")]
    Certificate {
        /// Height of the frame.
        height: Height,
        /// Why not.
        reason: CertificateError,
    },
    /// Chunks are taken in order, each once.
    #[error("chunk {found} came, chunk {expected} of {count} is next")]
    Order {
        /// The next.
        expected: u32,
        /// The one that came.
        found: u32,
        /// How many there are.
        count: usize,
    },
    /// Bytes that the manifest does not name.
    #[error("chunk {index} has hash {found}, the manifest says {expected}")]
    Chunk {
        /// Which chunk.
        index: u32,
        /// Its hash.
        found: Hash,
        /// The one in the manifest.
        expected: Hash,
    },
    /// Not all chunks have come.
    #[error("{found} of {expected} chunks are there")]
    Missing {
        /// How many came.
        found: u32,
        /// How many there are.
        expected: usize,
    },
    /// Another number of rows than the manifest says.
    #[error("there are {found} rows, the manifest says {expected}")]
    Count {
        /// How many came.
        found: u64,
        /// How many the manifest says.
        expected: u64,
    },
    /// The rows are of no state, or of another.
    #[error(transparent)]
    Rows(#[from] RowsError),
}

/// A state of which some chunks have come.
#[derive(Debug)]
pub struct Assembly {
    manifest: StateManifest,
    next: u32,
    rows: Rows,
}

impl Assembly {
    /// Begins with a manifest, for an entity as it is here. Whatever it says is certified by the board that is known here, or by
    /// one that the manifest proves to come after it.
    pub fn begin(
        mut manifest: StateManifest,
        network: Network,
        known: &Entity,
    ) -> Result<Self, AssemblyError> {
        let header = &manifest.header;
        if header.entity != known.id {
            return Err(AssemblyError::OtherEntity { asked: known.id, found: header.entity });
        }
        let height = known.head.as_ref().map_or(0, |head| head.header.height);
        if header.height <= height {
            return Err(AssemblyError::NotLater { known: height, found: header.height });
        }
        let succession = Succession::of(known, &manifest.handovers)?;
        let Succession { ended, board } = &succession;
        let board_hash = board.hash();
        if header.board_hash != board_hash {
            return Err(AssemblyError::OtherBoard { known: board_hash, named: header.board_hash });
        }
        let changes = ended.iter().map(|(board, handover)| (board, &handover.header, &handover.certificate));
        for (board, header, certificate) in changes.chain([(board, header, &manifest.certificate)]) {
            certificate
                .verify(network, board, header)
                .map_err(|reason| AssemblyError::Certificate { height: header.height, reason })?;
        }
        // What was not gone through was not checked, and must not come back when the entity here has gone on.
        manifest.handovers = succession.handovers();
        Ok(Self { manifest, next: 0, rows: Rows::new() })
    }

    /// What the state consists of.
    #[must_use]
    pub const fn manifest(&self) -> &StateManifest {
        &self.manifest
    }

    /// The chunk that comes next; none if all have come.
    #[must_use]
    pub fn next(&self) -> Option<u32> {
        usize::try_from(self.next).is_ok_and(|next| next < self.manifest.chunks.len()).then_some(self.next)
    }

    /// Takes the next chunk. After [`AssemblyError::Order`] and [`AssemblyError::Chunk`] the right one may still come; after
    /// another error it cannot.
    pub fn push(&mut self, index: u32, bytes: &[u8]) -> Result<(), AssemblyError> {
        let count = self.manifest.chunks.len();
        let expected = usize::try_from(self.next).ok().and_then(|next| self.manifest.chunks.get(next));
        let Some(expected) = expected.filter(|_| index == self.next) else {
            return Err(AssemblyError::Order { expected: self.next, found: index, count });
        };
        let found = hash_of(bytes);
        // A chunk of another size has another hash, but for a manifest that lies.
        if found != *expected || self.manifest.size(index) != Some(bytes.len()) {
            return Err(AssemblyError::Chunk { index, found, expected: *expected });
        }
        self.rows.take(bytes)?;
        self.next = self.next.saturating_add(1);
        Ok(())
    }

    /// The whole state, if it is the one of the certified frame.
    pub fn finish(self) -> Result<Adoption, AssemblyError> {
        let Self { manifest, next, rows } = self;
        let expected = manifest.chunks.len();
        if usize::try_from(next) != Ok(expected) {
            return Err(AssemblyError::Missing { found: next, expected });
        }
        if rows.count() != manifest.rows {
            return Err(AssemblyError::Count { found: rows.count(), expected: manifest.rows });
        }
        let StateManifest { header, certificate, handovers, .. } = manifest;
        let tree = rows.finish(&header)?;
        Ok(Adoption::new(Adopted { header, certificate, chunks: next, handovers }, tree)?)
    }
}
