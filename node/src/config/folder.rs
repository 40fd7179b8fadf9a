//! Where a node keeps its files.
//!
//! ```text
//!   <base path>/chains/<chain id>/db         database
//!                               /keystore    encrypted keys
//!                               /votes       how far the voting key has voted
//!                               /labels.json names of keys
//!                               /network     key of connections, addresses of other servers
//! ```

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// Where databases and keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BasePath {
    /// In a folder that stays.
    Kept(PathBuf),
    /// In a folder that is removed at the end.
    Temporary,
}

/// An open base folder. A temporary one is removed when this is dropped.
#[derive(Debug)]
pub struct BaseFolder {
    path: PathBuf,
    _temporary: Option<TempDir>,
}

/// The folder of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainFolder(PathBuf);

impl BasePath {
    /// Makes the folder if it is not there.
    pub fn open(&self) -> io::Result<BaseFolder> {
        match self {
            Self::Kept(path) => {
                fs::create_dir_all(path)?;
                Ok(BaseFolder { path: path.clone(), _temporary: None })
            }
            Self::Temporary => {
                let folder = tempfile::Builder::new().prefix("xln-").tempdir()?;
                Ok(BaseFolder { path: folder.path().to_path_buf(), _temporary: Some(folder) })
            }
        }
    }
}

impl BaseFolder {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of a chain in it.
    #[must_use]
    pub fn chain(&self, id: &str) -> ChainFolder {
        ChainFolder::of(&self.path, id)
    }
}

impl ChainFolder {
    /// The folder of the chain with this id (a checked name, see the chain spec) under a base path.
    #[must_use]
    pub fn of(base: &Path, id: &str) -> Self {
        Self(base.join("chains").join(id))
    }

    /// Its database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.0.join("db")
    }

    /// What the owners of keys call them.
    #[must_use]
    pub fn labels(&self) -> PathBuf {
        self.0.join("labels.json")
    }

    /// What it knows of other servers, and the key that it shows them.
    #[must_use]
    pub fn network(&self) -> PathBuf {
        self.0.join("network")
    }

    /// How far its voting key has voted. Belongs to the keys, not to the database.
    #[must_use]
    pub fn votes(&self) -> PathBuf {
        self.0.join("votes")
    }

    /// Its encrypted keys.
    #[must_use]
    pub fn keystore(&self) -> PathBuf {
        self.0.join("keystore")
    }
}

/// Where files go if nothing else is said: `$XDG_DATA_HOME/xln` or `~/.local/share/xln`, with `-N` for instance N.
#[must_use]
pub fn default_base_path(instance: u16) -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")))?;
    Some(data.join(if instance == 0 { "xln".to_owned() } else { format!("xln-{instance}") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_is_gone_at_the_end_and_a_kept_one_is_not() {
        let folder = BasePath::Temporary.open().unwrap();
        let path = folder.path().to_path_buf();
        assert!(path.is_dir());
        assert!(folder.chain("dev").database().ends_with("chains/dev/db"));
        drop(folder);
        assert!(!path.exists());

        let around = tempfile::tempdir().unwrap();
        let kept = around.path().join("a/b");
        drop(BasePath::Kept(kept.clone()).open().unwrap());
        assert!(kept.is_dir());
    }
}
