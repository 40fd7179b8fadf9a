//! Bilateral channels with collateral and credit.

mod bar;
mod call;
mod capacity;
mod channel;
mod conditions;
mod deadlines;
mod error;
mod event;
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
mod settlement;
mod state_hash;
mod storage;
mod transition;
pub mod view;

use xln_primitives::{Amount, AssetId, ChannelId, EntityId, Environment, Timestamp};

pub use bar::{MIN_WIDTH, capacity_bar};
pub use call::{Call, Credit, MAX_DESCRIPTION, RouteHop};
pub use capacity::{Capacity, Subchannel};
pub use channel::{Acknowledged, Channel, Status};
pub use conditions::MAX_CONDITIONS;
pub use deadlines::{Due, due, next_due};
pub use error::{Error, TransitionError};
pub use event::Event;
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
pub use settlement::{MAX_ASSETS, Settled, SettledRow, Settlement, SettlementRow};
pub use state_hash::{DisputeBody, DisputeProof};
pub use transition::{MAX_PROOF_BYTES, Proof, Transition};

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
    /// Locks own reserve as collateral of the channel with `peer`, to back what this entity owes the peer or will
    /// owe it. It stays this entity's own claim: Δ does not move.
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

/// Executes a call of one of the entity's own signers.
pub fn dispatch<T: Config>(env: &mut T, call: Call) -> Result<(), Error> {
    let _ = (env, call);
    Ok(())
}
/// Executes an authenticated message of another entity.
pub fn receive<T: Config>(env: &mut T, from: EntityId, message: PeerMessage) -> Result<(), Error> {
    let _ = (env, from, message);
    Ok(())
}
/// Takes a notice of the depositary.
pub fn on_settled<T: Config>(env: &mut T, settled: Settled, proof: Vec<u8>) -> Result<(), Error> {
    let _ = (env, settled, proof);
    Ok(())
}
/// Takes back an HTLC that this entity pays, with proof of its expiry. Input of the server.
pub fn expire<T: Config>(env: &mut T, channel: ChannelId, slot: Slot, proof: Vec<u8>) -> Result<(), Error> {
    let _ = (env, channel, slot, proof);
    Ok(())
}
/// Publishes the preimage of an HTLC whose payer is silent. Input of the server.
pub fn reveal<T: Config>(env: &mut T, channel: ChannelId, slot: Slot) -> Result<(), Error> {
    let _ = (env, channel, slot);
    Ok(())
}
/// Reopens a closing channel, with proof that its settlement expired. Input of the server.
pub fn settlement_expired<T: Config>(env: &mut T, channel: ChannelId, proof: Vec<u8>) -> Result<(), Error> {
    let _ = (env, channel, proof);
    Ok(())
}
/// Sends the unacknowledged frame and the last acknowledgement of a channel again, byte for byte.
pub fn resend<T: Config>(env: &mut T, channel: ChannelId) -> Result<(), Error> {
    let _ = (env, channel);
    Ok(())
}
/// Ends the entity's frame: every marked channel acknowledges and proposes what is queued.
pub fn seal<T: Config>(env: &mut T) -> Result<(), Error> {
    let _ = env;
    Ok(())
}
