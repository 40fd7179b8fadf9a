//! How much of the past is kept: a number of blocks, or everything.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xln_store::Keep;

/// A number of blocks, or `archive`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepArg(pub Keep);

/// Neither a number nor a word that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a number of blocks nor `archive`")]
pub struct KeepError(String);

impl FromStr for KeepArg {
    type Err = KeepError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            // Nothing here is not canonical, so both words of Substrate mean the same.
            "archive" | "archive-canonical" => Ok(Self(Keep::All)),
            number => {
                number.parse().map(|blocks| Self(Keep::Last(blocks))).map_err(|_| KeepError(text.to_owned()))
            }
        }
    }
}

impl fmt::Display for KeepArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Keep::All => f.write_str("archive"),
            Keep::Last(blocks) => write!(f, "{blocks}"),
        }
    }
}

impl Serialize for KeepArg {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeepArg {
    /// From a text or, as a configuration file may have it, a number.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Blocks(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Blocks(blocks) => Ok(Self(Keep::Last(blocks))),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}
