//! Where other servers were reached, on disk, so that a restarted server finds its network without asking anybody.
//!
//! The file is a hint: what is lost or damaged costs some searching, so a file that cannot be read is begun anew, with a
//! warning. It is replaced as a whole, so it is always the old one or the new one.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use libp2p::Multiaddr;
use serde::{Deserialize, Serialize};

use crate::{ServerId, address::is_reachable};

/// Most addresses of one server.
const ADDRESSES_MAX: usize = 8;
/// Largest file that is read.
const FILE_MAX: u64 = 4 << 20;

/// What is known about a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Known {
    /// The one that worked last comes first.
    addresses: Vec<Multiaddr>,
    /// When it was connected last, in Unix milliseconds; 0 if never.
    seen_ms: u64,
}

/// A row of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Row {
    server: String,
    addresses: Vec<String>,
    seen_ms: u64,
}

/// The addresses of servers.
#[derive(Debug)]
pub(crate) struct PeerStore {
    path: Option<PathBuf>,
    known: BTreeMap<ServerId, Known>,
    limit: usize,
    changed: bool,
}

impl PeerStore {
    /// Reads a file, if one is named and there. At most `limit` servers are remembered.
    pub(crate) fn open(path: Option<PathBuf>, limit: usize) -> Self {
        let mut store = Self { path, known: BTreeMap::new(), limit, changed: false };
        if let Some(path) = store.path.clone() {
            match read(&path) {
                Ok(rows) => rows.into_iter().for_each(|row| store.restore(&row)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(path = %path.display(), %error, "known peers are forgotten"),
            }
        }
        store.changed = false;
        store
    }

    fn restore(&mut self, row: &Row) {
        let Ok(server) = row.server.parse() else { return };
        for address in row.addresses.iter().rev().filter_map(|text| text.parse().ok()) {
            self.add(server, address);
        }
        if let Some(known) = self.known.get_mut(&server) {
            known.seen_ms = row.seen_ms;
        }
    }

    /// Remembers an address, the likeliest one of its server from now on.
    pub(crate) fn add(&mut self, server: ServerId, address: Multiaddr) {
        if !is_reachable(&address) {
            return;
        }
        if !self.known.contains_key(&server) && self.known.len() >= self.limit {
            // The one that was not seen for longest makes room.
            let oldest = self.known.iter().min_by_key(|(_, known)| known.seen_ms).map(|(server, _)| *server);
            if let Some(oldest) = oldest {
                self.known.remove(&oldest);
            }
        }
        let known = self.known.entry(server).or_default();
        if known.addresses.first() != Some(&address) {
            known.addresses.retain(|other| *other != address);
            known.addresses.insert(0, address);
            known.addresses.truncate(ADDRESSES_MAX);
            self.changed = true;
        }
    }

    /// Notes that a server is connected now.
    pub(crate) fn seen(&mut self, server: ServerId, now_ms: u64) {
        if let Some(known) = self.known.get_mut(&server) {
            known.seen_ms = now_ms;
            self.changed = true;
        }
    }

    pub(crate) fn forget(&mut self, server: ServerId) {
        self.changed |= self.known.remove(&server).is_some();
    }

    pub(crate) fn addresses(&self, server: ServerId) -> &[Multiaddr] {
        self.known.get(&server).map_or(&[], |known| &known.addresses)
    }

    pub(crate) fn servers(&self) -> impl Iterator<Item = ServerId> + '_ {
        self.known.keys().copied()
    }

    /// What to write, and where, if anything has changed since the last time.
    pub(crate) fn take_changes(&mut self) -> Option<Changes> {
        let path = self.path.clone().filter(|_| self.changed)?;
        self.changed = false;
        let rows = self.known.iter().map(|(server, known)| Row {
            server: server.to_string(),
            addresses: known.addresses.iter().map(ToString::to_string).collect(),
            seen_ms: known.seen_ms,
        });
        Some(Changes { path, rows: rows.collect() })
    }
}

/// A file that is to be written.
pub(crate) struct Changes {
    path: PathBuf,
    rows: Vec<Row>,
}

impl Changes {
    /// Replaces the file. A failure costs no more than the hints, so it is only told.
    pub(crate) fn write(self) {
        if let Err(error) = self.replace() {
            tracing::warn!(path = %self.path.display(), %error, "known peers cannot be written");
        }
    }

    fn replace(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, &self.rows)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        fs::File::open(folder)?.sync_all()
    }
}

fn read(path: &Path) -> io::Result<Vec<Row>> {
    let mut text = String::new();
    fs::File::open(path)?.take(FILE_MAX).read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn server(number: u8) -> ServerId {
        ServerId::new([number; 32])
    }

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap()
    }

    #[test]
    fn what_is_known_comes_back_from_the_file_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = Some(folder.path().join("new/peers.json"));
        let mut store = PeerStore::open(path.clone(), 10);
        assert!(store.take_changes().is_none(), "nothing has changed");
        for port in [1, 2, 3, 2] {
            store.add(server(1), address(port));
        }
        store.seen(server(1), 77);
        store.take_changes().unwrap().write();
        assert!(store.take_changes().is_none());
        let mut again = PeerStore::open(path, 10);
        assert_eq!(again.addresses(server(1)), [address(2), address(3), address(1)]);
        assert_eq!(again.known, store.known);
        again.forget(server(1));
        assert_eq!(again.servers().count(), 0);
    }

    #[test]
    fn servers_and_addresses_are_bounded_and_the_longest_unseen_goes_first() {
        let mut store = PeerStore::open(None, 2);
        for port in 0..100 {
            store.add(server(1), address(port));
        }
        assert_eq!(store.addresses(server(1)).len(), ADDRESSES_MAX);
        store.seen(server(1), 5);
        store.add(server(2), address(1));
        store.add(server(3), address(1));
        assert_eq!(store.servers().collect::<Vec<_>>(), [server(1), server(3)]);
        store.add(server(3), "/dns4/example.org/tcp/1".parse().unwrap());
        assert_eq!(store.addresses(server(3)).len(), 1, "what cannot be dialled is not kept");
    }

    #[test]
    fn a_damaged_file_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("peers.json");
        for text in ["", "{", "[{\"server\":\"x\",\"addresses\":[],\"seenMs\":1}]"] {
            fs::write(&path, text).unwrap();
            let mut store = PeerStore::open(Some(path.clone()), 10);
            assert_eq!(store.servers().count(), 0, "{text}");
            store.add(server(1), address(1));
            store.take_changes().unwrap().write();
            assert_eq!(PeerStore::open(Some(path.clone()), 10).addresses(server(1)), [address(1)]);
        }
    }
}
