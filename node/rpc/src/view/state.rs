//! Raw state and its proofs.

use xln_primitives::{EntityId, Hash, SignerId};

use super::{FrameHeaderView, PartyView, views};
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

    /// What a node of the state tree is.
    #[derive(Copy)]
    pub enum TreeNodeKind {
        /// A signer in the server's tree.
        Signer,
        /// An entity in the server's tree.
        Entity,
        /// Everything of a storage type in an entity's tree.
        Storage,
        /// Several keys that begin alike.
        Group,
        /// A single key.
        Entry,
    }

    /// A node of the state tree.
    pub struct TreeNodeView {
        /// What it is.
        pub kind: TreeNodeKind,
        /// Name of the entity or storage type, if it has one.
        pub name: Option<String>,
        /// With what all its keys begin; the whole key of an entry.
        pub prefix: Bytes,
        /// How many keys there are.
        pub entries: U64,
        /// Hash of an entity's latest frame; of the value of an entry.
        pub hash: Option<Hash>,
        /// The value of an entry, SCALE.
        pub value: Option<Bytes>,
    }

    /// A part of the state tree.
    pub struct TreeView {
        /// The entity whose tree it is; absent for the server's.
        pub entity: Option<PartyView>,
        /// The signer under whom that entity stands in the server's tree.
        pub signer: Option<SignerId>,
        /// Root of that tree.
        pub root: Hash,
        /// The entity's height at which it was read.
        pub height: Option<U64>,
        /// With what all keys shown begin.
        pub prefix: Bytes,
        /// How many keys begin so.
        pub entries: U64,
        /// The nodes below it, in the order of keys.
        pub nodes: Vec<TreeNodeView>,
        /// What to go on after, if there are more nodes.
        pub next: Option<Bytes>,
    }
}
