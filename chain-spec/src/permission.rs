//! What members of boards may do, by name.

use core::fmt;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use xln_primitives::Permissions;

/// A thing that a member of a board may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Permission {
    /// Everything, custom permissions included.
    All,
    /// Make proposals.
    Propose,
    /// Vote on proposals.
    Vote,
    /// Act alone where the entity's policy asks for an executive.
    Execute,
    /// Propose a new member.
    AddValidator,
    /// Propose the removal of a member.
    RemoveValidator,
    /// Keep the list of entities that the entity does not deal with, or reports.
    Compliance,
    /// One of the permissions `custom0` to `custom15`, to which an entity's policy gives a meaning.
    Custom(u8),
}

/// The permissions with a meaning, and what they are called.
const NAMED: [(&str, Permission, Permissions); 7] = [
    ("all", Permission::All, Permissions::ALL),
    ("propose", Permission::Propose, Permissions::PROPOSE),
    ("vote", Permission::Vote, Permissions::VOTE),
    ("execute", Permission::Execute, Permissions::EXECUTE),
    ("addValidator", Permission::AddValidator, Permissions::ADD_VALIDATOR),
    ("removeValidator", Permission::RemoveValidator, Permissions::REMOVE_VALIDATOR),
    ("compliance", Permission::Compliance, Permissions::COMPLIANCE),
];

impl Permission {
    /// The names of what a set allows; [`Permission::All`] alone for everything. Bits without a name are left out.
    #[must_use]
    pub fn all_of(permissions: Permissions) -> BTreeSet<Self> {
        if permissions == Permissions::ALL {
            return everything();
        }
        let custom = (0_u8..).zip(Permissions::CUSTOM).map(|(place, bits)| (Self::Custom(place), bits));
        let named = NAMED.iter().map(|(_, permission, bits)| (*permission, *bits)).chain(custom);
        named.filter(|(_, bits)| permissions.allows(*bits)).map(|(permission, _)| permission).collect()
    }

    fn bits(self) -> Permissions {
        match self {
            Self::Custom(place) => {
                Permissions::CUSTOM.get(usize::from(place)).copied().unwrap_or(Permissions::NONE)
            }
            named => NAMED.iter().find(|row| row.1 == named).map_or(Permissions::NONE, |row| row.2),
        }
    }
}

impl TryFrom<String> for Permission {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if let Some((_, permission, _)) = NAMED.iter().find(|row| row.0 == text) {
            return Ok(*permission);
        }
        let custom = (0_u8..).zip(Permissions::CUSTOM).map(|(place, _)| Self::Custom(place));
        custom.into_iter().find(|permission| permission.to_string() == text).ok_or_else(|| {
            let names: Vec<&str> = NAMED.iter().map(|row| row.0).collect();
            format!("no permission is called {text:?}; there is {}, custom0 to custom15", names.join(", "))
        })
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custom(place) => write!(f, "custom{place}"),
            named => f.write_str(NAMED.iter().find(|row| row.1 == *named).map_or("", |row| row.0)),
        }
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.to_string()
    }
}

/// All of these together.
pub(crate) fn bits(permissions: &BTreeSet<Permission>) -> Permissions {
    permissions.iter().fold(Permissions::NONE, |set, permission| set.with(permission.bits()))
}

pub(crate) fn everything() -> BTreeSet<Permission> {
    BTreeSet::from([Permission::All])
}
