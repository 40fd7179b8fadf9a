//! The keys of a network: made anew and kept by the servers that need them, or those that everybody knows.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use xln_keystore::{KeySigner, Keystore, Password, Scheme, Signer, dev_key, dev_secret};
use xln_primitives::PublicKey;
use zeroize::Zeroizing;

use super::spec::CHAIN_ID;
use crate::{
    commands::CommandError,
    config::{ChainFolder, PeersConfig},
    keys::{self, well_known_connections},
};

/// Where public keys come from.
pub(super) trait Keys {
    /// The key of a server's connections.
    fn connections(&self, server: &str) -> Result<PublicKey, CommandError>;
    /// The key with which a server votes.
    fn voting(&self, server: &str) -> Result<Arc<dyn Signer>, CommandError>;
    /// The key of an entity that lives on a server.
    fn entity(&self, server: &str, entity: &str) -> Result<PublicKey, CommandError>;
}

/// Keys that follow from names.
pub(super) struct WellKnown;

impl Keys for WellKnown {
    fn connections(&self, server: &str) -> Result<PublicKey, CommandError> {
        Ok(well_known_connections(server).public()?)
    }

    fn voting(&self, server: &str) -> Result<Arc<dyn Signer>, CommandError> {
        Ok(Arc::new(KeySigner::new(dev_secret(server, Scheme::Bls)?)?))
    }

    fn entity(&self, _: &str, entity: &str) -> Result<PublicKey, CommandError> {
        Ok(dev_key(entity).public()?)
    }
}

/// Keys from the operating system's randomness, written where their server finds them.
pub(super) struct Fresh {
    out: PathBuf,
}

impl Fresh {
    pub(super) fn new(out: &Path) -> Self {
        Self { out: out.to_path_buf() }
    }

    /// The keystore of a server, made with its password if it is not there.
    fn keystore(&self, server: &str) -> Result<Keystore, CommandError> {
        let folder = self.folder(server)?;
        let path = folder.join("password");
        if !path.exists() {
            let mut secret = Zeroizing::new([0; 24]);
            getrandom::fill(&mut *secret).map_err(std::io::Error::other)?;
            let text = Zeroizing::new(hex::encode(*secret));
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
        }
        let password = Password::from_file(&path).map_err(crate::cli::SecretError::from)?;
        Ok(Keystore::open(ChainFolder::of(&folder.join("data"), CHAIN_ID).keystore(), password)?)
    }

    /// The folder of a server; others have no business in it.
    fn folder(&self, server: &str) -> Result<PathBuf, CommandError> {
        let folder = self.out.join(server);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        fs::create_dir_all(ChainFolder::of(&folder.join("data"), CHAIN_ID).network())?;
        Ok(folder)
    }
}

impl Keys for Fresh {
    fn connections(&self, server: &str) -> Result<PublicKey, CommandError> {
        let path = self.folder(server)?.join("node.key");
        keys::make_connections(&path)?;
        let config = PeersConfig { key_file: Some(path), ..PeersConfig::default() };
        let key = keys::connections(&config, &ChainFolder::of(&self.out, CHAIN_ID))?;
        Ok(PublicKey::Ed25519(*key.server().as_bytes()))
    }

    fn voting(&self, server: &str) -> Result<Arc<dyn Signer>, CommandError> {
        let keystore = self.keystore(server)?;
        let key = keystore.generate(Scheme::Bls)?;
        keystore
            .signer(&key.signer_id())
            .ok_or_else(|| CommandError::Range(format!("the keystore lost {key}")))
    }

    fn entity(&self, server: &str, _: &str) -> Result<PublicKey, CommandError> {
        Ok(self.keystore(server)?.generate(Scheme::Ed25519)?)
    }
}
