//! How much is under way, and how long nothing may be heard of it.

use core::time::Duration;

/// Limits of the delivery to one server and from one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryLimits {
    /// Most messages that were sent and not acknowledged.
    pub window: usize,
    /// Most bytes of them; the last message may go beyond.
    pub window_bytes: usize,
    /// Bytes at which a batch is full; its last message may go beyond.
    pub batch_bytes: usize,
    /// After so long without an acknowledgement of anything new, what is not acknowledged is sent again.
    pub patience: Duration,
    /// Each time in vain doubles it, up to this.
    pub patience_max: Duration,
    /// Most servers from which messages are taken.
    pub senders: usize,
}

impl Default for DeliveryLimits {
    fn default() -> Self {
        Self {
            window: 20_000,
            window_bytes: 16 << 20,
            batch_bytes: 256 << 10,
            patience: Duration::from_millis(1_000),
            patience_max: Duration::from_secs(30),
            senders: 1_024,
        }
    }
}
