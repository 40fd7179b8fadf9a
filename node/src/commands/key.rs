//! `key generate | generate-node-key | inspect | insert | list | rotate`.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Serialize;
use xln_keystore::{DerivationPath, KeyInfo, KeySigner, Keystore, Password, Phrase, Signer, derive};
use xln_primitives::{Board, EntityId, PublicKey, SecretKey, SignerId};
use zeroize::Zeroizing;

use super::{CommandError, purge::chain_folder};
use crate::{
    cli::{Insert, KeystoreArgs, PasswordSource, Rotate, SchemeArg, read_line},
    config::{ChainFolder, PeersConfig},
    keys,
};

/// A key as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyShown {
    /// The public key.
    pub public_key: PublicKey,
    /// The actor behind it.
    pub signer: SignerId,
    /// The entity of which it alone is the board.
    pub entity: EntityId,
    /// Where the key lies under its words, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<DerivationPath>,
    /// Of a BLS key: what a board asks for beside it. Not shown where the secret is not at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof_of_possession: Option<String>,
}

/// The key of a server's connections as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeKeyShown {
    /// The public key, as a chain spec names it.
    pub public_key: PublicKey,
    /// The same as addresses name it.
    pub peer: String,
}

/// New words and their key. The words are shown once, to their owner, and erased from memory afterwards.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewKey {
    /// The words.
    #[serde(serialize_with = "plainly")]
    words: Zeroizing<String>,
    /// Their key.
    #[serde(flatten)]
    pub key: KeyShown,
}

fn plainly<S: serde::Serializer>(words: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(words)
}

/// Keys as they are shown.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct KeyList(pub Vec<KeyShown>);

impl KeyShown {
    fn new(public_key: PublicKey, path: Option<DerivationPath>) -> Self {
        let entity = Board::single(public_key).entity();
        Self { public_key, signer: public_key.signer_id(), entity, path, proof_of_possession: None }
    }

    /// With what the secret alone can tell.
    fn of_secret(secret: SecretKey, path: DerivationPath) -> Result<Self, CommandError> {
        let signer = KeySigner::new(secret)?;
        let proof = signer.prove_possession()?.map(|proof| format!("0x{}", hex::encode(proof)));
        Ok(Self { proof_of_possession: proof, ..Self::new(signer.public(), Some(path)) })
    }
}

impl From<KeyInfo> for KeyShown {
    fn from(info: KeyInfo) -> Self {
        Self::new(info.public, info.path)
    }
}

/// Makes words and shows the key that they give. Nothing is stored.
pub fn new_phrase(scheme: &SchemeArg) -> Result<NewKey, CommandError> {
    let phrase = Phrase::generate()?;
    Ok(NewKey { words: phrase.words(), key: inspect_phrase(&phrase, scheme)? })
}

/// The key that words give.
pub fn inspect_phrase(phrase: &Phrase, scheme: &SchemeArg) -> Result<KeyShown, CommandError> {
    let path = path_of(scheme);
    let secret = derive(&phrase.seed("")?, scheme.scheme.into(), &path)?;
    KeyShown::of_secret(secret, path)
}

/// Puts the key that words give into a keystore.
pub fn insert_key(
    keystore: &KeystoreArgs,
    password: Password,
    phrase: &Phrase,
    scheme: &SchemeArg,
) -> Result<KeyShown, CommandError> {
    let path = path_of(scheme);
    let store = Keystore::open(folder(keystore)?, password)?;
    store.import_mnemonic(phrase, "", scheme.scheme.into(), &path)?;
    inspect_phrase(phrase, scheme)
}

/// Makes the key of a server's connections and writes it to a file that only its owner can read.
pub fn generate_node_key(file: &Path) -> Result<NodeKeyShown, CommandError> {
    keys::make_connections(file)?;
    let config = PeersConfig { key_file: Some(file.to_path_buf()), ..PeersConfig::default() };
    let server = keys::connections(&config, &ChainFolder::of(Path::new(""), ""))?.server();
    Ok(NodeKeyShown { public_key: PublicKey::Ed25519(*server.as_bytes()), peer: server.to_string() })
}

/// The keys of a keystore. Needs no password.
pub fn list_keys(keystore: &KeystoreArgs) -> Result<KeyList, CommandError> {
    let folder = folder(keystore)?;
    if !folder.exists() {
        return Ok(KeyList(Vec::new()));
    }
    let keys = Keystore::inspect(folder)?;
    Ok(KeyList(keys.into_iter().map(KeyShown::from).collect()))
}

/// Encrypts every key of a keystore under another password, all or none.
pub fn rotate_password(keystore: &KeystoreArgs, old: Password, new: Password) -> Result<(), CommandError> {
    Ok(Keystore::open(folder(keystore)?, old)?.change_password(new)?)
}

pub(super) fn inspect_typed(scheme: &SchemeArg) -> Result<KeyShown, CommandError> {
    inspect_phrase(&typed_phrase()?, scheme)
}

pub(super) fn insert_typed(args: &Insert) -> Result<KeyShown, CommandError> {
    let phrase = typed_phrase()?;
    let flags = &args.password;
    let source = PasswordSource::new(flags.password_filename.clone(), flags.password_interactive);
    insert_key(&args.keystore, source.read("Password of the keystore")?, &phrase, &args.scheme)
}

pub(super) fn rotate_typed(args: &Rotate) -> Result<(), CommandError> {
    let flags = &args.password;
    let old = PasswordSource::new(flags.password_filename.clone(), flags.password_interactive);
    let new = args.new_password_filename.clone().map_or(PasswordSource::Terminal, PasswordSource::File);
    rotate_password(&args.keystore, old.read("Present password")?, new.read_new()?)
}

fn typed_phrase() -> Result<Phrase, CommandError> {
    Ok(Phrase::parse(&read_line("Words (not shown)")?)?)
}

fn path_of(scheme: &SchemeArg) -> DerivationPath {
    DerivationPath::standard(scheme.scheme.into(), scheme.index)
}

fn folder(args: &KeystoreArgs) -> Result<PathBuf, CommandError> {
    match &args.keystore_path {
        Some(path) => Ok(path.clone()),
        None => Ok(chain_folder(&args.chain, args.base_path.as_deref())?.keystore()),
    }
}

impl fmt::Display for KeyShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "public key  {}", self.public_key)?;
        writeln!(f, "signer      {}", self.signer)?;
        writeln!(f, "entity      {}", self.entity)?;
        if let Some(path) = &self.path {
            writeln!(f, "path        {path}")?;
        }
        match &self.proof_of_possession {
            Some(proof) => writeln!(f, "proof       {proof}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for NodeKeyShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "public key  {}", self.public_key)?;
        writeln!(f, "peer        {}", self.peer)
    }
}

impl fmt::Display for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "words       {}", self.words.as_str())?;
        self.key.fmt(f)
    }
}

impl fmt::Display for KeyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no keys");
        }
        for (position, key) in self.0.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            key.fmt(f)?;
        }
        Ok(())
    }
}
