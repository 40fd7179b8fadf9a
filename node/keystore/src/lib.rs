//! Encrypted keys, their derivation, and the `Signer` trait.
//!
//! ```text
//!   24 words ──BIP-39──► seed ──► SLIP-10  m/44'/5786702'/0'/0'/i'   ed25519
//!                              ├► BIP-32   m/44'/60'/0'/0/i          secp256k1
//!                              └► EIP-2333 m/12381/5786702/i/0/0     BLS12-381
//!                                     │
//!   operating system's randomness ────┤ 32 secret bytes
//!                                     ▼
//!   password ──argon2id──► key ──XChaCha20-Poly1305──► <signer>.json   folder 0700, files 0600
//!                                     │
//!                                     ▼ Keystore::open
//!                               Arc<dyn Signer>        or a remote signer, or a device: the same trait
//! ```
//!
//! **Where secrets are.** On disk only encrypted; in memory in types that erase themselves when dropped. No
//! `Debug`, `Display`, error or log of this crate shows a secret, a password or a phrase.
//!
//! **Files.** Each key has a file of its own, readable with the password alone. The public parts (scheme, key,
//! signer, path, cost of the password hash) are in clear, so that keys can be listed without the password, and
//! are authenticated together with the secret, so that they cannot be changed unnoticed. A wrong password and a
//! changed file give the same answer.
//!
//! **Crash safety.** A file appears whole or not at all: it is written under a temporary name, synced, and
//! renamed. A change of the password writes all new files first, then a mark, then renames; opening finishes or
//! forgets a change that was interrupted, so that all keys always have one password.
//!
//! **Paths.** ed25519 and BLS use coin type 5786702 (the letters `XLN`, not registered in SLIP-44); secp256k1
//! uses Ethereum's 60, so that a key has the address that other wallets show for the same words. Only the
//! combinations in the picture are defaults; any path of the scheme can be given.

mod cipher;
mod derive;
mod dev;
mod error;
mod file;
mod folder;
mod keystore;
mod password;
mod path;
mod phrase;
mod scheme;
mod signer;

pub use cipher::Cost;
pub use derive::{DeriveError, derive};
pub use dev::{DEV_NAMES, DEV_PHRASE, dev_key, dev_secret};
pub use error::KeystoreError;
pub use keystore::{KeyInfo, Keystore};
pub use password::{Password, PasswordError};
pub use path::{DerivationPath, PathError};
pub use phrase::{Phrase, PhraseError, Seed};
pub use scheme::{Scheme, SchemeError};
pub use signer::{KeySigner, Signer, SignerError};
