//! How the servers of an XLN network find, admit and reach each other.
//!
//! ```text
//!   node                              │ this crate                          │ libp2p
//!                                     │                                     │
//!   consensus ──► Network::consensus ─┼─► backlog per server ─► streams ────┼─► /xln/GENESIS/consensus/1
//!   outbox ─► Delivery ─► deliver ────┼─►      "                            │   /xln/GENESIS/deliver/1
//!   catch-up ───► ask, Responder ─────┼─►      "                            │   /xln/GENESIS/sync/1
//!   frames, … ──► publish, judge ─────┼─► gossip, judged by the node ───────┼─► /xln/GENESIS/gossip/…
//!                                     │                                     │
//!   Events ◄── bounded ◄──────────────┼── quota ◄ size ◄ genesis ◄ allowed? ┼── TCP + Noise + Yamux, QUIC
//!                                     │        each refusal logged, counted │   identify, ping, kademlia
//! ```
//!
//! [`Network::start`] makes a task that owns the connections; [`Network`] is a handle to it, [`Events`] is what it tells. The
//! crate carries messages and knows nothing of what they say: who signed a message is for the node to check, and which server
//! carried it proves nothing.
//!
//! # Who is let in
//!
//! 1. A server is its ed25519 key ([`ServerId`]). Noise, or TLS 1.3 of QUIC, proves it before anything else is said.
//! 2. The allow-list ([`Access::Listed`]) refuses everybody else at that moment. It changes while the server runs: whoever is
//!    taken off is disconnected ([`Network::disallow`]).
//! 3. Limits of connections: others', own, per server. Reserved servers have a place anyway.
//! 4. All protocol names have the genesis hash in them, so servers of another network have no protocol in common. `identify`
//!    tells at once, and the connection is closed.
//!
//! # What is taken from those who are in
//!
//! Lengths are checked before memory is taken, also that of compressed bodies ([`Envelope`]). A [`quota::Quota`] per server
//! limits bytes and messages; it outlives the connection. What waits for the node is limited in number and bytes
//! ([`Limits::waiting_bytes`]). What is beyond is refused: the sender is told that the message was not taken, and a [`Refusal`] is
//! logged and counted by its reason.
//!
//! # What is promised
//!
//! Messages of [`Protocol::Consensus`] may get lost and may overtake each other: consensus says again what matters, and orders by
//! height and round. Packets may get lost too, and
//! [`delivery`] makes of them messages that arrive at least once and in order, over crashes of both sides. It is a machine
//! without clock and socket that the node drives, and a simulator too. Nothing waits: a full queue is an answer.
//!
//! # Connections
//!
//! The [dialler](Limits::redial) seeks reserved servers, bootnodes, the servers of the allow-list and, without one, those
//! that kademlia finds. Waits between tries double up to a minute and are shortened by chance. Addresses that worked are kept
//! in a file. Without [`Config::discovery`] only named addresses are dialled, and none are told. Host names are not resolved, and nobody is sought on the local network: there is neither DNS nor mDNS in it.

mod address;
mod backoff;
mod behaviour;
mod code;
mod codec;
mod config;
mod counters;
pub mod delivery;
mod dialer;
mod envelope;
mod error;
mod event;
mod handle;
mod held;
mod limits;
mod outbound;
mod peer_store;
mod protocol;
pub mod quota;
mod refusal;
mod server_id;
mod sync;
mod task;

pub use address::{AddressError, ServerAddress};
pub use code::Code;
pub use config::{Access, Config};
pub use counters::{Counters, Traffic};
pub use envelope::{COMPRESSED_ABOVE, Envelope, EnvelopeError};
pub use error::{AllowError, AskError, SendError, StartError};
pub use event::{Event, GossipId, PeerInfo, Responder, Verdict};
pub use handle::{Events, Network};
pub use held::Held;
pub use libp2p::Multiaddr;
pub use limits::Limits;
pub use protocol::{Protocol, Topic};
pub use refusal::{Refusal, Refused};
pub use server_id::{ServerId, ServerIdError, ServerKey};
pub use sync::{Answer, Digest, FRAMES_MAX, HEIGHTS_MAX, Question, Standing};
