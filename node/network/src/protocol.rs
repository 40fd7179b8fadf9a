//! The names under which servers of one network speak: each has the genesis hash in it, so servers of two networks have no
//! word in common.

use core::fmt;

use libp2p::{StreamProtocol, gossipsub::IdentTopic};
use xln_primitives::Network;

use crate::Code;

/// What is spoken directly between two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Messages between members of a board.
    Consensus,
    /// Packets of [`crate::delivery`].
    Deliver,
    /// Questions and answers of catching up.
    Sync,
}

/// What everybody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Messages of the depositary's consensus; the direct streams are faster.
    Consensus,
    /// Committed frames with their certificates.
    Frames,
    /// Announcements of entities and public channels.
    Announcements,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 3] = [Self::Consensus, Self::Deliver, Self::Sync];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consensus => "consensus",
            Self::Deliver => "deliver",
            Self::Sync => "sync",
        }
    }

    /// What may be said.
    pub(crate) const fn codes(self) -> &'static [Code] {
        match self {
            Self::Consensus => {
                &[Code::SignerTransaction, Code::EntityTransaction, Code::Propose, Code::Vote, Code::Commit]
            }
            Self::Deliver => &[Code::ChannelMessage, Code::ChannelAck],
            Self::Sync => &[Code::Ping, Code::SyncRequest],
        }
    }

    /// What may be answered. Where nothing is asked, the answer says whether the message was taken.
    pub(crate) const fn answers(self) -> &'static [Code] {
        match self {
            Self::Consensus | Self::Deliver => &[Code::Pong],
            Self::Sync => &[Code::Pong, Code::SyncResponse],
        }
    }

    pub(crate) fn stream(self, network: Network) -> StreamProtocol {
        named(network, self.name())
    }
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 3] = [Self::Consensus, Self::Frames, Self::Announcements];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consensus => "consensus",
            Self::Frames => "frames",
            Self::Announcements => "announcements",
        }
    }

    pub(crate) const fn codes(self) -> &'static [Code] {
        match self {
            Self::Consensus => &[Code::Propose, Code::Vote, Code::Commit],
            Self::Frames => &[Code::Commit],
            Self::Announcements => &[Code::ChannelUpdate, Code::ChannelClose],
        }
    }

    pub(crate) fn topic(self, network: Network) -> IdentTopic {
        IdentTopic::new(format!("{}/gossip/{}/1", root(network), self.name()))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What all names of a network begin with, and how its servers recognise each other.
pub(crate) fn root(network: Network) -> String {
    format!("/xln/{network}")
}

/// The name of one protocol of a network.
pub(crate) fn named(network: Network, name: &str) -> StreamProtocol {
    StreamProtocol::try_from_owned(format!("{}/{name}/1", root(network))).expect("it begins with a slash")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_genesis_hash_in_them() {
        let network = Network::new([0xab; 32]);
        let hash = "ab".repeat(32);
        assert_eq!(Protocol::Sync.stream(network).as_ref(), format!("/xln/0x{hash}/sync/1"));
        assert_eq!(Topic::Frames.topic(network).hash().as_str(), format!("/xln/0x{hash}/gossip/frames/1"));
    }
}
