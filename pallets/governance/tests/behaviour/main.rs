//! How boards decide.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod boards;
mod delegation;
mod expiry;
mod limits;
mod mock;
mod model;
mod nested;
mod policy;
mod proposals;
mod screening;
mod spending;
mod wire;
