//! What each member said first, and the proof when it says something else.
//!
//! For every slot (round, step, member) the first signed vote is kept, and for every round the proposals. A second, different
//! statement for a slot is [`Evidence`], once per slot. The same record tells which votes need not be verified again, and
//! who voted for a frame and so has it.

use std::collections::{BTreeMap, BTreeSet};

use xln_primitives::{FrameHash, Round, Weight};

use crate::{Ballot, Electorate, Evidence, MemberIndex, Offer, ROUNDS_BEHIND_MAX, Signed, Step, Subject};

/// What a statement is to the witness.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    /// The first for its slot.
    New,
    /// Said before.
    Known,
    /// It contradicts what was said before; evidence if that is new.
    Conflict(Option<Box<Evidence>>),
}

/// Voters for one frame in one step of one round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) weight: Weight,
    pub(crate) members: Vec<MemberIndex>,
}

/// The record of one height.
#[derive(Debug, Clone)]
pub(crate) struct Witness {
    subject: Subject,
    ballots: BTreeMap<(Round, Step, MemberIndex), Signed<Ballot>>,
    offers: BTreeMap<Round, Vec<Signed<Offer>>>,
    tallies: BTreeMap<(Round, FrameHash, Step), Tally>,
    double_voters: BTreeSet<(Round, Step, MemberIndex)>,
}

impl Witness {
    pub(crate) const fn new(subject: Subject) -> Self {
        Self {
            subject,
            ballots: BTreeMap::new(),
            offers: BTreeMap::new(),
            tallies: BTreeMap::new(),
            double_voters: BTreeSet::new(),
        }
    }

    /// Whether exactly this vote, signature included, was recorded and so verified.
    pub(crate) fn knows(&self, vote: &Signed<Ballot>) -> bool {
        let Ballot { member, step, round, .. } = vote.statement;
        self.ballots.get(&(round, step, member)) == Some(vote)
    }

    /// Whether exactly this proposal was recorded.
    pub(crate) fn knows_offer(&self, offer: &Signed<Offer>) -> bool {
        self.offers.get(&offer.statement.round).is_some_and(|offers| offers.contains(offer))
    }

    /// Records a verified vote.
    pub(crate) fn ballot(&mut self, vote: &Signed<Ballot>, electorate: &Electorate) -> Seen {
        let Ballot { member, step, round, frame } = vote.statement;
        let slot = (round, step, member);
        let Some(first) = self.ballots.get(&slot) else {
            self.ballots.insert(slot, vote.clone());
            if let Some(frame) = frame {
                let tally = self.tallies.entry((round, frame, step)).or_default();
                tally.weight = tally.weight.saturating_add(electorate.weight(member));
                tally.members.push(member);
            }
            return Seen::New;
        };
        if first.statement == vote.statement {
            return Seen::Known;
        }
        let evidence = || Box::new(Evidence::ballots(&self.subject, first.clone(), vote.clone()));
        Seen::Conflict(self.double_voters.insert(slot).then(evidence))
    }

    /// Records a verified proposal.
    pub(crate) fn offer(&mut self, offer: &Signed<Offer>) -> Seen {
        let offers = self.offers.entry(offer.statement.round).or_default();
        if offers.iter().any(|known| known.statement == offer.statement) {
            return Seen::Known;
        }
        offers.push(offer.clone());
        match offers.as_slice() {
            [first, _] => {
                Seen::Conflict(Some(Box::new(Evidence::offers(&self.subject, first.clone(), offer.clone()))))
            }
            [_] => Seen::New,
            _ => Seen::Conflict(None),
        }
    }

    /// Whether another proposal may be taken in this round: two, and any that a quorum prevoted for.
    pub(crate) fn has_room_for(&self, offer: &Offer, quorum: Weight) -> bool {
        self.offers
            .get(&offer.round)
            .is_none_or(|offers| offers.len() < 2 || offers.iter().any(|known| known.statement == *offer))
            || self.tally(offer.round, offer.frame, Step::Prevote) >= quorum
    }

