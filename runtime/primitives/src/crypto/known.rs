//! Pairings that were computed before.
//!
//! A node meets the same proof again and again: a certificate when it is made and when others bring the frame; the proofs of
//! possession in the board that travels with every message of a lazy entity. A pairing takes a millisecond, and what it proved
//! once it proves forever, so a process may keep digests of what held, as Bitcoin Core's signature cache does. The answer
//! never depends on it, only its time.
//!
//! Off until [`remember`], so that a measurement of one signature in a loop measures the pairing.
//!
//! **Bounded**: two generations of [`GENERATION`] digests. When the younger is full the older goes; what is asked for
//! moves into the younger.

use std::{
    collections::BTreeSet,
    sync::{Mutex, OnceLock, PoisonError},
};

use codec::Encode;

use super::SignatureError;
use crate::Hash;

/// Digests in a generation; both together take about four megabytes.
const GENERATION: usize = 32_768;

static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();

/// What is proven. Each use of a signature has a number of its own.
#[derive(Debug, Clone, Copy, Encode)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub(super) enum Claim {
    /// The message is signed.
    Signed,
    /// The holder of the key knows its secret.
    Possessed,
}

/// From now on this process remembers which BLS signatures held, in about four megabytes of digests.
pub fn remember() {
    KNOWN.get_or_init(Mutex::default);
}

/// The answer of `check`, or of an earlier one of the same bytes that held.
pub(super) fn once(
    claim: Claim,
    keys: &[[u8; 48]],
    message: &[u8],
    signature: &[u8; 96],
    check: impl FnOnce() -> Result<(), SignatureError>,
) -> Result<(), SignatureError> {
    let Some(known) = KNOWN.get() else { return check() };
    // A thread that panicked left whole digests.
    let locked = || known.lock().unwrap_or_else(PoisonError::into_inner);
    let digest = digest(claim, keys, message, signature);
    if locked().holds(digest) {
        return Ok(());
    }
    check()?;
    locked().insert(digest);
    Ok(())
}

/// Of everything that the answer depends on. SCALE says how many keys there are and where the message ends.
fn digest(claim: Claim, keys: &[[u8; 48]], message: &[u8], signature: &[u8; 96]) -> Hash {
    (claim, keys, message, signature).using_encoded(|bytes| Hash::new(*blake3::hash(bytes).as_bytes()))
}

/// Two generations of digests.
#[derive(Debug, Default)]
struct Known {
    young: BTreeSet<Hash>,
    old: BTreeSet<Hash>,
}

impl Known {
    fn holds(&mut self, digest: Hash) -> bool {
        if self.young.contains(&digest) {
            return true;
        }
        let is_old = self.old.contains(&digest);
        if is_old {
            self.insert(digest);
        }
        is_old
    }

    fn insert(&mut self, digest: Hash) {
        if self.young.len() >= GENERATION {
            self.old = core::mem::take(&mut self.young);
        }
        self.young.insert(digest);
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    #[test]
    fn what_held_is_not_computed_again_and_what_did_not_hold_is() {
        remember();
        let computed = Cell::new(0);
        let ask = |claim, key: u8, message: &[u8], signature: u8, holds: bool| {
            once(claim, &[[key; 48]], message, &[signature; 96], || {
                computed.set(computed.get() + 1);
                if holds { Ok(()) } else { Err(SignatureError::InvalidSignature) }
            })
        };
        assert!(ask(Claim::Signed, 201, b"known", 1, true).is_ok());
        assert!(ask(Claim::Signed, 201, b"known", 1, false).is_ok(), "it held");
        assert_eq!(computed.get(), 1);
        for (claim, key, message, signature) in [
            (Claim::Possessed, 201, b"known".as_slice(), 1),
            (Claim::Signed, 202, b"known", 1),
            (Claim::Signed, 201, b"knows", 1),
            (Claim::Signed, 201, b"known", 2),
        ] {
            assert!(ask(claim, key, message, signature, false).is_err(), "{claim:?} {key} {signature}");
            assert!(ask(claim, key, message, signature, false).is_err(), "a refusal is not remembered");
        }
        assert_eq!(computed.get(), 9);
    }

    #[test]
    fn every_boundary_between_keys_and_message_counts() {
        let all: Vec<Hash> = (0..4)
            .map(|keys| {
                let message = vec![7; 48 * (3 - keys)];
                digest(Claim::Signed, &vec![[7; 48]; keys], &message, &[7; 96])
            })
            .collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 4);
    }

    #[test]
    fn what_is_asked_for_stays_and_what_is_not_goes() {
        let mut known = Known::default();
        let digest = |n: usize| digest(Claim::Signed, &[], &n.to_le_bytes(), &[0; 96]);
        known.insert(digest(0));
        for n in 1..3 * GENERATION {
            known.insert(digest(n));
            if n % 1_000 == 0 {
                assert!(known.holds(digest(0)), "at {n}");
            }
        }
        assert!(known.young.len() + known.old.len() <= 2 * GENERATION);
        assert!(!known.holds(digest(1)));
        assert!(known.holds(digest(3 * GENERATION - 1)));
    }
}
