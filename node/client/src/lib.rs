//! Typed client of a node and the command line for people.
//!
//! ```text
//!  your program ──► Client ── ws:// or http:// ──► xln-node
//!                     │ Calls: one function per method, requests and answers as in xln-rpc
//!  xln (cli) ─────────┘ amounts as people write them, tables, bars, exit codes
//! ```
//!
//! [`Client`] connects by either transport; with [`Calls`] in scope it has a function per method of the API:
//!
//! ```no_run
//! # async fn example() -> Result<(), xln_client::Error> {
//! use xln_client::{Calls, Client};
//! use xln_rpc::params::ChannelList;
//!
//! let client = Client::connect("ws://127.0.0.1:9944", std::time::Duration::from_secs(30)).await?;
//! for channel in client.channel_list(&ChannelList::default()).await? {
//!     println!("{} with {}", channel.entity.label(), channel.peer.label());
//! }
//! # Ok(())
//! # }
//! ```

pub mod cli;
mod client;
mod error;

pub use client::{Client, Notifications};
pub use error::Error;
pub use xln_rpc::Calls;
