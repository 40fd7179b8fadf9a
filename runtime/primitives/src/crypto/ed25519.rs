//! ed25519 under the acceptance rule of ZIP-215.

use ed25519_zebra::{Signature, SigningKey, VerificationKey};

use super::SignatureError;

pub(super) fn public(seed: &[u8; 32]) -> [u8; 32] {
    ed25519_zebra::VerificationKeyBytes::from(&SigningKey::from(*seed)).into()
}

pub(super) fn sign(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
    SigningKey::from(*seed).sign(message).to_bytes()
}

pub(super) fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
    VerificationKey::try_from(*key)
        .map_err(|_| SignatureError::InvalidKey)?
        .verify(&Signature::from(*signature), message)
        .map_err(|_| SignatureError::InvalidSignature)
}
