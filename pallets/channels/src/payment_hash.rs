//! The secret of a payment and the lock that it opens.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::Hash;

/// SHA-256 of a [`Preimage`]: the lock of a payment, the same as in Lightning, so that one hash can span both.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
)]
pub struct PaymentHash([u8; 32]);

impl PaymentHash {
    /// From its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl core::fmt::Display for PaymentHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(&Hash::new(self.0), f)
    }
}

impl core::fmt::Debug for PaymentHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::str::FromStr for PaymentHash {
    type Err = xln_primitives::ParseIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Hash>().map(|hash| Self(*hash.as_bytes()))
    }
}

/// The 32 bytes that open the lock. Whoever shows them to a payer of a pending HTLC is paid; `Debug` hides them.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Preimage([u8; 32]);

impl Preimage {
    /// From its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The lock that it opens.
    #[must_use]
    pub fn hash(&self) -> PaymentHash {
        PaymentHash(sp_crypto_hashing::sha2_256(&self.0))
    }
}

impl core::fmt::Debug for Preimage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Preimage(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_sha_256_of_the_preimage() {
        assert_eq!(
            Preimage::new([0; 32]).hash().to_string(),
            "0x66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
        );
    }

    #[test]
    fn debug_output_hides_the_secret() {
        assert_eq!(format!("{:?}", Preimage::new([7; 32])), "Preimage(…)");
    }
}
