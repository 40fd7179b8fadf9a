//! Votes from rounds that are further ahead than a single vote may be.
//!
//! A member that was away finds the others many rounds ahead. One vote from there proves nothing and is not counted, but
//! votes of more than a third of the weight for one round do: among them is an honest member. They are collected here, the
//! latest of each member, and become a round certificate that lets this member enter the round.

use std::collections::BTreeMap;

use crate::{Ballot, Electorate, MemberIndex, RoundCertificate, RoundProof, Signed, Verified};

#[derive(Debug, Clone, Default)]
pub(crate) struct Far(BTreeMap<MemberIndex, Signed<Ballot>>);

impl Far {
    /// Adds a vote; returns a certificate for its round if enough weight votes there.
    pub(crate) fn add(
        &mut self,
        vote: Verified<Signed<Ballot>>,
        electorate: &Electorate,
    ) -> Option<Verified<RoundCertificate>> {
        let vote = vote.get();
        let (member, round) = (vote.statement.member, vote.statement.round);
        if self.0.get(&member).is_some_and(|known| known.statement.round > round) {
            return None;
        }
        self.0.insert(member, vote);
        let there = |vote: &&Signed<Ballot>| vote.statement.round == round;
        let weight = electorate.weigh(self.0.values().filter(there).map(|vote| &vote.statement.member));
        if weight < electorate.honest() {
            return None;
        }
        let votes = self.0.values().filter(there).cloned().collect();
        // Whoever is behind this round now says nothing that matters.
        self.0.retain(|_, vote| vote.statement.round > round);
        Some(Verified::vouched(RoundCertificate { round, proof: RoundProof::Skip, votes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Step, electorate::tests::board};
    use xln_primitives::{Profile, Round};

    fn vote(member: u16, round: Round) -> Verified<Signed<Ballot>> {
        let statement = Ballot { member: MemberIndex(member), step: Step::Prevote, round, frame: None };
        Verified::vouched(Signed { statement, signature: [0; 96] })
    }

    #[test]
    fn more_than_a_third_in_one_round_lets_us_in_and_less_does_not() {
        let electorate = Electorate::new(&board(&[1, 1, 1, 1], 1, Profile::Byzantine)).unwrap();
        let mut far = Far::default();
        assert_eq!(far.add(vote(0, 900), &electorate), None);
        assert_eq!(far.add(vote(0, 900), &electorate), None, "the same member twice");
        assert_eq!(far.add(vote(1, 901), &electorate), None, "another round");
        let certificate = far.add(vote(0, 901), &electorate).unwrap();
        assert_eq!((certificate.round, certificate.votes.len()), (901, 2));
    }
}
