//! `state.*`: raw state and its proofs.

use codec::Encode;
use xln_rpc::{
    Bytes, RpcError, U64,
    params::StateKey,
    view::{ProofView, StateView},
};

use super::{NodeBackend, chain::header_view};

impl NodeBackend {
    pub(super) fn state_get(&self, params: StateKey) -> Result<StateView, RpcError> {
        let entity = self.acting(Some(&params.entity))?;
        let value = entity.tree().get(&params.key.0).map(|value| Bytes(value.to_vec()));
        let height = entity.head().map_or(0, |head| head.header.height);
        Ok(StateView { entity: entity.id(), key: params.key, value, height: U64(height) })
    }

    pub(super) fn state_get_proof(&self, params: StateKey) -> Result<ProofView, RpcError> {
        let entity = self.acting(Some(&params.entity))?;
        let (header, certificate) = self.certified(&entity)?;
        Ok(ProofView {
            value: entity.tree().get(&params.key.0).map(|value| Bytes(value.to_vec())),
            proof: Bytes(entity.tree().prove(&params.key.0).encode()),
            key: params.key,
            header: header_view(&self.directory, header),
            certificate: Bytes(certificate.encode()),
        })
    }
}
