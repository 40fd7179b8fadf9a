//! Derivation paths: which key of the many that one seed has.

use crate::Scheme;

/// Most levels of a path.
const MAX_DEPTH: usize = 16;

/// Bit of a hardened index.
pub(crate) const HARDENED: u32 = 1 << 31;

/// Coin type of XLN: the letters `XLN`. Not registered in SLIP-44.
const COIN_XLN: u32 = 0x0058_4c4e;

/// Coin type of Ethereum, SLIP-44.
const COIN_ETHEREUM: u32 = 60;

/// Purpose of EIP-2334.
const PURPOSE_BLS: u32 = 12_381;

/// A path such as `m/44'/60'/0'/0/0`; `'` marks a hardened level.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DerivationPath(Vec<u32>);

/// A text that is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not start with the master key.
    #[error("a path starts with `m`, as in m/44'/60'/0'/0/0")]
    NoMaster,
    /// A level is not a number below 2³¹, at this position counted from 1.
    #[error("level {level} of the path is not a number below 2147483648, with or without '")]
    Level {
        /// Its position.
        level: usize,
    },
    /// Too many levels.
    #[error("a path has at most {MAX_DEPTH} levels, this one has {found}")]
    TooDeep {
        /// How many it has.
        found: usize,
    },
}

impl DerivationPath {
    /// The path of key `index` of a scheme, `0 ..= 2³¹ − 1`; higher bits of the index are ignored.
    #[must_use]
    pub fn standard(scheme: Scheme, index: u32) -> Self {
        let index = index & !HARDENED;
        let hard = |level| level | HARDENED;
        Self(match scheme {
            Scheme::Ed25519 => vec![hard(44), hard(COIN_XLN), hard(0), hard(0), hard(index)],
            Scheme::Secp256k1 => vec![hard(44), hard(COIN_ETHEREUM), hard(0), 0, index],
            Scheme::Bls => vec![PURPOSE_BLS, COIN_XLN, index, 0, 0],
        })
    }

    /// Its levels; bit 31 marks a hardened one.
    pub(crate) fn levels(&self) -> &[u32] {
        &self.0
    }
}

impl core::fmt::Display for DerivationPath {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("m")?;
        for level in &self.0 {
            write!(f, "/{}{}", level & !HARDENED, if level & HARDENED == 0 { "" } else { "'" })?;
        }
        Ok(())
    }
}

impl core::str::FromStr for DerivationPath {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('/');
        if parts.next() != Some("m") {
            return Err(PathError::NoMaster);
        }
        let levels: Vec<u32> = parts
            .enumerate()
            .map(|(position, part)| {
                let (digits, mark) = match part.strip_suffix('\'') {
                    Some(digits) => (digits, HARDENED),
                    None => (part, 0),
                };
                // `parse` would also take a sign.
                digits
                    .parse::<u32>()
                    .ok()
                    .filter(|index| *index < HARDENED && digits.bytes().all(|byte| byte.is_ascii_digit()))
                    .map(|index| index | mark)
                    .ok_or(PathError::Level { level: position + 1 })
            })
            .collect::<Result<_, _>>()?;
        if levels.len() > MAX_DEPTH {
            return Err(PathError::TooDeep { found: levels.len() });
        }
        Ok(Self(levels))
    }
}

impl serde::Serialize for DerivationPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for DerivationPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_paths_are_the_documented_ones() {
        let text = |scheme| DerivationPath::standard(scheme, 7).to_string();
        assert_eq!(text(Scheme::Ed25519), "m/44'/5786702'/0'/0'/7'");
        assert_eq!(text(Scheme::Secp256k1), "m/44'/60'/0'/0/7");
        assert_eq!(text(Scheme::Bls), "m/12381/5786702/7/0/0");
    }

    #[test]
    fn a_path_reads_back_its_text() {
        for text in ["m", "m/0", "m/44'/60'/0'/0/2147483647"] {
            assert_eq!(text.parse::<DerivationPath>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_path_is_named() {
        let parse = |text: &str| text.parse::<DerivationPath>().unwrap_err();
        assert_eq!(parse("44'/0"), PathError::NoMaster);
        assert_eq!(parse(""), PathError::NoMaster);
        for text in ["m/0/x", "m/0/", "m/0/+1", "m/0/-1", "m/0/2147483648", "m/0/1''", "m/0/1h"] {
            assert_eq!(parse(text), PathError::Level { level: 2 }, "{text}");
        }
        assert_eq!(parse(&format!("m{}", "/0".repeat(17))), PathError::TooDeep { found: 17 });
    }
}
