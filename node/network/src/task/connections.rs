//! Who is connected, and who is dialled.

use std::time::Duration;

use libp2p::{
    Multiaddr, PeerId, allow_block_list, connection_limits, identify, kad, ping,
    swarm::{
        ConnectionDenied, ConnectionId, DialError, ListenError, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use tokio::sync::mpsc;

use super::Task;
use crate::{
    AllowError, Event, PeerInfo, Protocol, Refusal, ServerAddress, ServerId, behaviour::BehaviourEvent,
    codec::Wire, counters::Meters, outbound::Outbound,
};

/// Most addresses that are taken from what a server says about itself.
const SAID_MAX: usize = 8;

/// A connected server.
pub(super) struct Session {
    connections: Vec<(ConnectionId, Multiaddr)>,
    outgoing: bool,
    since: Duration,
    /// It has shown that it is of this network, and the node knows of it.
    pub(super) ready: bool,
    agent: Option<String>,
    round_trip: Option<Duration>,
    pub(super) backlogs: [Outbound<Waiting>; Protocol::ALL.len()],
    /// What went over its connections.
    pub(super) meters: Meters,
}

/// A message that waits, with whoever waits for its answer.
pub(super) type Waiting =
    (Wire, usize, Option<tokio::sync::oneshot::Sender<Result<crate::Envelope, crate::AskError>>>);

impl Task {
    /// Dials whoever is due.
    pub(super) fn dial(&mut self) {
        for server in self.dialer.due(self.now()) {
            let addresses = self.store.addresses(server).to_vec();
            let known = !addresses.is_empty();
            let options = DialOpts::peer_id(server.peer())
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(addresses)
                .extend_addresses_through_behaviour()
                .build();
            if let Err(error) = self.swarm.dial(options) {
                tracing::debug!(%server, %error, "not dialled");
                if self.sessions.contains_key(&server) {
                    self.dialer.connected(server);
                    continue;
                }
                if !known && self.discovery {
                    // Somebody may know where it is.
                    self.swarm.behaviour_mut().kademlia.get_closest_peers(server.peer());
                }
                self.redial(server);
            }
        }
    }

    /// Asks those who are connected who else there is.
    pub(super) fn search(&mut self) {
        if !self.discovery {
            return;
        }
        let own = *self.swarm.local_peer_id();
        self.swarm.behaviour_mut().kademlia.get_closest_peers(own);
    }

    fn redial(&mut self, server: ServerId) {
        self.dialer.failed(server, self.now(), chance());
    }

    /// Notes that something of a server was refused, with its address if it is connected.
    pub(super) fn refuse(&self, reason: Refusal, server: ServerId, detail: &dyn core::fmt::Display) {
        let session = self.sessions.get(&server);
        let address = session.and_then(|session| session.connections.first()).map(|(_, address)| address);
        self.counters.refuse(reason, &server, address, detail);
    }

    pub(super) fn connection(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Identify(event)) => self.identified(event),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => self.pinged(event),
            SwarmEvent::Behaviour(BehaviourEvent::Kademlia(event)) => self.found(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                let outgoing = endpoint.is_dialer();
                self.established(peer_id, connection_id, endpoint.get_remote_address().clone(), outgoing);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                tracing::debug!(%peer_id, ?cause, "connection closed");
                self.closed(peer_id, connection_id);
            }
            SwarmEvent::IncomingConnectionError { error, peer_id, send_back_addr, .. } => {
                let peer = peer_id.map_or_else(|| send_back_addr.to_string(), |peer| peer.to_string());
                match error {
                    ListenError::Denied { cause } => self.denied(&cause, &peer, Some(&send_back_addr)),
                    error => tracing::debug!(%peer, %error, "a connection came to nothing"),
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id, error, .. } => self.unreached(peer_id, &error),
            SwarmEvent::NewListenAddr { address, .. } => {
                tracing::info!(%address, "listening");
                self.listening.send_modify(|addresses| addresses.push(address));
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.listening.send_modify(|addresses| addresses.retain(|other| *other != address));
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "listening"),
            SwarmEvent::ListenerClosed { addresses, reason: Err(error), .. } => {
                tracing::error!(?addresses, %error, "not listening any more");
            }
            _ => {}
        }
    }

    fn denied(&self, cause: &ConnectionDenied, peer: &str, address: Option<&Multiaddr>) {
        if let Some(error) = cause.downcast_ref::<allow_block_list::NotAllowed>() {
            self.counters.refuse(Refusal::NotAllowed, &peer, address, error);
        } else if let Some(error) = cause.downcast_ref::<connection_limits::Exceeded>() {
            self.counters.refuse(Refusal::Connections, &peer, address, error);
        } else {
            tracing::debug!(%peer, %cause, "a connection was denied");
        }
    }

    fn unreached(&mut self, peer: Option<PeerId>, error: &DialError) {
        let Some(server) = peer.and_then(|peer| ServerId::try_from(peer).ok()) else { return };
        match error {
            DialError::Denied { cause } => {
                self.denied(cause, &server.to_string(), self.store.addresses(server).first());
            }
            error => tracing::debug!(%server, %error, "not reached"),
        }
        if self.sessions.contains_key(&server) {
            self.dialer.connected(server);
        } else {
            self.redial(server);
        }
    }

    fn established(&mut self, peer: PeerId, connection: ConnectionId, address: Multiaddr, outgoing: bool) {
        let Ok(server) = ServerId::try_from(peer) else {
            self.counters.refuse(Refusal::Key, &peer, Some(&address), &"its key is not ed25519");
            let _ = self.swarm.disconnect_peer_id(peer);
            return;
        };
        self.dialer.connected(server);
        if outgoing {
            self.store.add(server, without_peer(address.clone()));
        }
        let since = self.now();
        let session = self.sessions.entry(server).or_insert_with(|| Session {
            connections: Vec::new(),
            outgoing,
            since,
            ready: false,
            agent: None,
            round_trip: None,
            backlogs: Default::default(),
            meters: Meters::default(),
        });
        session.connections.push((connection, address));
    }

    fn closed(&mut self, peer: PeerId, connection: ConnectionId) {
        let Ok(server) = ServerId::try_from(peer) else { return };
        let Some(session) = self.sessions.get_mut(&server) else { return };
        session.connections.retain(|(open, _)| *open != connection);
        if !session.connections.is_empty() {
            return;
        }
        let ready = session.ready;
        self.sessions.remove(&server);
        if ready {
            self.untold.insert(server, false);
            self.tell_now();
        }
        self.redial(server);
    }

    /// A server has shown that it is of this network.
    pub(super) fn make_ready(&mut self, server: ServerId) {
        if let Some(session) = self.sessions.get_mut(&server)
            && !core::mem::replace(&mut session.ready, true)
        {
            self.dialer.succeeded(server);
            self.search();
            self.untold.insert(server, true);
            self.tell_now();
        }
    }

    /// Tells what can be told at once.
    fn tell_now(&mut self) {
        let events = self.events.clone();
        while !self.untold.is_empty()
            && let Ok(permit) = events.try_reserve()
        {
            self.tell(permit);
        }
    }

    /// Whether the node knows that a server is connected, so that messages of it can be told.
    pub(super) fn is_told(&self, server: ServerId) -> bool {
        self.told.contains_key(&server) && !self.untold.contains_key(&server)
    }

    /// Tells that one server has come or gone, if the node does not believe so already.
    pub(super) fn tell(&mut self, permit: mpsc::Permit<'_, Event>) {
        while let Some((server, connected)) = self.untold.pop_first() {
            let believed = self.told.contains_key(&server);
            match (believed, connected) {
                (false, true) => {
                    self.told.insert(server, ());
                    return permit.send(Event::Connected(server));
                }
                (true, false) => {
                    self.told.remove(&server);
                    return permit.send(Event::Disconnected(server));
                }
                _ => {}
            }
        }
    }

    fn identified(&mut self, event: identify::Event) {
        let identify::Event::Received { peer_id, info, .. } = event else { return };
        let Ok(server) = ServerId::try_from(peer_id) else { return };
        if info.protocol_version != self.version {
            let said: String = info.protocol_version.chars().take(120).collect();
            self.refuse(Refusal::OtherNetwork, server, &said);
            let _ = self.swarm.disconnect_peer_id(peer_id);
            return;
        }
        let Some(session) = self.sessions.get_mut(&server) else { return };
        session.agent = Some(info.agent_version.chars().filter(|c| !c.is_control()).take(64).collect());
        let said = if self.discovery { info.listen_addrs } else { Vec::new() };
        for address in said.into_iter().take(SAID_MAX) {
            let address = without_peer(address);
            // What has worked stays the likeliest.
            if !self.store.addresses(server).contains(&address) {
                let worked = self.store.addresses(server).first().cloned();
                self.store.add(server, address.clone());
                worked.into_iter().for_each(|worked| self.store.add(server, worked));
            }
            self.swarm.behaviour_mut().kademlia.add_address(&peer_id, address);
        }
        self.make_ready(server);
    }

    fn pinged(&mut self, event: ping::Event) {
        let Ok(server) = ServerId::try_from(event.peer) else { return };
        match event.result {
            Ok(round_trip) => {
                if let Some(session) = self.sessions.get_mut(&server) {
                    session.round_trip = Some(round_trip);
                }
            }
            Err(ping::Failure::Unsupported) => {}
            Err(error) => {
                tracing::debug!(%server, %error, "does not answer");
                self.swarm.close_connection(event.connection);
            }
        }
    }

    fn found(&mut self, event: kad::Event) {
        let kad::Event::OutboundQueryProgressed { result, .. } = event else { return };
        let peers = match result {
            kad::QueryResult::GetClosestPeers(Ok(found)) => found.peers,
            // Some did not answer.
            kad::QueryResult::GetClosestPeers(Err(kad::GetClosestPeersError::Timeout { peers, .. })) => peers,
            _ => return,
        };
        let now = self.now();
        for info in peers {
            let Ok(server) = ServerId::try_from(info.peer_id) else { continue };
            if !self.dialer.is_wanted(server) {
                if !self.seeks_others || info.peer_id == *self.swarm.local_peer_id() {
                    continue;
                }
                self.dialer.want(server, false, now);
            }
            let new = self.store.addresses(server).is_empty();
            for address in info.addrs.into_iter().take(SAID_MAX) {
                self.store.add(server, without_peer(address));
            }
            if new && !self.store.addresses(server).is_empty() {
                self.dialer.hasten(server, now);
            }
        }
    }

    pub(super) fn allow(&mut self, server: ServerId) -> Result<bool, AllowError> {
        let list = self.swarm.behaviour_mut().allowed.as_mut().ok_or(AllowError::NoList)?;
        let new = list.allow_peer(server.peer());
        if server.peer() != *self.swarm.local_peer_id() {
            let now = self.now();
            self.dialer.want(server, false, now);
        }
        Ok(new)
    }

    pub(super) fn disallow(&mut self, server: ServerId) -> Result<bool, AllowError> {
        let list = self.swarm.behaviour_mut().allowed.as_mut().ok_or(AllowError::NoList)?;
        let known = list.disallow_peer(server.peer());
        self.release(server);
        Ok(known)
    }

    pub(super) fn reserve(&mut self, address: ServerAddress) {
        let ServerAddress { server, address } = address;
        let now = self.now();
        self.store.add(server, address);
        self.swarm.behaviour_mut().limits.bypass_peer_id(&server.peer());
        self.dialer.want(server, true, now);
        self.dialer.hasten(server, now);
        if self.sessions.contains_key(&server) {
            self.dialer.connected(server);
        }
    }

    pub(super) fn release(&mut self, server: ServerId) {
        self.dialer.forget(server);
        self.store.forget(server);
        self.swarm.behaviour_mut().limits.remove_peer_id(&server.peer());
        self.swarm.behaviour_mut().kademlia.remove_peer(&server.peer());
    }

    pub(super) fn peers(&self) -> Vec<PeerInfo> {
        let now = self.now();
        let ready = self.sessions.iter().filter(|(_, session)| session.ready);
        ready
            .map(|(server, session)| PeerInfo {
                server: *server,
                agent: session.agent.clone(),
                addresses: session
                    .connections
                    .iter()
                    .map(|(_, address)| without_peer(address.clone()))
                    .collect(),
                outgoing: session.outgoing,
                connected: now.saturating_sub(session.since),
                round_trip: session.round_trip,
                sent: session.meters.sent.traffic(),
                received: session.meters.received.traffic(),
            })
            .collect()
    }
}

/// An address without the part that says who is there.
fn without_peer(mut address: Multiaddr) -> Multiaddr {
    if matches!(address.iter().last(), Some(libp2p::multiaddr::Protocol::P2p(_))) {
        address.pop();
    }
    address
}

/// A random number. Without randomness all waits are the shortest, which is no harm.
fn chance() -> u64 {
    getrandom::u64().unwrap_or_default()
}
