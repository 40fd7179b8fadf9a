//! Starting and stopping all of it.

use std::{
    path::PathBuf,
    sync::{
        Arc, RwLock,
        mpsc::{SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Instant,
};

use xln_keystore::{Keystore, Signer};
use xln_network::{Access, Config, Multiaddr, Network, ServerAddress, ServerKey, StartError};
use xln_runtime::Server;
use xln_store::Store;

use super::{
    changes::PeerChanges,
    decided::DecidedFrames,
    directory::Directory,
    driver::{self, Slices, Told},
    halt_file::HaltFile,
    here::Here,
    line_file::LineFile,
    machine::{Identity, Machine, SNAPSHOT_GAP},
    peers::Peers,
    status::Shared,
};
use crate::{author::Observer, inbox::Inbox, retained::Retained, vote_marks::VoteMarks};

/// Most things that the driver may be behind.
const TOLD_MAX: usize = 16_384;

/// Why it does not start.
#[derive(Debug, thiserror::Error)]
pub enum ConsortiumError {
    /// The network does not start.
    #[error(transparent)]
    Network(#[from] StartError),
    /// The system gives no thread.
    #[error("cannot start the consortium's thread: {0}")]
    Thread(std::io::Error),
}

/// What it works with.
pub struct Parts {
    /// The durable state.
    pub server: Arc<RwLock<Server>>,
    /// Where logs and frames are kept.
    pub store: Store,
    /// Messages that wait for others.
    pub retained: Arc<Retained>,
    /// Messages of others that wait for the author.
    pub inbox: Arc<Inbox>,
    /// Frames that wait for the author.
    pub decided: Arc<DecidedFrames>,
    /// Where it notes how everything stands.
    pub shared: Arc<Shared>,
    /// Who is where.
    pub directory: Directory,
    /// The key of this server's connections.
    pub key: ServerKey,
    /// The key with which it votes, if it does.
    pub voter: Option<Arc<dyn Signer>>,
    /// The keys of entities here.
    pub keystore: Arc<Keystore>,
    /// How far that key has voted.
    pub marks: Option<VoteMarks>,
    /// Where it listens.
    pub listen: Vec<Multiaddr>,
    /// Further servers through which others are found.
    pub bootnodes: Vec<ServerAddress>,
    /// Whether addresses of others are learnt from what they say, and told.
    pub discovery: bool,
    /// Where boards of entities elsewhere are remembered; beside it, with which keys other servers vote, and where
    /// entities live that said so.
    pub boards: PathBuf,
    /// Where entities are remembered that are not followed any more.
    pub halts: PathBuf,
    /// Where addresses of others are remembered.
    pub peers: Option<PathBuf>,
    /// What the operator changed about other servers.
    pub changes: PeerChanges,
    /// Tells what is sent from what was sent before the node was started: larger each time.
    pub stream: u64,
}

/// A server among others. Dropping it stops it.
pub struct Consortium {
    tell: SyncSender<Told>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl Consortium {
    /// Joins the network. To be called within a tokio runtime.
    pub fn start(parts: Parts) -> Result<Self, ConsortiumError> {
        let own = parts.key.server();
        let id = parts.server.read().unwrap_or_else(std::sync::PoisonError::into_inner).facts().network;
        let mut config = Config {
            agent: concat!("xln-node/", env!("CARGO_PKG_VERSION")).to_owned(),
            listen: parts.listen,
            bootnodes: parts.bootnodes,
            reserved: parts
                .directory
                .addresses()
                .iter()
                .filter(|known| known.server != own)
                .cloned()
                .collect(),
            access: Access::Listed(parts.directory.servers().collect()),
            discovery: parts.discovery,
            peers: parts.peers,
            ..Config::new(id, parts.key)
        };
        parts.changes.apply(&mut config);
        let (network, mut events, _task) = Network::start(config)?;
        let peers = Peers::new(network.clone(), parts.directory.clone(), parts.changes);
        parts.shared.connect(Some(peers));
        let shared = Arc::clone(&parts.shared);
        let (tell, told) = sync_channel(TOLD_MAX);
        parts.decided.attach(tell.clone());
        let (forward, runtime) = (tell.clone(), tokio::runtime::Handle::current());
        let waiting = runtime.clone();
        let carry = move || {
            while let Some(event) = waiting.block_on(events.next()) {
                if forward.send(Told::Network(event)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("peers".into()).spawn(carry).map_err(ConsortiumError::Thread)?;
        let identity =
            Identity { server: own, voter: parts.voter, stream: parts.stream, snapshot_gap: SNAPSHOT_GAP };
        let here = Here {
            began: Instant::now(),
            server: parts.server,
            store: parts.store,
            retained: parts.retained,
            inbox: parts.inbox,
            decided: parts.decided,
            shared: Arc::clone(&parts.shared),
            network: network.clone(),
            runtime,
            tell: tell.clone(),
            voters: LineFile::new(parts.boards.with_file_name("voters")),
            homes: LineFile::new(parts.boards.with_file_name("homes")),
            boards: LineFile::new(parts.boards),
            keystore: parts.keystore,
            halts: HaltFile::new(parts.halts),
            marks: parts.marks,
            serving: Arc::default(),
            sweeping: Arc::default(),
        };
        let drive = move || {
            let run = Machine::start(here, identity, parts.directory, parts.shared)
                .and_then(|machine| driver::run(machine, &network, &told));
            if let Err(error) = run {
                // A vote that was not written must not be followed by another.
                tracing::error!(%error, "the consortium's thread cannot go on: the process ends");
                std::process::abort();
            }
        };
        let thread = std::thread::Builder::new().name("consortium".into());
        let thread = thread.spawn(drive).map_err(ConsortiumError::Thread)?;
        Ok(Self { tell, thread: Some(thread), shared })
    }

    /// Tells of durable slices, and lets `next` observe them too.
    #[must_use]
    pub fn observe<O: Observer>(&self, next: O) -> Slices<O> {
        Slices { driver: self.tell.clone(), next }
    }
}

impl Drop for Consortium {
    fn drop(&mut self) {
        let _ = self.tell.send(Told::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // The last handle of the network stops it.
        self.shared.connect(None);
    }
}
