//! Subcommands about keys.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use xln_keystore::Scheme;

use super::{ChainArgs, OutputArgs, PasswordArgs};

/// Make, show and keep keys
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    xln-node key generate                                    # 24 words and the key that they give\n  \
    xln-node key generate --scheme bls                       # the same for a validator, with its proof of possession\n  \
    xln-node key generate-node-key --file node.key           # the key by which other servers know this one\n  \
    xln-node key insert --chain my.json --password-interactive   # asks for the words\n  \
    xln-node key list --chain my.json\n\n\
    Words and passwords are read from the terminal or a file, never from the command line.")]
pub struct Key {
    /// What to do.
    #[command(subcommand)]
    pub command: KeyCommand,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make 24 words and show them with the key that they give; nothing is stored
    Generate(Generate),
    /// Make the key of a server's connections, and show how others know it
    GenerateNodeKey(GenerateNodeKey),
    /// Show the key of words that are typed or piped in; nothing is stored
    Inspect(Inspect),
    /// Put the key of words that are typed or piped in into the keystore
    Insert(Insert),
    /// List the keys of the keystore; needs no password
    List(List),
    /// Encrypt every key of the keystore under a new password
    Rotate(Rotate),
}

/// Which key of the words.
#[derive(Debug, Clone, Args)]
pub struct SchemeArg {
    /// Signature scheme
    #[arg(long, value_enum, default_value = "ed25519", value_name = "SCHEME")]
    pub scheme: SchemeName,
    /// Which of the keys that the words give, counted from 0
    #[arg(long, default_value_t, value_name = "N", value_parser = clap::value_parser!(u32).range(..=0x7fff_ffff))]
    pub index: u32,
}

/// A signature scheme by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemeName {
    /// The default.
    Ed25519,
    /// Keys of Ethereum.
    Secp256k1,
    /// BLS12-381, for boards of several.
    Bls,
}

impl From<SchemeName> for Scheme {
    fn from(name: SchemeName) -> Self {
        match name {
            SchemeName::Ed25519 => Self::Ed25519,
            SchemeName::Secp256k1 => Self::Secp256k1,
            SchemeName::Bls => Self::Bls,
        }
    }
}

/// Which keystore.
#[derive(Debug, Clone, Default, Args)]
pub struct KeystoreArgs {
    /// Which chain.
    #[command(flatten)]
    pub chain: ChainArgs,
    /// Folder of databases and keys [default: ~/.local/share/xln]
    #[arg(long, value_name = "FOLDER", env = "XLN_BASE_PATH")]
    pub base_path: Option<PathBuf>,
    /// Folder of the encrypted keys [default: beside the database]
    #[arg(long, value_name = "FOLDER", env = "XLN_KEYSTORE_PATH")]
    pub keystore_path: Option<PathBuf>,
}

/// Make 24 words
#[derive(Debug, Args)]
pub struct Generate {
    /// Which key of the words.
    #[command(flatten)]
    pub scheme: SchemeArg,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Make the key of a server's connections
///
/// The file is for --node-key-file; whoever has it can pose as the server. The public key goes into the chain spec.
#[derive(Debug, Args)]
pub struct GenerateNodeKey {
    /// File to write; it must not be there
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Show the key of words
#[derive(Debug, Args)]
pub struct Inspect {
    /// Which key of the words.
    #[command(flatten)]
    pub scheme: SchemeArg,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Put the key of words into the keystore
#[derive(Debug, Args)]
pub struct Insert {
    /// Which keystore.
    #[command(flatten)]
    pub keystore: KeystoreArgs,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// Which key of the words.
    #[command(flatten)]
    pub scheme: SchemeArg,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// List the keys of the keystore
#[derive(Debug, Args)]
pub struct List {
    /// Which keystore.
    #[command(flatten)]
    pub keystore: KeystoreArgs,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Encrypt every key under a new password
#[derive(Debug, Args)]
pub struct Rotate {
    /// Which keystore.
    #[command(flatten)]
    pub keystore: KeystoreArgs,
    /// Where the present password comes from.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// File with the new password; asked for on the terminal if left out
    #[arg(long, value_name = "FILE")]
    pub new_password_filename: Option<PathBuf>,
}
