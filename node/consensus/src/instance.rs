//! One height of one entity, from the first sign of work to the decision.
//!
//! ```text
//!   verified statements ─► witness ─► engine ─► rows, timers, letters
//!   bodies ─► runtime ─► verdict ──────┘ └─► precommits of a quorum ─► certificate ─► decided
//!   certified frame of another ─► runtime ─► valid ────────────────────────────────────┘
//! ```
//!
//! A height is decided in one of two ways: by the engine, or by a certificate that another member sends. Either needs the
//! body, found valid by our own runtime; a certificate for a frame that it finds invalid halts the entity, since then the
//! two disagree about what the inputs give.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use xln_primitives::{Certificate, FrameHash, Round};

use crate::{
    ANSWERS_MAX, Ballot, BlsKey, BoardMessage, Body, Content, Effect, Entry, Halt, Input, Offer, Output,
    Polka, ROUNDS_AHEAD_MAX, Refusal, RoundCertificate, Row, Setup, Signed, Subject, Timer, TimerId, Verdict,
    Verified,
    bodies::{Bodies, Standing},
    commitment::certify,
    desk::{Desk, Ground, OwnKey},
    engine::{Engine, Logged},
    far::Far,
    missing::Missing,
    outbox::{Letter, Rank},
    witness::{Seen, Witness},
};
use codec::Encode;

/// An active height.
pub(crate) struct Instance<E> {
    pub(crate) ground: Ground,
    pub(crate) engine: E,
    pub(crate) witness: Witness,
    pub(crate) bodies: Bodies,
    pub(crate) sequence: u64,
    others: Arc<[BlsKey]>,
    far: Far,
    missing: Missing,
    answered: BTreeMap<BlsKey, u32>,
    timers: BTreeSet<(Timer, Round)>,
    asked_to_build: BTreeSet<Round>,
    certified: Option<(FrameHash, Certificate)>,
    decided: Option<FrameHash>,
}

impl<E: Engine> Instance<E> {
    /// A height that has not begun.
    pub(crate) fn new(ground: Ground) -> Self {
        let Ground { electorate, own, .. } = &ground;
        let setup = Setup {
            height: ground.subject.height,
            electorate: electorate.clone(),
            own: *own,
            quorum: electorate.quorum(),
        };
        let others = electorate.voters().filter(|(index, ..)| index != own).map(|(_, key, _)| *key).collect();
        Self {
            engine: E::new(&setup),
            witness: Witness::new(ground.subject),
            bodies: Bodies::default(),
            sequence: 0,
            others,
            far: Far::default(),
            missing: Missing::default(),
            answered: BTreeMap::new(),
            timers: BTreeSet::new(),
            asked_to_build: BTreeSet::new(),
            certified: None,
            decided: None,
            ground,
        }
    }

    /// Enters round 0.
    pub(crate) fn start(&mut self, desk: &mut Desk<'_>) -> Result<(), Halt> {
        let outputs = self.engine.start(&OwnKey { subject: &self.ground.subject, signer: desk.signer })?;
        self.act(outputs, desk)
    }

    pub(crate) fn round(&self) -> Round {
        self.engine.round()
    }

    pub(crate) const fn witness(&self) -> &Witness {
        &self.witness
    }

    /// The frame, once the height is decided.
    pub(crate) const fn decided(&self) -> Option<FrameHash> {
        self.decided
    }

    /// A proposal with its body.
    pub(crate) fn on_offer(
        &mut self,
        offer: Verified<Signed<Offer>>,
        body: Body,
        from: BlsKey,
        desk: &mut Desk<'_>,
    ) -> Result<(), Halt> {
        let Offer { round, frame, .. } = offer.statement;
        if !self.witness.has_room_for(&offer.statement, self.ground.electorate.quorum()) {
            return Ok(());
        }
        let seen = self.witness.offer(&offer);
        if let Seen::Conflict(Some(evidence)) = &seen {
            desk.turn.effects.push(Effect::Evidence((**evidence).clone()));
        }
        self.hold(frame, round, body, from, desk);
        // The other of two proposals may be the one that a quorum votes for; the engine knows how to hold both.
        if seen == Seen::Known { Ok(()) } else { self.feed(Input::Offer(offer), desk) }
    }

