//! How an encoding is pinned: up to 80 bytes are spelled out, longer ones have their length and keccak-256.

use codec::{Decode, Encode};
use xln_primitives::{DecodeError, decode_exact, keccak256};

/// Asserts that `value` has exactly the encoding `expected`, and that nothing near it decodes.
#[track_caller]
pub(crate) fn pin<T: Encode + Decode + PartialEq + core::fmt::Debug>(value: &T, expected: &str) {
    let bytes = value.encode();
    assert_eq!(written(&bytes), expected, "the encoding of {value:?} changed");
    assert_eq!(decode_exact::<T>(&bytes, bytes.len()).as_ref(), Ok(value));
    let too_large = DecodeError::TooLarge { size: bytes.len(), size_max: bytes.len() - 1 };
    assert_eq!(decode_exact::<T>(&bytes, bytes.len() - 1), Err(too_large));
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(decode_exact::<T>(&longer, longer.len()).is_err(), "a byte left over is refused");
    for length in 0..bytes.len() {
        assert!(decode_exact::<T>(&bytes[..length], length).is_err(), "{length} bytes of it are refused");
    }
}

/// Bytes as they are pinned.
pub(crate) fn written(bytes: &[u8]) -> String {
    if bytes.len() > 80 { format!("{} bytes {}", bytes.len(), keccak256(bytes)) } else { hex::encode(bytes) }
}
