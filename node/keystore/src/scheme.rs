//! The signature schemes by name.

use xln_primitives::{PublicKey, SecretKey};
use zeroize::Zeroizing;

/// A signature scheme. In text: `ed25519`, `secp256k1`, `bls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// ed25519: the default.
    Ed25519,
    /// secp256k1: keys of Ethereum.
    Secp256k1,
    /// BLS12-381: members of boards.
    Bls,
}

/// A text that names no scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no signature scheme; use ed25519, secp256k1 or bls")]
pub struct SchemeError {
    /// The text.
    pub found: String,
}

impl Scheme {
    /// The scheme of a public key.
    #[must_use]
    pub const fn of(key: &PublicKey) -> Self {
        match key {
            PublicKey::Ed25519(_) => Self::Ed25519,
            PublicKey::Secp256k1(_) => Self::Secp256k1,
            PublicKey::Bls(_) => Self::Bls,
        }
    }

    /// The secret key of this scheme with these bytes, which may still turn out not to be a key.
    pub(crate) const fn secret(self, bytes: Zeroizing<[u8; 32]>) -> SecretKey {
        match self {
            Self::Ed25519 => SecretKey::Ed25519(bytes),
            Self::Secp256k1 => SecretKey::Secp256k1(bytes),
            Self::Bls => SecretKey::Bls(bytes),
        }
    }
}

/// The bytes of a secret key.
pub(crate) const fn secret_bytes(key: &SecretKey) -> &Zeroizing<[u8; 32]> {
    match key {
        SecretKey::Ed25519(bytes) | SecretKey::Secp256k1(bytes) | SecretKey::Bls(bytes) => bytes,
    }
}

impl core::fmt::Display for Scheme {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Ed25519 => "ed25519",
            Self::Secp256k1 => "secp256k1",
            Self::Bls => "bls",
        })
    }
}

impl core::str::FromStr for Scheme {
    type Err = SchemeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ed25519" => Ok(Self::Ed25519),
            "secp256k1" => Ok(Self::Secp256k1),
            "bls" => Ok(Self::Bls),
            _ => Err(SchemeError { found: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_reads_back_its_name() {
        for scheme in [Scheme::Ed25519, Scheme::Secp256k1, Scheme::Bls] {
            assert_eq!(scheme.to_string().parse(), Ok(scheme));
            assert_eq!(serde_json::to_string(&scheme).unwrap(), format!("\"{scheme}\""));
            let key = scheme.secret(Zeroizing::new([1; 32])).public().unwrap();
            assert_eq!(Scheme::of(&key), scheme);
        }
        assert_eq!("rsa".parse::<Scheme>(), Err(SchemeError { found: "rsa".into() }));
    }
}
