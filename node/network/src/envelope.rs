//! How a message lies on the wire: its code, and its body, compressed where that makes it shorter.
//!
//! ```text
//!   code 1 │ 0 │ body                               up to 1 KiB, and what does not shrink
//!   code 1 │ 1 │ length 4, little-endian │ lz4      the length is that of the body
//! ```
//!
//! Nothing is allocated on the word of the sender alone: the length must be within the limit of the place where the message
//! came, and within what so many compressed bytes can become at all.

use codec::{Decode, Encode};
use xln_primitives::decode_exact;

use crate::Code;

/// Bodies above this are compressed.
pub const COMPRESSED_ABOVE: usize = 1_024;
/// LZ4 repeats at most this many bytes for one byte of input.
const RATIO_MAX: usize = 255;
/// Code and form.
const HEAD: usize = 2;
/// Length of a compressed body.
const LENGTH: usize = 4;

/// A message: what it is, and its SCALE bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What it is.
    pub code: Code,
    /// Its encoding.
    pub body: Vec<u8>,
}

/// Bytes that are no message, or one that is too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// A body beyond the limit.
    #[error("a message of {size} bytes, {limit} are allowed here")]
    Oversized {
        /// Its size in bytes, as it says itself.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Fewer bytes than any message has, or than this one says.
    #[error("a message was cut short after {found} bytes")]
    Short {
        /// Bytes found.
        found: usize,
    },
    /// A code that means nothing, at all or here.
    #[error("code 0x{0:02x} means nothing here")]
    Code(u8),
    /// Neither plain nor compressed.
    #[error("form {0} is neither plain nor compressed")]
    Form(u8),
    /// Not what was compressed.
    #[error("the compressed body is damaged")]
    Damaged,
    /// The body is not what its code says.
    #[error("the body is not what code 0x{code:02x} says: {reason}")]
    Body {
        /// The code.
        code: u8,
        /// What is wrong.
        reason: String,
    },
}

impl Envelope {
    /// Its bytes on the wire.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        if let Ok(length) = u32::try_from(self.body.len())
            && self.body.len() > COMPRESSED_ABOVE
        {
            let compressed = lz4_flex::block::compress(&self.body);
            if compressed.len() + LENGTH < self.body.len() {
                return [&[self.code as u8, 1], length.to_le_bytes().as_slice(), &compressed].concat();
            }
        }
        [&[self.code as u8, 0], self.body.as_slice()].concat()
    }

    /// Reads a message whose body has at most `limit` bytes and whose code is one of `codes`.
    pub fn decode(bytes: &[u8], codes: &[Code], limit: usize) -> Result<Self, EnvelopeError> {
        let short = || EnvelopeError::Short { found: bytes.len() };
        let (head, rest) = bytes.split_at_checked(HEAD).ok_or_else(short)?;
        let &[code, form] = head else { return Err(short()) };
        let code =
            Code::from_byte(code).filter(|code| codes.contains(code)).ok_or(EnvelopeError::Code(code))?;
        let within = |size: usize| {
            if size > limit { Err(EnvelopeError::Oversized { size, limit }) } else { Ok(size) }
        };
        let body = match form {
            0 => {
                within(rest.len())?;
                rest.to_vec()
            }
            1 => {
                let (length, compressed) = rest.split_first_chunk::<LENGTH>().ok_or_else(short)?;
                let size = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
                within(size)?;
                if size > compressed.len().saturating_mul(RATIO_MAX) {
                    return Err(EnvelopeError::Damaged);
                }
                let mut body = vec![0; size];
                match lz4_flex::block::decompress_into(compressed, &mut body) {
                    Ok(written) if written == size => body,
                    _ => return Err(EnvelopeError::Damaged),
                }
            }
            other => return Err(EnvelopeError::Form(other)),
        };
        Ok(Self { code, body })
    }

    /// The value that its body encodes.
    pub(crate) fn value<T: Decode + Encode>(&self) -> Result<T, EnvelopeError> {
        decode_exact(&self.body, self.body.len())
            .map_err(|error| EnvelopeError::Body { code: self.code as u8, reason: error.to_string() })
    }

    /// Most bytes on the wire of a message whose body has at most `limit`.
    #[must_use]
    pub const fn wire_max(limit: usize) -> usize {
        limit.saturating_add(HEAD)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(bytes: &[u8], limit: usize) -> Result<Envelope, EnvelopeError> {
        Envelope::decode(bytes, &Code::ALL, limit)
    }

    #[test]
    fn the_bytes_are_pinned() {
        let small = Envelope { code: Code::Vote, body: vec![1, 2, 3] };
        assert_eq!(small.encode(), [0x11, 0, 1, 2, 3]);
        let large = Envelope { code: Code::Commit, body: vec![0; 2_000] }.encode();
        assert_eq!(large[..6], [0x12, 1, 0xd0, 0x07, 0, 0]);
    }

    #[test]
    fn only_what_is_large_and_shrinks_is_compressed() {
        let zeros = |length| Envelope { code: Code::Commit, body: vec![0; length] };
        assert_eq!(zeros(COMPRESSED_ABOVE).encode().len(), COMPRESSED_ABOVE + HEAD);
        assert!(zeros(100_000).encode().len() < 1_000);
        let noise: Vec<u8> = (0..100_u32).flat_map(|n| *blake3::hash(&n.to_be_bytes()).as_bytes()).collect();
        let noise = Envelope { code: Code::Commit, body: noise };
        assert_eq!(noise.encode().len(), noise.body.len() + HEAD);
    }

    #[test]
    fn a_length_is_refused_before_memory_is_taken() {
        let mut bytes = vec![Code::Vote as u8, 1];
        bytes.extend(u32::MAX.to_le_bytes());
        assert_eq!(
            decode(&bytes, 1 << 20),
            Err(EnvelopeError::Oversized { size: u32::MAX as usize, limit: 1 << 20 })
        );
        let mut bytes = vec![Code::Vote as u8, 1];
        bytes.extend(1_000_000_u32.to_le_bytes());
        bytes.extend([0; 100]);
        assert_eq!(decode(&bytes, 1 << 20), Err(EnvelopeError::Damaged), "100 bytes never become a million");
        assert!(matches!(decode(&[0x11, 0, 1, 2], 1), Err(EnvelopeError::Oversized { size: 2, limit: 1 })));
    }

    #[test]
    fn codes_and_forms_that_mean_nothing_here_are_refused() {
        assert_eq!(decode(&[], 9), Err(EnvelopeError::Short { found: 0 }));
        assert_eq!(decode(&[0x11], 9), Err(EnvelopeError::Short { found: 1 }));
        assert_eq!(decode(&[0x11, 2], 9), Err(EnvelopeError::Form(2)));
        assert_eq!(decode(&[0x77, 0], 9), Err(EnvelopeError::Code(0x77)));
        assert_eq!(Envelope::decode(&[0x11, 0], &[Code::Commit], 9), Err(EnvelopeError::Code(0x11)));
    }

    proptest! {
        #[test]
        fn every_message_comes_back(length in 0_usize..5_000, period in 1_usize..300) {
            let body = (0..length).map(|at| u8::try_from(at % period % 256).unwrap()).collect();
            let envelope = Envelope { code: Code::Propose, body };
            prop_assert_eq!(decode(&envelope.encode(), length), Ok(envelope));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), limit in 0_usize..100_000) {
            if let Ok(envelope) = decode(&bytes, limit) {
                prop_assert!(envelope.body.len() <= limit);
            }
        }
    }
}
