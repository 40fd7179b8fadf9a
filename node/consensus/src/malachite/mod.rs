//! Malachite's core as an [`Engine`].
//!
//! The engine is a coroutine: it yields an effect, and goes on with the answer. Every effect is matched by name here, so
//! that a new one in a later version does not compile. Effects that we answer at once (sign, verify) are answered; those
//! that ask for action become [`Output`]s. The first error drops the coroutine with everything that the input put out
//! so far; the engine's own driver would answer an error with "continue" and go on.
//!
//! Signatures are not verified again: an [`Input`] holds only what is [`Verified`](crate::Verified). What we switched
//! off (vote extensions, the engine's own synchronisation, the window for late precommits) is an error if it is asked for.

mod context;
mod convert;

use malachite::{Effect, Error, Input as CoreInput, Params, Resumable, Resume, SignedConsensusMsg, State};
use malachite_types::{
    CommitCertificate, SignedMessage, ThresholdParam, ThresholdParams, TimeoutKind, Validity, ValueOrigin,
    ValuePayload, VoteExtensionPolicy, VoteType,
};
use xln_primitives::{Round, Weight};

use self::context::{At, BoardContext, Frame, Voters};
use crate::{
    Electorate, EngineError, Entry, Input, Output, Setup, Sign, Step, Timer,
    engine::{Engine, Logged},
};

type CoreState = State<BoardContext>;

/// One height in Malachite's core.
pub struct Malachite {
    state: CoreState,
    height: At,
    voters: Voters,
}

impl Engine for Malachite {
    fn new(setup: &Setup) -> Self {
        let voters = Voters::new(setup.electorate.clone());
        let height = At(setup.height);
        let params = Params {
            address: setup.own,
            threshold_params: thresholds(&setup.electorate, setup.quorum),
            value_payload: ValuePayload::ProposalAndParts,
            enabled: true,
        };
        // Nothing is queued in the engine: its queue would hold what is not of this height.
        let state = State::new(BoardContext, height, voters.clone(), params, 0, 0);
        Self { state, height, voters }
    }

    fn start(&mut self, sign: &dyn Sign) -> Result<Vec<Output>, EngineError> {
        let policy = VoteExtensionPolicy::Disabled;
        // No target time: the engine reads no clock and finalises at once.
        self.run(CoreInput::StartHeight(self.height, self.voters.clone(), true, None, policy), sign)
    }

    fn step(&mut self, input: Input, sign: &dyn Sign) -> Result<Vec<Output>, EngineError> {
        let input = self.core_input(input);
        self.run(input, sign)
    }

    fn begin_replay(&mut self, entries: &[Entry]) {
        let inputs: Vec<_> = entries.iter().map(|entry| self.core_input(replayed(entry))).collect();
        self.state.index_wal_entries(&inputs);
    }

    fn end_replay(&mut self) {
        self.state.reset_entries_index();
    }

    fn round(&self) -> Round {
        self.state.round().as_u32().unwrap_or(0)
    }
}

/// The input that a log entry was.
pub(crate) fn replayed(entry: &Entry) -> Input {
    use crate::Verified;
    match entry {
        Entry::Offer(offer) => Input::Offer(Verified::vouched(offer.clone())),
        Entry::Ballot(ballot) => Input::Ballot(Verified::vouched(ballot.clone())),
        Entry::Polka(polka) => Input::Polka(Verified::vouched(polka.clone())),
        Entry::Value { round, member, frame, body } => {
            Input::Value { round: *round, member: *member, frame: *frame, valid: body.is_some() }
        }
        Entry::ProposeTimeout(round) => Input::Elapsed(Timer::Propose, *round),
        Entry::VoteTimeout(Step::Prevote, round) => Input::Elapsed(Timer::Prevote, *round),
        Entry::VoteTimeout(Step::Precommit, round) => Input::Elapsed(Timer::Precommit, *round),
    }
}

/// The engine compares `weight · denominator > total · numerator`: with total as denominator and quorum − 1 as numerator
/// that is `weight ≥ quorum`. Both products of 32-bit weights fit in 64 bits.
fn thresholds(electorate: &Electorate, quorum: Weight) -> ThresholdParams {
    let at_least = |weight: Weight| {
        ThresholdParam::new(u64::from(weight.saturating_sub(1)), u64::from(electorate.total()))
    };
    ThresholdParams { quorum: at_least(quorum), honest: at_least(electorate.honest()) }
}

