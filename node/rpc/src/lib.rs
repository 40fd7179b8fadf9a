//! The JSON-RPC interface of a node: what can be asked, what is answered, and the server that limits who asks.
//!
//! ```text
//!  xln, wallets, scripts                                      xln-node
//!  ┌───────────────┐  HTTP or WebSocket   ┌──────────────────────────────────────────┐
//!  │ Calls (typed) ├─────────────────────►│ server: limits, hosts, CORS, /health     │
//!  └───────────────┘  params: one object  │   └ methods table: parse, gate, dispatch │
//!                                         │       └ Backend (the node)               │
//!         notifications with cursors ◄────┤ Feed ◄─ publish                          │
//!                                         └──────────────────────────────────────────┘
//! ```
//!
//! The crate knows nothing of runtime and pallets: a node implements [`Backend`] and answers [`view`]s. One table
//! ([`METHODS`]) gives the server, the typed client ([`Calls`]) and the OpenRPC document.
//!
//! **Safe and unsafe.** Methods that use keys which the node holds are *unsafe*: whoever reaches the port can
//! spend. [`MethodAccess::Auto`] answers them on loopback only.
//!
//! **Subscriptions** read a [`Feed`], whose cursors allow resuming without a gap.

mod api;
mod describe;
pub mod error;
mod feed;
mod json_text;
mod number;
pub mod params;
mod reference;
mod server;
pub mod view;
pub mod words;

pub use api::{Backend, Calls, METHODS, Method, SUBSCRIBE, UNSUBSCRIBE};
pub use describe::{Described, Member, camel_case, openrpc};
pub use error::RpcError;
pub use feed::{Feed, MAX_TOPICS, Render, Subscription};
pub use number::{Bytes, ParseBytesError, U64};
pub use params::Topic;
pub use reference::{AssetRef, ChannelRef, EntityRef, MAX_NAME, MemberRef, ParseReferenceError, SignerRef};
pub use server::{MethodAccess, Origins, ParseMethodAccessError, RpcServer, ServeError, ServerConfig, serve};
