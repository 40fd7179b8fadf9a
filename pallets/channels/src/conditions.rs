//! The root of the pending conditions.

/// Most pending HTLCs of a channel, both directions together.
pub const MAX_CONDITIONS: u16 = 10_000;
