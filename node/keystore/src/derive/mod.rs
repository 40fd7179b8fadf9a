//! Keys from a seed: each scheme by the standard that wallets use for it.

mod bip32;
mod eip2333;
mod slip10;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use xln_primitives::{SecretKey, SignatureError};
use zeroize::Zeroizing;

use crate::{DerivationPath, Scheme, Seed};

/// Why a path leads to no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeriveError {
    /// ed25519 has hardened levels only (SLIP-10).
    #[error("{path}: every level of an ed25519 path is hardened, as in m/44'/5786702'/0'/0'/0'")]
    NotHardened {
        /// The path.
        path: DerivationPath,
    },
    /// BLS has no hardened levels (EIP-2334).
    #[error("{path}: no level of a BLS path is hardened, as in m/12381/5786702/0/0/0")]
    Hardened {
        /// The path.
        path: DerivationPath,
    },
    /// The derivation hits a value that is no key; it happens once in 2¹²⁷ paths.
    #[error("{path} leads to no key; use the next index")]
    NoKey {
        /// The path.
        path: DerivationPath,
    },
}

/// The key that a seed has at a path: SLIP-10 for ed25519, BIP-32 for secp256k1, EIP-2333 for BLS.
pub fn derive(seed: &Seed, scheme: Scheme, path: &DerivationPath) -> Result<SecretKey, DeriveError> {
    derive_from(seed.as_bytes(), scheme, path)
}

fn derive_from(seed: &[u8], scheme: Scheme, path: &DerivationPath) -> Result<SecretKey, DeriveError> {
    match scheme {
        Scheme::Ed25519 => slip10::derive(seed, path),
        Scheme::Secp256k1 => bip32::derive(seed, path),
        Scheme::Bls => eip2333::derive(seed, path),
    }
}

/// A secret and the chain code that its children need.
struct Extended {
    secret: Zeroizing<[u8; 32]>,
    chain_code: Zeroizing<[u8; 32]>,
}

/// HMAC-SHA512, cut in two halves.
fn expand(key: &[u8], parts: &[&[u8]]) -> Extended {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes keys of every length");
    for part in parts {
        mac.update(part);
    }
    let digest = Zeroizing::new(<[u8; 64]>::from(mac.finalize().into_bytes()));
    let (mut secret, mut chain_code) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
    secret.copy_from_slice(&digest[..32]);
    chain_code.copy_from_slice(&digest[32..]);
    Extended { secret, chain_code }
}

impl From<SignatureError> for NoKey {
    fn from(_: SignatureError) -> Self {
        Self
    }
}

/// A value that is no key of its scheme.
#[derive(Debug)]
struct NoKey;
