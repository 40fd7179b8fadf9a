//! The task that owns the connections.
//!
//! ```text
//!   commands ─►┐                         ┌─► connections: who is here, who is dialled
//!   swarm ────►├─ one at a time ─► Task ─┼─► messages: direct, with quotas and backlogs
//!   timers ───►┘                         └─► gossip: signed, judged by the node
//! ```

mod connections;
mod gossip;
mod messages;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use futures::StreamExt;
use libp2p::{Multiaddr, Swarm, request_response::OutboundRequestId, swarm::SwarmEvent};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Access, AskError, Config, Counters, Envelope, Event, Limits, Protocol, ServerId, StartError,
    address::check_free,
    behaviour::{Behaviour, BehaviourEvent, swarm},
    dialer::Dialer,
    handle::Command,
    held::Room,
    peer_store::PeerStore,
    protocol,
    quota::Quota,
};
use connections::Session;

/// How often the file of known servers is written, if something has changed.
const SAVE_INTERVAL: Duration = Duration::from_secs(30);

/// How often the network is searched for servers.
const SEARCH_INTERVAL: Duration = Duration::from_secs(300);

/// Whose answer is awaited, and by whom.
struct Awaited {
    server: ServerId,
    protocol: Protocol,
    reply: Option<oneshot::Sender<Result<Envelope, AskError>>>,
}

pub(crate) struct Task {
    swarm: Swarm<Behaviour>,
    limits: Limits,
    /// How servers of this network call it.
    version: String,
    topics: Vec<(libp2p::gossipsub::TopicHash, crate::Topic)>,
    commands: mpsc::Receiver<Command>,
    /// For those who answer questions.
    answers: mpsc::WeakSender<Command>,
    events: mpsc::Sender<Event>,
    /// Servers whose coming or going the node was not told yet.
    untold: BTreeMap<ServerId, bool>,
    /// Servers that the node believes connected.
    told: BTreeMap<ServerId, ()>,
    room: Room,
    listening: watch::Sender<Vec<Multiaddr>>,
    counters: Arc<Counters>,
    sessions: BTreeMap<ServerId, Session>,
    quotas: BTreeMap<ServerId, Quota>,
    awaited: HashMap<(Protocol, OutboundRequestId), Awaited>,
    dialer: Dialer,
    store: PeerStore,
    /// Whether servers are sought that nobody named.
    seeks_others: bool,
    /// Whether what others say of addresses is believed.
    discovery: bool,
    began: Instant,
}

impl Task {
    pub(crate) fn new(
        config: Config,
        commands: mpsc::Receiver<Command>,
        answers: mpsc::WeakSender<Command>,
        events: mpsc::Sender<Event>,
        listening: watch::Sender<Vec<Multiaddr>>,
        counters: Arc<Counters>,
    ) -> Result<Self, StartError> {
        let mut swarm = swarm(&config)?;
        for address in &config.listen {
            let failed = |reason: String| StartError::Listen { address: address.clone(), reason };
            check_free(address).map_err(|error| failed(error.to_string()))?;
            swarm.listen_on(address.clone()).map_err(|error| failed(error.to_string()))?;
        }
        for address in &config.public {
            swarm.add_external_address(address.clone());
        }
        let limits = config.limits;
        let topics = crate::Topic::ALL.map(|topic| (topic.topic(config.network).hash(), topic));
        let mut task = Self {
            swarm,
            version: protocol::root(config.network),
            topics: topics.into(),
            commands,
            answers,
            events,
            untold: BTreeMap::new(),
            told: BTreeMap::new(),
            room: Room::new(limits.waiting_bytes),
            listening,
            counters,
            sessions: BTreeMap::new(),
            quotas: BTreeMap::new(),
            awaited: HashMap::new(),
            dialer: Dialer::new(&limits),
            store: PeerStore::open(config.peers.clone(), limits.known),
            seeks_others: config.access == Access::Anyone,
            discovery: config.discovery,
            began: Instant::now(),
            limits,
        };
        task.know(config);
        Ok(task)
    }

    /// Whom the configuration and the file name.
    fn know(&mut self, config: Config) {
        let own = config.key.server();
        let now = self.now();
        for (reserved, named) in [(true, config.reserved), (false, config.bootnodes)] {
            for address in named.into_iter().filter(|address| address.server != own) {
                self.store.add(address.server, address.address);
                self.dialer.want(address.server, reserved, now);
            }
        }
        let listed = match config.access {
            Access::Listed(servers) => servers.into_iter().collect(),
            Access::Anyone => self.store.servers().collect::<Vec<_>>(),
        };
        for server in listed.into_iter().filter(|server| *server != own) {
            self.dialer.want(server, false, now);
        }
        if !self.discovery {
            return;
        }
        for server in self.store.servers().collect::<Vec<_>>() {
            for address in self.store.addresses(server).to_vec() {
                self.swarm.behaviour_mut().kademlia.add_address(&server.peer(), address);
            }
        }
    }

    /// Time since the task began.
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Works until the last handle is dropped.
    pub(crate) async fn run(mut self) {
        let (mut save, mut search) =
            (tokio::time::interval(SAVE_INTERVAL), tokio::time::interval(SEARCH_INTERVAL));
        save.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        search.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            self.dial();
            let wake = self.dialer.wake().map(|wake| wake.saturating_sub(self.now()));
            let events = self.events.clone();
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => break,
                },
                event = self.swarm.select_next_some() => self.happened(event),
                permit = events.reserve(), if !self.untold.is_empty() => match permit {
                    Ok(permit) => self.tell(permit),
                    // Nobody listens any more.
                    Err(_) => self.untold.clear(),
                },
                () = tokio::time::sleep(wake.unwrap_or(SAVE_INTERVAL)) => {}
                _ = save.tick() => self.save().await,
                _ = search.tick() => self.search(),
            }
        }
        self.save().await;
    }

    async fn save(&mut self) {
        let now_ms = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let now_ms = u64::try_from(now_ms).unwrap_or(u64::MAX);
        for (server, session) in &self.sessions {
            if session.ready {
                self.store.seen(*server, now_ms);
            }
        }
        if let Some(file) = self.store.take_changes() {
            // The write itself says what went wrong.
            let _ = tokio::task::spawn_blocking(|| file.write()).await;
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Send(protocol, to, bytes) => {
                let bytes = bytes.into_inner();
                for server in to {
                    self.send(protocol, server, Arc::clone(&bytes), None);
                }
            }
            Command::Ask(server, bytes, reply) => self.send(Protocol::Sync, server, bytes, Some(reply)),
            Command::Answer(server, channel, bytes) => self.answer(server, channel, bytes),
            Command::Publish(topic, bytes) => self.publish(topic, bytes.into_inner()),
            Command::Judge(gossip, verdict) => self.judge(&gossip, verdict),
            Command::Allow(server, reply) => {
                // Nobody waits for the answer any more.
                let _ = reply.send(self.allow(server));
            }
            Command::Disallow(server, reply) => {
                let _ = reply.send(self.disallow(server));
            }
            Command::Reserve(address) => self.reserve(address),
            Command::Release(server) => self.release(server),
            Command::Peers(reply) => {
                let _ = reply.send(self.peers());
            }
        }
    }

    fn happened(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Consensus(event)) => {
                self.direct(Protocol::Consensus, event);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Deliver(event)) => self.direct(Protocol::Deliver, event),
            SwarmEvent::Behaviour(BehaviourEvent::Sync(event)) => self.direct(Protocol::Sync, event),
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.gossip(event),
            event => self.connection(event),
        }
    }
}
