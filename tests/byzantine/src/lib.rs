//! A validator that lies, as a process of its own beside real nodes.
//!
//! The simulations of `xln-consensus` have members that lie, but they hand bytes to the machine of an honest one directly. Here a
//! liar stands where an attacker with a stolen key would: it has the connections and the voting key of a server of the chain spec, speaks
//! over `xln-network`, and whatever it says has to pass sockets, quotas, decoding and the thread of a real node. It is never part
//! of a node, so that no node contains what could be switched on.
//!
//! ```text
//!   messages of honest members ─► Liar ─┬─► two votes for every slot, two proposals when it is its turn      (evidence)
//!                                       ├─► wrong signatures, other heights and rounds, forged certificates  (refused)
//!                                       ├─► what it heard before, once more                                  (ignored)
//!                                       └─► what is no message, and what is too large                        (refused)
//! ```
//!
//! It executes nothing and never helps to decide: a board of four has three left, which is just a quorum.

mod liar;
mod server;

pub use liar::{Liar, Lie};
pub use server::{Failed, run};
