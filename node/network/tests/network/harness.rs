//! Servers of a network on this machine, on free ports, and how to wait for what they tell.

use std::{collections::BTreeSet, time::Duration};

use tokio::task::JoinHandle;
use xln_network::{
    Access, Config, Event, Events, Limits, Network, Refusal, ServerAddress, ServerId, ServerKey, StartError,
};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn key(number: u8) -> ServerKey {
    ServerKey::from_secret([number; 32].into())
}

pub(crate) fn id(number: u8) -> ServerId {
    key(number).server()
}

/// A server that listens on a free port and dials quickly again.
pub(crate) fn config(number: u8) -> Config {
    let limits = Limits {
        redial: Duration::from_millis(50),
        redial_max: Duration::from_millis(400),
        ..Limits::default()
    };
    let network = xln_primitives::Network::new([7; 32]);
    let listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
    Config { listen, limits, ..Config::new(network, key(number)) }
}

/// One that admits these servers only.
pub(crate) fn listed(number: u8, others: &[u8]) -> Config {
    Config { access: Access::Listed(others.iter().map(|number| id(*number)).collect()), ..config(number) }
}

/// A running server.
pub(crate) struct Node {
    pub(crate) network: Network,
    events: Events,
    task: JoinHandle<()>,
    /// Whom it has told to be connected.
    connected: BTreeSet<ServerId>,
}

impl Node {
    pub(crate) async fn start(config: Config) -> Self {
        Self::try_start(config).await.unwrap()
    }

    pub(crate) async fn try_start(config: Config) -> Result<Self, StartError> {
        let (network, events, task) = Network::start(config)?;
        Ok(Self { network, events, task, connected: BTreeSet::new() })
    }

    /// Starts one that knows another.
    pub(crate) async fn beside(config: Config, other: &Self) -> Self {
        let bootnodes = vec![other.address().await];
        Self::start(Config { bootnodes, ..config }).await
    }

    pub(crate) fn id(&self) -> ServerId {
        self.network.server()
    }

    /// Where it can be reached.
    pub(crate) async fn address(&self) -> ServerAddress {
        let mut addresses = self.network.addresses();
        let known = within("an address", addresses.wait_for(|addresses| !addresses.is_empty())).await;
        let address = known.unwrap().first().unwrap().clone();
        ServerAddress { server: self.id(), address }
    }

    /// The next event that is wanted; others are passed over.
    pub(crate) async fn until<T>(&mut self, what: &str, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
        within(what, async {
            loop {
                let event = self.next().await;
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
        })
        .await
    }

    pub(crate) async fn next(&mut self) -> Event {
        let event = self.events.next().await.expect("the network runs");
        match &event {
            Event::Connected(server) => assert!(self.connected.insert(*server), "told twice"),
            Event::Disconnected(server) => assert!(self.connected.remove(server), "it was not connected"),
            _ => {}
        }
        event
    }

    pub(crate) async fn until_connected(&mut self, to: ServerId) {
        within("a connection", async {
            while !self.connected.contains(&to) {
                self.next().await;
            }
        })
        .await;
    }

    pub(crate) async fn until_disconnected(&mut self, from: ServerId) {
        within("the end of a connection", async {
            while self.connected.contains(&from) {
                self.next().await;
            }
        })
        .await;
    }

    /// The next message of a consensus.
    pub(crate) async fn message(&mut self) -> (ServerId, Vec<u8>) {
        self.until("a message", |event| match event {
            Event::Consensus { from, body, .. } => Some((from, body.into_inner())),
            _ => None,
        })
        .await
    }

    pub(crate) fn refused(&self, reason: Refusal) -> u64 {
        self.network.counters().refused(reason)
    }

    /// Waits until something was refused so often.
    pub(crate) async fn until_refused(&self, reason: Refusal, times: u64) {
        eventually(&format!("{reason} {times} times"), || self.refused(reason) >= times).await;
    }

    /// Stops it, and waits until it has.
    pub(crate) async fn stop(self) {
        drop((self.network, self.events));
        within("the end", self.task).await.unwrap();
    }
}

/// Two servers that are connected.
pub(crate) async fn pair(one: Config, other: Config) -> (Node, Node) {
    let mut one = Node::start(one).await;
    let mut other = Node::beside(other, &one).await;
    one.until_connected(other.id()).await;
    other.until_connected(one.id()).await;
    (one, other)
}

/// Fails if something takes too long.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not come"))
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    within(what, async {
        while !is_so() {
            looks.tick().await;
        }
    })
    .await;
}
