//! The rules of the depositary's ledger, each seen from outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot build its case must fail")]

mod allocations;
mod deposits;
mod genesis;
mod invariants;
mod ledger;
mod random_calls;
mod reveals;
mod settlements;
mod transfers;
mod wire;
mod withdrawals;