    /// A vote.
    pub(crate) fn on_ballot(
        &mut self,
        vote: Verified<Signed<Ballot>>,
        desk: &mut Desk<'_>,
    ) -> Result<(), Halt> {
        if vote.statement.round > self.round().saturating_add(ROUNDS_AHEAD_MAX) {
            return match self.far.add(vote, &self.ground.electorate) {
                Some(certificate) => self.on_round_certificate(certificate, desk),
                None => Ok(()),
            };
        }
        match self.witness.ballot(&vote, &self.ground.electorate) {
            Seen::New => {
                self.feed(Input::Ballot(vote), desk)?;
                self.ask_for_missing(false, desk);
            }
            Seen::Known => {}
            Seen::Conflict(evidence) => desk.turn.effects.extend(evidence.map(|e| Effect::Evidence(*e))),
        }
        Ok(())
    }

    /// A quorum of prevotes.
    pub(crate) fn on_polka(&mut self, polka: Verified<Polka>, desk: &mut Desk<'_>) -> Result<(), Halt> {
        let votes = self.record(polka.ballots(), desk);
        self.feed(Input::Polka(polka), desk)?;
        self.count(votes, desk)
    }

    /// Votes that justify another round.
    pub(crate) fn on_round_certificate(
        &mut self,
        certificate: Verified<RoundCertificate>,
        desk: &mut Desk<'_>,
    ) -> Result<(), Halt> {
        let votes = self.record(certificate.votes.iter().cloned(), desk);
        self.feed(Input::RoundCertificate(certificate), desk)?;
        self.count(votes, desk)
    }

    /// The engine ignores a certificate that it has no use for, with the votes in it. They may be the only copy that
    /// comes, since a vote that the witness knows is not heard again; so each is counted on its own.
    fn count(&mut self, votes: Vec<Signed<Ballot>>, desk: &mut Desk<'_>) -> Result<(), Halt> {
        for vote in votes {
            self.feed(Input::Ballot(Verified::vouched(vote)), desk)?;
        }
        self.ask_for_missing(false, desk);
        Ok(())
    }

    /// A frame that the board committed to; its certificate is verified.
    pub(crate) fn on_decided(
        &mut self,
        (frame, certificate): (FrameHash, Certificate),
        body: Body,
        from: BlsKey,
        desk: &mut Desk<'_>,
    ) -> Result<(), Halt> {
        if self.decided.is_some() {
            return Ok(());
        }
        self.certified = Some((frame, certificate));
        self.hold(frame, self.round(), body, from, desk);
        match self.bodies.standing(frame) {
            Some(Standing::Valid) => self.decide_certified(desk),
            Some(Standing::Invalid) => Err(Halt::CertifiedInvalid { frame }),
            Some(Standing::Asked(_)) | None => Ok(()),
        }
    }

    /// Somebody asks for a proposal.
    pub(crate) fn on_request(&mut self, from: BlsKey, round: Round, frame: FrameHash, desk: &mut Desk<'_>) {
        let Some(offer) = self.witness.offer_of(round, frame).cloned() else { return };
        let answers = self.answered.entry(from).or_insert(0);
        if *answers < ANSWERS_MAX {
            *answers = answers.saturating_add(1);
            self.send_offer(offer, Arc::new([from]), desk);
        }
    }

    /// Our own frame for a round that asked for one.
    pub(crate) fn on_built(
        &mut self,
        round: Round,
        frame: FrameHash,
        body: Body,
        desk: &mut Desk<'_>,
    ) -> Result<(), Halt> {
        // Only the first answer counts, and only in its round: another frame for the slot would be a double proposal.
        if round != self.round()
            || !self.asked_to_build.contains(&round)
            || self.witness.proposed(round, self.ground.own)
        {
            return Ok(());
        }
        self.keep(frame, round, body, Standing::Valid);
        self.feed(Input::Propose { round, frame }, desk)
    }

    /// What the runtime says about a frame.
    pub(crate) fn on_validated(
        &mut self,
        frame: FrameHash,
        verdict: Verdict,
        desk: &mut Desk<'_>,
    ) -> Result<(), Halt> {
        let Some(Standing::Asked(from)) = self.bodies.standing(frame) else {
            return Ok(());
        };
        let certified = self.certified.as_ref().is_some_and(|(of, _)| *of == frame);
        match verdict {
            Verdict::Valid => self.bodies.judge(frame, Standing::Valid),
            Verdict::Invalid if certified => return Err(Halt::CertifiedInvalid { frame }),
            Verdict::Invalid => self.bodies.judge(frame, Standing::Invalid),
            Verdict::Mismatch => {
                self.bodies.remove(frame);
                self.missing.again(frame);
                desk.turn.effects.push(Effect::Refused { from, reason: Refusal::Body });
                self.ask_for_missing(false, desk);
                return Ok(());
            }
        }
        if certified {
            return self.decide_certified(desk);
        }
        let valid = verdict == Verdict::Valid;
        match self.witness.offer_of(self.round(), frame).map(|offer| offer.statement.clone()) {
            Some(Offer { member, round, .. }) => {
                self.feed(Input::Value { round, member, frame, valid }, desk)
            }
            None => Ok(()),
        }
    }

