//! Boards, nonces and entity identity: who may make an entity act, and in which order.
//!
//! Every entity keeps, in its own state, the board that speaks for it and three counters:
//!
//! ```text
//!        signers                        this entity                         other entities
//!   ┌──────────────┐  nonce 0,1,2,… ┌───────────────────┐ sequence 1,2,3,… ┌──────────────┐
//!   │ board member ├───────────────►│ BOARD   METADATA  ├─────────────────►│  its inbox   │
//!   └──────────────┘   authorise    │ NONCES per signer │  next_outgoing   └──────────────┘
//!                                   │ POSITIONS of inbox│◄─────────────────┐
//!                                   │ and outbox per    │ accept_incoming  │ its outbox
//!                                   │ entity            │                  │
//!                                   └───────────────────┘
//! ```
//!
//! - A **signed call** is accepted if its signer stands in the board and its nonce is exactly the next one: a lower nonce is a
//!   replay, a higher one has predecessors that are missing. What the signer may ask for is the governance pallet's matter.
//! - A **message** is accepted if its sequence is exactly the next one of its sender: delivery is at least once on
//!   the network, and exactly once and in order here. A gap never moves the inbox.
//!
//! **Identity.** A *lazy* entity is named by the hash of its board and needs no registration: the first signed
//! call to it founds it. A *registered* entity has a number from the depositary's registry, which maps it to the
//! board that speaks for it from a height onwards. The registry exists in the depositary's state only.
//!
//! **Changing a board.** A registered entity and the depositary may change theirs ([`Call::ChangeBoard`]). Who certified
//! which height is remembered, in the entity's own state ([`board_at`]) and, once the entity has told it
//! ([`Call::Update`]), in the registry ([`registered_era`]):
//!
//! ```text
//!   entity      frame 40, certified by A: BOARD = B, row 40: A   ── Update{B} ──►  frame 41, certified by B
//!                                                                       │
//!   depositary                                              Registration{B, 40, hash of 40}, row 40: A
//! ```
//!
//! Each row says for which heights its board spoke ([`Term`]), so that one path to a certified state root proves it to anybody.
//!
//! A **board of several** agrees on each frame, and a quorum of it signs one aggregated certificate with BLS keys: their own,
//! or those of servers that they appointed as delegates ([`Error::CannotAgree`]). A member that is an entity takes part
//! by what it says itself, and by its delegate in ordering. What people sign off line for an entity, through all levels of its
//! members, is a proof of its own kind: [`quorum`].

mod board;
mod call;
mod change;
mod error;
mod event;
mod history;
mod invariant;
mod metadata;
mod nesting;
mod nonce;
mod position;
pub mod quorum;
mod registry;
mod term;

use xln_primitives::{EntityId, Environment, FrameHash, Height, Origin};

pub use board::{authorise, authorise_by, board, board_at, board_key, created, era, found};
pub use call::Call;
pub use change::BoardChange;
pub use error::Error;
pub use event::Event;
pub use history::{Era, FORMER_BOARDS_MAX};
pub use invariant::{Violation, try_state};
pub use metadata::{Metadata, metadata, set_metadata};
pub use nonce::{nonce, use_nonce};
pub use position::{accept_incoming, inbox, next_outgoing, outbox};
pub use registry::{Registration, register, registered_board, registered_era, registration, registrations};
pub use term::{Term, Whose, term_at, terms};

/// What the pallet needs of the machine that runs it.
pub trait Config: Environment {
    /// Reports what happened.
    fn deposit_event(&mut self, event: Event);
    /// The entity that keeps the registry.
    fn depositary(&self) -> EntityId;
    /// Number of the frame that is being made.
    fn height(&self) -> Height;
    /// Number and hash of the frame that says the message which is being executed; none if it is no message.
    fn carrier(&self) -> Option<(Height, FrameHash)>;
}

/// Executes a call of this pallet. After an error the caller drops every change.
pub fn dispatch<T: Config>(env: &mut T, origin: Origin, call: Call) -> Result<(), Error> {
    match call {
        Call::Create { board } if env.entity() == env.depositary() => registry::dispatch(env, origin, &board),
        Call::Create { board } => board::create(env, origin, &board),
        Call::SetMetadata(metadata) => metadata::dispatch(env, origin, &metadata),
        Call::ChangeBoard(change) => change::dispatch(env, origin, &change),
        Call::Update { board } => registry::update(env, origin, &board),
    }
}
