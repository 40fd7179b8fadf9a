//! BLS12-381, min_pk: 48-byte keys in G1, 96-byte signatures in G2 (draft-irtf-cfrg-bls-signature, proof of
//! possession scheme, as Ethereum's consensus layer uses it).
//!
//! A key counts only with a **proof of possession**; otherwise a member could choose a key that cancels the
//! others' in an aggregate (rogue-key attack).

use blst::{BLST_ERROR, MultiPoint, min_pk};

pub use super::known::remember;
use super::{
    SignatureError,
    known::{Claim, once},
};

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

/// Checks one signature.
pub fn verify(public: &[u8; 48], message: &[u8], bytes: &[u8; 96]) -> Result<(), SignatureError> {
    let pairing = || accepted(signature(bytes)?.verify(false, message, SIGN_DST, &[], &key(public)?, false));
    once(Claim::Signed, &[*public], message, bytes, pairing)
}

/// Proves that the holder of `scalar` knows it: a signature over the public key in a domain of its own.
pub fn prove_possession(scalar: &[u8; 32]) -> Result<[u8; 96], SignatureError> {
    let secret = secret(scalar)?;
    Ok(secret.sign(&secret.sk_to_pk().compress(), POSSESSION_DST, &[]).compress())
}

/// Checks a proof of possession.
pub fn verify_possession(public: &[u8; 48], proof: &[u8; 96]) -> Result<(), SignatureError> {
    let pairing =
        || accepted(signature(proof)?.verify(false, public, POSSESSION_DST, &[], &key(public)?, false));
    once(Claim::Possessed, &[*public], &[], proof, pairing)
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
    let pairing = || {
        let points = keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        if points.is_empty() {
            return Err(SignatureError::InvalidKey);
        }
        let references: Vec<_> = points.iter().collect();
        accepted(signature(bytes)?.fast_aggregate_verify(false, message, SIGN_DST, &references))
    };
    once(Claim::Signed, keys, message, bytes, pairing)
}

/// Checks signatures by several keys over one message at once: `e(Σ rᵢ·pkᵢ, H(m)) = e(g, Σ rᵢ·sigᵢ)` with one factor
/// rᵢ for each.
///
/// The factors must be non-zero and unpredictable to the signers; 64 random bits leave a chance of 2⁻⁶⁴ that invalid
/// signatures cancel out. Without them, two signers shift their signatures by opposite points and both pass. An error
/// says that at least one is wrong, not which. An empty list, or factors that do not pair up, is an error.
pub fn verify_blinded(
    message: &[u8],
    signed: &[([u8; 48], [u8; 96])],
    factors: &[u64],
) -> Result<(), SignatureError> {
    if signed.is_empty() || signed.len() != factors.len() || factors.contains(&0) {
        return Err(SignatureError::InvalidSignature);
    }
    let keys = signed.iter().map(|(bytes, _)| key(bytes)).collect::<Result<Vec<_>, _>>()?;
    let signatures = signed.iter().map(|(_, bytes)| signature(bytes)).collect::<Result<Vec<_>, _>>()?;
    let scalars: Vec<u8> = factors.iter().flat_map(|factor| factor.to_le_bytes()).collect();
    let sum_of_keys = keys.as_slice().mult(&scalars, 64).to_public_key();
    let sum = signatures.as_slice().mult(&scalars, 64).to_signature();
    accepted(sum.verify(false, message, SIGN_DST, &[], &sum_of_keys, false))
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

    #[test]
    fn a_blinded_batch_holds_exactly_if_every_signature_does() {
        let scalars: Vec<[u8; 32]> = (1..=40).map(|n| [n; 32]).collect();
        let mut signed: Vec<_> =
            scalars.iter().map(|s| (public(s).unwrap(), sign(s, b"vote").unwrap())).collect();
        let factors: Vec<u64> = (1..=40_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        assert_eq!(verify_blinded(b"vote", &signed, &factors), Ok(()));
        assert_eq!(verify_blinded(b"vote", &signed[..1], &factors[..1]), Ok(()));
        assert!(verify_blinded(b"vote", &signed, &factors[..39]).is_err());
        assert!(verify_blinded(b"vote", &signed[..2], &[1, 0]).is_err());
        assert!(verify_blinded(b"vote", &[], &[]).is_err());
        assert!(verify_blinded(b"other", &signed, &factors).is_err());
        signed[17].1 = sign(&scalars[17], b"other").unwrap();
        assert!(verify_blinded(b"vote", &signed, &factors).is_err());
    }

    #[test]
    fn signatures_that_cancel_out_pass_only_without_blinding() {
        // Two signers exchange their signatures: the sum stays, each is wrong.
        let (a, b) = ([1; 32], [2; 32]);
        let (of_a, of_b) = (sign(&a, b"vote").unwrap(), sign(&b, b"vote").unwrap());
        let swapped = [(public(&a).unwrap(), of_b), (public(&b).unwrap(), of_a)];
        assert_eq!(verify_blinded(b"vote", &swapped, &[1, 1]), Ok(()), "what blinding is for");
        assert!(verify_blinded(b"vote", &swapped, &[0xdead_beef, 0x1234_5678]).is_err());
    }
}
