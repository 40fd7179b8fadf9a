//! The first look at a message, before any signature is verified and before any instance hears of it.
//!
//! What the gate lets pass is small enough, from a member of the board, about a slot that the sender or author may speak
//! about, and names which signatures are still to be verified.

use std::collections::BTreeMap;

use xln_primitives::{Height, Round};

use crate::{
    BODY_BYTES_MAX, BYTES_PER_TURN_MAX, Ballot, BlsKey, Body, Content, Electorate, MESSAGES_PER_TURN_MAX,
    MemberIndex, Offer, PEERS_PER_TURN_MAX, Polka, ROUNDS_AHEAD_MAX, Refusal, RoundCertificate, RoundProof,
    Signed, Step, Subject, verify::Claim, witness::Witness,
};

/// What each peer sent in this turn.
#[derive(Debug, Default)]
pub(crate) struct Quota(BTreeMap<BlsKey, (u32, usize)>);

impl Quota {
    /// Counts a message. An error says whether it is the first over the limit, which is worth telling.
    pub(crate) fn take(&mut self, from: &BlsKey, bytes: usize) -> Result<(), bool> {
        if !self.0.contains_key(from) && self.0.len() >= PEERS_PER_TURN_MAX {
            return Err(false);
        }
        let (messages, size) = self.0.entry(*from).or_default();
        let over = *messages >= MESSAGES_PER_TURN_MAX || *size >= BYTES_PER_TURN_MAX;
        let told = *messages > MESSAGES_PER_TURN_MAX;
        *messages = messages.saturating_add(1);
        *size = size.saturating_add(bytes);
        if over {
            *messages = MESSAGES_PER_TURN_MAX.saturating_add(1);
            return Err(!told);
        }
        Ok(())
    }
}

/// A message of the right form whose signatures are still to be verified.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pending {
    Offer(Signed<Offer>, Body),
    Ballot(Signed<Ballot>),
    Polka(Polka),
    RoundCertificate(RoundCertificate),
}

/// What a height looks like from the gate.
pub(crate) struct View<'a> {
    pub(crate) subject: Subject,
    pub(crate) electorate: &'a Electorate,
    /// Our round, 0 if the height has not begun.
    pub(crate) round: Round,
    /// What is verified already, if the height has begun.
    pub(crate) witness: Option<&'a Witness>,
}

impl View<'_> {
    /// Checks the form of `content`. `None`: nothing new in it.
    pub(crate) fn admit(&self, content: Content) -> Result<Option<(Pending, Vec<Claim>)>, Refusal> {
        Ok(match content {
            Content::Proposal { offer, body } => {
                self.offer(&offer, &body)?;
                let claims = self.claims_of_offer(&offer)?;
                Some((Pending::Offer(offer, body), claims))
            }
            Content::Vote(ballot) => {
                if self.witness.is_some_and(|witness| witness.knows(&ballot)) {
                    return Ok(None);
                }
                let claims = self.claims([&ballot])?;
                Some((Pending::Ballot(ballot), claims))
            }
            Content::Polka(polka) => {
                let ballots: Vec<_> = polka.ballots().collect();
                self.distinct(&ballots, self.electorate.quorum())?;
                let claims = self.claims(&ballots)?;
                Some((Pending::Polka(polka), claims))
            }
            Content::RoundCertificate(certificate) => {
                self.round_certificate(&certificate)?;
                let claims = self.claims(&certificate.votes)?;
                Some((Pending::RoundCertificate(certificate), claims))
            }
            // Not signed by themselves; the host takes them elsewhere.
            Content::Decided { .. } | Content::Request { .. } => None,
        })
    }

    fn offer(&self, offer: &Signed<Offer>, body: &Body) -> Result<(), Refusal> {
        let Offer { member, round, valid_round, .. } = offer.statement;
        if body.len() > BODY_BYTES_MAX {
            return Err(Refusal::Body);
        }
        if round > self.round.saturating_add(ROUNDS_AHEAD_MAX)
            || valid_round.is_some_and(|valid| valid >= round)
        {
            return Err(Refusal::Round);
        }
        if member != self.electorate.proposer(self.subject.height, round) {
            return Err(Refusal::NotTheProposer);
        }
        Ok(())
    }

    fn round_certificate(&self, certificate: &RoundCertificate) -> Result<(), Refusal> {
        let least = match certificate.proof {
            RoundProof::Skip => self.electorate.honest(),
            RoundProof::Precommits => self.electorate.quorum(),
        };
        let fits = |vote: &Signed<Ballot>| {
            let Ballot { round, step, .. } = vote.statement;
            round == certificate.round && (certificate.proof == RoundProof::Skip || step == Step::Precommit)
        };
        if !certificate.votes.iter().all(fits) {
            return Err(Refusal::Certificate);
        }
        self.distinct(&certificate.votes, least)
    }

    /// Each member once, all of them voters, with enough weight.
    fn distinct(&self, votes: &[Signed<Ballot>], least: u32) -> Result<(), Refusal> {
        let mut members: Vec<MemberIndex> = votes.iter().map(|vote| vote.statement.member).collect();
        members.sort_unstable();
        members.dedup();
        if members.len() != votes.len() || self.electorate.weigh(&members) < least {
            return Err(Refusal::Certificate);
        }
        Ok(())
    }

    /// The signatures to verify: those of votes that are not known to the last byte.
    fn claims<'a>(&self, votes: impl IntoIterator<Item = &'a Signed<Ballot>>) -> Result<Vec<Claim>, Refusal> {
        let new = |vote: &&Signed<Ballot>| !self.witness.is_some_and(|witness| witness.knows(vote));
        votes
            .into_iter()
            .filter(new)
            .map(|vote| {
                let key = *self.electorate.key(vote.statement.member).ok_or(Refusal::NotAMember)?;
                let message = self.subject.ballot_bytes(&vote.statement);
                Ok(Claim { key, message, signature: vote.signature })
            })
            .collect()
    }

    fn claims_of_offer(&self, offer: &Signed<Offer>) -> Result<Vec<Claim>, Refusal> {
        if self.witness.is_some_and(|witness| witness.knows_offer(offer)) {
            return Ok(Vec::new());
        }
        let key = *self.electorate.key(offer.statement.member).ok_or(Refusal::NotAMember)?;
        let message = self.subject.offer_bytes(&offer.statement);
        Ok(vec![Claim { key, message, signature: offer.signature }])
    }
}

