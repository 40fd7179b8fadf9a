//! What can go wrong with a keystore.

use std::path::PathBuf;

use xln_primitives::{SignatureError, SignerId};

use crate::{DeriveError, PhraseError};

/// Why a keystore did not open or change. No variant shows a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// Others than the owner may read or write.
    #[error("{} has mode {mode:04o}, so others may use the keys; run: chmod {wanted:o} {}", path.display(), path.display())]
    Loose {
        /// File or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The permission bits that it should have.
        wanted: u32,
    },
    /// Somebody else has it open.
    #[error("the keystore in {} is in use by another process", path.display())]
    Locked {
        /// Its folder.
        path: PathBuf,
    },
    /// The password does not open a key; a changed file cannot be told from it.
    #[error("the password does not open {}, or the file was changed", path.display())]
    WrongPassword {
        /// The key file.
        path: PathBuf,
    },
    /// Not a key file of this version.
    #[error("{} is not a key file that this version reads: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The cost of the password hash is out of range.
    #[error(
        "argon2id with {memory_kib} KiB, {iterations} iterations and {lanes} lanes is out of range (8 KiB per \
         lane to 1 GiB, 1 to 64 iterations, 1 to 16 lanes)"
    )]
    Cost {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over the memory.
        iterations: u32,
        /// Lanes.
        lanes: u32,
    },
    /// The key is there already.
    #[error("the key of {signer} is already in the keystore")]
    Exists {
        /// Whose key.
        signer: SignerId,
    },
    /// The secret is no key.
    #[error(transparent)]
    Key(#[from] SignatureError),
    /// The phrase or its passphrase is wrong.
    #[error(transparent)]
    Phrase(#[from] PhraseError),
    /// The path leads to no key.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// The operating system gives no random bytes.
    #[error("no random bytes from the operating system: {0}")]
    Randomness(#[from] getrandom::Error),
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    File {
        /// File or folder.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
}