    /// A timer elapsed.
    pub(crate) fn on_elapsed(&mut self, timer: Timer, round: Round, desk: &mut Desk<'_>) -> Result<(), Halt> {
        if !self.timers.remove(&(timer, round)) {
            return Ok(());
        }
        if timer == Timer::Rebroadcast {
            self.ask_for_missing(true, desk);
        }
        self.feed(Input::Elapsed(timer, round), desk)
    }

    /// Cancels every timer: the height is over for us.
    pub(crate) fn stop(&mut self, desk: &mut Desk<'_>) {
        for (timer, round) in std::mem::take(&mut self.timers) {
            desk.turn.effects.push(Effect::CancelTimer { timer: self.timer_id(timer, round) });
        }
    }

    pub(crate) fn feed(&mut self, input: Input, desk: &mut Desk<'_>) -> Result<(), Halt> {
        if self.decided.is_some() {
            return Ok(());
        }
        let outputs =
            self.engine.step(input, &OwnKey { subject: &self.ground.subject, signer: desk.signer })?;
        self.act(outputs, desk)
    }

    pub(crate) fn act(&mut self, outputs: Vec<Output>, desk: &mut Desk<'_>) -> Result<(), Halt> {
        for output in outputs {
            match output {
                Output::Append(logged) => self.append(logged, desk)?,
                // Our own precommit may decide the height before the engine has said all about it.
                Output::SetTimer(..) | Output::Build(_) if self.decided.is_some() => {}
                Output::SetTimer(timer, round) => self.set_timer(timer, round, desk),
                Output::CancelTimer(timer, round) => {
                    if self.timers.remove(&(timer, round)) {
                        desk.turn.effects.push(Effect::CancelTimer { timer: self.timer_id(timer, round) });
                    }
                }
                Output::CancelAllTimers => self.stop(desk),
                Output::Round(round) => {
                    self.witness.prune(round);
                    self.missing.prune(round.saturating_sub(ROUNDS_AHEAD_MAX));
                    self.asked_to_build.retain(|of| *of >= round);
                }
                Output::Build(round) => self.build(round, desk),
                Output::Offer(offer) => {
                    self.witness.offer(&offer);
                    self.send_offer(offer, self.others.clone(), desk);
                }
                Output::Ballot(ballot) => {
                    self.witness.ballot(&ballot, &self.ground.electorate);
                    self.send(Content::Vote(ballot), Rank::Vote, self.others.clone(), desk);
                }
                Output::Polka(polka) => {
                    self.send(Content::Polka(polka), Rank::Vote, self.others.clone(), desk);
                }
                Output::RoundCertificate(certificate) => {
                    let content = Content::RoundCertificate(certificate);
                    self.send(content, Rank::Vote, self.others.clone(), desk);
                }
                Output::Decided { round, frame, precommits } => {
                    let Ground { subject, board, .. } = &self.ground;
                    let certificate =
                        certify(subject, board, round, frame, &precommits).map_err(Halt::Certificate)?;
                    self.decide(frame, certificate, desk)?;
                }
            }
        }
        Ok(())
    }

    fn append(&mut self, logged: Logged, desk: &mut Desk<'_>) -> Result<(), Halt> {
        let entry = match logged {
            Logged::Entry(entry) => entry,
            Logged::Value { round, member, frame, valid } => {
                let body =
                    if valid { Some(self.bodies.body(frame).ok_or(Halt::BodyLost { frame })?) } else { None };
                Entry::Value { round, member, frame, body: body.cloned() }
            }
        };
        let Subject { entity, height, .. } = self.ground.subject;
        desk.turn.rows.push(Row { entity, height, sequence: self.sequence, entry });
        self.sequence = self.sequence.saturating_add(1);
        Ok(())
    }