/// Where a message stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Over,
    Now,
    Next,
    Later,
}

impl When {
    pub(crate) fn of(height: Height, ours: Height) -> Self {
        match height.checked_sub(ours) {
            None => Self::Over,
            Some(0) => Self::Now,
            Some(1) => Self::Next,
            Some(_) => Self::Later,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::electorate::tests::board;
    use xln_primitives::{EntityId, FrameHash, Network, Profile};

    const FRAME: FrameHash = FrameHash::new([1; 32]);

    fn vote(member: u16, step: Step) -> Signed<Ballot> {
        let statement = Ballot { member: MemberIndex(member), step, round: 3, frame: Some(FRAME) };
        Signed { statement, signature: [0; 96] }
    }

    fn admit(content: Content) -> Result<Option<usize>, Refusal> {
        let board = board(&[1; 4], 1, Profile::Byzantine);
        let electorate = Electorate::new(&board).unwrap();
        let subject =
            Subject { network: Network::ZERO, entity: EntityId::ZERO, board: board.hash(), height: 1 };
        let view = View { subject, electorate: &electorate, round: 0, witness: None };
        Ok(view.admit(content)?.map(|(_, claims)| claims.len()))
    }

    #[test]
    fn certificates_need_distinct_voters_of_enough_weight() {
        let polka = |members: &[u16]| {
            let prevotes = members.iter().map(|member| (MemberIndex(*member), [0; 96])).collect();
            Content::Polka(Polka { round: 900, frame: FRAME, prevotes })
        };
        assert_eq!(admit(polka(&[0, 1, 2])), Ok(Some(3)), "from any round");
        assert_eq!(admit(polka(&[0, 1])), Err(Refusal::Certificate));
        assert_eq!(admit(polka(&[0, 1, 1])), Err(Refusal::Certificate));
        assert_eq!(admit(polka(&[0, 1, 2, 9])), Err(Refusal::NotAMember));
        let rounds =
            |round, proof, votes: Vec<_>| Content::RoundCertificate(RoundCertificate { round, proof, votes });
        let (one, two) = (vote(0, Step::Prevote), vote(1, Step::Precommit));
        assert_eq!(admit(rounds(3, RoundProof::Skip, vec![one.clone(), two.clone()])), Ok(Some(2)));
        assert_eq!(admit(rounds(3, RoundProof::Skip, vec![one.clone()])), Err(Refusal::Certificate));
        assert_eq!(
            admit(rounds(4, RoundProof::Skip, vec![one.clone(), two.clone()])),
            Err(Refusal::Certificate)
        );
        let three = vec![one, two, vote(2, Step::Precommit)];
        assert_eq!(admit(rounds(3, RoundProof::Precommits, three)), Err(Refusal::Certificate));
    }

    #[test]
    fn a_proposal_comes_from_the_proposer_of_a_near_round() {
        let board = board(&[1; 4], 1, Profile::Byzantine);
        let electorate = Electorate::new(&board).unwrap();
        let proposal = |round, valid_round, shift, length| {
            let member = MemberIndex((electorate.proposer(1, round).0 + shift) % 4);
            let statement = Offer { member, round, valid_round, frame: FRAME };
            Content::Proposal {
                offer: Signed { statement, signature: [0; 96] },
                body: Body::new(vec![0; length]),
            }
        };
        assert_eq!(admit(proposal(10, Some(9), 0, 5)), Ok(Some(1)));
        assert_eq!(admit(proposal(11, None, 0, 5)), Err(Refusal::Round));
        assert_eq!(admit(proposal(2, Some(2), 0, 5)), Err(Refusal::Round));
        assert_eq!(admit(proposal(0, None, 1, 5)), Err(Refusal::NotTheProposer));
        assert_eq!(admit(proposal(0, None, 0, BODY_BYTES_MAX + 1)), Err(Refusal::Body));
    }

    #[test]
    fn a_peer_is_stopped_at_its_quota_and_told_once() {
        let mut quota = Quota::default();
        for _ in 0..MESSAGES_PER_TURN_MAX {
            assert_eq!(quota.take(&[1; 48], 10), Ok(()));
        }
        assert_eq!(quota.take(&[1; 48], 10), Err(true));
        assert_eq!(quota.take(&[1; 48], 10), Err(false));
        assert_eq!(quota.take(&[2; 48], BYTES_PER_TURN_MAX), Ok(()));
        assert_eq!(quota.take(&[2; 48], 1), Err(true));
        assert_eq!(quota.take(&[2; 48], 1), Err(false));
    }
}
