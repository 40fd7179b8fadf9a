//! Why something was not done.

use libp2p::Multiaddr;

use crate::{Code, Protocol};

/// Why a server cannot join its network.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot listen where it should.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Where.
        address: Multiaddr,
        /// What the system says.
        reason: String,
    },
    /// A part of libp2p does not take its settings.
    #[error("{part} cannot be set up: {reason}")]
    Setup {
        /// Which part.
        part: &'static str,
        /// Why.
        reason: String,
    },
    /// A limit by which nothing could ever be sent.
    #[error(
        "a message of {size} bytes is within the limit of its protocol and never within the quota of {quota} bytes"
    )]
    Quota {
        /// Largest message.
        size: usize,
        /// Largest burst.
        quota: u64,
    },
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It is larger than others would take.
    #[error("a message of {size} bytes is too large for {place}, which takes {limit}")]
    Oversized {
        /// Where it should have gone.
        place: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// It cannot be said there.
    #[error("code {code:?} is not said in {place}")]
    Code {
        /// Where it should have gone.
        place: &'static str,
        /// Its code.
        code: Code,
    },
    /// Too much waits to be sent.
    #[error("too much waits to be sent; try again in a moment")]
    Busy,
    /// The network has been stopped.
    #[error("the network has been stopped")]
    Stopped,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It was not sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The server is not connected.
    #[error("the server is not connected")]
    NotConnected,
    /// No answer came in time, or the connection was lost.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// What came is no answer.
    #[error("the answer means nothing: {0}")]
    Malformed(String),
}

/// Why the list of allowed servers was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AllowError {
    /// Everybody is admitted.
    #[error("there is no list of allowed servers: everybody of the network is admitted")]
    NoList,
    /// The network has been stopped.
    #[error("the network has been stopped")]
    Stopped,
}

impl SendError {
    pub(crate) const fn oversized(place: Protocol, size: usize, limit: usize) -> Self {
        Self::Oversized { place: place.name(), size, limit }
    }
}
