//! Why a run failed, or does not count.

use std::path::PathBuf;

use xln_keystore::KeystoreError;
use xln_primitives::{AuthenticationError, CallError, FrameHash, SignatureError};
use xln_runtime::{CertifyError, Refusal, genesis::GenesisError, invariants::Violation};
use xln_store::StoreError;

use super::{check::Unsound, plan::PlanError, recording::RecordingError, rpc::LoadError};
use crate::{author::AuthorError, inbox::InboxFull, pool::PoolError};

/// Why a run failed, or does not count.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarkError {
    /// The sizes do not fit.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The network cannot be built.
    #[error("the network cannot be built: {0}")]
    Genesis(#[from] GenesisError),
    /// A key cannot be made.
    #[error(transparent)]
    Key(#[from] SignatureError),
    /// The keystore fails.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The recording cannot be written or read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The database fails.
    #[error(transparent)]
    Store(Box<StoreError>),
    /// A folder cannot be used.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A frame cannot be certified.
    #[error(transparent)]
    Certify(#[from] CertifyError),
    /// A message of a user is not authentic.
    #[error("a recorded message is not authentic: {0}")]
    Message(#[from] AuthenticationError),
    /// A signed call is not authentic.
    #[error("a recorded call is not authentic: {0}")]
    Call(#[from] CallError),
    /// A call was not executed.
    #[error("step {step}: a call was refused: {refusal}")]
    Refused {
        /// The step.
        step: u64,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// The hub made another frame than when it was recorded.
    #[error("step {step}: the hub made frame {found:?}, recorded was {expected}")]
    OtherFrame {
        /// The step.
        step: u64,
        /// What was recorded.
        expected: FrameHash,
        /// What came out now.
        found: Option<FrameHash>,
    },
    /// An invariant does not hold at the end.
    #[error("an invariant does not hold at the end: {0}")]
    Invariant(Box<Violation>),
    /// The two sides do not agree at the end, or money is where it should not be.
    #[error("the outcome is wrong: {0}")]
    Unsound(#[from] Unsound),
    /// Messages of users that proved nothing.
    #[error("step {step}: {rejected} messages prove nothing, the last because: {reason:?}")]
    Rejected {
        /// The step.
        step: u64,
        /// How many messages.
        rejected: u64,
        /// What is wrong with the last of them.
        reason: Option<Box<AuthenticationError>>,
    },
    /// A run over RPC failed.
    #[error(transparent)]
    Load(Box<LoadError>),
    /// More was brought than may wait.
    #[error(transparent)]
    Full(#[from] InboxFull),
    /// The pool took a call not.
    #[error("the pool refused a recorded call: {0}")]
    Pool(Box<PoolError>),
    /// The author failed.
    #[error("the author failed: {0}")]
    Author(Box<AuthorError>),
    /// The operating system gives no thread or randomness.
    #[error("{what}: {reason}")]
    System {
        /// What was wanted.
        what: &'static str,
        /// What the system says.
        reason: String,
    },
    /// A part of the run ended before it said why.
    #[error("{0} has ended without a word")]
    Ended(&'static str),
}

impl BenchmarkError {
    /// The operating system does not give what is wanted.
    pub(super) fn system(what: &'static str, reason: &dyn std::fmt::Display) -> Self {
        Self::System { what, reason: reason.to_string() }
    }
}

/// Errors that are kept in a box, because they are large and rare.
macro_rules! boxed {
    ($($variant:ident($error:ty)),+ $(,)?) => {$(
        impl From<$error> for BenchmarkError {
            fn from(error: $error) -> Self {
                Self::$variant(Box::new(error))
            }
        }
    )+};
}

boxed!(Pool(PoolError), Author(AuthorError), Load(LoadError), Store(StoreError), Invariant(Violation));
