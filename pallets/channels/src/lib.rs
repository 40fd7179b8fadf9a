//! Bilateral channels with collateral and credit.

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
