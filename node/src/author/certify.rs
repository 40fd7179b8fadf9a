//! Certificates from the keys that this node holds.

use std::sync::Arc;

use xln_keystore::Keystore;
use xln_primitives::{Board, Certificate, EntityId, FrameHeader, Network, Vote};
use xln_runtime::{Certifier, CertifyError};

/// Signs the frames of boards of one whose key is in the keystore.
pub struct KeystoreCertifier {
    network: Network,
    keystore: Arc<Keystore>,
}

impl KeystoreCertifier {
    /// Signs for `network` with the keys of `keystore`.
    #[must_use]
    pub const fn new(network: Network, keystore: Arc<Keystore>) -> Self {
        Self { network, keystore }
    }
}

impl Certifier for KeystoreCertifier {
    fn can_certify(&self, _entity: EntityId, board: &Board) -> bool {
        board.sole_signer().is_some_and(|key| self.keystore.has(&key.signer_id()))
    }

    fn certify(
        &self,
        _ordinal: usize,
        board: &Board,
        header: &FrameHeader,
    ) -> Result<Certificate, CertifyError> {
        let refused = |reason: String| CertifyError { entity: header.entity, height: header.height, reason };
        let key = board.sole_signer().ok_or_else(|| refused("its board has several members".into()))?;
        let signer = self
            .keystore
            .signer(&key.signer_id())
            .ok_or_else(|| refused(format!("the keystore has no key for signer {}", key.signer_id())))?;
        let vote = Vote::precommit(self.network, header, 0);
        let signature = signer.sign(&vote.sign_bytes()).map_err(|error| refused(error.to_string()))?;
        Ok(Certificate::Single(signature))
    }
}
