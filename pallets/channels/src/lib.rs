//! Bilateral channels with collateral and credit: the account of two entities, and the payments that run over it.
//!
//! # One subchannel
//!
//! Per asset, a channel has one number that payments move: Δ, what **left** (the entity with the smaller
//! identifier) may claim. It runs between two debts, with the collateral in the middle:
//!
//! ```text
//!   −left limit       0                         collateral     collateral + right limit
//!       [-------------.====================|========-----------------------]
//!        left owes        left's part      Δ  right's    right owes
//! ```
//!
//! A payment from left lowers Δ, one from right raises it, and pending payments hold their sum on the side that pays
//! ([`Subchannel`], [`Capacity`]). A newcomer opens a channel with no collateral at all, grants the hub a limit, and
//! can be paid at once. Collateral and `ondelta` move only by an event of the depositary; payments move `offdelta`,
//! and `Δ = ondelta + offdelta`.
//!
//! # Two copies, one state
//!
//! Each side keeps a [`Channel`]. It advances by [`ChannelFrame`]s: one side proposes moves ([`Transition`]) and the
//! state hash that they lead to, the other executes them and answers with its own commitment to the same hash, an
//! [`Ack`]. Then, and only then, either side acts on them: forwards, reports, pays on.
//!
//! ```text
//!   dispatch ─┐                                        ┌─► events
//!   receive ──┼─► queue ─► seal ─► Frame ─► peer ─► Ack ─► committed ─► next hop
//!   expire ───┘     ▲        │ pending                 └─► proof on disk
//!                   └────────┘ left's frame won: put back
//! ```
//!
//! * Calls and effects only *queue* moves; [`seal`], at the end of the entity's frame, proposes all that waits, up to
//!   [`MAX_TRANSITIONS`], in one frame. One frame per side is unacknowledged at a time.
//! * If both propose at one height, left's frame wins and right's moves wait again, first in the queue. An
//!   acknowledgement carries the next frame, so neither side starves.
//! * A move that became impossible while it waited is dropped before it is sent, and whoever waits is told.
//! * A frame that does not replay, and a second commitment at one height, freeze the channel; the evidence is kept.
//!   Clocks and policies never reject a frame: what they dislike is acknowledged and failed afterwards.
//! * The state hash commits to a dispute section, which a contract can open, and to the rest ([`DisputeProof`]).
//!
//! # Payments
//!
//! A payment with a condition is an HTLC: the payer's sum is held under a SHA-256 lock until the beneficiary shows
//! the preimage, gives up, or the payer proves by the depositary that the deadline passed without it. A forwarder
//! links the HTLC that came to the one that goes on; the end of the second becomes the end of the first:
//!
//! ```text
//!   alice ──HtlcAdd──► hub ──HtlcAdd──► bob        deadlines fall along the way, by the hub's margin
//!   alice ◄─HtlcFulfil─ hub ◄─HtlcFulfil─ bob      and the preimage runs back
//! ```
//!
//! What was sent binds: the hub fails alice's HTLC only when bob's was removed by both, or its expiry is proven, also
//! if bob never answered. A preimage whose payer is silent is published at the depositary in time ([`due`],
//! [`reveal`]), where it counts in every dispute.
//!
//! # The end
//!
//! A cooperative close derives a [`Settlement`] from the state. From its commitment on, all sums are held; the
//! depositary's word ends this life of the channel and the next epoch starts empty on both sides, or proof that the
//! settlement lapsed opens it again.
//!
//! # Limits
//!
//! 64 assets, 10,000 pending HTLCs and 10,000 waiting moves per channel, 1,000 moves per frame, 16 KiB per proof, 20
//! hops per route; the 10,000 newest payments, forwards and requested invoices are remembered.

mod apply;
mod bar;
mod call;
mod capacity;
mod channel;
mod close;
mod collateral;
mod conditions;
mod deadlines;
mod dispatch;
mod effect;
mod error;
mod event;
mod exchange;
mod forward;
mod frame;
mod genesis;
mod htlc;
mod invoice;
mod message;
mod payment;
mod payment_hash;
mod policy;
mod queue;