impl Malachite {
    fn core_input(&self, input: Input) -> CoreInput<BoardContext> {
        let height = self.height;
        match input {
            Input::Offer(offer) => CoreInput::Proposal(convert::core_proposal(height, &offer)),
            Input::Ballot(ballot) => CoreInput::Vote(convert::core_vote(height, &ballot)),
            Input::Polka(polka) => CoreInput::PolkaCertificate(convert::core_polka(height, &polka)),
            Input::RoundCertificate(certificate) => {
                CoreInput::RoundCertificate(convert::core_round_certificate(height, &certificate))
            }
            Input::Value { round, member, frame, valid } => CoreInput::ProposedValue(
                malachite::ProposedValue {
                    height,
                    round: round.into(),
                    valid_round: malachite_types::Round::Nil,
                    proposer: member,
                    value: Frame(frame),
                    validity: Validity::from_bool(valid),
                },
                ValueOrigin::Consensus,
            ),
            Input::Propose { round, frame } => {
                CoreInput::Propose(malachite::LocallyProposedValue::new(height, round.into(), Frame(frame)))
            }
            Input::Elapsed(timer, round) => CoreInput::TimeoutElapsed(convert::core_timeout(timer, round)),
        }
    }

    fn run(&mut self, input: CoreInput<BoardContext>, sign: &dyn Sign) -> Result<Vec<Output>, EngineError> {
        let mut performer = Performer { outputs: Vec::new(), sign, replaying: self.state.is_replaying_wal() };
        let result: Result<(), Error<BoardContext>> = malachite::process!(
            input: input,
            state: &mut self.state,
            metrics: &(),
            with: effect => match performer.perform(effect) {
                Ok(resume) => Ok::<_, EngineError>(resume),
                // Leaves the coroutine where it is and drops it: nothing more of this input is executed.
                Err(error) => return Err(error),
            }
        );
        match result {
            Ok(()) => Ok(performer.outputs),
            Err(error @ Error::ReplayDivergence(..)) => Err(EngineError::Divergence(error.to_string())),
            Err(error) => Err(EngineError::Engine(error.to_string())),
        }
    }
}

/// Performs the effects of one input.
struct Performer<'a> {
    outputs: Vec<Output>,
    sign: &'a dyn Sign,
    replaying: bool,
}

impl Performer<'_> {
    fn perform(&mut self, effect: Effect<BoardContext>) -> Result<Resume<BoardContext>, EngineError> {
        Ok(match effect {
            Effect::CancelAllTimeouts(r) => self.put(Output::CancelAllTimers, r),
            Effect::CancelTimeout(timeout, r) => {
                let output = Output::CancelTimer(timer(timeout.kind)?, convert::round(timeout.round)?);
                self.put(output, r)
            }
            Effect::ScheduleTimeout(timeout, r) => {
                let output = Output::SetTimer(timer(timeout.kind)?, convert::round(timeout.round)?);
                self.put(output, r)
            }
            Effect::StartRound(_, round, _, _, r) => self.put(Output::Round(convert::round(round)?), r),
            Effect::PublishConsensusMsg(SignedConsensusMsg::Proposal(proposal), r) => {
                self.put(Output::Offer(convert::signed_offer(&proposal)?), r)
            }
            Effect::PublishConsensusMsg(SignedConsensusMsg::Vote(vote), r)
            | Effect::RepublishVote(vote, r) => self.put(Output::Ballot(convert::signed_ballot(&vote)?), r),
            Effect::PublishLivenessMsg(message, r) => {
                let output = match message {
                    malachite::LivenessMsg::Vote(vote) => Output::Ballot(convert::signed_ballot(&vote)?),
                    malachite::LivenessMsg::PolkaCertificate(polka) => Output::Polka(convert::polka(&polka)?),
                    malachite::LivenessMsg::SkipRoundCertificate(certificate) => {
                        Output::RoundCertificate(convert::round_certificate(&certificate)?)
                    }
                };
                self.put(output, r)
            }
            Effect::RepublishRoundCertificate(certificate, r) => {
                self.put(Output::RoundCertificate(convert::round_certificate(&certificate)?), r)
            }
            Effect::GetValue(_, round, _, r) => self.put(Output::Build(convert::round(round)?), r),
            // A proposal always travels with its body, so publishing it is streaming it again.
            Effect::RestreamProposal(_, _, _, _, _, r) => r.resume_with(()),
            Effect::Decide(certificate, _, r) => self.put(decided(&certificate)?, r),
            // Follows `Decide` at once. Its evidence is the witness's, which has it since the second vote came.
            Effect::Finalize(_, _, _, r) => r.resume_with(()),
            Effect::SignVote(vote, r) => {
                self.require_not_replaying(convert::vote_kind_name(&vote), vote.round)?;
                let signature = self.sign.ballot(&convert::ballot(&vote)?)?;
                r.resume_with(SignedMessage::new(vote, signature))
            }
            Effect::SignProposal(proposal, r) => {
                self.require_not_replaying("proposal", proposal.round)?;
                let signature = self.sign.offer(&convert::offer(&proposal)?)?;
                r.resume_with(SignedMessage::new(proposal, signature))
            }
            // Whatever comes in was verified before, by type; and our own statements were just signed.
            Effect::VerifySignature(_, _, r) => r.resume_with(true),
            Effect::VerifyPolkaCertificate(_, _, _, r) => r.resume_with(Ok(())),
            Effect::VerifyRoundCertificate(_, _, _, r) => r.resume_with(Ok(())),
            // Made of verified precommits; the aggregate is checked as a whole when the certificate is made.
            Effect::VerifyCommitCertificate(_, _, _, r) => r.resume_with(Ok(())),
            Effect::WalAppend(_, input, r) => {
                let logged = logged(input)?;
                if !self.replaying {
                    self.outputs.push(Output::Append(logged));
                }
                r.resume_with(())
            }
            Effect::CertVerifiedSyncValue(..) | Effect::CertRejectedSyncValue(..) => {
                return Err(EngineError::Unexpected("its own synchronisation"));
            }
            Effect::VerifyExtendedCommitCertificate(..) => {
                return Err(EngineError::Unexpected("a certificate from its own synchronisation"));
            }
            Effect::ExtendVote(..) | Effect::VerifyVoteExtension(..) => {
                return Err(EngineError::Unexpected("a vote extension"));
            }
        })
    }

    /// Takes an output and goes on.
    fn put(
        &mut self,
        output: Output,
        resume: impl Resumable<BoardContext, Value = ()>,
    ) -> Resume<BoardContext> {
        self.outputs.push(output);
        resume.resume_with(())
    }

    /// Rows of a turn are written all or none, so whatever a logged input made us sign is logged too.
    fn require_not_replaying(&self, what: &str, round: malachite_types::Round) -> Result<(), EngineError> {
        if self.replaying {
            return Err(EngineError::Divergence(format!("a {what} in round {round} that was never logged")));
        }
        Ok(())
    }
}

