//! Where a message stands in what one server has for another.

use codec::{Decode, DecodeWithMemTracking, Encode};

/// The place of a message among those that one server has for another. Places grow and may have gaps, so that a number that
/// the log gives a message can be its place; 0 is before the first message.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking,
)]
pub struct Position(pub u64);

impl Position {
    /// Before the first message.
    pub const START: Self = Self(0);
}

impl core::fmt::Display for Position {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// Which counting of positions is meant. A sender that begins to count anew, because its database was made anew, takes a
/// larger number than before, for example the time of the making; a receiver follows the largest that it has seen.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking,
)]
pub struct Stream(pub u64);

impl core::fmt::Display for Stream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}
