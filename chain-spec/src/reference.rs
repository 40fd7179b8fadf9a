//! How a chain spec refers to an entity or an asset: by name, or by identifier.

use std::fmt;

use serde::{Deserialize, Serialize};
use xln_primitives::{AssetId, EntityId};

macro_rules! reference {
    ($(#[$doc:meta])* $name:ident, $id:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text as it stands in the file.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The identifier, if the text is one.
            #[must_use]
            pub fn id(&self) -> Option<$id> {
                self.0.parse().ok()
            }
        }
        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.to_owned())
            }
        }
        impl From<$id> for $name {
            fn from(id: $id) -> Self {
                Self(id.to_string())
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

reference! {
    /// An entity of the spec: its name, or its identifier as `0x…`.
    EntityRef, EntityId
}
reference! {
    /// An asset of the spec: its symbol, or its identifier as `0x…`.
    AssetRef, AssetId
}
