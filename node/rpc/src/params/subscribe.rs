//! What can be subscribed to.

use core::{fmt, str::FromStr};

use xln_primitives::{ChannelId, EntityId, ParseIdError};

use super::params;
use crate::{U64, json_text::json_text};

params! {
    /// Delivers what happens, from now on or from a cursor.
    pub struct Subscribe {
        /// Topics, at most 32.
        pub channels: Vec<Topic>,
        /// Deliver first what came after this cursor.
        pub from: Option<U64>,
    }
}

/// A kind of things that happen. In text: `blocks`, `entity:0x…`, `channel:0x…`, `payments`,
/// `proposals`, `events`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Every sealed block.
    Blocks,
    /// Frames, receipts, channels, payments and proposals of an entity.
    Entity(EntityId),
    /// A channel, whenever it changes.
    Channel(ChannelId),
    /// Payments, forwards and invoices of hosted entities.
    Payments,
    /// Proposals of hosted entities, whenever they are made, voted on or decided.
    Proposals,
    /// Receipts of all calls.
    Events,
}

/// A text that names no topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseTopicError {
    /// Not one of the words.
    #[error("expected blocks, payments, proposals, events, entity:0x… or channel:0x…")]
    Unknown,
    /// What follows the colon is no identifier.
    #[error(transparent)]
    Id(#[from] ParseIdError),
}

impl FromStr for Topic {
    type Err = ParseTopicError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "blocks" => Ok(Self::Blocks),
            None if text == "payments" => Ok(Self::Payments),
            None if text == "proposals" => Ok(Self::Proposals),
            None if text == "events" => Ok(Self::Events),
            Some(("entity", id)) => Ok(Self::Entity(id.parse()?)),
            Some(("channel", id)) => Ok(Self::Channel(id.parse()?)),
            _ => Err(ParseTopicError::Unknown),
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocks => f.write_str("blocks"),
            Self::Entity(id) => write!(f, "entity:{id}"),
            Self::Channel(id) => write!(f, "channel:{id}"),
            Self::Payments => f.write_str("payments"),
            Self::Proposals => f.write_str("proposals"),
            Self::Events => f.write_str("events"),
        }
    }
}

json_text!(Topic);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_reads_back_what_it_writes() {
        let id = EntityId::new([7; 32]);
        let channel = Topic::Channel(ChannelId::new([8; 32]));
        for topic in
            [Topic::Blocks, Topic::Payments, Topic::Proposals, Topic::Events, Topic::Entity(id), channel]
        {
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
        assert_eq!("book:A/B".parse::<Topic>(), Err(ParseTopicError::Unknown));
        assert_eq!("entity:0x1".parse::<Topic>(), Err(ParseTopicError::Id(ParseIdError { found: 3 })));
    }
}
