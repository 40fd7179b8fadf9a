//! The keys of a node.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use xln_primitives::{PublicKey, SecretKey, SignerId};
use zeroize::Zeroizing;

use crate::{
    Cost, DerivationPath, KeySigner, KeystoreError, Password, Phrase, Scheme, Signer,
    derive::derive,
    file::{self, file_name},
    folder::Folder,
};

/// What anybody may know of a key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyInfo {
    /// The actor behind the key.
    pub signer: SignerId,
    /// The public key.
    pub public: PublicKey,
    /// Where it was derived, if it comes from a phrase.
    pub path: Option<DerivationPath>,
}

struct Key {
    signer: Arc<KeySigner>,
    path: Option<DerivationPath>,
}

/// Where keys are kept beyond memory.
struct Disk {
    folder: Folder,
    password: Password,
    cost: Cost,
}

struct State {
    disk: Option<Disk>,
    keys: BTreeMap<SignerId, Key>,
}

/// The keys of a node: in a folder, each encrypted under one password, or in memory only.
pub struct Keystore {
    state: RwLock<State>,
}

impl Keystore {
    /// A keystore that forgets its keys when dropped, for `--dev` and `--tmp`.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { state: RwLock::new(State { disk: None, keys: BTreeMap::new() }) }
    }

    /// Opens the keystore in a folder, which is made with mode 0700 if it is not there, and decrypts its keys.
    /// New keys cost [`Cost::STRONG`].
    pub fn open(path: impl AsRef<Path>, password: Password) -> Result<Self, KeystoreError> {
        Self::open_with(path, password, Cost::STRONG)
    }

    /// Like [`Keystore::open`], with another cost for the keys written from now on.
    pub fn open_with(path: impl AsRef<Path>, password: Password, cost: Cost) -> Result<Self, KeystoreError> {
        let folder = Folder::open(path.as_ref())?;
        let mut keys = BTreeMap::new();
        for (name, bytes) in Folder::read(folder.path())? {
            let (info, sealed) = file::read(&name, &bytes)?;
            let signer = Arc::new(file::open(&name, &info, &sealed, &password)?);
            keys.insert(info.signer, Key { signer, path: info.path });
        }
        let disk = Some(Disk { folder, password, cost });
        Ok(Self { state: RwLock::new(State { disk, keys }) })
    }

    /// The public parts of the keys in a folder, without the password. They are not authenticated.
    pub fn inspect(path: impl AsRef<Path>) -> Result<Vec<KeyInfo>, KeystoreError> {
        let files = Folder::read(path.as_ref())?;
        files.iter().map(|(name, bytes)| file::read(name, bytes).map(|(info, _)| info)).collect()
    }

    /// Makes a key from the operating system's randomness.
    pub fn generate(&self, scheme: Scheme) -> Result<PublicKey, KeystoreError> {
        loop {
            let mut bytes = Zeroizing::new([0; 32]);
            getrandom::fill(bytes.as_mut())?;
            let secret = scheme.secret(bytes);
            // Bytes above the group order are no key: for BLS more than half of all.
            if secret.public().is_ok() {
                return self.insert(secret);
            }
        }
    }

    /// Adds a key.
    pub fn insert(&self, secret: SecretKey) -> Result<PublicKey, KeystoreError> {
        self.add(secret, None)
    }

    /// Adds the key that a phrase has at a path. The passphrase is BIP-39's optional extra word, usually empty.
    pub fn import_mnemonic(
        &self,
        phrase: &Phrase,
        passphrase: &str,
        scheme: Scheme,
        path: &DerivationPath,
    ) -> Result<PublicKey, KeystoreError> {
        let secret = derive(&phrase.seed(passphrase)?, scheme, path)?;
        self.add(secret, Some(path.clone()))
    }

    fn add(&self, secret: SecretKey, path: Option<DerivationPath>) -> Result<PublicKey, KeystoreError> {
        let signer = KeySigner::new(secret)?;
        let (id, public) = (signer.id(), signer.public());
        let mut state = self.write();
        if state.keys.contains_key(&id) {
            return Err(KeystoreError::Exists { signer: id });
        }
        if let Some(disk) = &state.disk {
            let bytes = file::write(&signer, path.as_ref(), &disk.password, disk.cost)?;
            disk.folder.write(&file_name(&id), &bytes)?;
        }
        state.keys.insert(id, Key { signer: Arc::new(signer), path });
        Ok(public)
    }

    /// The keys, in the order of their signers.
    #[must_use]
    pub fn list(&self) -> Vec<KeyInfo> {
        let info = |key: &Key| KeyInfo {
            signer: key.signer.id(),
            public: key.signer.public(),
            path: key.path.clone(),
        };
        self.read().keys.values().map(info).collect()
    }

    /// Who signs with this key.
    #[must_use]
    pub fn signer(&self, id: &SignerId) -> Option<Arc<dyn Signer>> {
        self.read().keys.get(id).map(|key| Arc::clone(&key.signer) as Arc<dyn Signer>)
    }

    /// Whether it has this key.
    #[must_use]
    pub fn has(&self, id: &SignerId) -> bool {
        self.read().keys.contains_key(id)
    }

    /// Removes a key and its file; whether there was one. Signers that were handed out keep signing.
    pub fn remove(&self, id: &SignerId) -> Result<bool, KeystoreError> {
        let mut state = self.write();
        if !state.keys.contains_key(id) {
            return Ok(false);
        }
        if let Some(disk) = &state.disk {
            disk.folder.remove(&file_name(id))?;
        }
        state.keys.remove(id);
        Ok(true)
    }

    /// Encrypts every key anew under another password, all or none, also across a crash. Without effect in memory.
    pub fn change_password(&self, password: Password) -> Result<(), KeystoreError> {
        let mut state = self.write();
        let State { disk, keys } = &mut *state;
        let Some(disk) = disk else { return Ok(()) };
        let files = keys
            .iter()
            .map(|(id, key)| {
                let bytes = file::write(&key.signer, key.path.as_ref(), &password, disk.cost)?;
                Ok((file_name(id), bytes))
            })
            .collect::<Result<Vec<_>, KeystoreError>>()?;
        disk.folder.replace(&files)?;
        disk.password = password;
        Ok(())
    }

    // A thread that panics between two changes leaves the map as it was, so a poisoned lock is still good.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl core::fmt::Debug for Keystore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Keystore").field("keys", &self.list()).finish_non_exhaustive()
    }
}
