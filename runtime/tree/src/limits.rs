//! What a tree accepts.

/// Longest key in bytes. It bounds the depth of a tree, and so the stack that the deepest one takes.
pub const MAX_KEY_BYTES: usize = 127;

/// Longest value in bytes: 16 MiB.
pub const MAX_VALUE_BYTES: usize = 16 << 20;

/// An entry that a tree cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// The key is longer than [`MAX_KEY_BYTES`].
    #[error("a key has at most {MAX_KEY_BYTES} bytes, this one {0}; hash what is longer")]
    Key(usize),
    /// The value is longer than [`MAX_VALUE_BYTES`].
    #[error("a value has at most {MAX_VALUE_BYTES} bytes, this one {0}; cut it into several entries")]
    Value(usize),
}
