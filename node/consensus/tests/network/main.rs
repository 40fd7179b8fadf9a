//! N servers in one process on virtual time, over the production machine.
//!
//! ```text
//!   Net ── queue of happenings by virtual millisecond ──► Server ── events ──► Host ── effects ─┐
//!    ▲                                                     disk: rows, frames (survive a crash)  │
//!    └── loss, duplication, delay, partitions, crashes ◄── letters, timers, syncs ◄──────────────┘
//!                       Oracle watches: S1 S2 S3 S4 of every step, L1 at the end
//! ```
//!
//! A run is given by its seed and options alone and replays exactly.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its values fails")]

mod byzantine;
mod faults;
mod healthy;
mod mutations;
mod net;
mod restart;
mod safeguards;
mod server;
mod wire;
