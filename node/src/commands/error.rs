//! Why a subcommand failed, and with which exit code.

use std::{io, path::PathBuf};

use xln_chain_spec::SpecError;
use xln_keystore::{DeriveError, KeystoreError, PhraseError};
use xln_store::StoreError;

use crate::{
    benchmark::BenchmarkError,
    cli::{Exit, SecretError},
};

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A number beyond its range.
    #[error("{0}")]
    Range(String),
    /// The chain spec.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The words.
    #[error(transparent)]
    Phrase(#[from] PhraseError),
    /// The key that the words give.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// A key that is none.
    #[error(transparent)]
    Key(#[from] xln_primitives::SignatureError),
    /// A password or words that were to be typed.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Reading or writing.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A network would be written over another.
    #[error("{} holds a network already; name another folder with --out, or remove that one", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A key that does not sign.
    #[error(transparent)]
    Signer(#[from] xln_keystore::SignerError),
    /// A key file that cannot be made.
    #[error(transparent)]
    Keys(#[from] crate::keys::KeysError),
    /// A folder that cannot be removed.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No folder was named and there is no home folder.
    #[error("neither --base-path nor a home folder says where databases are")]
    NoFolder,
    /// A question was not answered with yes.
    #[error("nothing was removed; answer yes, or use -y")]
    Declined,
    /// The database does not lead to a state.
    #[error(transparent)]
    Recovery(Box<crate::recovery::RecoveryError>),
    /// A snapshot is not one.
    #[error(transparent)]
    Archive(#[from] xln_store::ArchiveError),
    /// A snapshot does not prove itself.
    #[error(transparent)]
    Snapshot(Box<crate::archive::SnapshotError>),
    /// Nothing was written yet.
    #[error("the database has no state yet; start the node once")]
    NoState,
    /// There is no such snapshot.
    #[error("there is no such snapshot; `xln-node snapshot list` names those that are there")]
    NoSnapshot,
    /// An input file.
    #[error("{}: {source}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A key could certify a height for the second time.
    #[error(
        "the keystore holds the key of entity {entity}, which has certified frames: if the node that made the snapshot has \
         gone on since, going on here would certify other frames at the same heights, which is evidence against the \
         owner; if that node was stopped before and will never run again, say --take-over"
    )]
    TakeOver {
        /// Whose key.
        entity: xln_primitives::EntityId,
    },
    /// The state is one that must not be.
    #[error("an invariant does not hold: {0}")]
    Invariant(Box<xln_runtime::invariants::Violation>),
    /// A benchmark failed, or its outcome is wrong.
    #[error(transparent)]
    Benchmark(Box<BenchmarkError>),
    /// The database is damaged.
    #[error("the database has {faults} faults; restore a backup or sync anew")]
    Unsound {
        /// How many.
        faults: u64,
    },
}

impl From<BenchmarkError> for CommandError {
    fn from(error: BenchmarkError) -> Self {
        Self::Benchmark(Box::new(error))
    }
}

impl From<crate::recovery::RecoveryError> for CommandError {
    fn from(error: crate::recovery::RecoveryError) -> Self {
        Self::Recovery(Box::new(error))
    }
}

impl From<xln_runtime::invariants::Violation> for CommandError {
    fn from(violation: xln_runtime::invariants::Violation) -> Self {
        Self::Invariant(Box::new(violation))
    }
}

impl CommandError {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Spec(SpecError::Unreadable { .. }) | Self::Store(StoreError::Missing { .. }) => {
                Exit::NoInput
            }
            Self::Store(StoreError::Locked { .. }) | Self::Keystore(KeystoreError::Locked { .. }) => {
                Exit::Unavailable
            }
            Self::Keystore(KeystoreError::WrongPassword { .. } | KeystoreError::Loose { .. }) => {
                Exit::NoPermission
            }
            Self::Spec(_)
            | Self::Store(_)
            | Self::Keystore(_)
            | Self::Phrase(_)
            | Self::Derive(_)
            | Self::Key(_)
            | Self::Signer(_)
            | Self::Recovery(_)
            | Self::Invariant(_)
            | Self::Archive(_)
            | Self::Snapshot(_)
            | Self::Unsound { .. } => Exit::Data,
            Self::Benchmark(error) => match **error {
                BenchmarkError::Plan(_) => Exit::Usage,
                BenchmarkError::Folder { .. } | BenchmarkError::Store(_) | BenchmarkError::Recording(_) => {
                    Exit::Io
                }
                _ => Exit::Software,
            },
            Self::Secret(SecretError::Password(_)) => Exit::NoPermission,
            Self::NotEmpty { .. }
            | Self::Range(_)
            | Self::Secret(_)
            | Self::Declined
            | Self::TakeOver { .. } => Exit::Usage,
            Self::NoState | Self::NoSnapshot | Self::Input { .. } => Exit::NoInput,
            Self::Io(_) | Self::Folder { .. } | Self::Keys(_) => Exit::Io,
            Self::NoFolder => Exit::Config,
        }
    }
}
