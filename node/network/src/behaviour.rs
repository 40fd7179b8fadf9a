//! The parts of libp2p that a server is made of.

use std::{collections::HashSet, convert::Infallible, time::Duration};

use libp2p::{
    StreamProtocol, Swarm, SwarmBuilder, allow_block_list, connection_limits,
    gossipsub::{
        self, IdentityTransform, MessageAuthenticity, MessageId, PeerScoreParams, PeerScoreThresholds,
        TopicHash, TopicScoreParams, ValidationMode, WhitelistSubscriptionFilter,
    },
    identify, kad, noise, ping,
    request_response::{self, ProtocolSupport},
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
    tcp, yamux,
};

use crate::{Access, Config, Envelope, Limits, Protocol, StartError, Topic, codec::Codec, protocol};

/// Connections between two servers: one that each of them has made.
const CONNECTIONS_PER_SERVER: u32 = 2;
/// Handshakes of others under way.
const HANDSHAKES: u32 = 64;
/// Bytes of a gossip beside its envelope: who says it, on what topic, signed.
const GOSSIP_EXTRA: usize = 1_024;
/// What invalid gossip costs, times the square of how many there were. At −80 a server is not listened to any more, so after
/// five.
const INVALID_WEIGHT: f64 = -4.0;
/// How many of them still count after each second: after two minutes the fifth is forgiven.
const INVALID_DECAY: f64 = 0.999;

pub(crate) type Gossip = gossipsub::Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

/// What a connection carries.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) allowed: Toggle<allow_block_list::Behaviour<allow_block_list::AllowedPeers>>,
    pub(crate) limits: connection_limits::Behaviour,
    pub(crate) consensus: request_response::Behaviour<Codec>,
    pub(crate) deliver: request_response::Behaviour<Codec>,
    pub(crate) sync: request_response::Behaviour<Codec>,
    pub(crate) gossip: Gossip,
    pub(crate) identify: identify::Behaviour,
    pub(crate) ping: ping::Behaviour,
    pub(crate) kademlia: kad::Behaviour<kad::store::MemoryStore>,
}

impl Behaviour {
    pub(crate) const fn direct(&mut self, protocol: Protocol) -> &mut request_response::Behaviour<Codec> {
        match protocol {
            Protocol::Consensus => &mut self.consensus,
            Protocol::Deliver => &mut self.deliver,
            Protocol::Sync => &mut self.sync,
        }
    }

    fn new(config: &Config) -> Result<Self, StartError> {
        let Config { network, key, limits, .. } = config;
        let mut allowed = None;
        if let Access::Listed(servers) = &config.access {
            let mut list = allow_block_list::Behaviour::<allow_block_list::AllowedPeers>::default();
            let reserved = config.reserved.iter().map(|address| address.server);
            servers.iter().copied().chain(reserved).for_each(|server| {
                list.allow_peer(server.peer());
            });
            allowed = Some(list);
        }
        let direct = |protocol: Protocol| {
            let timeout =
                if protocol == Protocol::Sync { limits.answer_timeout } else { limits.send_timeout };
            // Both ways share them; each side keeps to half.
            let streams = limits.streams.saturating_mul(3);
            let config = request_response::Config::default()
                .with_request_timeout(timeout)
                .with_max_concurrent_streams(streams);
            let named = [(protocol.stream(*network), ProtocolSupport::Full)];
            request_response::Behaviour::with_codec(Codec::new(protocol, limits), named, config)
        };
        let peer = key.server().peer();
        let identify = identify::Config::new(protocol::root(*network), key.keypair().public())
            .with_agent_version(config.agent.clone())
            .with_hide_listen_addrs(!config.discovery);
        Ok(Self {
            allowed: allowed.into(),
            limits: connections(config),
            consensus: direct(Protocol::Consensus),
            deliver: direct(Protocol::Deliver),
            sync: direct(Protocol::Sync),
            gossip: gossip(config)?,
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(ping::Config::new()),
            kademlia: kademlia(protocol::named(*network, "kad"), peer),
        })
    }
}

