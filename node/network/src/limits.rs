//! Limits of everything that other servers can make this one do.
//!
//! Memory that one connection can take: [`Limits::streams`] × the largest message of each protocol; that all messages
//! together take which wait for the node: [`Limits::waiting_bytes`].

use core::time::Duration;

use crate::quota::Rate;

/// Sizes in bytes are of bodies before compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most connections that others have made.
    pub incoming: u32,
    /// Most connections that this server makes, besides those to reserved servers.
    pub outgoing: u32,
    /// Most messages of each protocol under way on one connection, either way.
    pub streams: usize,
    /// Largest message of a consensus.
    pub consensus_bytes: usize,
    /// Largest packet of delivery.
    pub deliver_bytes: usize,
    /// Largest question of catching up.
    pub question_bytes: usize,
    /// Largest answer.
    pub answer_bytes: usize,
    /// Largest gossip.
    pub gossip_bytes: usize,
    /// Most events that wait for the node.
    pub waiting: usize,
    /// Most bytes of messages in them.
    pub waiting_bytes: usize,
    /// Most messages that wait to be sent to one server.
    pub backlog: usize,
    /// Most bytes of them.
    pub backlog_bytes: usize,
    /// Bytes that one server may send.
    pub bytes: Rate,
    /// Messages that one server may send.
    pub messages: Rate,
    /// How long a message may take until the other side has it.
    pub send_timeout: Duration,
    /// How long an answer may take.
    pub answer_timeout: Duration,
    /// How long the handshakes of a connection may take together.
    pub handshake_timeout: Duration,
    /// After so long in vain a server is dialled again; each further time takes up to twice as long.
    pub redial: Duration,
    /// But never longer than this.
    pub redial_max: Duration,
    /// Most servers whose addresses are remembered.
    pub known: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            incoming: 128,
            outgoing: 64,
            streams: 32,
            consensus_bytes: 4 << 20,
            deliver_bytes: 4 << 20,
            question_bytes: 1 << 20,
            answer_bytes: 8 << 20,
            gossip_bytes: 4 << 20,
            waiting: 16_384,
            waiting_bytes: 128 << 20,
            backlog: 8_192,
            backlog_bytes: 32 << 20,
            bytes: Rate { per_second: 64 << 20, burst: 128 << 20 },
            messages: Rate { per_second: 20_000, burst: 40_000 },
            send_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(10),
            redial: Duration::from_millis(500),
            redial_max: Duration::from_secs(60),
            known: 1_000,
        }
    }
}
