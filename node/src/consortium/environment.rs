//! What the machine needs of the node around it: a clock, a disk, an author, a network.

use std::{ops::Deref, sync::Arc, time::Duration};

use xln_consensus::{Evidence, Row, VoteHistory};
use xln_network::{Code, Question, ServerId, Topic, delivery::Packet};
use xln_primitives::{Board, CallHash, CertifiedMessage, EntityId, Height, Signature, SignerId, Timestamp};
use xln_runtime::{Adoption, Authentic, DecidedFrame, Inbound, Refusal, RuntimeMessage, Server};

use super::{home::LearnedHome, voting_server::VoterClaim};

/// A row of the consensus log as it is stored: height, sequence, value.
pub type StoredRow = (Height, u64, Vec<u8>);
/// A message that waits for its receiver, with its number in the outbox.
pub type Kept = (u64, Arc<CertifiedMessage<RuntimeMessage>>);

/// The node around a [`Machine`](super::Machine), or a simulation of one.
///
/// What is sent may be lost: the machine says it again where that matters. An error of any method ends the machine, and with
/// it the process: what was not written must not be followed by anything.
pub trait Environment {
    /// Why it cannot go on.
    type Error: core::fmt::Display;

    /// The server's clock.
    fn time(&self) -> Timestamp;
    /// Time since a moment that was chosen once; it never goes back.
    fn now(&self) -> Duration;
    /// Randomness that nobody can predict.
    fn entropy(&mut self) -> Result<[u8; 32], Self::Error>;

    /// The durable state.
    fn server(&self) -> impl Deref<Target = Server> + '_;
    /// Makes rows of the consensus log durable, all or none.
    fn append(&mut self, rows: &[Row]) -> Result<(), Self::Error>;
    /// What is known of earlier votes on an entity whose next height is `next` and whose log ends at `last`. `enters` if the
    /// key was not on the board of the height before.
    fn vote_history(
        &mut self,
        entity: &EntityId,
        next: Height,
        last: Option<(Height, u64)>,
        enters: bool,
    ) -> Result<VoteHistory, Self::Error>;
    /// The consensus log of an entity, in order.
    fn log(&self, entity: &EntityId) -> Result<Vec<StoredRow>, Self::Error>;
    /// An encoded [`DecidedFrame`] that was executed here.
    fn frame(&self, entity: &EntityId, height: Height) -> Result<Option<Vec<u8>>, Self::Error>;
    /// The boards that were [learned](Environment::learn), before now and before the last start.
    fn learned(&self) -> Result<Vec<Board>, Self::Error>;
    /// Remembers the board of an entity elsewhere, durably: where it lives follows from it.
    fn learn(&mut self, board: &Board) -> Result<(), Self::Error>;
    /// Entities that this server [stopped following](Environment::halt) before it was started, and why.
    fn halts(&self) -> Result<Vec<(EntityId, String)>, Self::Error>;
    /// Remembers, durably, that this server follows an entity no more, and why.
    fn halt(&mut self, entity: &EntityId, reason: &str) -> Result<(), Self::Error>;
    /// What servers said of the keys with which they vote, before now and before the last start, in that order.
    fn learned_voters(&self) -> Result<Vec<VoterClaim>, Self::Error>;
    /// Remembers with which key a server votes, durably.
    fn learn_voter(&mut self, claim: &VoterClaim) -> Result<(), Self::Error>;
    /// Where entities live that said so, as they were [learned](Environment::learn_homes), before now and before the last start.
    fn learned_homes(&self) -> Result<Vec<LearnedHome>, Self::Error>;
    /// Remembers where entities live, durably.
    fn learn_homes(&mut self, homes: &[LearnedHome]) -> Result<(), Self::Error>;
    /// Signs with the key of an entity that lives here alone; none if it is not here.
    fn sign(&self, signer: &SignerId, message: &[u8]) -> Option<Signature>;
    /// What entities here said to this one and is not delivered yet, oldest first.
    fn outbox(&self, to: EntityId) -> Result<Vec<Kept>, Self::Error>;
    /// A message of the outbox is delivered for good.
    fn delivered(&mut self, to: EntityId, number: u64);
    /// Keeps proof of a member that signed two things for one place.
    fn keep_evidence(&mut self, evidence: Evidence) -> Result<(), Self::Error>;

    /// Hands a certified frame to the author, if there is room.
    fn execute_frame(&mut self, frame: DecidedFrame) -> bool;
    /// A call that was submitted here will not be executed, and why.
    fn refuse(&mut self, call: CallHash, refusal: Refusal);
    /// Keeps a chunk of the state of an entity after a frame, durably, until [`Environment::forget_chunks`] or until the slice
    /// that takes the state over is pruned.
    fn keep_chunk(
        &mut self,
        entity: &EntityId,
        height: Height,
        index: u32,
        chunk: &[u8],
    ) -> Result<(), Self::Error>;
    /// Forgets the chunks of a state that is not taken over after all.
    fn forget_chunks(&mut self, entity: &EntityId, height: Height) -> Result<(), Self::Error>;
    /// Hands the author a state all of whose chunks are kept.
    fn adopt(&mut self, adoption: Adoption);
    /// Hands messages for entities here to the author.
    fn execute_messages(&mut self, messages: Vec<Authentic<Inbound>>);

    /// Sends a message of the consensus.
    fn send(&mut self, to: Vec<ServerId>, code: Code, bytes: Vec<u8>);
    /// Sends a packet of messages between entities.
    fn deliver(&mut self, to: ServerId, packet: Packet);
    /// Tells everybody.
    fn publish(&mut self, topic: Topic, code: Code, bytes: Vec<u8>);
    /// Asks a server; its answer comes as [`Input::Answer`](super::Input::Answer), if it comes.
    fn ask(&mut self, server: ServerId, question: Question);
}
