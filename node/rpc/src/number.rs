//! 64-bit numbers and byte strings as JSON carries them without loss.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::json_text::json_text;

/// A height, block number, nonce or other 64-bit count that may exceed what JavaScript's numbers hold exactly.
/// Written as a decimal string; a JSON integer is understood too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct U64(pub u64);

impl From<u64> for U64 {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<U64> for u64 {
    fn from(number: U64) -> Self {
        number.0
    }
}

impl fmt::Display for U64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::str::FromStr for U64 {
    type Err = core::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for U64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for U64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl de::Visitor<'_> for Number {
            type Value = U64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 0 to 2^64 - 1, as a decimal string")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<U64, E> {
                Ok(U64(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<U64, E> {
                text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// Bytes, written as `0x` and hexadecimal digits.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub Vec<u8>);

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(&self.0))
    }
}

/// A text that is not `0x` and an even number of hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 0x and an even number of hexadecimal digits, found {found} characters")]
pub struct ParseBytesError {
    /// Length of the text that was given.
    pub found: usize,
}

impl core::str::FromStr for Bytes {
    type Err = ParseBytesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
        digits.map(Self).ok_or(ParseBytesError { found: text.len() })
    }
}

json_text!(Bytes);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_survive_json_as_strings() {
        assert_eq!(serde_json::to_string(&U64(u64::MAX)).unwrap(), "\"18446744073709551615\"");
        assert_eq!(serde_json::from_str::<U64>("\"18446744073709551615\"").unwrap(), U64(u64::MAX));
        assert_eq!(serde_json::from_str::<U64>("7").unwrap(), U64(7));
        for wrong in ["-1", "1.5", "\"\"", "\"1e3\"", "\"18446744073709551616\"", "null"] {
            assert!(serde_json::from_str::<U64>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bytes_are_hexadecimal_with_a_prefix() {
        assert_eq!(serde_json::to_string(&Bytes(vec![0, 255])).unwrap(), "\"0x00ff\"");
        assert_eq!("0x00ff".parse(), Ok(Bytes(vec![0, 255])));
        assert_eq!("00ff".parse::<Bytes>(), Err(ParseBytesError { found: 4 }));
        assert_eq!("0x0".parse::<Bytes>(), Err(ParseBytesError { found: 3 }));
    }
}
