//! Keccak-256, the hash of everything that a contract may have to recompute.

use crate::id::fixed_bytes;

fixed_bytes! {
    /// A 32-byte digest.
    Hash
}

/// Keccak-256 (the padding of Ethereum, not of NIST SHA-3).
#[must_use]
pub fn keccak256(bytes: &[u8]) -> Hash {
    Hash::new(sp_crypto_hashing::keccak_256(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keccak_of_nothing_is_ethereums() {
        assert_eq!(
            keccak256(b"").to_string(),
            "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        );
    }
}
