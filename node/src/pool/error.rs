//! Why a call does not get into the pool.

use xln_runtime::Refusal;

/// A call that was not queued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Malformed, expired, for another network, wrongly signed, or with the wrong nonce.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A queue is full.
    #[error("busy: {used} of {limit} {what} are waiting")]
    Busy {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        used: usize,
        /// How much there may be.
        limit: usize,
    },
    /// The node is stopping, or has stopped authoring after a failure.
    #[error("this node does not execute calls any more")]
    Stopped,
}
