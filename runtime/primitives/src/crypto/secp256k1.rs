//! secp256k1 ECDSA over keccak-256, as Ethereum's `ecrecover` accepts it (low `s` only, EIP-2).

use sp_core::{Pair as _, ecdsa};

use super::SignatureError;
use crate::keccak256;

fn pair(scalar: &[u8; 32]) -> Result<ecdsa::Pair, SignatureError> {
    ecdsa::Pair::from_seed_slice(scalar).map_err(|_| SignatureError::InvalidSecret)
}

pub(super) fn public(scalar: &[u8; 32]) -> Result<[u8; 33], SignatureError> {
    Ok(pair(scalar)?.public().0)
}

pub(super) fn sign(scalar: &[u8; 32], message: &[u8]) -> Result<[u8; 65], SignatureError> {
    Ok(pair(scalar)?.sign_prehashed(keccak256(message).as_bytes()).0)
}

/// Half of the group order: the largest `s` that is accepted.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d,
    0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

pub(super) fn verify(key: &[u8; 33], message: &[u8], signature: &[u8; 65]) -> Result<(), SignatureError> {
    if signature[32..64] > HALF_ORDER[..] {
        return Err(SignatureError::InvalidSignature);
    }
    let recovered = ecdsa::Signature::from(*signature)
        .recover_prehashed(keccak256(message).as_bytes())
        .ok_or(SignatureError::InvalidSignature)?;
    if recovered.0 == *key { Ok(()) } else { Err(SignatureError::InvalidSignature) }
}
