//! A key as 1,024 bits.
//!
//! A key of `n` bytes is read as its bytes, then zeros up to byte 126, then one byte that holds `n`. No two keys
//! read the same, none is a prefix of another, and comparing the bits compares the keys byte by byte: if one key
//! is the beginning of another, either the other continues with a byte above zero, or the length decides.

use crate::limits::{LimitError, MAX_KEY_BYTES};

/// Bits of every key; positions are 0 (first, most significant) to 1,023.
pub(crate) const KEY_BITS: u16 = 1024;

/// Index of the byte that holds the length.
const LENGTH_BYTE: usize = MAX_KEY_BYTES;

/// The bits of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bits<'a> {
    key: &'a [u8],
    length: u8,
}

impl<'a> Bits<'a> {
    /// The bits of a key that may be in a tree.
    pub(crate) fn of_key(key: &'a [u8]) -> Result<Self, LimitError> {
        if key.len() > MAX_KEY_BYTES { Err(LimitError::Key(key.len())) } else { Ok(Self::of_bound(key)) }
    }

    /// The bits of a bound between keys, cut after [`MAX_KEY_BYTES`]: a key greater than the cut bound is greater than
    /// the whole one too.
    pub(crate) fn of_bound(bound: &'a [u8]) -> Self {
        let key = bound.get(..MAX_KEY_BYTES).unwrap_or(bound);
        Self { key, length: u8::try_from(key.len()).unwrap_or(u8::MAX) }
    }

    /// The key itself.
    pub(crate) const fn key(self) -> &'a [u8] {
        self.key
    }

    /// Byte `index` of the 128; zero beyond.
    pub(crate) fn byte(self, index: usize) -> u8 {
        match self.key.get(index) {
            Some(byte) => *byte,
            None if index == LENGTH_BYTE => self.length,
            None => 0,
        }
    }

    /// Whether the bit at `position` is set.
    pub(crate) fn bit(self, position: u16) -> bool {
        self.byte(usize::from(position / 8)) & (0x80 >> (position % 8)) != 0
    }

    /// The `width` bits that level `level` of the branches consumes, zeros beyond the last.
    pub(crate) fn chunk(self, level: u16, width: u8) -> u16 {
        let start = u32::from(level) * u32::from(width);
        // At most 1,023 / 8.
        let first = usize::from(level) * usize::from(width) / 8;
        let bytes = [0, self.byte(first), self.byte(first + 1), self.byte(first + 2)];
        // A chunk starts at bit 0 to 7 of the 24 and has at most 16 bits.
        let shifted = u32::from_be_bytes(bytes) >> (24 - start % 8 - u32::from(width));
        let [_, _, high, low] = shifted.to_be_bytes();
        u16::from_be_bytes([high, low]) & (u16::MAX >> (16 - width))
    }

    /// The first position at which two keys differ; none if they are equal.
    pub(crate) fn first_difference(self, other: Bits<'_>) -> Option<u16> {
        let (short, long) = if self.length <= other.length { (self, other) } else { (other, self) };
        // `zip` ends with the shorter key, so every index here is at most 126.
        let differs = (0u16..).zip(short.key.iter().zip(long.key)).find(|(_, (a, b))| a != b);
        if let Some((index, (a, b))) = differs {
            return Some(index * 8 + leading_zeros(a ^ b));
        }
        let tail = (0u16..).zip(long.key).skip(short.key.len()).find(|(_, byte)| **byte != 0);
        if let Some((index, byte)) = tail {
            return Some(index * 8 + leading_zeros(*byte));
        }
        let difference = short.length ^ long.length;
        (difference != 0).then(|| KEY_BITS - 8 + leading_zeros(difference))
    }
}

fn leading_zeros(byte: u8) -> u16 {
    u16::try_from(byte.leading_zeros()).unwrap_or(8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bits(key: &[u8]) -> Bits<'_> {
        Bits::of_key(key).unwrap()
    }

    #[test]
    fn keys_are_up_to_127_bytes_long() {
        assert!(Bits::of_key(&[]).is_ok());
        assert!(Bits::of_key(&[0; 127]).is_ok());
        assert_eq!(Bits::of_key(&[0; 128]).map(Bits::key), Err(LimitError::Key(128)));
    }

    #[test]
    fn a_key_and_the_same_key_with_a_zero_differ_in_the_length() {
        assert_eq!(bits(&[1]).first_difference(bits(&[1, 0])), Some(1016 + 6));
        assert_eq!(bits(&[1]).first_difference(bits(&[1, 1])), Some(15));
        assert_eq!(bits(&[1]).first_difference(bits(&[1])), None);
        assert_eq!(bits(&[]).first_difference(bits(&[0])), Some(1023));
        assert_eq!(bits(&[7; 127]).first_difference(bits(&[7; 126])), Some(126 * 8 + 5));
    }

    #[test]
    fn chunks_straddle_bytes_and_end_in_zeros() {
        let key = [0b1010_1100, 0b0101_0011];
        assert_eq!(bits(&key).chunk(0, 5), 0b10101);
        assert_eq!(bits(&key).chunk(1, 5), 0b10001);
        assert_eq!(bits(&key).chunk(0, 16), 0b1010_1100_0101_0011);
        // Level 204 of width 5 starts at bit 1,020: four bits of the length, then nothing.
        assert_eq!(bits(&key).chunk(204, 5), 0b00100);
    }

    proptest! {
        #[test]
        fn the_first_difference_orders_keys_as_bytes_do(
            a in prop::collection::vec(0u8..3, 0..8),
            b in prop::collection::vec(0u8..3, 0..8),
        ) {
            let (left, right) = (bits(&a), bits(&b));
            match left.first_difference(right) {
                None => prop_assert_eq!(&a, &b),
                Some(position) => {
                    prop_assert_eq!(left.bit(position), a > b);
                    prop_assert_eq!(right.bit(position), b > a);
                    for before in 0..position {
                        prop_assert_eq!(left.bit(before), right.bit(before));
                    }
                }
            }
        }

        #[test]
        fn chunks_are_the_bits_in_order(key in prop::collection::vec(any::<u8>(), 0..=127), width in 1u8..=16) {
            let levels = KEY_BITS.div_ceil(u16::from(width));
            for level in 0..levels {
                let expected = (0..u16::from(width)).fold(0u16, |chunk, offset| {
                    let position = level * u16::from(width) + offset;
                    (chunk << 1) | u16::from(position < KEY_BITS && bits(&key).bit(position))
                });
                prop_assert_eq!(bits(&key).chunk(level, width), expected);
            }
        }
    }
}
