//! A signed call whose hash is known.

use xln_primitives::CallHash;

use crate::SignedCall;

/// A call and its hash, computed once for all who need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedCall {
    hash: CallHash,
    call: SignedCall,
}

impl HashedCall {
    /// Hashes a call.
    #[must_use]
    pub fn new(call: SignedCall) -> Self {
        Self { hash: call.hash(), call }
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> CallHash {
        self.hash
    }

    /// The call.
    #[must_use]
    pub const fn call(&self) -> &SignedCall {
        &self.call
    }

    /// The call without its hash.
    #[must_use]
    pub fn into_call(self) -> SignedCall {
        self.call
    }
}
