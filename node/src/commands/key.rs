//! `key generate | inspect | insert | list | rotate`.

use std::{fmt, path::PathBuf};

use serde::Serialize;
use xln_keystore::{DerivationPath, KeyInfo, Keystore, Password, Phrase, derive};
use xln_primitives::{Board, EntityId, PublicKey, SignerId};
use zeroize::Zeroizing;

use super::{CommandError, purge::chain_folder};
use crate::cli::{Insert, KeystoreArgs, PasswordSource, Rotate, SchemeArg, read_line};

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
        Self { public_key, signer: public_key.signer_id(), entity, path }
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
    Ok(KeyShown::new(secret.public()?, Some(path)))
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
    let public = store.import_mnemonic(phrase, "", scheme.scheme.into(), &path)?;
    Ok(KeyShown::new(public, Some(path)))
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
        match &self.path {
            Some(path) => writeln!(f, "path        {path}"),
            None => Ok(()),
        }
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
