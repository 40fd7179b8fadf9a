//! The keys that a running node holds.

use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use xln_chain_spec::{ChainType, KnownServer};
use xln_keystore::{
    Cost, DEV_NAMES, Keystore, KeystoreError, Password, PasswordError, Scheme, dev_key, dev_secret,
};
use xln_network::ServerKey;
use xln_primitives::SecretKey;
use xln_runtime::Genesis;
use zeroize::Zeroizing;

use crate::{
    cli::{PasswordSource, SecretError},
    config::{BasePath, ChainFolder, Config, PeersConfig},
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
    /// The key of connections cannot be had.
    #[error("the key of this server's connections, {}: {reason}", .path.display())]
    NodeKey {
        /// Where it should be.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
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

/// The names of the entities that a server hosts, of a network for trying things out, and of its voting key: who starts it by
/// name holds their well-known keys.
pub fn insert_well_known(
    keystore: &Keystore,
    chain: ChainType,
    server: &KnownServer,
    genesis: &Genesis,
) -> Result<(), KeysError> {
    if chain == ChainType::Live {
        return Err(KeysError::DevKeyOnLiveNetwork(server.name.clone()));
    }
    let hosted = genesis.entities.iter().filter(|entity| server.hosts.contains(&entity.id));
    let mut secrets: Vec<SecretKey> = hosted.map(|entity| dev_key(&entity.name)).collect();
    secrets.extend(dev_secret(&server.name, Scheme::Bls));
    for secret in secrets {
        match keystore.insert(secret) {
            Ok(_) | Err(KeystoreError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The well-known key of the connections of a server that is called so.
#[must_use]
pub fn well_known_connections(server: &str) -> SecretKey {
    dev_key(&format!("{server}/connections"))
}

/// Makes a key of connections and writes it to a new file that only its owner can read.
pub fn make_connections(path: &Path) -> Result<(), KeysError> {
    let failed = |reason: String| KeysError::NodeKey { path: path.to_path_buf(), reason };
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *secret).map_err(|error| failed(error.to_string()))?;
    let text = Zeroizing::new(hex::encode(*secret));
    let mut file = fs::OpenOptions::new();
    let file = file.write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| failed(error.to_string()))
}

/// The key of this server's connections: the well-known one of a name, the one in a file, or one that is made once.
pub fn connections(config: &PeersConfig, folder: &ChainFolder) -> Result<ServerKey, KeysError> {
    if let Some(name) = &config.server {
        let SecretKey::Ed25519(secret) = well_known_connections(name) else {
            return Err(KeysError::NodeKey { path: name.into(), reason: "not an ed25519 key".to_owned() });
        };
        return Ok(ServerKey::from_secret(secret));
    }
    let made = folder.network().join("secret_ed25519");
    let path = config.key_file.clone().unwrap_or_else(|| made.clone());
    let failed = |reason: String| KeysError::NodeKey { path: path.clone(), reason };
    if !path.exists() && config.key_file.is_none() {
        fs::create_dir_all(folder.network()).map_err(|error| failed(error.to_string()))?;
        make_connections(&path)?;
    }
    let mode = fs::metadata(&path).map_err(|error| failed(error.to_string()))?.mode();
    if mode & 0o077 != 0 {
        return Err(failed(format!("others may read it (mode {:o}); chmod 600 ends that", mode & 0o777)));
    }
    let text = Zeroizing::new(fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?);
    let mut secret = Zeroizing::new([0; 32]);
    let digits = text.trim().trim_start_matches("0x");
    hex::decode_to_slice(digits, &mut *secret).map_err(|_| failed("it is not 64 hex digits".to_owned()))?;
    Ok(ServerKey::from_secret(secret))
}
