//! The way of a message from the wire to the instance.
//!
//! ```text
//!  bytes ─► quota ─► decode ─► seat, member ─► height ─┬ over ──► answer with frame and certificate
//!                                                      ├ now ───► gate ─► verified together ─► instance
//!                                                      ├ next ──► waits, and a catch-up if we are idle
//!                                                      └ later ─► catch-up
//! ```

use xln_primitives::EntityId;

use crate::{
    BlsKey, BoardMessage, Content, Effect, Engine, Host, Refusal, Verified,
    gate::{Pending, View, When},
    host::Work,
    seat::{Phase, Seat},
    turn::Turn,
    verify::check_all,
};

/// A message between the gate and the instance.
pub(crate) struct Waiting {
    entity: EntityId,
    from: BlsKey,
    pending: Pending,
    claims: usize,
}

impl<E: Engine> Host<E> {
    pub(crate) fn receive(&mut self, from: BlsKey, bytes: &[u8], work: &mut Work) {
        if let Err(tell) = work.quota.take(&from, bytes.len()) {
            if tell {
                work.turn.effects.push(Effect::Refused { from, reason: Refusal::Quota });
            }
            return;
        }
        let taken = match BoardMessage::from_bytes(bytes) {
            Ok(message) => self.take(from, message, work),
            Err(_) => Err(Refusal::Malformed),
        };
        if let Err(reason) = taken {
            work.turn.effects.push(Effect::Refused { from, reason });
        }
    }

    pub(crate) fn take(
        &mut self,
        from: BlsKey,
        message: BoardMessage,
        work: &mut Work,
    ) -> Result<(), Refusal> {
        let BoardMessage { entity, height, .. } = message;
        let seat = self.seats.get_mut(&entity).ok_or(Refusal::UnknownEntity)?;
        let member = seat.ground.electorate.index_of(&from).ok_or(Refusal::NotAMember)?;
        if seat.is_muted(&from) {
            return Err(Refusal::Muted);
        }
        seat.hear(member, height);
        match (When::of(height, seat.height()), &seat.phase) {
            (_, Phase::Halted) => Ok(()),
            (When::Over, _) | (When::Now, Phase::Decided(_)) => {
                if seat.stale.answers(member, height, &message.content) {
                    work.turn.effects.push(Effect::Answer { to: from, entity, height });
                }
                Ok(())
            }
            (When::Now, Phase::Idle | Phase::Active(_)) => {
                self.take_current(entity, from, message.content, work)
            }
            (When::Next, phase) => {
                // While this height is being decided the next is near; otherwise we missed this one.
                if matches!(phase, Phase::Idle) {
                    catch_up(seat, from, &mut work.turn);
                }
                if seat.keep_early(from, message) { Ok(()) } else { Err(Refusal::Early) }
            }
            (When::Later, _) => {
                catch_up(seat, from, &mut work.turn);
                Ok(())
            }
        }
    }

    fn take_current(
        &mut self,
        entity: EntityId,
        from: BlsKey,
        content: Content,
        work: &mut Work,
    ) -> Result<(), Refusal> {
        match content {
            Content::Request { round, frame } => {
                // Whoever asks heard of votes that we may have before it: they are heard first.
                self.hear_waiting(work);
                self.with_instance(entity, false, &mut work.turn, |instance, desk| {
                    instance.on_request(from, round, frame, desk);
                    Ok(())
                });
                Ok(())
            }
            Content::Decided { frame, certificate, body } => {
                self.hear_waiting(work);
                let seat = self.seats.get_mut(&entity).ok_or(Refusal::UnknownEntity)?;
                if !seat.certifies(frame, &certificate) {
                    seat.strike(from);
                    return Err(Refusal::Certificate);
                }
                self.with_instance(entity, true, &mut work.turn, |instance, desk| {
                    instance.on_decided((frame, certificate), body, from, desk)
                });
                Ok(())
            }
            content => {
                let seat = self.seats.get_mut(&entity).ok_or(Refusal::UnknownEntity)?;
                if !seat.may_vote() {
                    seat.wanted = true;
                    return Ok(());
                }
                let (round, witness) = match &seat.phase {
                    Phase::Active(instance) => (instance.round(), Some(instance.witness())),
                    Phase::Idle | Phase::Decided(_) | Phase::Halted => (0, None),
                };
                let view = View {
                    subject: seat.ground.subject,
                    electorate: &seat.ground.electorate,
                    round,
                    witness,
                };
                if let Some((pending, claims)) = view.admit(content)? {
                    work.waiting.push(Waiting { entity, from, pending, claims: claims.len() });
                    work.claims.extend(claims);
                }
                Ok(())
            }
        }
    }

    /// Verifies everything that waits, together, and lets what holds be heard in the order that it came.
    pub(crate) fn hear_waiting(&mut self, work: &mut Work) {
        if work.waiting.is_empty() {
            return;
        }
        let mut holds = check_all(&std::mem::take(&mut work.claims), work.seed).into_iter();
        for Waiting { entity, from, pending, claims } in std::mem::take(&mut work.waiting) {
            let held = holds.by_ref().take(claims).filter(|holds| *holds).count();
            if held < claims {
                if let Some(seat) = self.seats.get_mut(&entity) {
                    seat.strike(from);
                }
                work.turn.effects.push(Effect::Refused { from, reason: Refusal::Signature });
                continue;
            }
            self.with_instance(entity, true, &mut work.turn, |instance, desk| match pending {
                Pending::Offer(offer, body) => instance.on_offer(Verified::vouched(offer), body, from, desk),
                Pending::Ballot(ballot) => instance.on_ballot(Verified::vouched(ballot), desk),
                Pending::Polka(polka) => instance.on_polka(Verified::vouched(polka), desk),
                Pending::RoundCertificate(certificate) => {
                    instance.on_round_certificate(Verified::vouched(certificate), desk)
                }
            });
        }
    }
}

/// Asks for a catch-up from a member that is ahead, once until it ended.
pub(crate) fn catch_up<E>(seat: &mut Seat<E>, member: BlsKey, turn: &mut Turn) {
    if seat.catches_up_from(member) {
        let (entity, from) = (seat.ground.subject.entity, seat.height());
        turn.effects.push(Effect::CatchUp { entity, from, member });
    }
}
