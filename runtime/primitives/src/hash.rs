//! The two hash functions: keccak-256 for identities and headers, which Ethereum's tools know how to compute, and BLAKE3
//! for what the embedded depositary opens.

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

/// The hash of everything that the depositary opens when it judges: outputs of frames, conditions, states of channels.
///
/// BLAKE3: the embedded depositary reads it as well as anything, and it is four times as fast as keccak, which a
/// hub would spend a quarter of its time on. A network that settles on Ethereum needs keccak-256 here; this function is
/// where that choice is made.
#[must_use]
pub fn commitment(bytes: &[u8]) -> Hash {
    Hash::new(*blake3::hash(bytes).as_bytes())
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
