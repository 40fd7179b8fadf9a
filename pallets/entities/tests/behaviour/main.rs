//! The pallet's rules, each seen from outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot build its case must fail")]

mod identity;
mod invariants;
mod mock;
mod order;
mod registry;
mod wire;
