//! The door to an agreement engine.
//!
//! An engine decides one height: it is created, started, fed with [`Input`]s one at a time, and says what to do with
//! [`Output`]s. It holds locks, rounds and tallies. It verifies nothing: whatever comes in is [`Verified`] by type.

use std::sync::Arc;

use xln_primitives::{FrameHash, Height, Round, Weight};

use crate::{
    Ballot, BlsSignature, Electorate, Entry, MemberIndex, Offer, Polka, RoundCertificate, Signed, Timer,
    Verified,
};

/// What an engine is made for.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The height to decide.
    pub height: Height,
    /// Who votes.
    pub electorate: Arc<Electorate>,
    /// Who we are.
    pub own: MemberIndex,
    /// Weight that decides; the electorate's quorum.
    pub quorum: Weight,
}

/// What an engine is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A proposal.
    Offer(Verified<Signed<Offer>>),
    /// A vote.
    Ballot(Verified<Signed<Ballot>>),
    /// A quorum of prevotes.
    Polka(Verified<Polka>),
    /// Votes that justify another round.
    RoundCertificate(Verified<RoundCertificate>),
    /// What the runtime says about a frame.
    Value {
        /// Round of the proposal that brought it.
        round: Round,
        /// Whose proposal.
        member: MemberIndex,
        /// The frame.
        frame: FrameHash,
        /// Whether it may be voted for.
        valid: bool,
    },
    /// Our own frame for a round that asked for one.
    Propose {
        /// The round.
        round: Round,
        /// The frame.
        frame: FrameHash,
    },
    /// A timer elapsed.
    Elapsed(Timer, Round),
}

/// What an engine wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Log this before anything that follows from it is said.
    Append(Logged),
    /// Start a timer anew.
    SetTimer(Timer, Round),
    /// Forget a timer.
    CancelTimer(Timer, Round),
    /// Forget all timers.
    CancelAllTimers,
    /// A round began.
    Round(Round),
    /// Build a frame for this round.
    Build(Round),
    /// Send our own, or an adopted, proposal with the body of its frame.
    Offer(Signed<Offer>),
    /// Send our vote.
    Ballot(Signed<Ballot>),
    /// Send a quorum of prevotes.
    Polka(Polka),
    /// Send what justifies the round.
    RoundCertificate(RoundCertificate),
    /// The height is decided.
    Decided {
        /// In which round.
        round: Round,
        /// Which frame.
        frame: FrameHash,
        /// Precommits of a quorum for it.
        precommits: Vec<(MemberIndex, BlsSignature)>,
    },
}

/// An input to be logged: an [`Entry`] of which the host adds the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    /// Any input but a value, complete.
    Entry(Entry),
    /// A value.
    Value {
        /// Round of the proposal.
        round: Round,
        /// Whose proposal.
        member: MemberIndex,
        /// The frame.
        frame: FrameHash,
        /// Whether it is valid.
        valid: bool,
    },
}

/// Why an engine can not go on. The entity halts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// No signature.
    #[error("our key gave no signature: {0}")]
    Signer(String),
    /// A replay signed what the log does not hold, or something else than the log holds.
    #[error("replay diverges from the log: {0}")]
    Divergence(String),
    /// The engine asked for something that is switched off.
    #[error("the engine asked for what it must not: {0}")]
    Unexpected(&'static str),
    /// The engine's own error.
    #[error("{0}")]
    Engine(String),
}

/// Signs for an engine. The bytes are made of the statement by the caller.
pub trait Sign {
    /// Signs a vote.
    fn ballot(&self, ballot: &Ballot) -> Result<BlsSignature, EngineError>;

    /// Signs a proposal.
    fn offer(&self, offer: &Offer) -> Result<BlsSignature, EngineError>;
}

/// An agreement engine for one height.
///
/// On an error nothing of the input's outputs is returned, and the engine is not used again.
pub trait Engine: Sized {
    /// An engine that has not started.
    fn new(setup: &Setup) -> Self;

    /// Enters round 0.
    fn start(&mut self, sign: &dyn Sign) -> Result<Vec<Output>, EngineError>;

    /// Takes one input.
    fn step(&mut self, input: Input, sign: &dyn Sign) -> Result<Vec<Output>, EngineError>;

    /// Tells, before it starts, what of a log it will be fed until [`Engine::end_replay`]: it must sign nothing but
    /// what stands there, with the signature that stands there.
    fn begin_replay(&mut self, entries: &[Entry]);

    /// The log is at its end.
    fn end_replay(&mut self);

    /// The round it is in; 0 before the start.
    fn round(&self) -> Round;
}
