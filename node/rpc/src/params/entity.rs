//! Requests about signers and entities.

use xln_primitives::EntityId;

use super::params;
use crate::{EntityRef, SignerRef, U64};

params! {
    /// Makes a key in the node's keystore.
    #[derive(Default)]
    pub struct SignerCreate {
        /// What to call it.
        pub label: Option<String>,
        /// `ed25519` (default) or `secp256k1`.
        pub scheme: Option<String>,
    }

    /// The entities that a signer may speak for.
    pub struct SignerEntities {
        /// The signer.
        pub signer: SignerRef,
    }

    /// Hosts a new entity: with a board of one, or together with the other servers of its board.
    #[derive(Default)]
    pub struct EntityCreate {
        /// Its name, unique on this server.
        pub name: Option<String>,
        /// The member of its board; a new key if absent. With `board`, the member that founds it.
        pub signer: Option<SignerRef>,
        /// Its board, as in a chain spec, if it has several members or votes.
        pub board: Option<serde_json::Value>,
    }

    /// One entity.
    pub struct EntityGet {
        /// Which.
        pub entity: EntityRef,
    }

    /// The boards of an entity, by height.
    pub struct EntityBoards {
        /// Whose.
        pub entity: EntityRef,
        /// Only those that spoke after this height.
        pub after: Option<U64>,
        /// How many at most.
        pub limit: Option<u32>,
    }

    /// The board of an entity at a height, with what proves it.
    pub struct EntityGetBoardProof {
        /// Whose.
        pub entity: EntityRef,
        /// The height of a frame that it certifies; the board of now if absent.
        pub height: Option<U64>,
    }

    /// Entities known here, by identifier.
    #[derive(Default)]
    pub struct EntityList {
        /// Only those that are hosted here, or only others.
        pub hosted: Option<bool>,
        /// Go on after this one.
        pub after: Option<EntityId>,
        /// How many at most.
        pub limit: Option<u32>,
    }
}
