//! A running node: which parts there are, in which order they start and stop.
//!
//! ```text
//!   start:  chain spec ─► keys ─► database ─► recovery ─► author ─► metrics, health ─► RPC ─► ready
//!   stop:   RPC ─► author (seals the last block, writes the state) ─► database
//! ```

use std::{
    net::SocketAddr,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio::{net::TcpListener, sync::oneshot};
use xln_chain_spec::ChainSpec;
use xln_rpc::{Feed, RpcServer, view::ServerRole};
use xln_runtime::Server;
use xln_store::{Options, Store};

use crate::{
    author::{Author, AuthorError, KeystoreCertifier},
    backend::{self, Identity, NodeBackend, Parts as BackendParts, cursor_after},
    config::{BaseFolder, Config},
    error::RunError,
    http::{self, Health},
    keys,
    metrics::Metrics,
    pool::{Limits, Pool},
    recovery,
};

/// Events that a subscriber may resume from.
const FEED_EVENTS: usize = 100_000;
/// Events that a subscriber may be behind.
const FEED_QUEUE: usize = 4_096;

/// A node that runs. Stop it with [`Node::stop`].
pub struct Node {
    rpc: RpcServer,
    metrics_address: Option<SocketAddr>,
    metrics_stop: Option<oneshot::Sender<()>>,
    author: JoinHandle<Result<(), AuthorError>>,
    author_ended: oneshot::Receiver<()>,
    author_stop: Arc<AtomicBool>,
    pool: Arc<Pool>,
    health: Health,
    // Last: a temporary folder is removed after everything in it is closed.
    _folder: BaseFolder,
}

impl Node {
    /// Starts every part. What was started is stopped again if a later part fails.
    pub async fn start(config: Config) -> Result<Self, RunError> {
        let spec = ChainSpec::load(&config.chain)?;
        let genesis = spec.to_genesis()?;
        let folder = config.base_path.open().map_err(RunError::system("the base path cannot be used"))?;
        let chain = folder.chain(&spec.id);
        let keystore = Arc::new(keys::open(&config, spec.chain_type, &chain)?);
        let store = Store::open(chain.database(), genesis.network, &Options::default())?;
        store.check_free_space(config.min_free_space)?;

        let began = Instant::now();
        let (server, recovered) = recovery::recover(&genesis, &store)?;
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
        let feed = Feed::new(cursor_after(server.slice()), FEED_EVENTS, FEED_QUEUE);
        let metrics = Arc::new(Metrics::new(&genesis.assets));
        metrics.state(server.keys(), channels(&server));
        let server = Arc::new(RwLock::new(server));
        let pool = Arc::new(Pool::new(Arc::clone(&server), Limits::default()));
        let health = Health::starting();
        let methods = config.rpc.methods;
        let failure = Arc::new(backend::Health::default());
        let backend = Arc::new(NodeBackend::new(BackendParts {
            server: Arc::clone(&server),
            pool: Arc::clone(&pool),
            store: store.clone(),
            keystore: Arc::clone(&keystore),
            feed,
            identity: Identity {
                name: config.name.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                role: ServerRole::Validator,
                chain_name: spec.name.clone(),
                chain_id: spec.id.clone(),
                chain_type: format!("{:?}", spec.chain_type),
                default_asset: spec.properties.as_ref().map(|properties| properties.token_symbol.clone()),
                default_entity: None,
                unsafe_methods: methods.allows_unsafe(&config.rpc.listen),
            },
            health: Arc::clone(&failure),
            labels: None,
        })?);

        let author_stop = Arc::new(AtomicBool::new(false));
        let author = Author {
            server: Arc::clone(&server),
            pool: Arc::clone(&pool),
            store,
            certifier: Arc::new(KeystoreCertifier::new(genesis.network, keystore)),
            observer: Box::new(backend.announcer()),
            metrics: Arc::clone(&metrics),
            stop: Arc::clone(&author_stop),
            free_space_min: config.min_free_space,
            block_time: Duration::from_millis(spec.consensus.block_time_ms),
        };
        let (author, author_ended) = spawn(author, health.clone(), failure)?;
        let mut node =
            Parts { author_stop: Some((author_stop, Arc::clone(&pool), author)), metrics_stop: None };
        let metrics_address = match config.prometheus {
            Some(address) => Some(node.observe(address, metrics, health.clone()).await?),
            None => None,
        };
        let rpc = xln_rpc::serve(backend, config.rpc, env!("CARGO_PKG_VERSION")).await?;
        health.ready();
        let Some((author_stop, pool, author)) = node.author_stop.take() else {
            return Err(RunError::Stopped);
        };
        let metrics_stop = node.metrics_stop.take();
        Ok(Self {
            rpc,
            metrics_address,
            metrics_stop,
            author,
            author_ended,
            author_stop,
            pool,
            health,
            _folder: folder,
        })
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
        // An error says that the author's thread is gone, which is the same.
        let _ = (&mut self.author_ended).await;
    }

    /// Stops every part. What was acknowledged is on disk, and the state with it.
    pub async fn stop(self) -> Result<(), RunError> {
        self.health.unready("stopping");
        self.rpc.stop().await;
        self.author_stop.store(true, Ordering::Release);
        self.pool.wake();
        if let Some(stop) = self.metrics_stop {
            // Whoever no longer listens has stopped.
            let _ = stop.send(());
        }
        let author = tokio::task::spawn_blocking(move || self.author.join());
        match author.await {
            Ok(Ok(result)) => Ok(result?),
            _ => Err(RunError::Panicked),
        }
    }
}

/// Parts that run while others are being started. Dropping it stops them.
struct Parts {
    author_stop: Option<(Arc<AtomicBool>, Arc<Pool>, JoinHandle<Result<(), AuthorError>>)>,
    metrics_stop: Option<oneshot::Sender<()>>,
}

impl Parts {
    async fn observe(
        &mut self,
        address: SocketAddr,
        metrics: Arc<Metrics>,
        health: Health,
    ) -> Result<SocketAddr, RunError> {
        let failed = || {
            RunError::system(format!(
                "cannot serve metrics on {address}; --prometheus-port chooses another port"
            ))
        };
        let listener = TcpListener::bind(address).await.map_err(failed())?;
        let address = listener.local_addr().map_err(failed())?;
        let (stop, stopped) = oneshot::channel::<()>();
        self.metrics_stop = Some(stop);
        tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            if let Err(error) = http::serve(listener, metrics, health, stopped).await {
                tracing::error!(%error, "metrics are not served any more");
            }
        });
        Ok(address)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if let Some((stop, pool, author)) = self.author_stop.take() {
            stop.store(true, Ordering::Release);
            pool.wake();
            if author.join().is_err() {
                tracing::error!("the author has panicked");
            }
        }
    }
}

/// Runs the author on a thread of its own.
#[expect(clippy::type_complexity, reason = "a pair of a handle and a signal, used once")]
fn spawn(
    author: Author,
    health: Health,
    failure: Arc<backend::Health>,
) -> Result<(JoinHandle<Result<(), AuthorError>>, oneshot::Receiver<()>), RunError> {
    let (ended, author_ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name("author".into()).spawn(move || {
        let result = author.run();
        if let Err(error) = &result {
            tracing::error!(%error, "the author has stopped: nothing is executed any more");
            health.unready(error.to_string());
            failure.fail(error.to_string());
        }
        let _ = ended.send(());
        result
    });
    Ok((thread.map_err(RunError::system("cannot start the author's thread"))?, author_ended))
}

fn channels(server: &Server) -> usize {
    server.entities().map(|entity| pallet_channels::view::count(&entity.state())).sum()
}
