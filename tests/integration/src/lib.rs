//! Tests of XLN with real processes and of whole servers, and what they share.
//!
//! ```text
//!  Random (a seed) ──► calls of actors ──► World: one server in memory, with every key
//!                                            │ execute ► commit ► seal        │ log
//!                                            ▼                                ▼
//!                                     invariants, expected wealth      replay, restore
//! ```
//!
//! [`certify`] is what boards say that vote.

mod certify;
mod random;
mod world;

pub use certify::certify;
pub use random::Random;
pub use world::{Actor, Keys, Logged, World};
