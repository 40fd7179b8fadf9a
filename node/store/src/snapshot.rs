//! The mutable snapshot: the state on disk and the point in the chain that it belongs to.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{BlockHeader, EntityId, Hash, SignerId, decode_exact};

use crate::{Column, Store, StoreError, key};

/// Where the state on disk stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct SnapshotMarker {
    /// The last block whose effects it has.
    pub block: BlockHeader,
    /// The last slice whose effects it has; replay starts with the next.
    pub slice: u64,
    /// Root of the server's tree, to compare after loading.
    pub state_root: Hash,
}

/// A row of the state. An entity's head comes before its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateRow {
    /// Latest frame header and certificate of an entity.
    Head {
        /// Signer that hosts it.
        signer: SignerId,
        /// The entity.
        entity: EntityId,
        /// As it was stored.
        head: Vec<u8>,
    },
    /// Something that an entity stores.
    Entry {
        /// Signer that hosts it.
        signer: SignerId,
        /// The entity.
        entity: EntityId,
        /// Storage type and key.
        key: Vec<u8>,
        /// As it was stored.
        value: Vec<u8>,
    },
}

impl Store {
    /// Where the state on disk stands; `None` before the first snapshot.
    pub fn snapshot_marker(&self) -> Result<Option<SnapshotMarker>, StoreError> {
        let key = key::marker();
        self.get(Column::Snapshot, &key)?
            .map(|bytes| {
                decode_exact(&bytes, bytes.len()).map_err(|_| StoreError::corrupt(Column::Snapshot, &key))
            })
            .transpose()
    }

    /// All of the state, in the order of signers, entities and keys.
    pub fn load_state(&self) -> impl Iterator<Item = Result<StateRow, StoreError>> + '_ {
        self.rows(Column::State, &[Column::State as u8]).map(|row| {
            let (whole, value) = row?;
            let (signer, entity, key) = key::parse_state(&whole)?;
            Ok(if key == [key::HEAD] {
                StateRow::Head { signer, entity, head: value }
            } else {
                StateRow::Entry { signer, entity, key: key.to_vec(), value }
            })
        })
    }
}
