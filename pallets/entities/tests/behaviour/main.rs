//! The pallet's rules, each seen from outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot build its case must fail")]

mod change;
mod fuzz;
mod identity;
mod invariants;
mod mock;
mod nesting;
mod order;
#[path = "../quorum/random.rs"]
mod random;
mod registry;
mod term;
mod update;
mod wire;
