//! What the network tells the node.

use std::time::Duration;

use libp2p::{
    Multiaddr, PeerId,
    gossipsub::{MessageAcceptance, MessageId},
    request_response::ResponseChannel,
};
use tokio::sync::mpsc;

use crate::{
    Answer, Code, Held, Question, ServerId, Topic, Traffic, codec::Wire, delivery::Packet, handle::Command,
};

/// Something that happened. A message of a server comes after its [`Event::Connected`]. What is told of connections may be
/// told late and may leave out changes that were undone, but the last one told is how it is.
#[derive(Debug)]
pub enum Event {
    /// A server of this network is connected.
    Connected(ServerId),
    /// It is not connected any more.
    Disconnected(ServerId),
    /// A message for a board.
    Consensus {
        /// Who sent it. It says nothing about who signed it.
        from: ServerId,
        /// What it is.
        code: Code,
        /// Its SCALE bytes.
        body: Held<Vec<u8>>,
    },
    /// A packet for [`crate::delivery::Delivery::receive`].
    Delivery {
        /// Who sent it.
        from: ServerId,
        /// The packet.
        packet: Held<Packet>,
    },
    /// A question.
    Question {
        /// Who asks.
        from: ServerId,
        /// What.
        question: Held<Question>,
        /// Takes the answer.
        responder: Responder,
    },
    /// A gossip. It goes on to others only if [`crate::Network::judge`] accepts it within a few seconds.
    Gossip {
        /// On which topic.
        topic: Topic,
        /// What it is.
        code: Code,
        /// Its SCALE bytes.
        body: Held<Vec<u8>>,
        /// The server that published and signed it.
        author: ServerId,
        /// The server from which it came.
        from: ServerId,
        /// Names it in the verdict.
        id: GossipId,
    },
}

/// A gossip that waits for its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GossipId {
    pub(crate) message: MessageId,
    pub(crate) source: PeerId,
}

/// What a gossip is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Valid: tell others.
    Accept,
    /// Invalid: nobody is told, and whoever passed it on loses standing.
    Reject,
    /// Not useful here, for example known or too old: nobody is told, nobody is to blame.
    Ignore,
}

impl From<Verdict> for MessageAcceptance {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Accept => Self::Accept,
            Verdict::Reject => Self::Reject,
            Verdict::Ignore => Self::Ignore,
        }
    }
}

/// Takes the answer to one question. If it is dropped, whoever asked learns that there is no answer.
#[derive(Debug)]
pub struct Responder {
    pub(crate) to: ServerId,
    pub(crate) channel: ResponseChannel<Wire>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) answer_max: usize,
}

impl Responder {
    /// Answers. An answer that is too large is sent as [`Answer::Busy`].
    pub fn answer(self, answer: &Answer) {
        let mut envelope = answer.envelope();
        if envelope.body.len() > self.answer_max {
            tracing::error!(size = envelope.body.len(), limit = self.answer_max, "an answer is too large");
            envelope = Answer::Busy.envelope();
        }
        // If there is no room, there is no answer, which the other side is told.
        let _ = self.commands.try_send(Command::Answer(self.to, self.channel, envelope.encode()));
    }
}

/// A connected server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// Who it is.
    pub server: ServerId,
    /// What it calls itself.
    pub agent: Option<String>,
    /// Its addresses on the open connections, without the part that says who is there.
    pub addresses: Vec<Multiaddr>,
    /// Whether this server has made the first of them.
    pub outgoing: bool,
    /// Since when it is connected.
    pub connected: Duration,
    /// Round trip of the last ping.
    pub round_trip: Option<Duration>,
    /// Messages to it since it is connected, without gossip.
    pub sent: Traffic,
    /// Messages from it since it is connected, gossip included.
    pub received: Traffic,
}
