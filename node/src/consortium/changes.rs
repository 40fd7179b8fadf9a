//! What an operator changed about other servers while this one ran: a file beside the key of its connections.
//!
//! It is no row of the database, because it is no part of the state: it must not go back with a restored database, nor come along
//! with a snapshot, and an operator can read it, and correct it while the server is down. The file is replaced as a whole, so it
//! is always the old one or the new one. Unlike remembered addresses it is no hint: who may connect must not change because a
//! file is damaged, so a server does not start on one that it cannot read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use xln_network::{Access, Config, Multiaddr, ServerAddress, ServerId};

/// Most servers in each list.
pub(super) const SERVERS_MAX: usize = 1_024;
/// Most added addresses of one server.
pub(super) const ADDRESSES_MAX: usize = 8;

/// What an operator changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerChanges {
    path: Option<PathBuf>,
    /// Allowed, though the chain spec does not name them.
    pub(super) allowed: BTreeSet<ServerId>,
    /// Not allowed, though the chain spec names them.
    pub(super) disallowed: BTreeSet<ServerId>,
    /// Addresses that were added.
    pub(super) added: BTreeMap<ServerId, Vec<Multiaddr>>,
    /// Servers that are not sought, though the chain spec has addresses of them.
    pub(super) removed: BTreeSet<ServerId>,
}

/// The file.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct File {
    allowed: Vec<String>,
    disallowed: Vec<String>,
    added: Vec<String>,
    removed: Vec<String>,
}

fn damaged(path: &Path, what: &dyn core::fmt::Display) -> io::Error {
    let text = format!("{}: {what}; correct it, or remove it to go by the chain spec alone", path.display());
    io::Error::new(io::ErrorKind::InvalidData, text)
}

impl PeerChanges {
    /// Reads the file; nothing was changed if there is none.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { path: Some(path), ..Self::default() });
            }
            Err(error) => return Err(damaged(&path, &error)),
        };
        let file: File = serde_json::from_str(&text).map_err(|error| damaged(&path, &error))?;
        let servers = |list: Vec<String>| -> io::Result<BTreeSet<ServerId>> {
            list.iter().map(|text| text.parse().map_err(|error| damaged(&path, &error))).collect()
        };
        let mut added: BTreeMap<ServerId, Vec<Multiaddr>> = BTreeMap::new();
        for text in &file.added {
            let ServerAddress { server, address } = text.parse().map_err(|error| damaged(&path, &error))?;
            added.entry(server).or_default().push(address);
        }
        let (allowed, disallowed) = (servers(file.allowed)?, servers(file.disallowed)?);
        let removed = servers(file.removed)?;
        Ok(Self { allowed, disallowed, added, removed, path: Some(path) })
    }

    /// Replaces the file.
    pub(super) fn write(&self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let texts = |servers: &BTreeSet<ServerId>| servers.iter().map(ToString::to_string).collect();
        let file = File {
            allowed: texts(&self.allowed),
            disallowed: texts(&self.disallowed),
            added: self
                .added
                .iter()
                .flat_map(|(server, list)| list.iter().map(move |address| format!("{address}/p2p/{server}")))
                .collect(),
            removed: texts(&self.removed),
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut new, &file)?;
        new.write_all(b"\n")?;
        new.as_file().sync_all()?;
        new.persist(path)?;
        fs::File::open(folder)?.sync_all()
    }

    /// Changes how a server joins its network: what the chain spec says, and then what the operator said.
    pub(super) fn apply(&self, config: &mut Config) {
        if let Access::Listed(listed) = &mut config.access {
            listed.retain(|server| !self.disallowed.contains(server));
            listed.extend(&self.allowed);
        }
        // Reserved servers are admitted without being listed.
        let out = |server: &ServerId| self.disallowed.contains(server) || self.removed.contains(server);
        config.reserved.retain(|known| !out(&known.server));
        let added = self.added.iter().filter(|(server, _)| !self.disallowed.contains(server));
        config.reserved.extend(added.flat_map(|(server, list)| {
            list.iter().map(|address| ServerAddress { server: *server, address: address.clone() })
        }));
    }
}

#[cfg(test)]
mod tests {
    use xln_network::ServerKey;
    use xln_primitives::Network;

    use super::*;

    const fn server(number: u8) -> ServerId {
        ServerId::new([number; 32])
    }

    #[test]
    fn what_was_changed_comes_back_from_the_file_and_changes_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network/changes.json");
        let mut changes = PeerChanges::open(path.clone()).unwrap();
        changes.allowed.insert(server(4));
        changes.disallowed.insert(server(2));
        changes.removed.insert(server(3));
        let address: Multiaddr = "/ip4/192.0.2.7/tcp/30333".parse().unwrap();
        changes.added.insert(server(4), vec![address.clone()]);
        changes.write().unwrap();
        let again = PeerChanges::open(path).unwrap();
        assert_eq!(again, changes);

        let at = |number| ServerAddress { server: server(number), address: address.clone() };
        let mut config = Config::new(Network::ZERO, ServerKey::from_secret([9; 32].into()));
        config.access = Access::Listed([server(1), server(2), server(3)].into());
        config.reserved = vec![at(1), at(2), at(3)];
        again.apply(&mut config);
        assert_eq!(config.access, Access::Listed([server(1), server(3), server(4)].into()));
        assert_eq!(config.reserved, [at(1), at(4)]);
    }

    #[test]
    fn a_damaged_file_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("changes.json");
        for text in
            ["", "{", r#"{"allowed": ["x"]}"#, r#"{"allow": []}"#, r#"{"added": ["/ip4/1.2.3.4/tcp/1"]}"#]
        {
            fs::write(&path, text).unwrap();
            let error = PeerChanges::open(path.clone()).unwrap_err().to_string();
            assert!(error.contains("changes.json") && error.contains("remove it"), "{error}");
        }
    }
}
