//! BLS12-381, min_pk: 48-byte keys in G1, 96-byte signatures in G2 (draft-irtf-cfrg-bls-signature, proof of
//! possession scheme, as Ethereum's consensus layer uses it).
//!
//! A key counts only with a **proof of possession**; otherwise a member could choose a key that cancels the
//! others' in an aggregate (rogue-key attack).

use blst::{BLST_ERROR, min_pk};

use super::SignatureError;

const SIGN_DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
const POSSESSION_DST: &[u8] = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

fn secret(scalar: &[u8; 32]) -> Result<min_pk::SecretKey, SignatureError> {
    min_pk::SecretKey::from_bytes(scalar).map_err(|_| SignatureError::InvalidSecret)
}

/// Canonical bytes of a point in the subgroup, never infinity.
fn key(bytes: &[u8; 48]) -> Result<min_pk::PublicKey, SignatureError> {
    min_pk::PublicKey::key_validate(bytes).map_err(|_| SignatureError::InvalidKey)
}

fn signature(bytes: &[u8; 96]) -> Result<min_pk::Signature, SignatureError> {
    min_pk::Signature::sig_validate(bytes, true).map_err(|_| SignatureError::InvalidSignature)
}

fn accepted(result: BLST_ERROR) -> Result<(), SignatureError> {
    if result == BLST_ERROR::BLST_SUCCESS { Ok(()) } else { Err(SignatureError::InvalidSignature) }
}

pub(super) fn public(scalar: &[u8; 32]) -> Result<[u8; 48], SignatureError> {
    Ok(secret(scalar)?.sk_to_pk().compress())
}

pub(super) fn sign(scalar: &[u8; 32], message: &[u8]) -> Result<[u8; 96], SignatureError> {
    Ok(secret(scalar)?.sign(message, SIGN_DST, &[]).compress())
}

pub(super) fn verify(public: &[u8; 48], message: &[u8], bytes: &[u8; 96]) -> Result<(), SignatureError> {
    accepted(signature(bytes)?.verify(false, message, SIGN_DST, &[], &key(public)?, false))
}

/// Proves that the holder of `scalar` knows it: a signature over the public key in a domain of its own.
pub fn prove_possession(scalar: &[u8; 32]) -> Result<[u8; 96], SignatureError> {
    let secret = secret(scalar)?;
    Ok(secret.sign(&secret.sk_to_pk().compress(), POSSESSION_DST, &[]).compress())
}

/// Checks a proof of possession.
pub fn verify_possession(public: &[u8; 48], proof: &[u8; 96]) -> Result<(), SignatureError> {
    accepted(signature(proof)?.verify(false, public, POSSESSION_DST, &[], &key(public)?, false))
}

/// Adds up signatures over one message. Order does not matter; an empty list is an error.
pub fn aggregate(signatures: &[[u8; 96]]) -> Result<[u8; 96], SignatureError> {
    let points = signatures.iter().map(signature).collect::<Result<Vec<_>, _>>()?;
    let references: Vec<_> = points.iter().collect();
    min_pk::AggregateSignature::aggregate(&references, false)
        .map(|sum| sum.to_signature().compress())
        .map_err(|_| SignatureError::InvalidSignature)
}

/// Checks an aggregate of signatures by all of `keys` over one message. The keys' proofs of possession must
/// have been checked before; an empty list is an error.
pub fn verify_aggregate(keys: &[[u8; 48]], message: &[u8], bytes: &[u8; 96]) -> Result<(), SignatureError> {
    let points = keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    if points.is_empty() {
        return Err(SignatureError::InvalidKey);
    }
    let references: Vec<_> = points.iter().collect();
    accepted(signature(bytes)?.fast_aggregate_verify(false, message, SIGN_DST, &references))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aggregate_needs_exactly_its_signers() {
        let scalars: Vec<[u8; 32]> = (1..=4).map(|n| [n; 32]).collect();
        let keys: Vec<_> = scalars.iter().map(|scalar| public(scalar).unwrap()).collect();
        let signed: Vec<_> = scalars.iter().map(|scalar| sign(scalar, b"frame").unwrap()).collect();
        let sum = aggregate(&signed[..3]).unwrap();
        assert_eq!(verify_aggregate(&keys[..3], b"frame", &sum), Ok(()));
        assert!(verify_aggregate(&keys, b"frame", &sum).is_err(), "one signature is missing");
        assert!(verify_aggregate(&keys[..2], b"frame", &sum).is_err(), "one signature too many");
        assert!(verify_aggregate(&[], b"frame", &sum).is_err());
        assert!(aggregate(&[]).is_err());
    }

    #[test]
    fn possession_is_proven_by_the_key_itself_only() {
        let (a, b) = ([1; 32], [2; 32]);
        let proof = prove_possession(&a).unwrap();
        assert_eq!(verify_possession(&public(&a).unwrap(), &proof), Ok(()));
        assert!(verify_possession(&public(&b).unwrap(), &proof).is_err());
        // A signature of the key over itself in the signing domain is not a proof.
        let signed = sign(&a, &public(&a).unwrap()).unwrap();
        assert!(verify_possession(&public(&a).unwrap(), &signed).is_err());
    }

    #[test]
    fn infinity_is_neither_a_key_nor_a_signature() {
        let mut key = [0; 48];
        key[0] = 0xc0;
        let mut signature = [0; 96];
        signature[0] = 0xc0;
        assert_eq!(verify(&key, b"m", &signature), Err(SignatureError::InvalidSignature));
        assert_eq!(verify(&key, b"m", &sign(&[1; 32], b"m").unwrap()), Err(SignatureError::InvalidKey));
    }
}
