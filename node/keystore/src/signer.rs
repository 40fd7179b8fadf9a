//! The door to secret keys: whoever can sign, wherever the key is.

use xln_primitives::{PublicKey, SecretKey, Signature, SignatureError, SignerId, crypto::bls};

use crate::scheme::secret_bytes;

/// Why there is no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The key does not sign.
    #[error(transparent)]
    Key(#[from] SignatureError),
    /// The device or service that holds the key does not answer or declines.
    #[error("the signer of {key} gives no signature: {reason}")]
    Unavailable {
        /// Whose signature was asked for.
        key: PublicKey,
        /// What the device or service says.
        reason: String,
    },
}

/// Somebody who signs with one key: the keystore, a hardware module, a remote service.
///
/// A signer signs what it is given. What may be signed, and that no two values are signed for one height, is
/// the caller's to decide.
pub trait Signer: Send + Sync {
    /// The key that its signatures verify with.
    fn public(&self) -> PublicKey;

    /// Signs `message`, the whole of it and not a digest.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;

    /// Proves possession of a BLS key, as a board asks for it; `None` for other schemes.
    fn prove_possession(&self) -> Result<Option<[u8; 96]>, SignerError>;

    /// The actor behind the key.
    fn id(&self) -> SignerId {
        self.public().signer_id()
    }
}

/// A signer that holds its key in memory. `Debug` shows the public key.
pub struct KeySigner {
    secret: SecretKey,
    public: PublicKey,
}

impl KeySigner {
    /// From a secret key; an error if its bytes are no key of its scheme.
    pub fn new(secret: SecretKey) -> Result<Self, SignatureError> {
        let public = secret.public()?;
        Ok(Self { secret, public })
    }

    pub(crate) const fn secret(&self) -> &SecretKey {
        &self.secret
    }
}

impl Signer for KeySigner {
    fn public(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        Ok(self.secret.sign(message)?)
    }

    fn prove_possession(&self) -> Result<Option<[u8; 96]>, SignerError> {
        match &self.secret {
            SecretKey::Bls(_) => Ok(Some(bls::prove_possession(secret_bytes(&self.secret))?)),
            SecretKey::Ed25519(_) | SecretKey::Secp256k1(_) => Ok(None),
        }
    }
}

impl core::fmt::Debug for KeySigner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("KeySigner").field("public", &self.public).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for dyn Signer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Signer").field("public", &self.public()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scheme;
    use zeroize::Zeroizing;

    #[test]
    fn a_signer_signs_with_the_key_that_it_names() {
        for scheme in [Scheme::Ed25519, Scheme::Secp256k1, Scheme::Bls] {
            let signer = KeySigner::new(scheme.secret(Zeroizing::new([3; 32]))).unwrap();
            let signature = signer.sign(b"frame").unwrap();
            assert_eq!(signer.public().verify(b"frame", &signature), Ok(()));
            assert_eq!(signer.id(), signer.public().signer_id());
        }
    }

    #[test]
    fn only_a_bls_key_proves_possession() {
        let signer = |scheme: Scheme| KeySigner::new(scheme.secret(Zeroizing::new([3; 32]))).unwrap();
        let member = signer(Scheme::Bls);
        let PublicKey::Bls(key) = member.public() else { unreachable!() };
        let proof = member.prove_possession().unwrap().unwrap();
        assert_eq!(bls::verify_possession(&key, &proof), Ok(()));
        assert_eq!(signer(Scheme::Ed25519).prove_possession(), Ok(None));
    }

    #[test]
    fn a_signer_shows_its_public_key_only() {
        let signer = KeySigner::new(Scheme::Ed25519.secret(Zeroizing::new([0xab; 32]))).unwrap();
        let text = format!("{signer:?} {:?}", &signer as &dyn Signer);
        assert!(text.contains(&signer.public().to_string()));
        assert!(!text.contains("abab"));
    }
}
