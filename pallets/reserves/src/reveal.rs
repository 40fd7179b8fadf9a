//! Revealed preimages: published here before its deadline, a preimage counts in every later dispute.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{Hash, Storage, StorageKey, StorageMap, StorageType, Timestamp};

use crate::{Config, Error, Event};

/// The publication of a preimage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Revelation {
    /// When it was published first.
    pub at: Timestamp,
    /// What was published.
    pub preimage: [u8; 32],
}

/// What was published for a SHA-256 hash.
const REVEALS: StorageMap<Hash, Revelation> = StorageMap::new(StorageType::Reserves, 8);

/// The publication of the preimage of this SHA-256 hash; `None` if there was none.
pub fn revealed(storage: &(impl Storage + ?Sized), hash: &Hash) -> Result<Option<Revelation>, Error> {
    Ok(REVEALS.get(storage, hash)?)
}

/// Where the [`Revelation`] of this SHA-256 hash stands in the depositary's state, for proofs. Its
/// absence proves that the hash was not revealed.
#[must_use]
pub fn reveal_key(hash: &Hash) -> StorageKey {
    REVEALS.key(hash)
}

/// [`crate::Call::Reveal`].
pub(crate) fn reveal<T: Config>(env: &mut T, preimage: &[u8; 32]) -> Result<(), Error> {
    let hash = Hash::new(sp_crypto_hashing::sha2_256(preimage));
    if revealed(env, &hash)?.is_some() {
        return Ok(());
    }
    let revelation = Revelation { at: env.now(), preimage: *preimage };
    REVEALS.put(env, &hash, &revelation);
    env.deposit_event(Event::Revealed { hash, preimage: *preimage });
    Ok(())
}
