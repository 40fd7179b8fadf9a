//! The keys that a running node holds.

use xln_chain_spec::ChainType;
use xln_keystore::{Cost, DEV_NAMES, Keystore, KeystoreError, Password, PasswordError, dev_key};
use zeroize::Zeroizing;

use crate::{
    cli::{PasswordSource, SecretError},
    config::{BasePath, ChainFolder, Config},
};

/// Password of keys on development networks. Their entities' keys are known to everybody anyway.
const DEV_PASSWORD: &str = "development";

/// Why a node has no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The keystore cannot be opened.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// There is no password, or an unusable one.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The password is unusable.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A well-known key on a network with money.
    #[error("the well-known key of {0} was asked for on a live network; everybody could spend with it")]
    DevKeyOnLiveNetwork(String),
}

/// Opens the keystore of a chain, and inserts the well-known keys that were asked for.
pub fn open(config: &Config, chain: ChainType, folder: &ChainFolder) -> Result<Keystore, KeysError> {
    let keystore = match (&config.password, config.dev, &config.base_path) {
        (PasswordSource::None, _, BasePath::Temporary) => Keystore::in_memory(),
        (PasswordSource::None, true, BasePath::Kept(_)) => {
            let password = Password::new(Zeroizing::new(DEV_PASSWORD.to_owned()))?;
            Keystore::open_with(keystore_path(config, folder), password, Cost::LIGHT)?
        }
        (PasswordSource::None, false, BasePath::Kept(_)) if !keystore_path(config, folder).exists() => {
            tracing::warn!("no password was given: keys are held in memory only");
            Keystore::in_memory()
        }
        (source, ..) => Keystore::open(keystore_path(config, folder), source.read("Password of the keys")?)?,
    };
    let whole_network = DEV_NAMES.iter().map(|name| (*name).to_owned()).filter(|_| config.dev);
    for name in whole_network.chain(config.dev_keys.iter().cloned()) {
        if chain == ChainType::Live {
            return Err(KeysError::DevKeyOnLiveNetwork(name));
        }
        match keystore.insert(dev_key(&name)) {
            Ok(_) | Err(KeystoreError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(keystore)
}

fn keystore_path(config: &Config, folder: &ChainFolder) -> std::path::PathBuf {
    config.keystore_path.clone().unwrap_or_else(|| folder.keystore())
}
