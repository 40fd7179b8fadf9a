//! The operator's hand on the connections to other servers, while this one runs.
//!
//! Every change is on disk ([`PeerChanges`]) before it takes effect, so that a restart does not take it back.

use std::{collections::BTreeSet, io, sync::Arc};

use tokio::sync::Mutex;
use xln_network::{AllowError, Multiaddr, Network, PeerInfo, SendError, ServerAddress, ServerId};

use super::{
    changes::{ADDRESSES_MAX, PeerChanges, SERVERS_MAX},
    directory::Directory,
};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It is this server.
    #[error("{0} is this server itself")]
    Own(ServerId),
    /// It would be refused anyway.
    #[error("{0} is not allowed to connect")]
    NotAllowed(ServerId),
    /// Lists have limits.
    #[error("there are {found} {what} already, and at most {max} are kept")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// The change cannot be kept.
    #[error("the change cannot be written down, so it was not made: {0}")]
    File(#[from] io::Error),
    /// The network does not take it.
    #[error(transparent)]
    Allow(#[from] AllowError),
    /// The network has been stopped.
    #[error(transparent)]
    Stopped(#[from] SendError),
}

/// Another server as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStatus {
    /// Who it is.
    pub server: ServerId,
    /// What the chain spec calls it.
    pub name: Option<String>,
    /// Whether it votes.
    pub validator: bool,
    /// Whether it may connect.
    pub allowed: bool,
    /// Where it is sought, from the chain spec and the operator.
    pub addresses: Vec<Multiaddr>,
    /// How it is connected, if it is.
    pub connection: Option<PeerInfo>,
}

/// The connections of a running server.
#[derive(Debug)]
pub struct Peers {
    network: Network,
    directory: Directory,
    changes: Arc<Mutex<PeerChanges>>,
}

impl Peers {
    /// Over a network that was started with these changes.
    pub(super) fn new(network: Network, directory: Directory, changes: PeerChanges) -> Self {
        Self { network, directory, changes: Arc::new(Mutex::new(changes)) }
    }

    /// The connections.
    #[must_use]
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// Who is called so in the chain spec.
    #[must_use]
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Every other server that the chain spec names, the operator added or allowed, or that is connected.
    pub async fn list(&self) -> Result<Vec<PeerStatus>, PeerError> {
        let mut connected = self.network.peers().await?;
        let changes = self.changes.lock().await;
        let mut servers: BTreeSet<ServerId> = self.directory.servers().collect();
        servers.extend(changes.allowed.iter().chain(changes.added.keys()));
        servers.extend(connected.iter().map(|peer| peer.server));
        servers.remove(&self.network.server());
        Ok(servers
            .into_iter()
            .map(|server| PeerStatus {
                server,
                name: self.directory.name(&server).map(str::to_owned),
                validator: self.directory.key(&server).is_some(),
                allowed: self.is_allowed(&changes, server),
                addresses: self.addresses(&changes, server).collect(),
                connection: connected
                    .iter()
                    .position(|peer| peer.server == server)
                    .map(|place| connected.swap_remove(place)),
            })
            .collect())
    }

    fn is_allowed(&self, changes: &PeerChanges, server: ServerId) -> bool {
        let listed = self.directory.name(&server).is_some() || changes.allowed.contains(&server);
        listed && !changes.disallowed.contains(&server)
    }

    /// Where a server is sought.
    fn addresses<'a>(
        &'a self,
        changes: &'a PeerChanges,
        server: ServerId,
    ) -> impl Iterator<Item = Multiaddr> + 'a {
        let sought = !changes.removed.contains(&server);
        let listed = self.directory.addresses().iter().filter(move |known| sought && known.server == server);
        let added = changes.added.get(&server).into_iter().flatten();
        listed.map(|known| &known.address).chain(added).cloned()
    }

    /// Admits a server from now on, and seeks it where the chain spec says it is. False if it was admitted before.
    pub async fn allow(&self, server: ServerId) -> Result<bool, PeerError> {
        self.is_other(server)?;
        self.change(|changes| {
            changes.disallowed.remove(&server);
            if self.directory.name(&server).is_none() {
                within("allowed servers", changes.allowed.len(), SERVERS_MAX)?;
                changes.allowed.insert(server);
            }
            Ok(())
        })
        .await?;
        let new = self.network.allow(server).await?;
        let changes = self.changes.lock().await;
        for address in self.addresses(&changes, server).collect::<Vec<_>>() {
            self.network.reserve(ServerAddress { server, address }).await?;
        }
        Ok(new)
    }

    /// Does not admit a server any more, closes its connections and forgets the addresses that were added. False if it was not
    /// admitted before.
    pub async fn disallow(&self, server: ServerId) -> Result<bool, PeerError> {
        self.is_other(server)?;
        self.change(|changes| {
            changes.allowed.remove(&server);
            changes.added.remove(&server);
            if self.directory.name(&server).is_some() {
                changes.disallowed.insert(server);
            }
            Ok(())
        })
        .await?;
        Ok(self.network.disallow(server).await?)
    }

    /// Seeks a server at an address, and stays connected to it whatever the limits of connections say. False if it was sought
    /// there before.
    pub async fn add(&self, new: ServerAddress) -> Result<bool, PeerError> {
        let ServerAddress { server, address } = new.clone();
        self.is_other(server)?;
        let mut known = false;
        self.change(|changes| {
            if !self.is_allowed(changes, server) {
                return Err(PeerError::NotAllowed(server));
            }
            known = self.addresses(changes, server).any(|other| other == address);
            changes.removed.remove(&server);
            if !self.addresses(changes, server).any(|other| other == address) {
                within("servers with added addresses", changes.added.len(), SERVERS_MAX)?;
                let list = changes.added.entry(server).or_default();
                within("added addresses of this server", list.len(), ADDRESSES_MAX)?;
                list.push(address);
            }
            Ok(())
        })
        .await?;
        self.network.reserve(new).await?;
        Ok(!known)
    }

    /// Does not seek a server any more. A connection that is open stays, and it may connect to us: see [`Self::disallow`]. False
    /// if it was not sought before.
    pub async fn remove(&self, server: ServerId) -> Result<bool, PeerError> {
        self.is_other(server)?;
        let mut known = false;
        self.change(|changes| {
            known = self.addresses(changes, server).next().is_some();
            changes.added.remove(&server);
            if self.directory.addresses().iter().any(|known| known.server == server) {
                changes.removed.insert(server);
            }
            Ok(())
        })
        .await?;
        self.network.release(server).await?;
        Ok(known)
    }

    fn is_other(&self, server: ServerId) -> Result<(), PeerError> {
        if server == self.network.server() { Err(PeerError::Own(server)) } else { Ok(()) }
    }

    /// Makes a change and writes it down: all of it or nothing.
    async fn change(
        &self,
        change: impl FnOnce(&mut PeerChanges) -> Result<(), PeerError>,
    ) -> Result<(), PeerError> {
        let mut changes = Arc::clone(&self.changes).lock_owned().await;
        let mut new = changes.clone();
        change(&mut new)?;
        if new == *changes {
            return Ok(());
        }
        let written = tokio::task::spawn_blocking(move || new.write().map(|()| new)).await;
        *changes = written.map_err(io::Error::other)??;
        Ok(())
    }
}

fn within(what: &'static str, found: usize, max: usize) -> Result<(), PeerError> {
    if found < max { Ok(()) } else { Err(PeerError::TooMany { what, found, max }) }
}
