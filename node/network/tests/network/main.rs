//! Servers of a network over real sockets on this machine.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admission;
mod delivery;
mod gossip;
mod harness;
mod messages;
mod restart;
