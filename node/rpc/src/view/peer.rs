//! Other servers.

use std::collections::BTreeMap;

use xln_primitives::Timestamp;

use super::views;
use crate::U64;

views! {
    /// Who made a connection.
    #[derive(Copy)]
    pub enum PeerDirection {
        /// This server.
        Out,
        /// The other one.
        In,
    }

    /// Another server of the network.
    pub struct PeerView {
        /// Its identifier, `12D3Koo…`.
        pub id: String,
        /// What the chain spec calls it; absent if the chain spec does not name it.
        pub name: Option<String>,
        /// Whether it is connected.
        pub connected: bool,
        /// Whether it votes on boards.
        pub validator: bool,
        /// Whether it may connect.
        pub allowed: bool,
        /// Who made the connection, if it is connected.
        pub direction: Option<PeerDirection>,
        /// Where it is connected, or else where it is sought. Left out where unsafe methods are not answered.
        pub addresses: Vec<String>,
        /// What it calls itself, if it is connected.
        pub agent: Option<String>,
        /// Since how many milliseconds it is connected.
        pub connected_ms: Option<U64>,
        /// Round trip of the last ping in microseconds.
        pub round_trip_us: Option<U64>,
        /// Messages to it since it is connected, without gossip.
        pub messages_sent: U64,
        /// Their bytes on the wire.
        pub bytes_sent: U64,
        /// Messages from it since it is connected, with gossip that it passed on.
        pub messages_received: U64,
        /// Their bytes on the wire.
        pub bytes_received: U64,
    }

    /// What became of a change about another server.
    pub struct PeerChanged {
        /// Its identifier.
        pub id: String,
        /// What the chain spec calls it.
        pub name: Option<String>,
        /// Whether anything has changed.
        pub changed: bool,
        /// What follows from it, if that is worth a word.
        pub note: Option<String>,
    }

    /// What of other servers was refused since the start.
    pub struct RefusalsView {
        /// Connections and messages, by reason.
        pub network: BTreeMap<String, U64>,
        /// Messages for boards, by reason.
        pub consensus: BTreeMap<String, U64>,
        /// Who was refused last, newest first, each once for each reason: at most a hundred.
        pub last: Vec<RefusedView>,
    }

    /// Somebody who was refused.
    pub struct RefusedView {
        /// The server, or an address that has proven no key.
        pub peer: String,
        /// What the chain spec calls the server.
        pub name: Option<String>,
        /// From where it came, if that is known.
        pub address: Option<String>,
        /// Why.
        pub reason: String,
        /// What was said about it the last time.
        pub detail: String,
        /// How often.
        pub times: U64,
        /// The last time.
        pub last: Timestamp,
    }
}
