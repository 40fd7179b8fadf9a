//! Calls that wait and what became of those that do not.

use xln_primitives::{Amount, CallHash, SignerId, Timestamp};

use super::{PartyView, views};
use crate::{Bytes, RpcError, U64};

views! {
    /// Whether a call took effect.
    #[derive(Copy)]
    pub enum CallStatus {
        /// It did.
        Succeeded,
        /// It changed nothing but the nonce.
        Failed,
    }

    /// One key of the entity's state that a call changed.
    pub struct ChangeView {
        /// The key, storage type first.
        pub key: Bytes,
        /// Value before, SCALE.
        pub old: Option<Bytes>,
        /// Value after, SCALE.
        pub new: Option<Bytes>,
    }

    /// What became of a call.
    pub struct ReceiptView {
        /// The call.
        pub hash: CallHash,
        /// The entity that executed it.
        pub entity: PartyView,
        /// The entity's frame in which it stands.
        pub height: U64,
        /// The block in which it stands, once that is sealed.
        pub block: Option<U64>,
        /// Whether it took effect.
        pub status: CallStatus,
        /// Why not.
        pub error: Option<RpcError>,
        /// What happened, in order, each an object with a `name`.
        pub events: Vec<serde_json::Value>,
        /// What changed, in key order.
        pub changes: Vec<ChangeView>,
    }

    /// A call that was accepted.
    pub struct Submitted {
        /// By which to ask for its receipt.
        pub hash: CallHash,
        /// What became of it, if the request waited for inclusion.
        pub receipt: Option<ReceiptView>,
    }

    /// A call that waits for inclusion.
    pub struct PendingView {
        /// The call.
        pub hash: CallHash,
        /// Who asks.
        pub signer: SignerId,
        /// Which entity shall act.
        pub entity: PartyView,
        /// Its number among the signer's calls to the entity.
        pub nonce: U64,
        /// Offered for an earlier place.
        pub tip: Amount,
        /// Last moment at which it may be included.
        pub valid_until: Timestamp,
        /// Size in bytes.
        pub size: u32,
    }
}