mod reveal;
mod seal;
mod settled;
mod settlement;
mod state_hash;
mod storage;
mod transition;
mod try_state;
pub mod view;

use xln_primitives::{Amount, AssetId, ChannelId, EntityId, Environment, Timestamp};

pub use bar::{MIN_WIDTH, capacity_bar};
pub use call::{Call, Credit, MAX_DESCRIPTION, RouteHop};
pub use capacity::{Capacity, Subchannel};
pub use channel::{Acknowledged, Channel, Status};
pub use conditions::MAX_CONDITIONS;
pub use deadlines::{Due, due, expire, next_due};
pub use dispatch::{dispatch, receive};
pub use error::{Error, TransitionError};
pub use event::Event;
pub use exchange::resend;
pub use forward::{Forward, ForwardStatus};
pub use frame::{ChannelFrame, FrameFault, MAX_TRANSITIONS};
pub use genesis::{GenesisRow, genesis_channel};
pub use htlc::{
    Cause, FailReason, Failure, Hop, Htlc, HtlcRole, HtlcTerms, MAX_HOPS, Onward, Progress, Slot,
};
pub use invoice::{Invoice, InvoiceStatus};
pub use message::{Ack, PeerMessage};
pub use payment::{Payment, PaymentStatus};
pub use payment_hash::{PaymentHash, Preimage};
pub use policy::Policy;
pub use queue::MAX_QUEUE;
pub use reveal::{preimage_published, reveal};
pub use seal::seal;
pub use settled::{on_settled, settlement_expired};
pub use settlement::{MAX_ASSETS, Settled, SettledRow, Settlement, SettlementRow};
pub use state_hash::{DisputeBody, DisputeProof};
pub use transition::{MAX_PROOF_BYTES, Proof, Transition};
pub use try_state::{Broken, try_state};

/// What the channels of an entity need from the machine that runs them.
pub trait Config: Environment {
    /// Reports what happened.
    fn deposit_event(&mut self, event: Event);
    /// Sends a message: an output of the frame, delivered once and in order.
    fn send(&mut self, to: EntityId, message: PeerMessage);
    /// The depositary that judges the channels.
    fn depositary(&self) -> EntityId;
    /// Carries this side's agreement to a settlement to the depositary.
    fn submit_settlement(&mut self, settlement: Settlement);
    /// Publishes a preimage at the depositary, before the deadline of an HTLC whose payer is silent.
    fn publish_preimage(&mut self, preimage: Preimage);
    /// Moves own reserve into the collateral of the channel with `peer`, in favour of this entity itself: it backs
    /// what this entity owes the peer or will owe it, and gives the peer no new claim.
    fn allocate(&mut self, peer: EntityId, asset: AssetId, amount: Amount);
    /// Whether `proof` shows that the depositary said this.
    fn verify_settled(&self, settled: &Settled, proof: &[u8]) -> bool;
    /// Whether `proof` shows a certified depositary header of a time ≥ `deadline` in whose state the preimage of
    /// `hash` was not revealed before `deadline`.
    fn verify_expired(&self, hash: &PaymentHash, deadline: Timestamp, proof: &[u8]) -> bool;
    /// Whether `proof` shows a certified depositary header of a time ≥ `settlement.expires` in whose state the
    /// settlement was not executed (the nonce of the channel is below the settlement's).
    fn verify_settlement_expired(&self, settlement: &Settlement, proof: &[u8]) -> bool;
    /// Keeps evidence on disk, outside of the state: an encoded [`DisputeProof`], or an encoded [`PeerMessage`] that
    /// froze the channel.
    fn keep_proof(&mut self, channel: ChannelId, proof: Vec<u8>);
    /// Notes that a channel has work for [`seal`].
    fn mark(&mut self, channel: ChannelId);
    /// The channels noted since the last time, sorted, each once.
    fn take_marked(&mut self) -> Vec<ChannelId>;
}
