//! Which of the chain spec's servers this one is, and what it needs to join the others.

use std::{
    collections::BTreeSet,
    fs,
    sync::{Arc, RwLock},
};

use xln_chain_spec::{ChainSpec, ChainType, KnownServer};
use xln_keystore::{Keystore, Signer};
use xln_network::{ServerId, ServerKey};
use xln_primitives::{EntityId, PublicKey};
use xln_runtime::{Genesis, Server};
use xln_store::Store;

use crate::{
    author::system_time,
    config::{ChainFolder, Config, PeersConfig},
    consortium::{Consortium, DecidedFrames, Directory, Parts, PeerChanges, Shared},
    error::RunError,
    inbox::Inbox,
    keys,
    retained::Retained,
    stream_file,
    vote_marks::VoteMarks,
};

/// Servers that an error names.
const NAMES_MAX: usize = 8;

/// This server's place among the others.
pub(crate) struct Membership {
    own: KnownServer,
    key: ServerKey,
    voter: Option<Arc<dyn Signer>>,
    keystore: Arc<Keystore>,
    directory: Directory,
    config: PeersConfig,
    folder: ChainFolder,
    /// Whether a key of which nothing is known has never voted.
    assumes_new: bool,
}

impl Membership {
    /// Finds this server among those of the chain spec; none if the spec names no servers.
    pub(crate) fn find(
        config: &Config,
        spec: &ChainSpec,
        folder: &ChainFolder,
        keystore: &Arc<Keystore>,
        genesis: &Genesis,
    ) -> Result<Option<Self>, RunError> {
        let servers = spec.known_servers()?;
        if servers.is_empty() {
            return Ok(None);
        }
        let key = keys::connections(&config.peers, folder)?;
        let server = key.server();
        let Some(own) = servers.iter().find(|known| ServerId::new(known.key) == server) else {
            let mut known: Vec<String> = servers
                .iter()
                .take(NAMES_MAX)
                .map(|known| format!("{} ({})", known.name, PublicKey::Ed25519(known.key)))
                .collect();
            if servers.len() > NAMES_MAX {
                known.push("…".to_owned());
            }
            return Err(RunError::UnknownServer {
                server: PublicKey::Ed25519(*server.as_bytes()).to_string(),
                known: known.join(", "),
            });
        };
        if config.peers.server.is_some() {
            keys::insert_well_known(keystore, spec.chain_type, own, genesis)?;
        }
        let voter = own.validator.and_then(|key| keystore.signer(&PublicKey::Bls(key).signer_id()));
        if config.peers.validator && voter.is_none() {
            let reason = match own.validator {
                None => format!("the chain spec names no voting key for server {}", own.name),
                Some(key) => format!(
                    "the keystore has no key {}; `xln-node key insert` puts it there",
                    PublicKey::Bls(key)
                ),
            };
            return Err(RunError::NoVotingKey { reason });
        }
        Ok(Some(Self {
            own: own.clone(),
            key,
            voter,
            keystore: Arc::clone(keystore),
            directory: Directory::new(&servers)?,
            config: config.peers.clone(),
            folder: folder.clone(),
            assumes_new: spec.chain_type != ChainType::Live,
        }))
    }

    /// The entities that live here.
    pub(crate) fn hosted(&self) -> BTreeSet<EntityId> {
        self.own.hosts.clone()
    }

    /// Whether this server votes.
    pub(crate) const fn votes(&self) -> bool {
        self.voter.is_some()
    }

    /// Joins the others.
    pub(crate) fn join(
        self,
        server: &Arc<RwLock<Server>>,
        store: &Store,
        retained: &Arc<Retained>,
        inbox: &Arc<Inbox>,
        decided: Arc<DecidedFrames>,
        shared: Arc<Shared>,
    ) -> Result<Consortium, RunError> {
        let folder = self.folder.network();
        fs::create_dir_all(&folder).map_err(RunError::system("the folder of the network cannot be used"))?;
        let stream = stream_file::begin(&self.folder.database(), system_time().as_millis())
            .map_err(RunError::system("the number of what this server sends cannot be written down"))?;
        let changes = PeerChanges::open(folder.join("changes.json"))
            .map_err(RunError::system("what the operator changed about other servers cannot be read"))?;
        let (declared, assumes_new) = (self.config.vote_history, self.assumes_new);
        let marks = self
            .own
            .validator
            .filter(|_| self.voter.is_some())
            .map(|key| VoteMarks::open(&self.folder.votes(), &key, declared, assumes_new));
        let marks = marks.transpose()?;
        tracing::info!(
            server = %self.own.name,
            peer = %self.key.server(),
            votes = self.voter.is_some(),
            hosts = self.own.hosts.len(),
            "joining the other servers"
        );
        Ok(Consortium::start(Parts {
            server: Arc::clone(server),
            store: store.clone(),
            retained: Arc::clone(retained),
            inbox: Arc::clone(inbox),
            decided,
            shared,
            directory: self.directory,
            key: self.key,
            voter: self.voter,
            marks,
            keystore: self.keystore,
            listen: self.config.listen,
            bootnodes: self.config.bootnodes,
            discovery: !self.config.no_discovery,
            boards: self.folder.database().join("boards"),
            halts: self.folder.database().join("halts"),
            peers: Some(folder.join("peers.json")),
            changes,
            stream,
        })?)
    }
}
