//! Receipts: what became of a call.

use codec::{Decode, DecodeWithMemTracking, Encode};

use crate::{CallHash, EntityId, Hash, Height, keccak256};

/// One key of an entity's state that a call changed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct StateChange {
    /// The key, storage type first.
    pub key: Vec<u8>,
    /// Value before; `None` if there was none.
    pub old: Option<Vec<u8>>,
    /// Value after; `None` if it was removed.
    pub new: Option<Vec<u8>>,
}

/// The outcome of one signed call, with events `E` and failure `F` of the runtime.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Receipt<E, F> {
    /// The call.
    pub call: CallHash,
    /// The entity that executed it.
    pub entity: EntityId,
    /// The entity's frame in which it stands.
    pub height: Height,
    /// Success, or why it changed nothing but the nonce.
    pub result: Result<(), F>,
    /// What happened, in order.
    pub events: Vec<E>,
    /// What changed, in key order.
    pub changes: Vec<StateChange>,
}

impl<E: Encode, F: Encode> Receipt<E, F> {
    /// keccak-256 of the SCALE encoding; a leaf under a block's receipts root.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.using_encoded(keccak256)
    }
}
