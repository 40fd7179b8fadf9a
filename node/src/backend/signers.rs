//! `signer.*`: the keys that the node holds.

use xln_keystore::Scheme;
use xln_primitives::{EntityId, Principal, PublicKey};
use xln_rpc::{
    Bytes, RpcError,
    params::{NoParams, SignerCreate, SignerEntities},
    view::{EntityView, SignerView},
};
use xln_runtime::Entity;

use super::NodeBackend;

/// A scheme as the API names it.
pub(super) fn scheme_name(key: &PublicKey) -> &'static str {
    match key {
        PublicKey::Ed25519(_) => "ed25519",
        PublicKey::Secp256k1(_) => "secp256k1",
        PublicKey::Bls(_) => "bls12-381",
    }
}

/// The scheme of a new key. A BLS key speaks for no board of one.
fn scheme(name: Option<&str>) -> Result<Scheme, RpcError> {
    match name {
        None | Some("ed25519") => Ok(Scheme::Ed25519),
        Some("secp256k1") => Ok(Scheme::Secp256k1),
        Some(other) => {
            Err(RpcError::invalid_params(format!("a key is of ed25519 or secp256k1, {other:?} is neither")))
        }
    }
}

fn has_member(entity: &Entity, key: &PublicKey) -> bool {
    entity.board().signer(key).is_some()
}

impl NodeBackend {
    /// Hosted entities with this key in their board.
    fn entities_of(&self, key: &PublicKey) -> Vec<EntityId> {
        self.read().entities().filter(|entity| has_member(entity, key)).map(Entity::id).collect()
    }

    fn signer_view(&self, key: &PublicKey) -> SignerView {
        let id = key.signer_id();
        SignerView {
            id,
            label: self.labels.get(&id),
            scheme: scheme_name(key).into(),
            public_key: Bytes(key.as_bytes().to_vec()),
            entities: self.entities_of(key),
        }
    }

    pub(super) async fn signer_create(&self, params: SignerCreate) -> Result<SignerView, RpcError> {
        let scheme = scheme(params.scheme.as_deref())?;
        if let Some(label) = params.label.as_ref().filter(|label| self.labels.is_taken(label)) {
            return Err(RpcError::invalid_params(format!("another key has the label {label:?}")));
        }
        let key = self.new_key(scheme)?;
        if let Some(label) = params.label {
            self.labels.set(key.signer_id(), label)?;
        }
        Ok(self.signer_view(&key))
    }

    /// A new key in the keystore.
    pub(super) fn new_key(&self, scheme: Scheme) -> Result<PublicKey, RpcError> {
        self.keystore.generate(scheme).map_err(|error| RpcError::storage(error.to_string()))
    }

    pub(super) fn signer_list(&self, _: NoParams) -> Result<Vec<SignerView>, RpcError> {
        Ok(self.keystore.list().iter().map(|info| self.signer_view(&info.public)).collect())
    }

    pub(super) fn signer_get_entities(&self, params: SignerEntities) -> Result<Vec<EntityView>, RpcError> {
        let id = self.labels.resolve(&params.signer)?;
        let is_of = |entity: &&Entity| {
            entity.board().members.iter().any(|member| member.principal() == Principal::Signer(id))
        };
        let entities: Vec<Entity> = self.read().entities().filter(is_of).cloned().collect();
        entities.iter().map(|entity| self.entity_view(entity)).collect()
    }
}
