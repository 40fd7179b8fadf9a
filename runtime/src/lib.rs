//! The deterministic machine.

pub mod genesis;
