//! Between our statements and the engine's.

use malachite_types as core;
use malachite_types::{NilOrVal, Round as CoreRound, SignedMessage, TimeoutKind, Vote as _, VoteType};
use xln_primitives::{FrameHash, Round};

use super::context::{At, BoardContext, CoreProposal, CoreVote, Frame};
use crate::{Ballot, EngineError, Offer, Polka, RoundCertificate, RoundProof, Signed, Step, Timer};

type SignedVote = SignedMessage<BoardContext, CoreVote>;
type SignedProposal = SignedMessage<BoardContext, CoreProposal>;

pub(super) fn round(round: CoreRound) -> Result<Round, EngineError> {
    round.as_u32().ok_or(EngineError::Unexpected("something in no round"))
}

pub(super) const fn step(kind: VoteType) -> Step {
    match kind {
        VoteType::Prevote => Step::Prevote,
        VoteType::Precommit => Step::Precommit,
    }
}

const fn kind(step: Step) -> VoteType {
    match step {
        Step::Prevote => VoteType::Prevote,
        Step::Precommit => VoteType::Precommit,
    }
}

fn frame(value: &NilOrVal<FrameHash>) -> Option<FrameHash> {
    match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(frame) => Some(*frame),
    }
}

pub(super) fn ballot(vote: &CoreVote) -> Result<Ballot, EngineError> {
    let round = round(vote.round)?;
    Ok(Ballot { member: vote.member, step: step(vote.kind), round, frame: frame(&vote.frame) })
}

pub(super) fn offer(proposal: &CoreProposal) -> Result<Offer, EngineError> {
    Ok(Offer {
        member: proposal.member,
        round: round(proposal.round)?,
        valid_round: proposal.pol_round.as_u32(),
        frame: proposal.frame.0,
    })
}

pub(super) fn signed_ballot(vote: &SignedVote) -> Result<Signed<Ballot>, EngineError> {
    Ok(Signed { statement: ballot(&vote.message)?, signature: vote.signature })
}

pub(super) fn signed_offer(proposal: &SignedProposal) -> Result<Signed<Offer>, EngineError> {
    Ok(Signed { statement: offer(&proposal.message)?, signature: proposal.signature })
}

pub(super) fn core_vote(height: At, signed: &Signed<Ballot>) -> SignedVote {
    let Ballot { member, step, round, frame } = signed.statement;
    let frame = frame.map_or(NilOrVal::Nil, NilOrVal::Val);
    let vote = CoreVote { height, round: CoreRound::new(round), frame, kind: kind(step), member };
    SignedMessage::new(vote, signed.signature)
}

pub(super) fn core_proposal(height: At, signed: &Signed<Offer>) -> SignedProposal {
    let Offer { member, round, valid_round, frame } = signed.statement;
    let (round, pol_round) = (CoreRound::new(round), CoreRound::from(valid_round));
    SignedMessage::new(
        CoreProposal { height, round, frame: Frame(frame), pol_round, member },
        signed.signature,
    )
}

pub(super) fn polka(certificate: &core::PolkaCertificate<BoardContext>) -> Result<Polka, EngineError> {
    let prevotes = certificate.polka_signatures.iter().map(|vote| (vote.address, vote.signature)).collect();
    Ok(Polka { round: round(certificate.round)?, frame: certificate.value_id, prevotes })
}

pub(super) fn core_polka(height: At, polka: &Polka) -> core::PolkaCertificate<BoardContext> {
    let polka_signatures = polka
        .prevotes
        .iter()
        .map(|(member, signature)| core::PolkaSignature::new(*member, *signature))
        .collect();
    core::PolkaCertificate {
        height,
        round: CoreRound::new(polka.round),
        value_id: polka.frame,
        polka_signatures,
    }
}

pub(super) fn round_certificate(
    certificate: &core::RoundCertificate<BoardContext>,
) -> Result<RoundCertificate, EngineError> {
    let at = round(certificate.round)?;
    let proof = match certificate.cert_type {
        core::RoundCertificateType::Skip => RoundProof::Skip,
        core::RoundCertificateType::Precommit => RoundProof::Precommits,
    };
    let votes = certificate
        .round_signatures
        .iter()
        .map(|vote| Signed {
            statement: Ballot {
                member: vote.address,
                step: step(vote.vote_type),
                round: at,
                frame: frame(&vote.value_id),
            },
            signature: vote.signature,
        })
        .collect();
    Ok(RoundCertificate { round: at, proof, votes })
}

pub(super) fn core_round_certificate(
    height: At,
    certificate: &RoundCertificate,
) -> core::RoundCertificate<BoardContext> {
    let cert_type = match certificate.proof {
        RoundProof::Skip => core::RoundCertificateType::Skip,
        RoundProof::Precommits => core::RoundCertificateType::Precommit,
    };
    let votes = certificate.votes.iter().map(|vote| core_vote(height, vote)).collect();
    core::RoundCertificate::new_from_votes(height, CoreRound::new(certificate.round), cert_type, votes)
}

/// The engine's timer; `None` for the one that ends a window in which late precommits are collected, which we never open.
pub(super) const fn timer(kind: TimeoutKind) -> Option<Timer> {
    match kind {
        TimeoutKind::Propose => Some(Timer::Propose),
        TimeoutKind::Prevote => Some(Timer::Prevote),
        TimeoutKind::Precommit => Some(Timer::Precommit),
        TimeoutKind::Rebroadcast => Some(Timer::Rebroadcast),
        TimeoutKind::FinalizeHeight(_) => None,
    }
}

pub(super) const fn core_timeout(timer: Timer, round: Round) -> core::Timeout {
    let round = CoreRound::new(round);
    match timer {
        Timer::Propose => core::Timeout::propose(round),
        Timer::Prevote => core::Timeout::prevote(round),
        Timer::Precommit => core::Timeout::precommit(round),
        Timer::Rebroadcast => core::Timeout::rebroadcast(round),
    }
}

/// What is logged of an input of the engine that asks to be.
pub(super) fn vote_kind_name(vote: &CoreVote) -> &'static str {
    match vote.vote_type() {
        VoteType::Prevote => "prevote",
        VoteType::Precommit => "precommit",
    }
}
