//! What kind of thing a message is.

/// The first byte of every message between servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Code {
    /// A call signed by a signer, forwarded to the members of a board.
    SignerTransaction = 0x01,
    /// A call of an entity, forwarded to the members of a board.
    EntityTransaction = 0x02,
    /// Messages between entities, of channels above all: a batch of [`crate::delivery`].
    ChannelMessage = 0x03,
    /// A proposal of a board's consensus.
    Propose = 0x10,
    /// A vote of it.
    Vote = 0x11,
    /// A decision: a frame with its certificate.
    Commit = 0x12,
    /// A signed announcement of an entity or of its channel.
    ChannelUpdate = 0x20,
    /// An acknowledgement of messages between entities.
    ChannelAck = 0x21,
    /// The end of an announced channel.
    ChannelClose = 0x22,
    /// A digest of heights.
    Ping = 0x30,
    /// The answer to one.
    Pong = 0x31,
    /// A question for what is missing.
    SyncRequest = 0x32,
    /// Its answer.
    SyncResponse = 0x33,
}

impl Code {
    /// Every code, in order.
    pub const ALL: [Self; 13] = [
        Self::SignerTransaction,
        Self::EntityTransaction,
        Self::ChannelMessage,
        Self::Propose,
        Self::Vote,
        Self::Commit,
        Self::ChannelUpdate,
        Self::ChannelAck,
        Self::ChannelClose,
        Self::Ping,
        Self::Pong,
        Self::SyncRequest,
        Self::SyncResponse,
    ];

    /// The code of a byte.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|code| *code as u8 == byte)
    }
}
