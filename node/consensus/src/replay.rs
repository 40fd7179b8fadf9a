//! A height that was active when the process ended.
//!
//! The engine is first told of everything in the log that we signed, then fed with the rows in order. It derives its votes
//! again; each must be one that is logged, and keeps the signature that is logged. A vote that is not in the log, or
//! another than there, means that the same inputs gave something else: the entity halts, since going on could sign twice.
//!
//! During replay nothing is appended and nothing is built. What it would send or wait for is gathered, and only what is
//! of the last round is sent and waited for after; those letters are durable already. New rows continue the sequence.

use xln_primitives::Round;

use crate::{
    BoardMessage, Content, Effect, Entry, Halt, Row,
    bodies::Standing,
    desk::{Desk, Ground},
    engine::Engine,
    instance::Instance,
    malachite::replayed,
    outbox::Letter,
    turn::Turn,
    witness::Seen,
};

/// Brings an instance back to where its log ends. `rows` must be of this height, numbered from 0 without a gap.
pub(crate) fn replay<E: Engine>(
    ground: Ground,
    rows: Vec<Row>,
    desk: &mut Desk<'_>,
) -> Result<Instance<E>, Halt> {
    for (expected, row) in (0_u64..).zip(&rows) {
        if row.sequence != expected {
            return Err(Halt::LogGap { expected, found: row.sequence });
        }
    }
    let mut instance: Instance<E> = Instance::new(ground);
    let entries: Vec<Entry> = rows.into_iter().map(|row| row.entry).collect();
    instance.engine.begin_replay(&entries);
    // Gathers what the replay would do; nothing of it is done but what is picked out below.
    let mut shadow = Turn::default();
    let mut aside = Desk { turn: &mut shadow, signer: desk.signer, timing: desk.timing };
    instance.start(&mut aside)?;
    for entry in entries {
        instance.recall(&entry, &mut aside);
        instance.feed(replayed(&entry), &mut aside)?;
        instance.sequence = instance.sequence.saturating_add(1);
    }
    instance.engine.end_replay();
    if let Some(row) = shadow.rows.first() {
        return Err(Halt::ReplayAppended { sequence: row.sequence });
    }
    instance.resume(shadow, desk);
    Ok(instance)
}

impl<E: Engine> Instance<E> {
    /// Remembers what a row says, as when it came.
    fn recall(&mut self, entry: &Entry, desk: &mut Desk<'_>) {
        let seen = match entry {
            Entry::Offer(offer) => self.witness.offer(offer),
            Entry::Ballot(ballot) => self.witness.ballot(ballot, &self.ground.electorate),
            Entry::Polka(polka) => {
                for ballot in polka.ballots() {
                    self.witness.ballot(&ballot, &self.ground.electorate);
                }
                Seen::Known
            }
            Entry::Value { round, frame, body, .. } => {
                let standing = if body.is_some() { Standing::Valid } else { Standing::Invalid };
                self.keep(*frame, *round, body.clone().unwrap_or_default(), standing);
                Seen::Known
            }
            Entry::ProposeTimeout(_) | Entry::VoteTimeout(..) => Seen::Known,
        };
        if let Seen::Conflict(Some(evidence)) = seen {
            desk.turn.effects.push(Effect::Evidence(*evidence));
        }
    }

    /// Picks out of what the replay would have done what is still to do.
    fn resume(&mut self, shadow: Turn, desk: &mut Desk<'_>) {
        let round = self.round();
        let ours = self.ground.own;
        for effect in shadow.effects {
            match effect {
                Effect::Decided { .. } | Effect::Evidence(_) => desk.turn.effects.push(effect),
                Effect::Build { round: of, .. } if of == round && !self.witness.proposed(round, ours) => {
                    desk.turn.effects.push(effect);
                }
                _ => {}
            }
        }
        if self.decided().is_some() {
            return;
        }
        for (timer, of) in self.running() {
            self.set_timer(timer, of, desk);
        }
        desk.turn.letters.extend(shadow.letters.into_iter().filter(|letter| is_of_round(letter, round)));
    }
}

/// Whether a letter is a proposal or vote of this round.
fn is_of_round(letter: &Letter, round: Round) -> bool {
    match BoardMessage::from_bytes(&letter.bytes).map(|message| message.content) {
        Ok(Content::Vote(vote)) => vote.statement.round == round,
        Ok(Content::Proposal { offer, .. }) => offer.statement.round == round,
        Ok(_) | Err(_) => false,
    }
}
