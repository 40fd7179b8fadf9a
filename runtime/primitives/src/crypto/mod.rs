//! Keys and signatures: ed25519 (default), secp256k1 (Ethereum) and BLS12-381 (boards).
//!
//! | scheme | public key | signature | acceptance rule |
//! |---|---|---|---|
//! | ed25519 | 32 bytes | 64 bytes | ZIP-215: batch and single verification accept the same set |
//! | secp256k1 | 33 bytes, compressed | 65 bytes, recoverable | ECDSA over keccak-256 of the message, low `s` only |
//! | BLS12-381 | 48 bytes in G1 | 96 bytes in G2 | min_pk with proof of possession, subgroup checked, never infinity |

mod batch;
pub mod bls;
mod ed25519;
mod known;
mod secp256k1;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use zeroize::Zeroizing;

pub use batch::{SignatureCheck, verify_batch};

use crate::{SignerId, keccak256};

/// Why a signature or key was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The bytes are not a key of their scheme.
    #[error("the public key is not a valid key of its scheme")]
    InvalidKey,
    /// The bytes are not a signature, or it does not fit the message and key.
    #[error("the signature does not match the message and key")]
    InvalidSignature,
    /// Key and signature are of different schemes.
    #[error("the signature is of another scheme than the key")]
    SchemeMismatch,
    /// The bytes are not a secret key.
    #[error("the secret is not a valid key of its scheme")]
    InvalidSecret,
}

/// A public key.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen,
)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum PublicKey {
    /// ed25519, RFC 8032.
    #[codec(index = 0)]
    Ed25519([u8; 32]),
    /// secp256k1, SEC 1 compressed point.
    #[codec(index = 1)]
    Secp256k1([u8; 33]),
    /// BLS12-381 in G1, as Ethereum's consensus layer has them.
    #[codec(index = 2)]
    Bls([u8; 48]),
}

/// A signature.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Signature {
    /// ed25519, RFC 8032.
    #[codec(index = 0)]
    Ed25519([u8; 64]),
    /// secp256k1 ECDSA: `r ‖ s ‖ recovery id` over keccak-256 of the message.
    #[codec(index = 1)]
    Secp256k1([u8; 65]),
    /// BLS12-381 in G2.
    #[codec(index = 2)]
    Bls([u8; 96]),
}

impl PublicKey {
    /// The key's bytes without the scheme.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) => key,
            Self::Secp256k1(key) => key,
            Self::Bls(key) => key,
        }
    }

    /// The actor behind the key: keccak-256 of its scheme byte and its bytes.
    #[must_use]
    pub fn signer_id(&self) -> SignerId {
        self.using_encoded(|bytes| SignerId::new(*keccak256(bytes).as_bytes()))
    }

    /// Checks one signature.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        match (self, signature) {
            (Self::Ed25519(key), Signature::Ed25519(signature)) => ed25519::verify(key, message, signature),
            (Self::Secp256k1(key), Signature::Secp256k1(signature)) => {
                secp256k1::verify(key, message, signature)
            }
            (Self::Bls(key), Signature::Bls(signature)) => bls::verify(key, message, signature),
            _ => Err(SignatureError::SchemeMismatch),
        }
    }
}

impl core::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let scheme = match self {
            Self::Ed25519(_) => "ed25519",
            Self::Secp256k1(_) => "secp256k1",
            Self::Bls(_) => "bls",
        };
        write!(f, "{scheme}:0x{}", hex::encode(self.as_bytes()))
    }
}

impl core::str::FromStr for PublicKey {
    type Err = SignatureError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        fn fixed<const N: usize>(digits: &str) -> Result<[u8; N], SignatureError> {
            let mut bytes = [0; N];
            hex::decode_to_slice(digits, &mut bytes).map_err(|_| SignatureError::InvalidKey)?;
            Ok(bytes)
        }
        match text.split_once(":0x") {
            Some(("ed25519", digits)) => fixed(digits).map(Self::Ed25519),
            Some(("secp256k1", digits)) => fixed(digits).map(Self::Secp256k1),
            Some(("bls", digits)) => fixed(digits).map(Self::Bls),
            _ => Err(SignatureError::InvalidKey),
        }
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl core::fmt::Debug for Signature {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (scheme, bytes): (_, &[u8]) = match self {
            Self::Ed25519(bytes) => ("ed25519", bytes),
            Self::Secp256k1(bytes) => ("secp256k1", bytes),
            Self::Bls(bytes) => ("bls", bytes),
        };
        write!(f, "{scheme}:0x{}", hex::encode(bytes))
    }
}

