//! Why a node did not start, or stopped.

use xln_chain_spec::SpecError;
use xln_keystore::{KeystoreError, PasswordError};
use xln_rpc::ServeError;
use xln_store::StoreError;

use crate::{
    author::AuthorError,
    cli::{Exit, SecretError},
    consortium::{BadAddress, ConsortiumError},
    keys::KeysError,
    recovery::RecoveryError,
    vote_marks::VoteMarksError,
};

/// Why a node did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The chain spec.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is in the database does not lead to a state.
    #[error("{0}; `xln-node db verify` tells the extent of the damage")]
    Recovery(Box<RecoveryError>),
    /// Other servers.
    #[error(transparent)]
    Consortium(#[from] ConsortiumError),
    /// An address in the chain spec.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// This server is none of the chain spec's.
    #[error(
        "this server's key is {server}, and the chain spec names {known}; add it to \"servers\", or name the file of one \
         of those keys with --node-key-file (--server NAME is for the well-known keys of `testnet --well-known`)"
    )]
    UnknownServer {
        /// Who it is.
        server: String,
        /// Whom the spec names.
        known: String,
    },
    /// It is to vote and has no key for it.
    #[error("--validator: {reason}")]
    NoVotingKey {
        /// What is missing.
        reason: String,
    },
    /// What is known of its votes.
    #[error(transparent)]
    VoteMarks(#[from] VoteMarksError),
    /// The RPC server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The API has nothing to answer with.
    #[error("the API cannot start: {0}")]
    Backend(#[from] xln_rpc::RpcError),
    /// Authoring failed while the node ran.
    #[error("authoring has stopped: {0}")]
    Author(#[from] AuthorError),
    /// A folder, a port or a thread.
    #[error("{what}: {source}")]
    System {
        /// What was to be done.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A defect of ours.
    #[error("a thread of the node has panicked")]
    Panicked,
}

impl From<RecoveryError> for RunError {
    fn from(error: RecoveryError) -> Self {
        Self::Recovery(Box::new(error))
    }
}

impl RunError {
    /// How the process ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Spec(SpecError::Unreadable { .. }) => Exit::NoInput,
            Self::Spec(_) | Self::Recovery(_) | Self::Store(StoreError::Corrupt { .. }) => Exit::Data,
            Self::Keys(keys) => match keys {
                KeysError::Keystore(KeystoreError::WrongPassword { .. } | KeystoreError::Loose { .. })
                | KeysError::Password(PasswordError::Loose { .. })
                | KeysError::Secret(SecretError::Password(PasswordError::Loose { .. }))
                | KeysError::DevKeyOnLiveNetwork(_) => Exit::NoPermission,
                KeysError::Keystore(KeystoreError::Locked { .. }) => Exit::Unavailable,
                KeysError::Secret(SecretError::NoSource) => Exit::Config,
                _ => Exit::Data,
            },
            Self::Store(StoreError::Locked { .. }) | Self::Serve(_) | Self::System { .. } => {
                Exit::Unavailable
            }
            Self::Store(
                StoreError::OtherNetwork { .. }
                | StoreError::Schema { .. }
                | StoreError::UnknownColumn { .. },
            ) => Exit::Data,
            Self::Store(_) | Self::Author(_) | Self::Backend(_) | Self::VoteMarks(_) => Exit::Io,
            Self::Consortium(_) => Exit::Unavailable,
            Self::Address(_) => Exit::Data,
            Self::UnknownServer { .. } | Self::NoVotingKey { .. } => Exit::Config,
            Self::Panicked => Exit::Software,
        }
    }

    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }
}

#[cfg(test)]
mod tests {
    use xln_primitives::Network;

    use super::*;

    #[test]
    fn a_database_of_another_network_is_wrong_data_and_no_broken_disk() {
        let (found, expected) = (Network::new([1; 32]), Network::new([2; 32]));
        let path = std::path::PathBuf::new;
        let other = StoreError::OtherNetwork { path: path(), found, expected };
        assert!(matches!(RunError::from(other).exit(), Exit::Data));
        let damaged = StoreError::NoIdentity { path: path() };
        assert!(matches!(RunError::from(damaged).exit(), Exit::Io));
    }
}
