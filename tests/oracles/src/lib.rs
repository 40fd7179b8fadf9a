//! Judges of a running network: what may never happen, and what must hold when it is quiet.
//!
//! ```text
//!   what leaves and reaches servers ─► Agreement   S1 to S4: certificates, double statements, evidence
//!   durable slices ─────────────────► Books        C1, C2: everybody has what the events say
//!   receipts ───────────────────────► Promises     A1, A2: what was acknowledged stays, and is there once
//!   quiet servers ──────────────────► copies       C6: both sides of a channel, all followers of an entity
//! ```
//!
//! They look from outside and believe no machine. Model tests, the simulation of a network and tests of the consensus
//! alone use the same ones. What one server can tell by itself is in `xln_runtime::invariants`.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a judge fails a test by panicking")]

mod agreement;
mod books;
mod copies;
mod promises;
mod whole;

pub use agreement::Agreement;
pub use books::Books;
pub use copies::copies_agree;
pub use promises::Promises;
pub use whole::Whole;
