//! What members of a board sign.
//!
//! A member signs a [`Ballot`] (prevote or precommit) or an [`Offer`] (proposal). What all statements of one height have
//! in common, the [`Subject`], is not repeated in each: the bytes to sign are made of both,
//!
//! ```text
//! ballot   domain ‖ network ‖ entity ‖ board hash ‖ kind ‖ height ‖ round ‖ frame hash (zero for nil)
//! offer    the same with the kind of a proposal ‖ 0 and 4 zero bytes, or 1 and the valid round
//! ```
//!
//! There is no address and no time in a ballot, so that equal ballots have equal bytes and their signatures add up.

use codec::{Decode, Encode, MaxEncodedLen};
use xln_primitives::{EntityId, FrameHash, Hash, Height, Network, Round, VOTE_BYTES, Vote, VoteKind};

/// A BLS public key, 48 bytes in G1.
pub type BlsKey = [u8; 48];

/// A BLS signature, 96 bytes in G2.
pub type BlsSignature = [u8; 96];

/// Length of what a proposer signs, in bytes.
pub(crate) const OFFER_BYTES: usize = VOTE_BYTES + 5;

/// The position of a member in its board, the one that certificates' bitmaps refer to.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, MaxEncodedLen,
)]
pub struct MemberIndex(pub u16);

impl core::fmt::Display for MemberIndex {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "member {}", self.0)
    }
}

/// The two votes of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, MaxEncodedLen)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Step {
    /// "I would accept this frame."
    #[codec(index = 0x11)]
    Prevote,
    /// "I commit to this frame."
    #[codec(index = 0x12)]
    Precommit,
}

/// A vote of one member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen)]
pub struct Ballot {
    /// Who votes.
    pub member: MemberIndex,
    /// Prevote or precommit.
    pub step: Step,
    /// In which round.
    pub round: Round,
    /// For which frame, or `None` for none in this round.
    pub frame: Option<FrameHash>,
}

/// A proposal of one member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen)]
pub struct Offer {
    /// Who proposes.
    pub member: MemberIndex,
    /// In which round.
    pub round: Round,
    /// The earlier round in which a quorum prevoted for the frame, if it is proposed again.
    pub valid_round: Option<Round>,
    /// The frame.
    pub frame: FrameHash,
}

/// A statement with its author's signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen)]
pub struct Signed<T> {
    /// The statement.
    pub statement: T,
    /// BLS signature over the bytes that [`Subject`] makes of it.
    pub signature: BlsSignature,
}

/// Prevotes of a quorum for one frame in one round.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Polka {
    /// The round.
    pub round: Round,
    /// The frame.
    pub frame: FrameHash,
    /// Who prevoted, each once, with the signature.
    pub prevotes: Vec<(MemberIndex, BlsSignature)>,
}

impl Polka {
    /// The votes that it is made of.
    pub fn ballots(&self) -> impl Iterator<Item = Signed<Ballot>> + '_ {
        self.prevotes.iter().map(|(member, signature)| Signed {
            statement: Ballot {
                member: *member,
                step: Step::Prevote,
                round: self.round,
                frame: Some(self.frame),
            },
            signature: *signature,
        })
    }
}

/// Which passage to another round a [`RoundCertificate`] justifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum RoundProof {
    /// More than a third of the weight voted in the round: others are there, follow.
    #[codec(index = 0)]
    Skip,
    /// A quorum precommitted in the round, for whatever: it may end.
    #[codec(index = 1)]
    Precommits,
}

/// Votes that justify entering a round.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct RoundCertificate {
    /// The round of the votes.
    pub round: Round,
    /// What they justify.
    pub proof: RoundProof,
    /// The votes, one per member.
    pub votes: Vec<Signed<Ballot>>,
}

/// What all statements of one height have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Network.
    pub network: Network,
    /// Entity whose frame it is.
    pub entity: EntityId,
    /// Hash of its board at this height.
    pub board: Hash,
    /// Height of the frame.
    pub height: Height,
}

impl Subject {
    /// The bytes that the author of `ballot` signs.
    #[must_use]
    pub fn ballot_bytes(&self, ballot: &Ballot) -> Vec<u8> {
        let kind = match ballot.step {
            Step::Prevote => VoteKind::Prevote,
            Step::Precommit => VoteKind::Precommit,
        };
        self.vote_bytes(kind, ballot.round, ballot.frame).to_vec()
    }

    /// The bytes that the author of `offer` signs.
    #[must_use]
    pub fn offer_bytes(&self, offer: &Offer) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(OFFER_BYTES);
        bytes.extend_from_slice(&self.vote_bytes(VoteKind::Proposal, offer.round, Some(offer.frame)));
        bytes.push(u8::from(offer.valid_round.is_some()));
        bytes.extend_from_slice(&offer.valid_round.unwrap_or(0).to_be_bytes());
        bytes
    }

    fn vote_bytes(&self, kind: VoteKind, round: Round, frame: Option<FrameHash>) -> [u8; VOTE_BYTES] {
        let (network, board, entity, height) = (self.network, self.board, self.entity, self.height);
        Vote { network, board, entity, kind, height, round, frame }.sign_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Subject = Subject {
        network: Network::new([1; 32]),
        entity: EntityId::new([2; 32]),
        board: Hash::new([3; 32]),
        height: 4,
    };

    fn ballot(step: Step, frame: Option<FrameHash>) -> Ballot {
        Ballot { member: MemberIndex(0), step, round: 5, frame }
    }

    #[test]
    fn no_two_statements_of_different_meaning_have_the_same_bytes() {
        let frame = FrameHash::new([6; 32]);
        let offer = |valid_round| Offer { member: MemberIndex(0), round: 5, valid_round, frame };
        let mut all = vec![
            SUBJECT.ballot_bytes(&ballot(Step::Prevote, None)),
            SUBJECT.ballot_bytes(&ballot(Step::Precommit, None)),
            SUBJECT.ballot_bytes(&ballot(Step::Prevote, Some(frame))),
            SUBJECT.ballot_bytes(&ballot(Step::Precommit, Some(frame))),
            SUBJECT.offer_bytes(&offer(None)),
            SUBJECT.offer_bytes(&offer(Some(0))),
            SUBJECT.offer_bytes(&offer(Some(4))),
            Subject { height: 5, ..SUBJECT }.ballot_bytes(&ballot(Step::Prevote, None)),
            Subject { board: Hash::ZERO, ..SUBJECT }.ballot_bytes(&ballot(Step::Prevote, None)),
        ];
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn equal_votes_of_two_members_have_equal_bytes() {
        let other = Ballot { member: MemberIndex(9), ..ballot(Step::Precommit, None) };
        assert_eq!(SUBJECT.ballot_bytes(&ballot(Step::Precommit, None)), SUBJECT.ballot_bytes(&other));
    }
}
