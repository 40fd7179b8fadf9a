//! Two statements of one member that no honest member signs both, as a proof for anybody.

use codec::{Decode, Encode};
use xln_primitives::{Board, EntityId, Hash, Height, Member, Network, Round, SignatureError, crypto::bls};

use crate::{Ballot, BlsKey, BlsSignature, MemberIndex, Offer, Signed, Subject};

/// A member's double vote or double proposal.
///
/// It verifies with the network and the board alone, whoever kept it. The same two statements in either order are the
/// same evidence: the smaller comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Evidence {
    /// Two votes in one step of one round for different frames, nil included.
    #[codec(index = 0)]
    Ballots {
        /// Whose board.
        entity: EntityId,
        /// At which height.
        height: Height,
        /// Hash of the board at that height.
        board: Hash,
        /// One vote.
        first: Signed<Ballot>,
        /// The other.
        second: Signed<Ballot>,
    },
    /// Two proposals in one round.
    #[codec(index = 1)]
    Offers {
        /// Whose board.
        entity: EntityId,
        /// At which height.
        height: Height,
        /// Hash of the board at that height.
        board: Hash,
        /// One proposal.
        first: Signed<Offer>,
        /// The other.
        second: Signed<Offer>,
    },
}

/// Why something is no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// It names another board than the one given.
    #[error("the evidence names board {named}, not {given}")]
    OtherBoard {
        /// Hash in the evidence.
        named: Hash,
        /// Hash of the board it was checked against.
        given: Hash,
    },
    /// The two statements are not about one slot, or are one and the same.
    #[error("the two statements do not exclude each other")]
    NoConflict,
    /// The board has no such voter.
    #[error("{0} has no BLS key in this board")]
    NoVoter(MemberIndex),
    /// A signature is not the member's.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl Evidence {
    pub(crate) fn ballots(subject: &Subject, one: Signed<Ballot>, other: Signed<Ballot>) -> Self {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        Self::Ballots { entity: subject.entity, height: subject.height, board: subject.board, first, second }
    }

    pub(crate) fn offers(subject: &Subject, one: Signed<Offer>, other: Signed<Offer>) -> Self {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        Self::Offers { entity: subject.entity, height: subject.height, board: subject.board, first, second }
    }

    /// Whose board.
    #[must_use]
    pub const fn entity(&self) -> EntityId {
        match self {
            Self::Ballots { entity, .. } | Self::Offers { entity, .. } => *entity,
        }
    }

    /// At which height.
    #[must_use]
    pub const fn height(&self) -> Height {
        match self {
            Self::Ballots { height, .. } | Self::Offers { height, .. } => *height,
        }
    }

    /// In which round.
    #[must_use]
    pub const fn round(&self) -> Round {
        match self {
            Self::Ballots { first, .. } => first.statement.round,
            Self::Offers { first, .. } => first.statement.round,
        }
    }

    /// Hash of the board at that height.
    #[must_use]
    pub const fn board(&self) -> Hash {
        match self {
            Self::Ballots { board, .. } | Self::Offers { board, .. } => *board,
        }
    }

    /// Whose misdeed it is.
    #[must_use]
    pub const fn member(&self) -> MemberIndex {
        match self {
            Self::Ballots { first, .. } => first.statement.member,
            Self::Offers { first, .. } => first.statement.member,
        }
    }

    /// Checks that the member of `board`, which was checked before, signed both statements, and that they exclude each
    /// other.
    pub fn verify(&self, network: Network, board: &Board) -> Result<(), EvidenceError> {
        let (entity, height, named) = match self {
            Self::Ballots { entity, height, board, .. } | Self::Offers { entity, height, board, .. } => {
                (*entity, *height, *board)
            }
        };
        let given = board.hash();
        if named != given {
            return Err(EvidenceError::OtherBoard { named, given });
        }
        let subject = Subject { network, entity, board: named, height };
        let key = key_of(board, self.member())?;
        match self {
            Self::Ballots { first, second, .. } => {
                let (one, other) = (&first.statement, &second.statement);
                let same_slot = (one.member, one.step, one.round) == (other.member, other.step, other.round);
                require(same_slot && one.frame != other.frame)?;
                verify(&key, &subject.ballot_bytes(one), &first.signature)?;
                verify(&key, &subject.ballot_bytes(other), &second.signature)
            }
            Self::Offers { first, second, .. } => {
                let (one, other) = (&first.statement, &second.statement);
                require((one.member, one.round) == (other.member, other.round) && one != other)?;
                verify(&key, &subject.offer_bytes(one), &first.signature)?;
                verify(&key, &subject.offer_bytes(other), &second.signature)
            }
        }
    }
}

fn require(conflict: bool) -> Result<(), EvidenceError> {
    if conflict { Ok(()) } else { Err(EvidenceError::NoConflict) }
}

fn key_of(board: &Board, member: MemberIndex) -> Result<BlsKey, EvidenceError> {
    let voter = board.members.get(usize::from(member.0)).and_then(Member::bls_key);
    voter.copied().ok_or(EvidenceError::NoVoter(member))
}

fn verify(key: &BlsKey, message: &[u8], signature: &BlsSignature) -> Result<(), EvidenceError> {
    Ok(bls::verify(key, message, signature)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Step, electorate::tests};
    use xln_primitives::{FrameHash, Profile, Signature};

    const NETWORK: Network = Network::new([9; 32]);

    fn signed(board: &Board, round: u32, frame: u8, by: u8) -> Signed<Ballot> {
        let subject = Subject { network: NETWORK, entity: board.entity(), board: board.hash(), height: 3 };
        let frame = Some(FrameHash::new([frame; 32]));
        let statement = Ballot { member: MemberIndex(1), step: Step::Precommit, round, frame };
        let Signature::Bls(signature) = tests::secret(by).sign(&subject.ballot_bytes(&statement)).unwrap()
        else {
            unreachable!()
        };
        Signed { statement, signature }
    }

    #[test]
    fn a_double_vote_convicts_by_itself_and_nothing_else_does() {
        let board = tests::board(&[1, 1, 1, 1], 1, Profile::Byzantine);
        let subject = Subject { network: NETWORK, entity: board.entity(), board: board.hash(), height: 3 };
        let (a, b) = (signed(&board, 0, 1, 2), signed(&board, 0, 2, 2));
        let evidence = Evidence::ballots(&subject, b.clone(), a.clone());
        assert_eq!(evidence, Evidence::ballots(&subject, a.clone(), b), "whatever the order");
        assert_eq!(evidence.verify(NETWORK, &board), Ok(()));
        assert!(evidence.verify(Network::ZERO, &board).is_err());
        let other = tests::board(&[1, 1], 1, Profile::Byzantine);
        assert!(matches!(evidence.verify(NETWORK, &other), Err(EvidenceError::OtherBoard { .. })));
        let judge = |second| Evidence::ballots(&subject, a.clone(), second).verify(NETWORK, &board);
        assert_eq!(judge(a.clone()), Err(EvidenceError::NoConflict), "one vote twice");
        assert_eq!(judge(signed(&board, 1, 2, 2)), Err(EvidenceError::NoConflict), "another round");
        assert!(matches!(judge(signed(&board, 0, 2, 3)), Err(EvidenceError::Signature(_))), "forged");
    }
}
