//! How a caller points at something: by identifier, or by the name that people use for it.

use core::{fmt, str::FromStr};

use xln_primitives::{AssetId, EntityId, Hash, SignerId};

use crate::json_text::json_text;

/// Longest name in bytes.
pub const MAX_NAME: usize = 64;

/// A text that is neither an identifier nor a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseReferenceError {
    /// Nothing.
    #[error("expected a name or a 0x identifier, found nothing")]
    Empty,
    /// Longer than a name may be.
    #[error("a name has at most {MAX_NAME} bytes, found {found}")]
    TooLong {
        /// Length in bytes.
        found: usize,
    },
    /// Starts like an identifier but is none.
    #[error("an identifier is 0x and 64 hexadecimal digits, found {found} characters")]
    Identifier {
        /// Length in characters.
        found: usize,
    },
    /// A character that could fool a reader of a terminal.
    #[error("a name has no control characters and no spaces at its ends")]
    Character,
}

fn check_name(text: &str) -> Result<(), ParseReferenceError> {
    if text.is_empty() {
        return Err(ParseReferenceError::Empty);
    }
    if text.starts_with("0x") {
        return Err(ParseReferenceError::Identifier { found: text.chars().count() });
    }
    if text.len() > MAX_NAME {
        return Err(ParseReferenceError::TooLong { found: text.len() });
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(ParseReferenceError::Character);
    }
    Ok(())
}

macro_rules! reference {
    ($(#[$doc:meta])* $name:ident, $id:ty, $(#[$id_doc:meta])* $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[$id_doc])*
            Id($id),
            /// By name.
            Name(String),
        }

        impl FromStr for $name {
            type Err = ParseReferenceError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if let Ok(id) = text.parse() {
                    return Ok(Self::Id(id));
                }
                check_name(text)?;
                Ok(Self::Name(text.to_owned()))
            }
        }

        impl From<$id> for $name {
            fn from(id: $id) -> Self {
                Self::Id(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Id(id) => id.fmt(f),
                    Self::Name(name) => f.write_str(name),
                }
            }
        }

        json_text!($name);
    };
}

reference! {
    /// An entity: `0x…` or a name such as `alice`.
    EntityRef, EntityId,
    /// By identifier.
}
reference! {
    /// A signer whose key the node holds: `0x…` or its label.
    SignerRef, SignerId,
    /// By identifier.
}
reference! {
    /// A member of a board: `0x…` of a key or of an entity, the label of a key, or the name of an entity.
    MemberRef, Hash,
    /// By identifier; the two cannot be confused, being different digests.
}
reference! {
    /// An asset: `0x…` or its symbol, in either case, such as `USD` or `usd`.
    AssetRef, AssetId,
    /// By identifier.
}
reference! {
    /// A channel of the acting entity: the name of the peer, or `0x…`.
    ChannelRef, Hash,
    /// The identifier of the channel or of the peer; the two cannot be confused, being different digests.
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_an_identifier_or_a_name() {
        let id = EntityId::new([7; 32]);
        assert_eq!(id.to_string().parse(), Ok(EntityRef::Id(id)));
        assert_eq!("alice".parse(), Ok(EntityRef::Name("alice".into())));
        assert_eq!(serde_json::to_string(&EntityRef::Id(id)).unwrap(), format!("\"{id}\""));
    }

    #[test]
    fn a_mistyped_identifier_is_never_taken_for_a_name() {
        assert_eq!("0x1234".parse::<EntityRef>(), Err(ParseReferenceError::Identifier { found: 6 }));
        assert_eq!("".parse::<EntityRef>(), Err(ParseReferenceError::Empty));
        assert_eq!(" a".parse::<EntityRef>(), Err(ParseReferenceError::Character));
        assert_eq!("a\u{1b}[2J".parse::<EntityRef>(), Err(ParseReferenceError::Character));
        assert_eq!("a".repeat(65).parse::<EntityRef>(), Err(ParseReferenceError::TooLong { found: 65 }));
    }
}