fn decided(certificate: &CommitCertificate<BoardContext>) -> Result<Output, EngineError> {
    let precommits =
        certificate.commit_signatures.iter().map(|vote| (vote.address, vote.signature)).collect();
    Ok(Output::Decided { round: convert::round(certificate.round)?, frame: certificate.value_id, precommits })
}

fn timer(kind: TimeoutKind) -> Result<Timer, EngineError> {
    convert::timer(kind).ok_or(EngineError::Unexpected("a window for late precommits"))
}

/// What an input that the engine wants logged is in our log.
fn logged(input: CoreInput<BoardContext>) -> Result<Logged, EngineError> {
    Ok(match input {
        CoreInput::Vote(vote) => Logged::Entry(Entry::Ballot(convert::signed_ballot(&vote)?)),
        CoreInput::Proposal(proposal) => Logged::Entry(Entry::Offer(convert::signed_offer(&proposal)?)),
        CoreInput::PolkaCertificate(polka) => Logged::Entry(Entry::Polka(convert::polka(&polka)?)),
        CoreInput::TimeoutElapsed(timeout) => {
            let round = convert::round(timeout.round)?;
            Logged::Entry(match timer(timeout.kind)? {
                Timer::Propose => Entry::ProposeTimeout(round),
                Timer::Prevote => Entry::VoteTimeout(convert::step(VoteType::Prevote), round),
                Timer::Precommit => Entry::VoteTimeout(convert::step(VoteType::Precommit), round),
                Timer::Rebroadcast => return Err(EngineError::Unexpected("a row for a repetition")),
            })
        }
        CoreInput::ProposedValue(value, _) => Logged::Value {
            round: convert::round(value.round)?,
            member: value.proposer,
            frame: value.value.0,
            valid: value.validity.is_valid(),
        },
        CoreInput::StartHeight(..) => return Err(EngineError::Unexpected("a row for a start")),
        CoreInput::Propose(_) => return Err(EngineError::Unexpected("a row for our own value as such")),
        CoreInput::RoundCertificate(_) => {
            return Err(EngineError::Unexpected("a row for a round certificate"));
        }
        CoreInput::SyncValueResponse(_) => return Err(EngineError::Unexpected("a row for synchronisation")),
    })
}
