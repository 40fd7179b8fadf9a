//! Identifiers: 32 bytes each, written as `0x…` in text.

use codec::{Decode, Encode, MaxEncodedLen};

use crate::{Hash, keccak256};

/// A text that is not `0x` followed by 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 0x and 64 hexadecimal digits, found {found} characters")]
pub struct ParseIdError {
    /// Length of the text that was given.
    pub found: usize,
}

/// Declares a 32-byte newtype with text, SCALE and JSON forms.
macro_rules! fixed_bytes {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen)]
        pub struct $name([u8; 32]);

        impl $name {
            /// All zero bytes; never the digest or identifier of anything real.
            pub const ZERO: Self = Self([0; 32]);
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
        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        impl From<[u8; 32]> for $name {
            fn from(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
        }
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "0x{}", hex::encode(self.0))
            }
        }
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }
        impl core::str::FromStr for $name {
            type Err = $crate::ParseIdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0; 32];
                text.strip_prefix("0x")
                    .and_then(|digits| hex::decode_to_slice(digits, &mut bytes).ok())
                    .map(|()| Self(bytes))
                    .ok_or($crate::ParseIdError { found: text.len() })
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use fixed_bytes;

fixed_bytes! {
    /// The network: the hash of its genesis. Part of everything that is signed, so nothing signed for one
    /// network means anything on another.
    Network
}
fixed_bytes! {
    /// A key as an actor: keccak-256 of its scheme byte and its public key.
    SignerId
}
fixed_bytes! {
    /// A wallet, company, hub or consortium: *lazy* (the hash of its board) or *registered* (a number).
    EntityId
}
fixed_bytes! {
    /// The bilateral account of two entities.
    ChannelId
}
fixed_bytes! {
    /// An asset of the depositary: the hash of what defines it there.
    AssetId
}

impl EntityId {
    /// The identifier of a registered entity: its number, big-endian, in the last eight bytes.
    #[must_use]
    pub fn registered(number: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&number.to_be_bytes());
        Self(bytes)
    }

    /// The registry number, if the identifier has the form of a registered one.
    ///
    /// A lazy identifier is a digest, which has 24 leading zero bytes with probability 2⁻¹⁹².
    #[must_use]
    pub fn registry_number(&self) -> Option<u64> {
        let (prefix, number) = self.0.split_at(24);
        if prefix.iter().any(|byte| *byte != 0) {
            return None;
        }
        <[u8; 8]>::try_from(number).ok().map(u64::from_be_bytes)
    }
}

/// A party of a channel. **Left** is the entity with the smaller identifier.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    MaxEncodedLen,
    codec::DecodeWithMemTracking,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The entity with the smaller identifier.
    Left,
    /// The entity with the larger identifier.
    Right,
}

impl Side {
    /// The other party.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// Which side `one` is in its channel with `other`; `None` if they are the same entity.
    #[must_use]
    pub fn of(one: &EntityId, other: &EntityId) -> Option<Self> {
        match one.cmp(other) {
            core::cmp::Ordering::Less => Some(Self::Left),
            core::cmp::Ordering::Greater => Some(Self::Right),
            core::cmp::Ordering::Equal => None,
        }
    }
}

impl ChannelId {
    /// The channel of two entities, in either order: keccak-256 of left ‖ right.
    #[must_use]
    pub fn between(one: &EntityId, other: &EntityId) -> Self {
        let (left, right) = if one <= other { (one, other) } else { (other, one) };
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(left.as_ref());
        bytes[32..].copy_from_slice(right.as_ref());
        Self(*keccak256(&bytes).as_bytes())
    }
}

impl From<Hash> for EntityId {
    fn from(hash: Hash) -> Self {
        Self(*hash.as_bytes())
    }
}

impl AssetId {
    /// The asset that a chain spec or registry defines under `name`: keccak-256 of a domain and the name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let mut bytes = b"XLN asset".to_vec();
        bytes.extend_from_slice(name.as_bytes());
        Self(*keccak256(&bytes).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_reads_back_what_it_writes() {
        let id = EntityId::new([0xab; 32]);
        assert_eq!(id.to_string().parse::<EntityId>(), Ok(id));
        assert_eq!("0xab".parse::<EntityId>(), Err(ParseIdError { found: 4 }));
        assert_eq!(serde_json::from_str::<EntityId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn a_registered_entity_keeps_its_number() {
        assert_eq!(EntityId::registered(7).registry_number(), Some(7));
        assert_eq!(EntityId::new([1; 32]).registry_number(), None);
    }

    #[test]
    fn a_channel_is_the_same_from_both_sides() {
        let (a, b) = (EntityId::new([1; 32]), EntityId::new([2; 32]));
        assert_eq!(ChannelId::between(&a, &b), ChannelId::between(&b, &a));
        assert_eq!(Side::of(&a, &b), Some(Side::Left));
        assert_eq!(Side::of(&b, &a), Some(Side::Right));
        assert_eq!(Side::of(&a, &a), None);
    }
}