/// A secret key: 32 bytes, erased from memory when dropped, never shown.
#[derive(Clone)]
pub enum SecretKey {
    /// The seed of an ed25519 key, RFC 8032.
    Ed25519(Zeroizing<[u8; 32]>),
    /// A secp256k1 scalar.
    Secp256k1(Zeroizing<[u8; 32]>),
    /// A BLS12-381 scalar, big-endian.
    Bls(Zeroizing<[u8; 32]>),
}

impl SecretKey {
    /// The public key that belongs to it; an error if the bytes are not a scalar of the scheme.
    pub fn public(&self) -> Result<PublicKey, SignatureError> {
        match self {
            Self::Ed25519(seed) => Ok(PublicKey::Ed25519(ed25519::public(seed))),
            Self::Secp256k1(scalar) => secp256k1::public(scalar).map(PublicKey::Secp256k1),
            Self::Bls(scalar) => bls::public(scalar).map(PublicKey::Bls),
        }
    }

    /// Signs `message`. Deterministic: the same key and message give the same bytes.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, SignatureError> {
        match self {
            Self::Ed25519(seed) => Ok(Signature::Ed25519(ed25519::sign(seed, message))),
            Self::Secp256k1(scalar) => secp256k1::sign(scalar, message).map(Signature::Secp256k1),
            Self::Bls(scalar) => bls::sign(scalar, message).map(Signature::Bls),
        }
    }
}

impl core::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_scheme() -> [SecretKey; 3] {
        let seed = || Zeroizing::new([7; 32]);
        [SecretKey::Ed25519(seed()), SecretKey::Secp256k1(seed()), SecretKey::Bls(seed())]
    }

    #[test]
    fn every_scheme_accepts_its_own_signature_and_no_other() {
        for secret in every_scheme() {
            let public = secret.public().unwrap();
            let signature = secret.sign(b"message").unwrap();
            assert_eq!(public.verify(b"message", &signature), Ok(()));
            assert_eq!(public.verify(b"messagf", &signature), Err(SignatureError::InvalidSignature));
            assert_eq!(secret.sign(b"message").unwrap(), signature, "deterministic");
            assert_eq!(public.to_string().parse::<PublicKey>(), Ok(public));
        }
    }

    #[test]
    fn a_signature_of_another_scheme_is_refused() {
        let [a, b, _] = every_scheme();
        let signature = b.sign(b"m").unwrap();
        assert_eq!(a.public().unwrap().verify(b"m", &signature), Err(SignatureError::SchemeMismatch));
    }

    #[test]
    fn a_high_s_signature_is_refused() {
        let [_, secret, _] = every_scheme();
        let Signature::Secp256k1(mut bytes) = secret.sign(b"m").unwrap() else { unreachable!() };
        // n − s is the other solution of the same equation.
        let order = sp_core::U256::from_dec_str(
            "115792089237316195423570985008687907852837564279074904382605163141518161494337",
        )
        .unwrap();
        let s = sp_core::U256::from_big_endian(&bytes[32..64]);
        bytes[32..64].copy_from_slice(&(order - s).to_big_endian());
        bytes[64] ^= 1;
        assert_eq!(
            secret.public().unwrap().verify(b"m", &Signature::Secp256k1(bytes)),
            Err(SignatureError::InvalidSignature)
        );
    }

    #[test]
    fn a_secret_never_shows_itself() {
        assert_eq!(format!("{:?}", every_scheme()[0]), "SecretKey(hidden)");
    }

    #[test]
    fn a_zero_scalar_is_not_a_key() {
        let zero = || Zeroizing::new([0; 32]);
        assert_eq!(SecretKey::Secp256k1(zero()).public(), Err(SignatureError::InvalidSecret));
        assert_eq!(SecretKey::Bls(zero()).public(), Err(SignatureError::InvalidSecret));
    }
}
