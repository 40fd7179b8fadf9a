//! Labels of keys: what their owner calls them. The keystore knows identifiers only; labels are no secret and stand in
//! a file beside it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use xln_primitives::SignerId;
use xln_rpc::{RpcError, SignerRef};

/// Labels by signer.
pub(super) struct Labels {
    file: Option<PathBuf>,
    labels: Mutex<BTreeMap<SignerId, String>>,
}

impl Labels {
    /// Reads the labels in `file`; none if it is not there.
    pub(super) fn open(file: Option<PathBuf>) -> Result<Self, RpcError> {
        let labels = match &file {
            Some(path) => read(path).map_err(|error| failed(path, &error))?,
            None => BTreeMap::new(),
        };
        Ok(Self { file, labels: Mutex::new(labels) })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SignerId, String>> {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a signer is called.
    pub(super) fn get(&self, signer: &SignerId) -> Option<String> {
        self.lock().get(signer).cloned()
    }

    /// Whether a label is in use.
    pub(super) fn is_taken(&self, label: &str) -> bool {
        self.lock().values().any(|taken| taken == label)
    }

    /// Labels a signer.
    pub(super) fn set(&self, signer: SignerId, label: String) -> Result<(), RpcError> {
        let mut labels = self.lock();
        labels.insert(signer, label);
        match &self.file {
            Some(path) => write(path, &labels).map_err(|error| failed(path, &error)),
            None => Ok(()),
        }
    }

    /// The signer that a request means.
    pub(super) fn resolve(&self, reference: &SignerRef) -> Result<SignerId, RpcError> {
        match reference {
            SignerRef::Id(id) => Ok(*id),
            SignerRef::Name(label) => {
                self.lock().iter().find(|(_, known)| *known == label).map(|(signer, _)| *signer).ok_or_else(
                    || {
                        RpcError::not_found("signer", label)
                            .with_hint("signer.list names those that there are")
                    },
                )
            }
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> RpcError {
    RpcError::storage(format!("labels of keys in {}: {error}", path.display()))
}

fn read(path: &Path) -> io::Result<BTreeMap<SignerId, String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// The file appears whole or not at all.
fn write(path: &Path, labels: &BTreeMap<SignerId, String>) -> io::Result<()> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, serde_json::to_vec_pretty(labels)?)?;
    fs::File::open(&fresh)?.sync_all()?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_there_again_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("labels.json");
        let signer = SignerId::new([7; 32]);
        Labels::open(Some(file.clone())).unwrap().set(signer, "till".into()).unwrap();
        let labels = Labels::open(Some(file)).unwrap();
        assert_eq!(labels.get(&signer).as_deref(), Some("till"));
        assert_eq!(labels.resolve(&SignerRef::Name("till".into())), Ok(signer));
        assert!(labels.resolve(&SignerRef::Name("safe".into())).is_err());
    }
}
