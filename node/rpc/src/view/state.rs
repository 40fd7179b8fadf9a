//! Raw state and its proofs.

use xln_primitives::EntityId;

use super::{FrameHeaderView, views};
use crate::{Bytes, U64};

views! {
    /// What stands under a key of an entity now.
    pub struct StateView {
        /// Whose state.
        pub entity: EntityId,
        /// The key, storage type first.
        pub key: Bytes,
        /// The value, SCALE; absent if there is none.
        pub value: Option<Bytes>,
        /// The entity's height at which it was read.
        pub height: U64,
    }

    /// A proof that a key has a value, or none, in a certified state of an entity.
    pub struct ProofView {
        /// The key, storage type first.
        pub key: Bytes,
        /// The value, SCALE; absent if the proof is one of absence.
        pub value: Option<Bytes>,
        /// The path from the value to the state root, SCALE.
        pub proof: Bytes,
        /// The frame whose `stateRoot` it leads to.
        pub header: FrameHeaderView,
        /// That frame's certificate, SCALE.
        pub certificate: Bytes,
    }
}
