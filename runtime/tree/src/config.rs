//! How a tree is laid out and which function hashes it.

use crate::hash::Hasher;

/// Widest fan-out of a branch: 2¹⁶ children.
pub const MAX_BIT_WIDTH: u8 = 16;
/// Most entries that a leaf may be allowed to hold.
pub const MAX_LEAF_THRESHOLD: u16 = 1024;

/// Layout and hash function of one tree.
///
/// Only [`Config::hasher`] moves the root. Bit width and leaf threshold decide how nodes are cut in memory, hence
/// speed and footprint; both may be tuned without touching a single proof (see the crate's first page).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    bit_width: u8,
    leaf_threshold: u16,
    hasher: Hasher,
}

/// A layout outside of its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The bit width is 0 or more than [`MAX_BIT_WIDTH`].
    #[error("a branch consumes 1 to {MAX_BIT_WIDTH} bits, not {0}")]
    BitWidth(u8),
    /// The leaf threshold is 0 or more than [`MAX_LEAF_THRESHOLD`].
    #[error("a leaf holds up to 1 to {MAX_LEAF_THRESHOLD} entries, not {0}")]
    LeafThreshold(u16),
}

impl Config {
    /// Branches of up to 16 children over leaves of up to 12 entries: on a million hashed keys about as fast as any other,
    /// with little memory beside the entries.
    ///
    /// ```
    /// use xln_tree::{Config, Hasher};
    /// assert_eq!(Config::default_for(Hasher::Blake3), Config::new(4, 12, Hasher::Blake3).unwrap());
    /// ```
    #[must_use]
    pub const fn default_for(hasher: Hasher) -> Self {
        Self { bit_width: 4, leaf_threshold: 12, hasher }
    }

    /// The layout of a signer's entities: branches of up to 16 children over small leaves.
    #[must_use]
    pub const fn signer(hasher: Hasher) -> Self {
        Self::default_for(hasher)
    }

    /// The layout of an entity's parts: as [`Config::signer`].
    #[must_use]
    pub const fn entity(hasher: Hasher) -> Self {
        Self::default_for(hasher)
    }

    /// The layout of an entity's storage, which may have tens of millions of entries: branches of up to 256 children, so
    /// a path has half as many.
    ///
    /// ```
    /// use xln_tree::{Config, Hasher};
    /// assert_eq!(Config::storage(Hasher::Blake3), Config::new(8, 12, Hasher::Blake3).unwrap());
    /// ```
    #[must_use]
    pub const fn storage(hasher: Hasher) -> Self {
        Self { bit_width: 8, leaf_threshold: 12, hasher }
    }

    /// A layout with branches of 2^`bit_width` children and leaves of up to `leaf_threshold` entries.
    ///
    /// # Errors
    /// If `bit_width` is not in 1..=16 or `leaf_threshold` not in 1..=1024.
    pub const fn new(bit_width: u8, leaf_threshold: u16, hasher: Hasher) -> Result<Self, ConfigError> {
        if bit_width == 0 || bit_width > MAX_BIT_WIDTH {
            return Err(ConfigError::BitWidth(bit_width));
        }
        if leaf_threshold == 0 || leaf_threshold > MAX_LEAF_THRESHOLD {
            return Err(ConfigError::LeafThreshold(leaf_threshold));
        }
        Ok(Self { bit_width, leaf_threshold, hasher })
    }

    /// Key bits that one level of branches consumes, 1..=16.
    #[must_use]
    pub const fn bit_width(self) -> u8 {
        self.bit_width
    }

    /// Most entries of a leaf, 1..=1024; a subtree with more is a branch.
    #[must_use]
    pub const fn leaf_threshold(self) -> u16 {
        self.leaf_threshold
    }

    /// The hash function of the tree.
    #[must_use]
    pub const fn hasher(self) -> Hasher {
        self.hasher
    }
}

impl Default for Config {
    /// Bit width 4, leaf threshold 12, blake3.
    fn default() -> Self {
        Self::default_for(Hasher::Blake3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_inclusive_on_both_ends() {
        for hasher in [Hasher::Keccak256, Hasher::Blake3] {
            assert!(Config::new(1, 1, hasher).is_ok());
            assert!(Config::new(16, 1024, hasher).is_ok());
            assert_eq!(Config::new(0, 1, hasher), Err(ConfigError::BitWidth(0)));
            assert_eq!(Config::new(17, 1, hasher), Err(ConfigError::BitWidth(17)));
            assert_eq!(Config::new(1, 0, hasher), Err(ConfigError::LeafThreshold(0)));
            assert_eq!(Config::new(1, 1025, hasher), Err(ConfigError::LeafThreshold(1025)));
        }
    }
}
