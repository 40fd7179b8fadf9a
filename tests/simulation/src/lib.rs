//! Whole servers of a network in one process, on a time of their own, with faults drawn from a seed.
//!
//! ```text
//!   users ─ calls ─► ┌─ Node ──────────────────────────────┐        ┌─ Node ──────┐
//!                    │ author ─ xln_runtime::Server        │        │     …       │
//!                    │ machine ─ consortium::Machine ──────┼─ Wire ─┤             │
//!                    │ disk ─ log, votes, frames, snapshot │        │             │
//!                    └─────────────────────────────────────┘        └─────────────┘
//!          loss · duplicates · delay · partitions · crashes · failing disks · skewed clocks · a member that lies
//!                    │ what leaves, what arrives, what is durable
//!                    ▼
//!                xln_oracles
//! ```
//!
//! What decides, follows, delivers and executes is the code that runs in a node: [`xln_node::consortium::Machine`] around
//! `xln-consensus` and `xln_network::delivery`, and [`xln_runtime::Server`]. Simulated are the clock, the sockets, the disk
//! and the threads of the author. Nothing depends on anything but the seed, so a seed that fails, fails again.
//!
//! A run has two phases. While there are faults nothing may go wrong (safety). Then they stop, and everything that users
//! asked for must come to its end, with all copies equal and every unit where it belongs (liveness).
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

mod author;
mod cast;
mod disk;
mod faults;
mod governing;
mod happening;
mod judging;
mod liar;
mod links;
mod node;
mod options;
mod run;
mod servers;
mod simulation;
mod site;
mod traffic;
mod users;
mod wire;

pub use options::{Mutation, Options};
pub use run::{Outcome, run};
