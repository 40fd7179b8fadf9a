//! `system.*` about other servers: who is connected, who may be, and who was refused.

use std::sync::Arc;

use xln_network::{Refusal, ServerAddress, ServerId};
use xln_primitives::{PublicKey, Timestamp};
use xln_rpc::{
    RpcError, U64,
    error::code,
    params::{NoParams, PeerAt, PeerName},
    view::{PeerChanged, PeerDirection, PeerView, RefusalsView, RefusedView},
};

use super::NodeBackend;
use crate::consortium::{PeerError, PeerStatus, Peers};

/// Names that an error lists.
const NAMES_MAX: usize = 20;

fn micros(duration: std::time::Duration) -> U64 {
    U64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

fn view(peer: PeerStatus, shows_addresses: bool) -> PeerView {
    let PeerStatus { server, name, validator, allowed, addresses, connection } = peer;
    let addresses = match &connection {
        _ if !shows_addresses => Vec::new(),
        Some(connection) => connection.addresses.iter().map(ToString::to_string).collect(),
        None => addresses.iter().map(ToString::to_string).collect(),
    };
    let (sent, received) =
        connection.as_ref().map(|connection| (connection.sent, connection.received)).unwrap_or_default();
    PeerView {
        id: server.to_string(),
        name,
        connected: connection.is_some(),
        validator,
        allowed,
        direction: connection.as_ref().map(|connection| match connection.outgoing {
            true => PeerDirection::Out,
            false => PeerDirection::In,
        }),
        addresses,
        agent: connection.as_ref().and_then(|connection| connection.agent.clone()),
        connected_ms: connection
            .as_ref()
            .map(|connection| U64(u64::try_from(connection.connected.as_millis()).unwrap_or(u64::MAX))),
        round_trip_us: connection.as_ref().and_then(|connection| connection.round_trip).map(micros),
        messages_sent: U64(sent.messages),
        bytes_sent: U64(sent.bytes),
        messages_received: U64(received.messages),
        bytes_received: U64(received.bytes),
    }
}

fn refusal(error: PeerError) -> RpcError {
    let message = error.to_string();
    match error {
        PeerError::Own(_) => RpcError::invalid_params(message).with_hint("name another server"),
        PeerError::NotAllowed(_) => RpcError::new(code::INVALID_REQUEST, "PeerNotAllowed", message)
            .with_hint("system.allowPeer allows it; then add its address"),
        PeerError::TooMany { .. } => RpcError::new(code::INVALID_REQUEST, "TooManyPeers", message)
            .with_hint("remove one that is not needed any more"),
        PeerError::File(_) => RpcError::storage(message),
        PeerError::Allow(_) | PeerError::Stopped(_) => RpcError::new(code::NETWORK, "Network", message),
    }
}

impl NodeBackend {
    fn peers(&self) -> Result<Arc<Peers>, RpcError> {
        self.others.peers().ok_or_else(|| {
            RpcError::new(code::NETWORK, "Alone", "this node has no other servers")
                .with_hint("its chain spec names none, or it is stopping")
        })
    }

    /// A server by name, identifier or key.
    fn server_named(peers: &Peers, text: &str) -> Result<ServerId, RpcError> {
        let directory = peers.directory();
        if let Some(server) = directory.servers().find(|server| directory.name(server) == Some(text)) {
            return Ok(server);
        }
        if let Ok(PublicKey::Ed25519(key)) = text.parse() {
            return Ok(ServerId::new(key));
        }
        text.parse().map_err(|_| {
            let mut names: Vec<&str> =
                directory.servers().filter_map(|server| directory.name(&server)).take(NAMES_MAX).collect();
            names.sort_unstable();
            let text: String = text.chars().take(80).collect();
            RpcError::not_found("server", text).with_hint(format!(
                "name one of the chain spec ({}), or an identifier 12D3Koo…",
                names.join(", ")
            ))
        })
    }

    fn changed(peers: &Peers, server: ServerId, changed: bool, note: Option<String>) -> PeerChanged {
        let name = peers.directory().name(&server).map(str::to_owned);
        PeerChanged { id: server.to_string(), name, changed, note }
    }

    pub(super) async fn system_peers(&self, _: NoParams) -> Result<Vec<PeerView>, RpcError> {
        let Some(peers) = self.others.peers() else { return Ok(Vec::new()) };
        let shows_addresses = self.identity.unsafe_methods;
        let mut list = peers.list().await.map_err(refusal)?;
        // As people look for them; those without a name come last.
        list.sort_by(|one, other| {
            (one.name.is_none(), &one.name, one.server).cmp(&(
                other.name.is_none(),
                &other.name,
                other.server,
            ))
        });
        Ok(list.into_iter().map(|peer| view(peer, shows_addresses)).collect())
    }

    pub(super) async fn system_allow_peer(&self, params: PeerName) -> Result<PeerChanged, RpcError> {
        let peers = self.peers()?;
        let server = Self::server_named(&peers, &params.peer)?;
        let changed = peers.allow(server).await.map_err(refusal)?;
        tracing::info!(%server, changed, "the operator allows a server");
        let stranger = peers.directory().name(&server).is_none();
        let note = stranger.then(|| {
            "the chain spec does not name it: it may follow, and entities on it say themselves where they live"
                .to_owned()
        });
        Ok(Self::changed(&peers, server, changed, note))
    }

    pub(super) async fn system_disallow_peer(&self, params: PeerName) -> Result<PeerChanged, RpcError> {
        let peers = self.peers()?;
        let server = Self::server_named(&peers, &params.peer)?;
        let changed = peers.disallow(server).await.map_err(refusal)?;
        tracing::warn!(%server, changed, "the operator does not allow a server any more");
        let votes = peers.directory().key(&server).is_some();
        let note = votes.then(|| {
            "it votes: boards on which it sits decide without it, and it counts as one that fails".to_owned()
        });
        Ok(Self::changed(&peers, server, changed, note))
    }

    pub(super) async fn system_add_peer(&self, params: PeerAt) -> Result<PeerChanged, RpcError> {
        let peers = self.peers()?;
        let address: ServerAddress = params.address.parse().map_err(|error: xln_network::AddressError| {
            RpcError::invalid_params(error.to_string()).with_hint(
                "system.peers shows identifiers; an address is /ip4/192.0.2.7/tcp/30333/p2p/12D3Koo…",
            )
        })?;
        let server = address.server;
        let changed = peers.add(address).await.map_err(refusal)?;
        tracing::info!(%server, changed, "the operator adds an address of a server");
        Ok(Self::changed(&peers, server, changed, None))
    }

    pub(super) async fn system_remove_peer(&self, params: PeerName) -> Result<PeerChanged, RpcError> {
        let peers = self.peers()?;
        let server = Self::server_named(&peers, &params.peer)?;
        let changed = peers.remove(server).await.map_err(refusal)?;
        tracing::info!(%server, changed, "the operator removes the addresses of a server");
        let note = "a connection that is open stays, and it may connect to this server; system.disallowPeer ends that";
        Ok(Self::changed(&peers, server, changed, Some(note.to_owned())))
    }

    pub(super) fn system_refusals(&self, _: NoParams) -> Result<RefusalsView, RpcError> {
        let peers = self.others.peers();
        let counters = peers.as_ref().map(|peers| peers.network().counters());
        let counted = |reason: &Refusal| counters.map_or(0, |counters| counters.refused(*reason));
        let network = Refusal::ALL
            .iter()
            .map(|reason| (reason.name().to_owned(), U64(counted(reason))))
            .filter(|(_, count)| count.0 > 0);
        let consensus = self.others.status().refused.into_iter();
        let last = counters.map(|counters| counters.last_refused()).unwrap_or_default();
        let name = |peer: &str| {
            let directory = peers.as_ref()?.directory();
            directory.name(&peer.parse().ok()?).map(str::to_owned)
        };
        Ok(RefusalsView {
            network: network.collect(),
            consensus: consensus.map(|(reason, count)| (reason.name().to_owned(), U64(count))).collect(),
            last: last
                .into_iter()
                .map(|refused| RefusedView {
                    name: name(&refused.peer),
                    peer: refused.peer,
                    address: refused.address.map(|address| address.to_string()),
                    reason: refused.reason.name().to_owned(),
                    detail: refused.detail,
                    times: U64(refused.times),
                    last: Timestamp::from_millis(refused.last_ms),
                })
                .collect(),
        })
    }
}
