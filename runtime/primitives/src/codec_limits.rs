//! Decoding of foreign bytes: bounded in size and depth, and canonical.

use codec::{Decode, DecodeLimit, Encode};

/// How deeply nested a decoded value may be. No wire type of ours needs more than half of it.
pub const MAX_DEPTH: u32 = 16;

/// Bytes that are not the one encoding of a value of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than this type may take.
    #[error("{size} bytes are more than the {size_max} that are allowed here")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        size_max: usize,
    },
    /// Not a value of this type: cut short, trailing bytes, too deep, too long, or an unknown variant.
    #[error("malformed: {0}")]
    Malformed(String),
    /// A value, but not in its canonical encoding.
    #[error("not the canonical encoding")]
    NotCanonical,
}

/// Decodes exactly one value from `bytes`: at most `size_max` bytes, at most [`MAX_DEPTH`] levels, no byte left
/// over, and only the canonical encoding.
pub fn decode_exact<T: Decode + Encode>(bytes: &[u8], size_max: usize) -> Result<T, DecodeError> {
    if bytes.len() > size_max {
        return Err(DecodeError::TooLarge { size: bytes.len(), size_max });
    }
    let value = T::decode_all_with_depth_limit(MAX_DEPTH, &mut &*bytes)
        .map_err(|error| DecodeError::Malformed(error.to_string()))?;
    if value.using_encoded(|canonical| canonical != bytes) {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_bytes_and_oversize_are_refused() {
        assert_eq!(decode_exact::<u32>(&[1, 0, 0, 0], 4), Ok(1));
        assert!(matches!(decode_exact::<u32>(&[1, 0, 0, 0, 0], 9), Err(DecodeError::Malformed(_))));
        assert_eq!(
            decode_exact::<u32>(&[1, 0, 0, 0], 3),
            Err(DecodeError::TooLarge { size: 4, size_max: 3 })
        );
    }

    #[test]
    fn a_length_beyond_the_input_takes_no_memory() {
        // A compact length of 2³⁰ − 1 followed by nothing.
        assert!(matches!(
            decode_exact::<Vec<u8>>(&[0xfe, 0xff, 0xff, 0xff], 16),
            Err(DecodeError::Malformed(_))
        ));
    }

    #[test]
    fn a_value_nested_too_deeply_is_refused() {
        #[derive(Encode, Decode)]
        struct Nest(Vec<Nest>);
        let deep = vec![4; 64];
        assert!(decode_exact::<Nest>(&deep, 64).is_err());
    }
}