    /// A proposal of this frame, of this round if there is one.
    pub(crate) fn offer_of(&self, round: Round, frame: FrameHash) -> Option<&Signed<Offer>> {
        let of_frame =
            |offers: &'_ Vec<Signed<Offer>>| offers.iter().position(|o| o.statement.frame == frame);
        let in_round = self.offers.get(&round).and_then(|offers| offers.get(of_frame(offers)?));
        in_round.or_else(|| self.offers.values().find_map(|offers| offers.get(of_frame(offers)?)))
    }

    /// Whether this frame was proposed in this very round.
    pub(crate) fn was_offered(&self, round: Round, frame: FrameHash) -> bool {
        self.offers.get(&round).is_some_and(|offers| offers.iter().any(|o| o.statement.frame == frame))
    }

    /// Whether `member` proposed in this round.
    pub(crate) fn proposed(&self, round: Round, member: MemberIndex) -> bool {
        self.offers.get(&round).is_some_and(|offers| offers.iter().any(|o| o.statement.member == member))
    }

    /// Weight of the votes for a frame in a step of a round.
    pub(crate) fn tally(&self, round: Round, frame: FrameHash, step: Step) -> Weight {
        self.tallies.get(&(round, frame, step)).map_or(0, |tally| tally.weight)
    }

    /// Every frame that was voted for, with its voters.
    pub(crate) fn tallies(&self) -> impl Iterator<Item = (Round, FrameHash, Step, &Tally)> {
        self.tallies.iter().map(|((round, frame, step), tally)| (*round, *frame, *step, tally))
    }

    /// Whether votes of at least `weight` name this frame in some step of some round.
    pub(crate) fn matters(&self, frame: FrameHash, weight: Weight) -> bool {
        self.tallies().any(|(_, voted, _, tally)| voted == frame && tally.weight >= weight)
    }

    /// Forgets what is too far behind `round`.
    pub(crate) fn prune(&mut self, round: Round) {
        let keep = round.saturating_sub(ROUNDS_BEHIND_MAX);
        self.ballots.retain(|(round, _, _), _| *round >= keep);
        self.offers.retain(|round, _| *round >= keep);
        self.tallies.retain(|(round, _, _), _| *round >= keep);
        self.double_voters.retain(|(round, _, _)| *round >= keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::electorate::tests::board;
    use xln_primitives::{EntityId, Hash, Network, Profile};

    fn vote(member: u16, round: Round, frame: Option<u8>) -> Signed<Ballot> {
        let frame = frame.map(|byte| FrameHash::new([byte; 32]));
        let member = MemberIndex(member);
        Signed { statement: Ballot { member, step: Step::Prevote, round, frame }, signature: [0; 96] }
    }

    fn witness() -> (Witness, Electorate) {
        let subject =
            Subject { network: Network::ZERO, entity: EntityId::ZERO, board: Hash::ZERO, height: 1 };
        (Witness::new(subject), Electorate::new(&board(&[1, 2, 3, 4], 1, Profile::Byzantine)).unwrap())
    }

    #[test]
    fn a_second_vote_for_a_slot_is_evidence_once() {
        let (mut witness, electorate) = witness();
        assert_eq!(witness.ballot(&vote(1, 0, Some(1)), &electorate), Seen::New);
        assert_eq!(witness.ballot(&vote(1, 0, Some(1)), &electorate), Seen::Known);
        assert_eq!(witness.ballot(&vote(2, 0, None), &electorate), Seen::New);
        assert!(matches!(witness.ballot(&vote(1, 0, None), &electorate), Seen::Conflict(Some(_))));
        assert_eq!(witness.ballot(&vote(1, 0, Some(9)), &electorate), Seen::Conflict(None));
        assert_eq!(witness.tally(0, FrameHash::new([1; 32]), Step::Prevote), 2);
        assert_eq!(witness.tally(0, FrameHash::new([9; 32]), Step::Prevote), 0);
    }

    #[test]
    fn rounds_long_gone_are_forgotten() {
        let (mut witness, electorate) = witness();
        for round in 0..100 {
            witness.ballot(&vote(3, round, Some(1)), &electorate);
        }
        witness.prune(99);
        assert_eq!(witness.tallies().count(), 65);
        assert_eq!(witness.ballot(&vote(3, 35, Some(1)), &electorate), Seen::Known);
    }
}
