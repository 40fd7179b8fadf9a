//! What time asks for: an index of deadlines, for the server to act on.

use xln_primitives::{ChannelId, Storage, Timestamp};

use crate::{PaymentHash, htlc::Slot, settlement::Settlement};

/// Something that the server should act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// An HTLC that this entity pays is past its deadline: ask the depositary for the proof and call
    /// [`crate::expire`].
    Expire {
        /// The channel.
        channel: ChannelId,
        /// The slot.
        slot: Slot,
        /// The lock.
        hash: PaymentHash,
        /// The deadline.
        deadline: Timestamp,
    },
    /// The settlement of a closing channel is past its time: ask the depositary for the proof and call
    /// [`crate::settlement_expired`].
    Settlement {
        /// The channel.
        channel: ChannelId,
        /// The settlement.
        settlement: Settlement,
    },
    /// A preimage is known and the peer is silent close to the deadline: call [`crate::reveal`].
    Reveal {
        /// The channel.
        channel: ChannelId,
        /// The slot.
        slot: Slot,
        /// The lock.
        hash: PaymentHash,
        /// The deadline.
        deadline: Timestamp,
    },
}

/// At most `limit` things that are due at this depositary time, earliest first.
pub fn due(storage: &impl Storage, depositary_now: Timestamp, limit: usize) -> Vec<Due> {
    let _ = (storage, depositary_now, limit);
    Vec::new()
}

/// The moment from which on [`due`] has something to say; `None` if nothing is pending.
pub fn next_due(storage: &impl Storage) -> Option<Timestamp> {
    let _ = storage;
    None
}
