//! The last frame that each entity's key has certified here.
//!
//! A key that signs two frames at one height is evidence against its owner. The mark is written in the batch that makes a
//! frame durable, apart from the state: a snapshot or a shortened log never takes it back, and a node whose state
//! ends below a mark must not go on (safety rule 9).

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{EntityId, FrameHash, Height, decode_exact};

use crate::{Batch, Column, Store, StoreError, key};

/// The last frame that was certified for an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct SignedMark {
    /// Its height.
    pub height: Height,
    /// Its hash.
    pub frame: FrameHash,
}

/// A mark from its row; `None` for a row of the log of a board, which shares the column.
pub(crate) fn parse(key: &[u8], value: &[u8]) -> Result<Option<(EntityId, SignedMark)>, StoreError> {
    let Some(entity) = key::parse_signed(key)? else { return Ok(None) };
    let mark = decode_exact(value, value.len()).map_err(|_| StoreError::corrupt(Column::Consensus, key))?;
    Ok(Some((entity, mark)))
}

impl Batch {
    /// Notes that a frame of `entity` was certified.
    pub fn put_signed(&mut self, entity: &EntityId, mark: SignedMark) {
        self.put(Column::Consensus, key::signed(entity), &mark.encode());
    }
}

impl Store {
    /// The last certified frame of every entity that has certified one here, by entity.
    pub fn signed(&self) -> impl Iterator<Item = Result<(EntityId, SignedMark), StoreError>> + '_ {
        self.rows(Column::Consensus, &[Column::Consensus as u8])
            .filter_map(|row| row.and_then(|(key, value)| parse(&key, &value)).transpose())
    }
}
