//! Nonces: the calls of one signer to one entity are executed in order, each once.

use xln_primitives::{Nonce, SignerId, Storage, StorageMap, StorageType};

use crate::Error;

/// The next nonce of each signer that has used one.
pub(crate) const NONCES: StorageMap<SignerId, Nonce> = StorageMap::new(StorageType::Inboxes, 0);

/// The nonce that the next call of `signer` to this entity must carry; 0 for a signer that never called.
pub fn nonce(storage: &(impl Storage + ?Sized), signer: &SignerId) -> Result<Nonce, Error> {
    Ok(NONCES.get(storage, signer)?.unwrap_or(0))
}

/// Records that `signer` used `nonce`: the next one follows it. To be called after [`crate::authorise`], also
/// when the call itself fails: a failed call has used its nonce.
pub fn use_nonce(storage: &mut (impl Storage + ?Sized), signer: &SignerId, nonce: Nonce) {
    // Nonces step by one from zero, so the end of the range is out of reach.
    NONCES.put(storage, signer, &nonce.saturating_add(1));
}

/// Checks that `found` is exactly the next nonce of `signer`.
pub(crate) fn check(storage: &(impl Storage + ?Sized), signer: &SignerId, found: Nonce) -> Result<(), Error> {
    let expected = nonce(storage, signer)?;
    match found.cmp(&expected) {
        core::cmp::Ordering::Less => Err(Error::NonceTooLow { expected, found }),
        core::cmp::Ordering::Greater => Err(Error::NonceGap { expected, found }),
        core::cmp::Ordering::Equal => Ok(()),
    }
}
