//! Verification of everything that waits, at once.
//!
//! ed25519 signatures go into one batch equation (about a third of the single cost); if it fails, each is
//! checked on its own, so one bad signature never takes the others with it. ZIP-215 makes both ways agree.

use ed25519_zebra::batch;
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};

use super::{PublicKey, Signature, SignatureError};

/// One signature to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureCheck<M> {
    /// Who is said to have signed.
    pub key: PublicKey,
    /// What is said to have been signed.
    pub message: M,
    /// The signature.
    pub signature: Signature,
}

impl<M: AsRef<[u8]>> SignatureCheck<M> {
    fn verify(&self) -> Result<(), SignatureError> {
        self.key.verify(self.message.as_ref(), &self.signature)
    }

    fn batched(&self) -> Option<batch::Item> {
        match (&self.key, &self.signature) {
            (PublicKey::Ed25519(key), Signature::Ed25519(signature)) => Some(batch::Item::from((
                (*key).into(),
                ed25519_zebra::Signature::from(*signature),
                &self.message.as_ref(),
            ))),
            _ => None,
        }
    }
}

/// Checks every signature and returns one result for each, in order.
///
/// `blinding` seeds the random coefficients of the batch equation. It must not be predictable by the signers;
/// the results do not depend on it (except with probability 2⁻¹²⁸), so nodes with different seeds agree.
pub fn verify_batch<M: AsRef<[u8]>>(
    checks: &[SignatureCheck<M>],
    blinding: [u8; 32],
) -> Vec<Result<(), SignatureError>> {
    let mut together = batch::Verifier::new();
    let mut queue = |check: &SignatureCheck<M>| check.batched().map(|item| together.queue(item)).is_some();
    let queued: Vec<bool> = checks.iter().map(&mut queue).collect();
    let batch_holds = together.verify(ChaCha12Rng::from_seed(blinding)).is_ok();
    let judge = |(check, queued): (&SignatureCheck<M>, bool)| {
        if queued && batch_holds { Ok(()) } else { check.verify() }
    };
    checks.iter().zip(queued).map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretKey;

    fn checks() -> Vec<SignatureCheck<Vec<u8>>> {
        (1..=9_u8)
            .map(|n| {
                let seed = zeroize::Zeroizing::new([n; 32]);
                let secret = if n % 4 == 0 { SecretKey::Secp256k1(seed) } else { SecretKey::Ed25519(seed) };
                let message = vec![n; 40];
                SignatureCheck {
                    key: secret.public().unwrap(),
                    signature: secret.sign(&message).unwrap(),
                    message,
                }
            })
            .collect()
    }

    #[test]
    fn a_valid_batch_is_accepted_whatever_the_schemes() {
        assert!(verify_batch(&checks(), [1; 32]).iter().all(Result::is_ok));
        assert!(verify_batch::<Vec<u8>>(&[], [1; 32]).is_empty());
    }

    #[test]
    fn one_bad_signature_is_found_and_takes_no_other_with_it() {
        let mut all = checks();
        all[2].message[0] ^= 1;
        all[3].message[0] ^= 1;
        let results = verify_batch(&all, [1; 32]);
        for (index, result) in results.iter().enumerate() {
            assert_eq!(result.is_err(), index == 2 || index == 3, "at {index}");
        }
    }
}
