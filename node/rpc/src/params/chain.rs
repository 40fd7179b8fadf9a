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

    /// A part of the state tree: of the server's if no entity is named, else of that entity's.
    #[derive(Default)]
    pub struct StateTree {
        /// Whose state.
        pub entity: Option<EntityRef>,
        /// Only keys that begin so: storage type first, or in the server's tree the signer.
        pub prefix: Option<Bytes>,
        /// By how many bytes behind the prefix keys are told apart; 1 by default. In the server's tree 32 for its
        /// signers, which is the default, or 64 for their entities.
        pub depth: Option<u32>,
        /// Only what comes after this node of an earlier answer.
        pub after: Option<Bytes>,
        /// How many nodes at most.
        pub limit: Option<u32>,
    }

    /// A key in the state of an entity.
    pub struct StateKey {
        /// Whose state.
        pub entity: EntityRef,
        /// The key, storage type first.
        pub key: Bytes,
    }
}
