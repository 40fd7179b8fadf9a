//! Quorum proofs: that an entity whose members are entities stands behind a statement, by signatures of people alone.
//!
//! A frame's certificate proves what the board of one entity decided, by the BLS keys that order its frames. A quorum proof
//! proves more with less: that a *statement* about an entity (a [`Statement`]: network, entity, purpose, hash) is authorised
//! through every level of its boards, by the keys of the people at the bottom, without any of the entities having to run.
//!
//! ```text
//!  level 1            DAO: 2 of 3                 boards, each proven once: a lazy one travels and hashes
//!                   ┌─────┼──────┐                to its identifier; a registered one the verifier knows
//!  level 2     company   anna   club: 2 of 2
//!               2 of 3           ├──────┐         marks: one bit per person who signed
//!              ┌──┼──┐          anna   company
//!  leaves      b  c  d                            signatures: one sum of all BLS keys, one for each other
//! ```
//!
//! **What counts.** A person counts with its weight in every board in which it stands with [`Permissions::VOTE`], by one
//! signature of its own key: a delegate's key orders frames and authorises nothing. An entity counts in a board if the weight
//! that counts in *its* board reaches its threshold. [`evaluate`] computes that in rounds: in round *r* those entities sign that do so by
//! people and by entities of earlier rounds, so after round *r* exactly those have signed whom boards of *r* levels suffice for.
//! Nothing is visited twice, however often boards share members, and the order of anything has no influence.
//!
//! **Cycles** contribute nothing: an entity that needs itself never comes into any round, and the root is never counted below itself.
//! **Depth** is at most [`MAX_LEVELS`] boards, the root's included: later rounds do not count for the root. Both are reported
//! ([`NestingFault`]) beside the weight, since the rest of the signatures still counts.
//!
//! **Replay.** A proof says nothing of time. What shall hold once or for a while puts a nonce or a deadline into what it hashes, and a
//! verifier of a registered entity chooses the height at which it knows the boards.
//!
//! [`Permissions::VOTE`]: xln_primitives::Permissions::VOTE

mod assemble;
mod error;
mod evaluate;
mod proof;
mod statement;
mod verify;

pub use error::{NestingFault, QuorumError};
pub use evaluate::{Outcome, evaluate};
pub use proof::{BoardEvidence, QuorumProof, SignedBoard};
pub use statement::{Purpose, STATEMENT_BYTES, Statement};
pub use verify::KnownBoards;

/// Most boards on the way from the root to a person, the root's included.
pub const MAX_LEVELS: usize = 8;
/// Most boards in a proof.
pub const MAX_BOARDS: u32 = 64;
/// Most members of all boards of a proof together.
pub const MAX_PROOF_MEMBERS: u32 = 1_024;
/// Most bytes of an encoded proof: a little more than boards and signatures of 1,024 members need.
pub const MAX_PROOF_BYTES: usize = 384 * 1024;
