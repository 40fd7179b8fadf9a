//! Why a call or a message had no effect.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{CallError, EntityId};

/// A call that was executed and failed. It changed nothing but its signer's nonce, and has a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum RuntimeError {
    /// Of the entities pallet.
    #[error(transparent)]
    #[codec(index = 0)]
    Entities(#[from] pallet_entities::Error),
    /// Of the channels pallet.
    #[error(transparent)]
    #[codec(index = 1)]
    Channels(#[from] pallet_channels::Error),
    /// Of the reserves pallet.
    #[error(transparent)]
    #[codec(index = 2)]
    Reserves(#[from] pallet_reserves::Error),
    /// A request for the depositary arrived elsewhere.
    #[error("{entity} is not the depositary, which is {depositary}")]
    #[codec(index = 3)]
    NotTheDepositary {
        /// Where it arrived.
        entity: EntityId,
        /// The depositary.
        depositary: EntityId,
    },
    /// A notice of the depositary that came from somebody else.
    #[error("a notice of the depositary came from {from}")]
    #[codec(index = 4)]
    ForgedNotice {
        /// Who sent it.
        from: EntityId,
    },
    /// Something that an entity may ask another only about channels and the depositary's ledger.
    #[error("a call with code {code:#04x} cannot be asked for by another entity")]
    #[codec(index = 5)]
    NotByMessage {
        /// Code of the call.
        code: u8,
    },
    /// Of the governance pallet.
    #[error(transparent)]
    #[codec(index = 6)]
    Governance(#[from] pallet_governance::Error),
}

/// A call that was not even executed: it took no nonce and has no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Malformed, expired, of another network or wrongly signed.
    #[error(transparent)]
    Form(#[from] CallError),
    /// The entity does not live here.
    #[error("entity {entity} is not hosted by this server")]
    UnknownEntity {
        /// The entity.
        entity: EntityId,
    },
    /// Its board's key is not held here, so that its frames cannot be certified.
    #[error("this server holds no key for the board of entity {entity}")]
    NoKey {
        /// The entity.
        entity: EntityId,
    },
    /// The signer may not, or the nonce is not the next one.
    #[error(transparent)]
    Unauthorised(pallet_entities::Error),
    /// A server input that proves nothing (any more).
    #[error("the input has no effect: {0}")]
    Pointless(RuntimeError),
}
