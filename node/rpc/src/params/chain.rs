//! Requests about blocks, frames, receipts and raw state.

use xln_primitives::{CallHash, Hash};

use super::params;
use crate::{Bytes, EntityRef, U64};

params! {
    /// One block; the last sealed one if nothing is named.
    #[derive(Default)]
    pub struct GetBlock {
        /// By number.
        pub number: Option<U64>,
        /// By hash.
        pub hash: Option<Hash>,
    }

    /// One frame of an entity, or what belongs to it.
    pub struct GetFrame {
        /// Whose.
        pub entity: EntityRef,
        /// At which height; the last if absent.
        pub height: Option<U64>,
    }

    /// What became of a call.
    pub struct GetReceipt {
        /// The call.
        pub hash: CallHash,
    }

    /// A key in the state of an entity.
    pub struct StateKey {
        /// Whose state.
        pub entity: EntityRef,
        /// The key, storage type first.
        pub key: Bytes,
    }
}
