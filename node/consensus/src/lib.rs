//! How the members of an entity's board agree on its next frame, as a pure machine.
//!
//! A board of one executes at once and needs none of this. A board of several runs one instance of Tendermint for every
//! height, and the result is a frame hash with a [`Certificate`](xln_primitives::Certificate) of constant size that
//! anybody checks with the board's public keys alone. This crate holds everything between the bytes that members send
//! each other and that certificate, for all entities of one server:
//!
//! ```text
//!             events of a turn                        effects, in the order to perform them
//!  messages ─┐                              ┌─► Append     log rows of all entities, one batch, one sync
//!  calls     │   ┌──────── Host ─────────┐  ├─► SetTimer, CancelTimer
//!  built     ├──►│ gate ─ verify ─ route │──┼─► Build, Validate       the runtime's work, answered by events
//!  validated │   │  ┌─ Instance ───────┐ │  ├─► Decided, CatchUp, Answer
//!  timers    │   │  │ witness  bodies  │ │  ├─► Evidence, Refused, Halt
//!  durable  ─┘   │  │ engine   timers  │ │  └─► Send       nothing signed leaves before its rows are durable
//!                │  └─ per active height┘ │
//!                └────────────────────────┘
//! ```
//!
//! **The machine.** [`Host::step`] takes the events of one turn of the caller's loop and returns effects. There is no
//! clock, no I/O, no randomness (the blinding of signature checks is seeded by the caller), no thread and no map whose
//! order varies: equal events give equal effects, so the node and the simulator run the same code and a seed replays a
//! failure exactly.
//!
//! **A height.** An instance (`instance.rs`) lives from the first sign of work (a call to order, an authentic message of a
//! member, a log at start) to the decision; an idle entity costs a map entry and nothing else. The proposer of a round
//! follows from board, height and round (`proposer.rs`). It asks the runtime to build a frame, and sends proposal and body
//! together. A member votes for a frame only after its own runtime executed the body and found it valid. On the way of
//! no fault three messages decide: proposal, prevotes, precommits. Precommits of a quorum become the certificate
//! (`commitment.rs`).
//!
//! **The engine** stands behind the trait [`Engine`]; [`Malachite`] implements it. The engine knows locks, rounds and
//! quorums. Everything else is here: who may speak, what is verified, what is logged, what leaves when, what is missing.
//!
//! # What must never happen, and where it is prevented
//!
//! | | never | prevented by |
//! |---|---|---|
//! | 1 | a vote leaves before it is durable | `outbox.rs`: what a turn signed waits for [`Event::Durable`] of that turn |
//! | 2 | an input goes on after a failed effect | [`Malachite`]: the first error drops the rest of the input, with all that it put out, and halts the entity |
//! | 3 | the log of a height is deleted without its frame | the caller deletes it in the transaction of [`Effect::Decided`]; nothing else asks for it |
//! | 4 | a restart forgets what it signed | `replay.rs`: rows are indexed first, nothing is appended or built, any divergence halts the entity |
//! | 5 | two values for one height and round | [`Effect::Build`] once per round; the value's row, body included, precedes its proposal |
//! | 6 | the engine works on what nobody checked | `gate.rs` and `verify.rs`: only a [`Verified`] statement has a way in |
//! | 7 | a key votes without the log of what it voted on | `listening.rs`: it votes again above every height in which it may have voted |
//! | 8 | one entity's defect stops the others | [`Host`]: panics are caught and halt that entity; a certified frame that we find invalid halts it too |
//! | 9 | a member waits for what another has | `missing.rs`: proposals are pulled, stale votes are answered, certificates are repeated |
//! | 10 | a lie leaves no trace | `witness.rs`: of two statements for one slot, both signed, [`Evidence`] is made that verifies on its own |
//! | 11 | an effect of the engine is overlooked | [`Malachite`]: every effect is matched by name |
//!
//! A lock that keeps two processes from one key is the caller's (a lock file beside the key); the machine cannot see it.
//! Evidence covers double votes and double proposals. It does not cover every fork: a member that forgets its lock
//! (amnesia) signs nothing twice.

mod bodies;
mod commitment;
mod desk;
mod effect;
mod electorate;
mod engine;
mod event;
mod evidence;
mod far;
mod gate;
mod halt;
mod host;
mod instance;
mod limits;
mod listening;
mod log;
mod malachite;
mod message;
mod missing;
mod outbox;
mod proposer;
mod proven;
mod reception;
mod replay;
mod seat;
mod stale;
mod statement;
mod timing;
mod turn;
mod verify;
mod witness;

pub use effect::{Effect, Refusal};
pub use electorate::{CannotVote, Electorate};
pub use engine::{Engine, EngineError, Input, Logged, Output, Setup, Sign};
pub use event::{Event, Verdict, VoteHistory};
pub use evidence::{Evidence, EvidenceError};
pub use halt::Halt;
pub use host::{Host, Settings};
pub use limits::*;
pub use log::{Entry, Row, RowError};
pub use malachite::Malachite;
pub use message::{BoardMessage, Body, Content};
pub use statement::{
    Ballot, BlsKey, BlsSignature, MemberIndex, Offer, Polka, RoundCertificate, RoundProof, Signed, Step,
    Subject,
};
pub use timing::{Timer, TimerId, Timing};
pub use verify::Verified;
