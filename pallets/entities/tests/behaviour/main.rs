//! The pallet's rules, each seen from outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot build its case must fail")]

mod change;
mod identity;
mod invariants;
mod mock;
mod nesting;
mod order;
mod registry;
mod term;
mod update;
mod wire;
