//! A running node: which parts there are, in which order they start and stop.
//!
//! ```text
//!   start:  chain spec ─► keys ─► database ─► recovery ─► author ─► metrics, health ─► RPC ─► ready
//!   stop:   RPC ─► author (seals the last block, writes the state) ─► database
//! ```

use std::{
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use tokio::{net::TcpListener, sync::oneshot};
use xln_chain_spec::ChainSpec;
use xln_primitives::crypto::bls;
use xln_rpc::{Feed, RpcServer, view::ServerRole};
use xln_store::{Options, Store};

use crate::{
    author::{Author, AuthorThread, KeystoreCertifier, Live, Observer},
    backend::{Identity, Known, NodeBackend, Parts as BackendParts, cursor_after},
    config::{BaseFolder, Config},
    consortium::{Consortium, DecidedFrames, Shared},
    error::RunError,
    http::{self, Health},
    inbox::Inbox,
    keys,
    membership::Membership,
    metrics::Metrics,
    pool::{Limits, Pool},
    recovery,
    retained::Retained,
};

/// Events that a subscriber may resume from.
const FEED_EVENTS: usize = 100_000;
/// Messages of other servers that may wait.
const INBOX_MESSAGES: usize = 200_000;
/// Events that a subscriber may be behind.
const FEED_QUEUE: usize = 4_096;

/// A node that runs. Stop it with [`Node::stop`]; dropping it stops it too, and waits.
pub struct Node {
    rpc: RpcServer,
    metrics_address: Option<SocketAddr>,
    /// Metrics are served as long as this is there.
    _metrics: Option<oneshot::Sender<()>>,
    author: AuthorThread,
    /// The other servers, if the chain spec names any. After the author, which tells it of its last slice.
    consortium: Option<Consortium>,
    health: Health,
    // Last: a temporary folder is removed after everything in it is closed.
    _folder: BaseFolder,
}

impl Node {
    /// Starts every part. What was started is stopped again if a later part fails.
    pub async fn start(config: Config) -> Result<Self, RunError> {
        bls::remember();
        let spec = ChainSpec::load(&config.chain)?;
        let mut genesis = spec.to_genesis()?;
        let folder = config.base_path.open().map_err(RunError::system("the base path cannot be used"))?;
        let chain = folder.chain(&spec.id);
        let keystore = Arc::new(keys::open(&config, spec.chain_type, &chain)?);
        let membership = Membership::find(&config, &spec, &chain, &keystore, &genesis)?;
        if let Some(membership) = &membership {
            genesis.hosted = Some(membership.hosted());
        }
        let store = Store::open(chain.database(), genesis.network, &Options::default())?;
        store.check_free_space(config.min_free_space)?;
        store.set_pruning(config.pruning)?;

        let began = Instant::now();
        let retained = Arc::new(Retained::new(store.clone()));
        let keep = |executed: &_| retained.keep(executed);
        let (server, recovered) = recovery::recover_noting(&genesis, &store, keep)?;
        tracing::info!(
            genesis = %genesis.network,
            block = server.head().number,
            state_root = %server.state_root(),
            entities = server.entities().len(),
            snapshot = recovered.snapshot,
            replayed_slices = recovered.slices,
            took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "state is there"
        );
        // A lone server decides for the depositary too.
        let role = match &membership {
            Some(membership) if !membership.votes() => ServerRole::Observer,
            _ => ServerRole::Validator,
        };
        let feed = Feed::new(cursor_after(server.slice()), FEED_EVENTS, FEED_QUEUE);
        let server = Arc::new(RwLock::new(server));
        let pool = Arc::new(Pool::new(Arc::clone(&server), Limits::default()));
        let woken = Arc::clone(&pool);
        let inbox = Inbox::new(genesis.network, INBOX_MESSAGES, move || woken.wake())
            .map_err(|error| RunError::system("cannot start threads")(std::io::Error::other(error)))?;
        let decided = Arc::new(DecidedFrames::new(Arc::clone(&pool)));
        let others = Arc::new(Shared::open(store.clone())?);
        let metrics = Metrics::new(&genesis.assets).of_state(Arc::clone(&server));
        let metrics = Arc::new(match &membership {
            Some(_) => metrics.of_consortium(&others),
            None => metrics,
        });
        let health = Health::starting();
        let methods = config.rpc.methods;
        let backend = Arc::new(NodeBackend::new(BackendParts {
            server: Arc::clone(&server),
            pool: Arc::clone(&pool),
            store: store.clone(),
            keystore: Arc::clone(&keystore),
            feed,
            known: Known::new(&genesis),
            others: Arc::clone(&others),
            identity: Identity {
                name: config.name.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                role,
                chain_name: spec.name.clone(),
                chain_id: spec.id.clone(),
                chain_type: format!("{:?}", spec.chain_type),
                default_asset: spec.properties.as_ref().map(|properties| properties.token_symbol.clone()),
                default_entity: None,
                unsafe_methods: methods.allows_unsafe(&config.rpc.listen),
            },
            health: health.clone(),
            labels: Some(chain.labels()),
        })?);

        let source =
            Live { pool: Arc::clone(&pool), inbox: Arc::clone(&inbox), decided: Arc::clone(&decided) };
        let consortium = match membership {
            Some(membership) => Some(membership.join(&server, &store, &retained, &inbox, decided, others)?),
            None => None,
        };
        let observer: Box<dyn Observer> = match &consortium {
            Some(consortium) => Box::new(consortium.observe(backend.announcer())),
            None => Box::new(backend.announcer()),
        };
        let author = Author {
            server,
            source: Box::new(source),
            pool,
            inbox,
            store,
            retained,
            certifier: Arc::new(KeystoreCertifier::new(genesis.network, keystore)),
            observer,
            metrics: Arc::clone(&metrics),
            stop: Arc::default(),
            free_space_min: config.min_free_space,
            block_time: Duration::from_millis(spec.consensus.block_time_ms),
            snapshot_interval: config.snapshot_interval,
        };
        let author = AuthorThread::start(author, health.clone())
            .map_err(RunError::system("cannot start the author's thread"))?;
        let (metrics_address, metrics) = match config.prometheus {
            Some(address) => {
                let (address, stop) = observe(address, metrics, health.clone()).await?;
                (Some(address), Some(stop))
            }
            None => (None, None),
        };
        let rpc = xln_rpc::serve(backend, config.rpc, env!("CARGO_PKG_VERSION")).await?;
        health.ready();
        Ok(Self { rpc, metrics_address, _metrics: metrics, author, consortium, health, _folder: folder })
    }

    /// Where JSON-RPC is answered.
    #[must_use]
    pub fn rpc_address(&self) -> SocketAddr {
        self.rpc.address()
    }

    /// Where metrics are answered, if they are.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Whether methods that use keys of the node are answered.
    #[must_use]
    pub fn unsafe_methods(&self) -> bool {
        self.rpc.unsafe_methods()
    }

    /// Completes when the author has stopped on its own, which it does only after a failure.
    pub async fn failed(&mut self) {
        self.author.ended().await;
    }

    /// Stops every part. What was acknowledged is on disk, and the state with it.
    pub async fn stop(self) -> Result<(), RunError> {
        self.health.unready("stopping");
        self.rpc.stop().await;
        let (author, consortium) = (self.author, self.consortium);
        let stop = move || {
            let result = author.join();
            drop(consortium);
            result
        };
        match tokio::task::spawn_blocking(stop).await {
            Ok(Some(result)) => Ok(result?),
            _ => Err(RunError::Panicked),
        }
    }
}

/// Serves metrics and health until the sender is dropped.
async fn observe(
    address: SocketAddr,
    metrics: Arc<Metrics>,
    health: Health,
) -> Result<(SocketAddr, oneshot::Sender<()>), RunError> {
    let what = format!("cannot serve metrics on {address}; --prometheus-port chooses another port");
    let listener = TcpListener::bind(address).await.map_err(RunError::system(what.clone()))?;
    let address = listener.local_addr().map_err(RunError::system(what))?;
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let stopped = async {
            // Nothing is ever sent: the end of the sender is the signal.
            let _ = stopped.await;
        };
        if let Err(error) = http::serve(listener, metrics, health, stopped).await {
            tracing::error!(%error, "metrics are not served any more");
        }
    });
    Ok((address, stop))
}
