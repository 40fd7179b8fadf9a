//! Signers, entities and their boards.

use std::collections::BTreeMap;

use xln_primitives::{EntityId, FrameHash, Hash, Permissions, Profile, SignerId};

use super::{GovernanceView, PolicyView, views};
use crate::{Bytes, U64};

views! {
    /// An entity as another view names it.
    #[derive(Hash)]
    pub struct PartyView {
        /// Its identifier.
        pub id: EntityId,
        /// Its name, if it published one.
        pub name: Option<String>,
    }

    /// A key that this node holds.
    pub struct SignerView {
        /// Its identifier.
        pub id: SignerId,
        /// Its label in the keystore.
        pub label: Option<String>,
        /// `ed25519`, `secp256k1` or `bls12-381`.
        pub scheme: String,
        /// The public key.
        pub public_key: Bytes,
        /// Entities with it in their board.
        pub entities: Vec<EntityId>,
    }

    /// A member of a board.
    pub struct MemberView {
        /// The key, unless the member is an entity.
        pub signer: Option<SignerId>,
        /// The entity, unless the member is a key.
        pub entity: Option<EntityId>,
        /// `ed25519`, `secp256k1` or `bls12-381`, of a key.
        pub scheme: Option<String>,
        /// The public key, of a key.
        pub public_key: Option<Bytes>,
        /// The BLS key of the server that orders frames for it, if it has named one.
        pub delegate: Option<Bytes>,
        /// Voting weight.
        pub weight: u32,
        /// What the member may do, as a set of bits.
        pub permissions: Permissions,
    }

    /// Who may speak for an entity.
    pub struct BoardView {
        /// Its hash, which frame headers name.
        pub hash: Hash,
        /// The members in the order that certificates refer to.
        pub members: Vec<MemberView>,
        /// Weight that authorises an action.
        pub threshold: u32,
        /// Which faults its agreement survives.
        pub profile: Profile,
    }

    /// The next nonce of a signer for an entity.
    pub struct NonceView {
        /// Who signs.
        pub signer: SignerId,
        /// The nonce that its next call must carry.
        pub next: U64,
    }

    /// An entity and where it stands.
    pub struct EntityView {
        /// Its identifier.
        pub id: EntityId,
        /// Its name, if it published one.
        pub name: Option<String>,
        /// Its number in the depositary's registry; absent for a lazy entity.
        pub registry_number: Option<U64>,
        /// Who may speak for it, as far as known here.
        pub board: Option<BoardView>,
        /// Height of its last frame; 0 before the first.
        pub height: U64,
        /// Hash of that frame; zero before the first.
        pub frame: FrameHash,
        /// Root of its state after that frame.
        pub state_root: Hash,
        /// Whether it advances on this server.
        pub hosted: bool,
        /// Whether it is the network's depositary.
        pub depositary: bool,
        /// What it asks for carrying payments, as far as known here.
        pub policy: Option<PolicyView>,
        /// How its board decides, if it lives here.
        pub governance: Option<GovernanceView>,
        /// Number of its channels.
        pub channels: u32,
        /// Next nonces, of signers that have called it.
        pub nonces: Vec<NonceView>,
        /// What it says of itself.
        pub metadata: BTreeMap<String, String>,
    }
}

impl PartyView {
    /// The name, or the identifier shortened to `0x12345678…`.
    #[must_use]
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| {
            let id = self.id.to_string();
            format!("{}…", id.get(..10).unwrap_or(&id))
        })
    }
}
