//! The hierarchical address: for display and routing hints, never for keys on disk.

use codec::{Decode, Encode, MaxEncodedLen};

use crate::{ChannelId, EntityId, SignerId};

/// `server ‖ signer ‖ entity ‖ channel-or-depositary`, eight bytes each, every part a truncated identifier.
/// The server part is zero on a lone server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, MaxEncodedLen)]
pub struct Address {
    /// The server that hosts it; zero on a lone server.
    pub server: [u8; 8],
    /// The hosting signer.
    pub signer: [u8; 8],
    /// The entity.
    pub entity: [u8; 8],
    /// The channel or depositary inside it; zero for the entity itself.
    pub leaf: [u8; 8],
}

fn truncated(bytes: &[u8; 32]) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&bytes[..8]);
    short
}

impl Address {
    /// The address of an entity hosted by a signer on a lone server.
    #[must_use]
    pub fn entity(signer: &SignerId, entity: &EntityId) -> Self {
        Self {
            server: [0; 8],
            signer: truncated(signer.as_bytes()),
            entity: truncated(entity.as_bytes()),
            leaf: [0; 8],
        }
    }

    /// The address of a channel of this entity.
    #[must_use]
    pub fn channel(self, channel: &ChannelId) -> Self {
        Self { leaf: truncated(channel.as_bytes()), ..self }
    }
}

impl core::fmt::Display for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let part = hex::encode;
        write!(f, "{}:{}:{}:{}", part(self.server), part(self.signer), part(self.entity), part(self.leaf))
    }
}
