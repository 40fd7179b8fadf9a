//! Signatures of everything that waits, checked together.
//!
//! Votes that arrive in one turn are mostly equal: four members prevote for one frame with the same bytes. For every
//! distinct message one equation is checked, each signature and key multiplied by a random 64-bit factor ([blinding]), so
//! that wrong signatures cannot be made to cancel out. If the equation fails, each signature is checked alone, so one
//! liar costs the others time and nothing else.
//!
//! [`Verified`] is the proof, by type, that this happened: an engine takes nothing else.
//!
//! [blinding]: xln_primitives::crypto::bls::verify_blinded

use std::collections::BTreeMap;

use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use xln_primitives::crypto::bls;

use crate::{BlsKey, BlsSignature};

/// Something whose every signature was checked, or that comes from our own key or log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// The caller vouches that every signature in it was checked, or that it comes from our own key or log.
    pub const fn vouched(statement: T) -> Self {
        Self(statement)
    }

    /// What was verified.
    pub fn get(self) -> T {
        self.0
    }
}

impl<T> core::ops::Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A signature to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) key: BlsKey,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: BlsSignature,
}

/// Whether each claim holds, in order. The seed must be unpredictable to whoever signed; the result does not depend on
/// it, but with probability 2⁻⁶⁴.
pub(crate) fn check_all(claims: &[Claim], seed: [u8; 32]) -> Vec<bool> {
    let mut random = ChaCha12Rng::from_seed(seed);
    let mut by_message: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for (position, claim) in claims.iter().enumerate() {
        by_message.entry(&claim.message).or_default().push(position);
    }
    let mut holds = vec![false; claims.len()];
    for (message, positions) in by_message {
        let signed: Vec<_> =
            positions.iter().filter_map(|p| claims.get(*p)).map(|c| (c.key, c.signature)).collect();
        let factors: Vec<u64> = positions.iter().map(|_| random.next_u64().max(1)).collect();
        let together = signed.len() > 1 && bls::verify_blinded(message, &signed, &factors).is_ok();
        for (position, (key, signature)) in positions.iter().zip(signed) {
            if let Some(slot) = holds.get_mut(*position) {
                *slot = together || bls::verify(&key, message, &signature).is_ok();
            }
        }
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::electorate::tests::secret;
    use xln_primitives::{PublicKey, Signature};

    fn claim(by: u8, message: &[u8]) -> Claim {
        let PublicKey::Bls(key) = secret(by).public().unwrap() else { unreachable!() };
        let Signature::Bls(signature) = secret(by).sign(message).unwrap() else { unreachable!() };
        Claim { key, message: message.to_vec(), signature }
    }

    #[test]
    fn one_wrong_signature_never_takes_the_others_with_it() {
        let mut claims: Vec<_> =
            (1..=6).map(|n| claim(n, if n % 2 == 0 { b"even" } else { b"odd_" })).collect();
        assert_eq!(check_all(&claims, [1; 32]), [true; 6]);
        claims[3].signature = claim(4, b"other").signature;
        assert_eq!(check_all(&claims, [1; 32]), [true, true, true, false, true, true]);
        assert!(check_all(&[], [1; 32]).is_empty());
    }

    #[test]
    fn signatures_made_to_cancel_out_are_both_refused() {
        let mut claims = vec![claim(1, b"vote"), claim(2, b"vote"), claim(3, b"vote")];
        let (first, second) = (claims[0].signature, claims[1].signature);
        (claims[0].signature, claims[1].signature) = (second, first);
        // The attack is real: without factors the sum holds.
        let signed: Vec<_> = claims.iter().map(|c| (c.key, c.signature)).collect();
        assert!(bls::verify_blinded(b"vote", &signed, &[1, 1, 1]).is_ok());
        for seed in 0..8 {
            assert_eq!(check_all(&claims, [seed; 32]), [false, false, true]);
        }
    }
}
