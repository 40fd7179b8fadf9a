//! Revealed preimages: published here before its deadline, a preimage counts in every later dispute.

use xln_primitives::{Hash, Storage, StorageKey, StorageMap, StorageType, Timestamp};

use crate::{Config, Error, Event};

/// When the preimage of a SHA-256 hash was published first.
const REVEALS: StorageMap<Hash, Timestamp> = StorageMap::new(StorageType::Reserves, 8);

/// When the preimage of this SHA-256 hash was published; `None` if it was not.
pub fn revealed(storage: &(impl Storage + ?Sized), hash: &Hash) -> Result<Option<Timestamp>, Error> {
    Ok(REVEALS.get(storage, hash)?)
}

/// Where the [`Timestamp`] of the revelation of this SHA-256 hash stands in the depositary's state, for proofs. Its
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
    let now = env.now();
    REVEALS.put(env, &hash, &now);
    env.deposit_event(Event::Revealed { hash, preimage: *preimage });
    Ok(())
}