fn connections(config: &Config) -> connection_limits::Behaviour {
    let Limits { incoming, outgoing, .. } = config.limits;
    let mut limits = connection_limits::Behaviour::new(
        connection_limits::ConnectionLimits::default()
            .with_max_pending_incoming(Some(HANDSHAKES))
            .with_max_established_incoming(Some(incoming))
            .with_max_established_outgoing(Some(outgoing))
            .with_max_established_per_peer(Some(CONNECTIONS_PER_SERVER)),
    );
    for reserved in &config.reserved {
        limits.bypass_peer_id(&reserved.server.peer());
    }
    limits
}

/// Gossip that is signed by its author, checked by the node before it goes on, and scored.
fn gossip(config: &Config) -> Result<Gossip, StartError> {
    let failed = |reason: String| StartError::Setup { part: "gossip", reason };
    let settings = gossipsub::ConfigBuilder::default()
        .protocol_id_prefix(format!("{}/gossip", protocol::root(config.network)))
        .validation_mode(ValidationMode::Strict)
        .validate_messages()
        .max_transmit_size(Envelope::wire_max(config.limits.gossip_bytes).saturating_add(GOSSIP_EXTRA))
        .message_id_fn(|message: &gossipsub::Message| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(message.topic.as_str().as_bytes()).update(&[0]).update(&message.data);
            MessageId::new(hasher.finalize().as_bytes())
        })
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let topics: HashSet<TopicHash> =
        Topic::ALL.iter().map(|topic| topic.topic(config.network).hash()).collect();
    let filter = WhitelistSubscriptionFilter(topics.clone());
    let signed = MessageAuthenticity::Signed(config.key.keypair().clone());
    let mut gossip = Gossip::new_with_subscription_filter(signed, settings, filter)
        .map_err(|error| failed(error.to_owned()))?;
    let score = TopicScoreParams {
        topic_weight: 1.0,
        invalid_message_deliveries_weight: INVALID_WEIGHT,
        invalid_message_deliveries_decay: INVALID_DECAY,
        // Silence is no fault: a topic may have nothing to say for hours.
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        ..TopicScoreParams::default()
    };
    let params = PeerScoreParams {
        topics: topics.into_iter().map(|topic| (topic, score.clone())).collect(),
        // Several servers of one organisation share an address.
        ip_colocation_factor_weight: 0.0,
        ..PeerScoreParams::default()
    };
    gossip.with_peer_score(params, PeerScoreThresholds::default()).map_err(failed)?;
    for topic in Topic::ALL {
        gossip.subscribe(&topic.topic(config.network)).map_err(|error| failed(error.to_string()))?;
    }
    Ok(gossip)
}

/// Kademlia finds addresses of servers, and stores nothing for anybody.
fn kademlia(name: StreamProtocol, peer: libp2p::PeerId) -> kad::Behaviour<kad::store::MemoryStore> {
    let nothing = kad::store::MemoryStoreConfig {
        max_records: 0,
        max_value_bytes: 0,
        max_providers_per_key: 0,
        max_provided_keys: 0,
    };
    let mut config = kad::Config::new(name);
    config
        .set_kbucket_inserts(kad::BucketInserts::Manual)
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_replication_interval(None)
        .set_publication_interval(None)
        .set_provider_publication_interval(None)
        .set_periodic_bootstrap_interval(None);
    let store = kad::store::MemoryStore::with_config(peer, nothing);
    let mut kademlia = kad::Behaviour::with_config(peer, store, config);
    kademlia.set_mode(Some(kad::Mode::Server));
    kademlia
}

/// A server that does not listen yet.
pub(crate) fn swarm(config: &Config) -> Result<Swarm<Behaviour>, StartError> {
    let behaviour = Behaviour::new(config)?;
    let failed = |reason: String| StartError::Setup { part: "transport", reason };
    let builder = SwarmBuilder::with_existing_identity(config.key.keypair().clone())
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .map_err(|error| failed(error.to_string()))?
        .with_quic();
    let builder = builder.with_behaviour(|_| behaviour).map_err(|never: Infallible| match never {})?;
    Ok(builder
        // Connections stay until one side goes; pings tell when it has.
        .with_swarm_config(|settings| {
            settings
                .with_idle_connection_timeout(Duration::MAX)
                // A message goes with the name of its protocol, not after the other side has agreed to it: each has a stream of
                // its own, and would take three times as long on its way.
                .with_substream_upgrade_protocol_override(libp2p::core::upgrade::Version::V1Lazy)
        })
        .with_connection_timeout(config.limits.handshake_timeout)
        .build())
}
