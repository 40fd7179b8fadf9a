//! Requests to the block author.

use xln_primitives::{EntityId, SignerId};

use super::{params, yes};
use crate::Bytes;

params! {
    /// Hands in a call that was signed elsewhere. The same bytes twice have one effect.
    pub struct AuthorSubmit {
        /// The signed call, SCALE.
        pub call: Bytes,
        /// Whether to wait for its receipt.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Calls that wait for inclusion, oldest first.
    #[derive(Default)]
    pub struct AuthorPending {
        /// How many at most.
        pub limit: Option<u32>,
    }

    /// The nonce that a signer's next call to an entity must carry, calls that wait counted.
    pub struct AuthorNonce {
        /// The entity that shall act.
        pub entity: EntityId,
        /// Who signs.
        pub signer: SignerId,
    }
}
