//! Networks of real processes under faults: servers that are killed, paused, wiped, cut off, far away, or lie.
//!
//! While servers fail, users pay each other over two hubs and transfer at the depositary, whose frames the validators decide.
//! Afterwards every server has the same frames, every acknowledged payment is there, and everybody together has what they had.
//!
//! | | |
//! |---|---|
//! | `proxy` | delay, loss, bandwidth, partitions between servers on one machine |
//! | `namespaces` | the same servers with a network of their own each |
//! | `servers`, `load`, `judge` | who runs, who pays, what must hold |
//! | `faults`, `delay`, `bridge`, `byzantine`, `joining` | the tests |
//! | `manifest` | `XLN_MANIFESTS=24`, `XLN_MANIFESTS_SEED=1`: random networks and faults |
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::cast_precision_loss, reason = "sizes here are small")]

mod bridge;
mod byzantine;
mod delay;
mod faults;
mod joining;
mod judge;
mod load;
mod manifest;
mod namespaces;
#[path = "../process/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod process;
mod proxy;
#[path = "../crash/random.rs"]
mod random;
mod servers;
