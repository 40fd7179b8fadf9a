//! The server's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use xln_primitives::Timestamp;

/// Milliseconds since the Unix epoch; the epoch itself on a machine whose clock stands before it.
#[must_use]
pub fn system_time() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
