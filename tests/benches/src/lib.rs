//! Measurements of XLN, and what they share.
//!
//! | bench | what |
//! |---|---|
//! | `calls` | signed calls: decoded, signature checked in batches, nonce checked |
//! | `channels` | channel transitions, signatures checked beforehand: proposed, received, acknowledged |
//! | `state` | bytes of state and of memory per channel; prints figures, times nothing |
//! | `tree` | the state tree with a million keys |
//! | `node` | a whole node over RPC, durable: latency of a payment, payments per second, block interval |

mod machine;
mod side;

pub use machine::{describe, resident_bytes};
pub use side::{Sent, Side};
