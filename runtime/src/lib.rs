//! The deterministic machine: it composes the pallets and turns inputs into state, messages and receipts.
//!
//! ```text
//!  Slice (time, randomness, inputs)                                          log entry ─► replay
//!    │
//!    ▼   delivery rounds                                                          ▲ certificates
//!  Server ──► round 1: frame of A, frame of B, …  in parallel, each on its own tree │
//!    │           │ outputs, certified by one signature per frame ─────────────────┘
//!    │           ▼
//!    ├──────► round 2: frames of those who were written to …  until nobody is, or the limit
//!    ▼
//!  Executed: new entities, receipts, events, proofs, messages for other servers
//!    │
//!    └─ the node writes it all in one atomic batch, then calls [`Server::commit`]
//! ```
//!
//! **Nothing changes before it is durable.** [`Server::execute`] reads the committed state and returns what would be;
//! [`Server::commit`] swaps it in. What is thrown away in between leaves no trace, since trees share structure and a
//! frame works on its own version.
//!
//! **Nothing depends on threads.** Entities of a round share nothing; their outcomes are merged in the order of their
//! identifiers. Messages are delivered in the order (sender, place among its outputs).
//!
//! **Exactly once, in order.** Between two entities messages are numbered without gaps, by the sender's state when they
//! are sent, by the receiver's when they are executed; anything else than the next number has no effect.
//!
//! **Replay needs no key and no clock.** A [`Slice`] logs the time, the randomness, the inputs and the certificates.
//! [`Server::replay`] executes it again and refuses to go on where the outcome is another.

mod authentic;
mod block;
mod board_proof;
mod boards;
mod body;
mod call;
mod call_facts;
mod certifier;
mod clock;
mod convert;
mod delivery;
mod entity;
mod env;
mod error;
mod event;
mod execute;
mod facts;
mod founding;
mod frame;
pub mod genesis;
mod hashed_call;
mod inbound;
pub mod invariants;
mod logged;
mod newcomer;
mod overlay;
pub mod proofs;
mod replay;
mod restore;
mod server;
mod slice;
mod snapshot;
mod state_sync;

pub use authentic::{
    Authentic, Speaker, authenticate_calls, authenticate_hashed, authenticate_message, authenticate_messages,
};
pub use block::Sealed;
pub use board_proof::{BoardProof, BoardProofError};
pub use boards::Known;
pub use body::{BODY_INPUTS_MAX, BodyError, DecidedError, DecidedFrame, FrameBody};
pub use call::{RuntimeCall, RuntimeMessage};
pub use certifier::{Certifier, CertifyError, Recorded};
pub use clock::DueBoards;
pub use delivery::Delivery;
pub use entity::{Entity, Head};
pub use env::{DisputeProof, KeptProof, default_policy};
pub use error::{Refusal, RuntimeError};
pub use event::RuntimeEvent;
pub use execute::{EntityEvents, Executed, ROUNDS_MAX};
pub use facts::Facts;
pub use founding::Founding;
pub use genesis::Genesis;
pub use hashed_call::HashedCall;
pub use inbound::Inbound;
pub use newcomer::created_board;
pub use replay::ReplayError;
pub use restore::{RestoreError, Restoring};
pub use server::Server;
pub use slice::{ServerInput, Slice, SliceInputs, SliceNumber};
pub use snapshot::{StateChanges, StateRow};
pub use state_sync::{
    AdoptError, Adopted, Adoption, Assembly, AssemblyError, CHUNK_BYTES, CHUNKS_MAX, EntitySnapshot,
    EntitySnapshotError, HANDOVERS_MAX, Handovers, ManifestError, RowsError, StateManifest,
};

/// A call as a key signs it for an entity.
pub type SignedCall = xln_primitives::SignedCall<RuntimeCall>;
/// What a key signs.
pub type CallBody = xln_primitives::CallBody<RuntimeCall>;
/// The outcome of a call.
pub type Receipt = xln_primitives::Receipt<RuntimeEvent, RuntimeError>;
