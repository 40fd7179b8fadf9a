//! Why one entity stops, while the others go on.

use xln_primitives::{CertificateError, FrameHash, Height};

use crate::{CannotVote, EngineError};

/// Why an entity takes part no more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// The engine can not go on.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine failed an assertion.
    #[error("the engine panicked: {0}")]
    Panic(String),
    /// The board committed to a frame that our runtime finds invalid: they execute differently.
    #[error("the board's certified frame {frame} is invalid here: this server executes differently")]
    CertifiedInvalid {
        /// The frame.
        frame: FrameHash,
    },
    /// The certificate of our own decision does not hold.
    #[error("the certificate of a decision does not hold: {0}")]
    Certificate(CertificateError),
    /// The body of a frame that was found valid is gone.
    #[error("the body of frame {frame} is gone")]
    BodyLost {
        /// The frame.
        frame: FrameHash,
    },
    /// Rows of the log are missing.
    #[error("the log holds row {found} where row {expected} is due")]
    LogGap {
        /// Number that comes next.
        expected: u64,
        /// Number found.
        found: u64,
    },
    /// The log is of a later height than the store: one of the two is from a backup.
    #[error(
        "the log is of height {log}, the store is before height {store}: was one of them restored alone?"
    )]
    LogAhead {
        /// Height of a row.
        log: Height,
        /// The next height.
        store: Height,
    },
    /// A replay wanted to log something.
    #[error("replay appended row {sequence}")]
    ReplayAppended {
        /// Its number.
        sequence: u64,
    },
    /// The board cannot decide by voting.
    #[error("the board cannot decide: {0}")]
    Board(#[from] CannotVote),
}
