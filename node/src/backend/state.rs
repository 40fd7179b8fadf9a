//! `state.*`: raw state and its proofs.

use codec::Encode;
use xln_rpc::{
    Bytes, RpcError, U64,
    params::StateKey,
    view::{ProofView, StateView},
};

use xln_runtime::Entity;

use super::{NodeBackend, chain::header_view};

impl NodeBackend {
    pub(super) fn state_get(&self, params: StateKey) -> Result<StateView, RpcError> {
        let entity = self.acting(Some(&params.entity))?;
        let value = entity.tree().get(&params.key.0).map(|value| Bytes(value.to_vec()));
        let height = entity.head().map_or(0, |head| head.header.height);
        Ok(StateView { entity: entity.id(), key: params.key, value, height: U64(height) })
    }

    pub(super) fn state_get_proof(&self, params: StateKey) -> Result<ProofView, RpcError> {
        proof_view(self, &self.acting(Some(&params.entity))?, params.key)
    }
}

/// What stands under a key of an entity, with the path to the state root of its last frame.
pub(super) fn proof_view(node: &NodeBackend, entity: &Entity, key: Bytes) -> Result<ProofView, RpcError> {
    let (header, certificate) = node.certified(entity)?;
    Ok(ProofView {
        value: entity.tree().get(&key.0).map(|value| Bytes(value.to_vec())),
        proof: Bytes(entity.tree().prove(&key.0).encode()),
        key,
        header: header_view(&node.directory, header),
        certificate: Bytes(certificate.encode()),
    })
}