    pub(crate) fn build(&mut self, round: Round, desk: &mut Desk<'_>) {
        let Subject { entity, height, .. } = self.ground.subject;
        if self.asked_to_build.insert(round) {
            let within_ms = desk.timing.wait_ms(Timer::Propose, round);
            desk.turn.effects.push(Effect::Build { entity, height, round, within_ms });
        }
    }

    pub(crate) fn running(&self) -> Vec<(Timer, Round)> {
        self.timers.iter().copied().collect()
    }

    pub(crate) fn set_timer(&mut self, timer: Timer, round: Round, desk: &mut Desk<'_>) {
        self.timers.insert((timer, round));
        let after_ms = desk.timing.wait_ms(timer, round);
        desk.turn.effects.push(Effect::SetTimer { timer: self.timer_id(timer, round), after_ms });
    }

    const fn timer_id(&self, timer: Timer, round: Round) -> TimerId {
        let Subject { entity, height, .. } = self.ground.subject;
        TimerId { entity, height, round, timer }
    }

    /// Records the votes of a certificate and returns the new ones. A double vote may show in nothing else.
    fn record(
        &mut self,
        votes: impl Iterator<Item = Signed<Ballot>>,
        desk: &mut Desk<'_>,
    ) -> Vec<Signed<Ballot>> {
        let mut new = Vec::new();
        for vote in votes {
            match self.witness.ballot(&vote, &self.ground.electorate) {
                Seen::New => new.push(vote),
                Seen::Conflict(Some(evidence)) => desk.turn.effects.push(Effect::Evidence(*evidence)),
                Seen::Known | Seen::Conflict(None) => {}
            }
        }
        new
    }

    /// Keeps a body that we do not have and has it executed.
    fn hold(&mut self, frame: FrameHash, round: Round, body: Body, from: BlsKey, desk: &mut Desk<'_>) {
        if self.bodies.has(frame) {
            return;
        }
        self.keep(frame, round, body.clone(), Standing::Asked(from));
        let Subject { entity, height, .. } = self.ground.subject;
        desk.turn.effects.push(Effect::Validate { entity, height, frame, body });
    }

    pub(crate) fn keep(&mut self, frame: FrameHash, round: Round, body: Body, standing: Standing) {
        let (witness, honest) = (&self.witness, self.ground.electorate.honest());
        self.bodies.insert(frame, round, body, standing, |frame| witness.matters(frame, honest));
    }

    fn ask_for_missing(&mut self, slow: bool, desk: &mut Desk<'_>) {
        if self.decided.is_some() {
            return;
        }
        let Ground { electorate, own, .. } = &self.ground;
        let bodies = &self.bodies;
        let has_body = |frame| bodies.has(frame);
        let wanted = self.missing.wanted(&self.witness, has_body, *own, electorate.quorum(), slow);
        for wanted in wanted {
            if let Some(key) = self.ground.electorate.key(wanted.from) {
                let content = Content::Request { round: wanted.round, frame: wanted.frame };
                self.send(content, Rank::Vote, Arc::new([*key]), desk);
            }
        }
    }

    fn send_offer(&self, offer: Signed<Offer>, to: Arc<[BlsKey]>, desk: &mut Desk<'_>) {
        // A body that made room for others is asked for by whoever needs it, elsewhere.
        if let Some(body) = self.bodies.body(offer.statement.frame).cloned() {
            self.send(Content::Proposal { offer, body }, Rank::Proposal, to, desk);
        }
    }

    fn send(&self, content: Content, rank: Rank, to: Arc<[BlsKey]>, desk: &mut Desk<'_>) {
        let Subject { entity, height, .. } = self.ground.subject;
        if !to.is_empty() {
            let bytes = BoardMessage { entity, height, content }.encode().into();
            desk.turn.letters.push(Letter { rank, to, bytes });
        }
    }

    fn decide_certified(&mut self, desk: &mut Desk<'_>) -> Result<(), Halt> {
        match self.certified.take() {
            Some((frame, certificate)) => self.decide(frame, certificate, desk),
            None => Ok(()),
        }
    }

    fn decide(
        &mut self,
        frame: FrameHash,
        certificate: Certificate,
        desk: &mut Desk<'_>,
    ) -> Result<(), Halt> {
        let body = self.bodies.body(frame).cloned().ok_or(Halt::BodyLost { frame })?;
        self.stop(desk);
        self.decided = Some(frame);
        let Subject { entity, height, .. } = self.ground.subject;
        desk.turn.effects.push(Effect::Decided { entity, height, frame, certificate, body });
        Ok(())
    }
}
