//! What a server of a network has to be told before it starts.

use std::{collections::BTreeSet, path::PathBuf};

use libp2p::Multiaddr;
use xln_primitives::Network as NetworkId;

use crate::{Limits, ServerAddress, ServerId, ServerKey};

/// Who may connect, and who is dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everybody of the same network.
    Anyone,
    /// These servers. Each of them is dialled, as far as an address of it is known. The list can be changed while the
    /// server runs.
    Listed(BTreeSet<ServerId>),
}

/// How a server joins its network.
#[derive(Debug, Clone)]
pub struct Config {
    /// The network: its genesis hash.
    pub network: NetworkId,
    /// Who this server is.
    pub key: ServerKey,
    /// What it calls itself, for example `xln-node/0.1.0`. Others see it.
    pub agent: String,
    /// Where it listens: `/ip4/0.0.0.0/tcp/30333`, `/ip4/0.0.0.0/udp/30333/quic-v1`. Port 0 takes a free one.
    pub listen: Vec<Multiaddr>,
    /// Where others reach it, if they cannot reach where it listens.
    pub public: Vec<Multiaddr>,
    /// Through whom it finds others.
    pub bootnodes: Vec<ServerAddress>,
    /// To whom it always stays connected, whatever the limits of connections say. They are allowed without being listed.
    pub reserved: Vec<ServerAddress>,
    /// Who may connect.
    pub access: Access,
    /// Whether addresses of others are learnt from what they say, and told. Without it only named addresses are dialled.
    pub discovery: bool,
    /// File in which addresses of others are remembered; none if it is to forget them.
    pub peers: Option<PathBuf>,
    /// Limits.
    pub limits: Limits,
}

impl Config {
    /// A server that listens nowhere, knows nobody and admits everybody.
    #[must_use]
    pub fn new(network: NetworkId, key: ServerKey) -> Self {
        Self {
            network,
            key,
            agent: concat!("xln-network/", env!("CARGO_PKG_VERSION")).to_owned(),
            listen: Vec::new(),
            public: Vec::new(),
            bootnodes: Vec::new(),
            reserved: Vec::new(),
            access: Access::Anyone,
            discovery: true,
            peers: None,
            limits: Limits::default(),
        }
    }
}
