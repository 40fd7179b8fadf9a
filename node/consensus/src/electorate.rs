//! A board as consensus sees it: who may vote with which key, with what weight, and how much is a quorum.

use xln_primitives::{Board, BoardError, Hash, Height, Round, Voter, Weight};

use crate::{BlsKey, MemberIndex, proposer::proposer};

/// Why a board cannot order frames by voting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotVote {
    /// It is not a board at all.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// Even all members with a BLS key and the permission to vote are no quorum.
    #[error("members who can vote have weight {voters}, the quorum is {quorum}: give them BLS keys and VOTE")]
    NoQuorum {
        /// Weight of the members who can vote.
        voters: Weight,
        /// Weight needed.
        quorum: Weight,
    },
    /// Nobody who can vote may propose.
    #[error("no member who can vote may propose: give one of them PROPOSE")]
    NoProposer,
}

/// The members of a board who can vote, by their position in the board.
///
/// A member votes if it has a BLS key, its own or a delegate's, and the permission to ([`Board::voters`]). The weight of the
/// others counts in the total, so that the quorum is the board's ([`Board::quorum`]) in either profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Electorate {
    board_hash: Hash,
    voters: Vec<Option<Voter>>,
    proposing: Vec<u64>,
    total: Weight,
    quorum: Weight,
}

impl Electorate {
    /// Of a board, which is checked here, proofs of possession included.
    pub fn new(board: &Board) -> Result<Self, CannotVote> {
        Self::given(board, |_, _| false)
    }

    /// Of a board of which some proofs of possession were found good before ([`Board::validate_given`]).
    pub(crate) fn given(
        board: &Board,
        is_proven: impl Fn(&[u8; 48], &[u8; 96]) -> bool,
    ) -> Result<Self, CannotVote> {
        board.validate_given(is_proven)?;
        let voters = board.voters();
        let voting: Weight = voters.iter().flatten().map(|voter| voter.weight).sum();
        let quorum = board.quorum();
        if voting < quorum {
            return Err(CannotVote::NoQuorum { voters: voting, quorum });
        }
        let share = |voter: &Option<Voter>| voter.map_or(0, |voter| u64::from(voter.proposing));
        let proposing: Vec<u64> = voters.iter().map(share).collect();
        if proposing.iter().all(|weight| *weight == 0) {
            return Err(CannotVote::NoProposer);
        }
        Ok(Self { board_hash: board.hash(), voters, proposing, total: board.total_weight(), quorum })
    }

    /// Hash of the board.
    #[must_use]
    pub const fn board_hash(&self) -> Hash {
        self.board_hash
    }

    /// Weight that decides.
    #[must_use]
    pub const fn quorum(&self) -> Weight {
        self.quorum
    }

    /// Weight of all members, below 2³².
    #[must_use]
    pub const fn total(&self) -> Weight {
        self.total
    }

    /// Weight among which at least one member is honest: more than a third of the total.
    #[must_use]
    pub const fn honest(&self) -> Weight {
        self.total / 3 + 1
    }

    /// Number of members, those who cannot vote included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.voters.len()
    }

    /// Everybody who can vote, in the order of the board.
    pub fn voters(&self) -> impl Iterator<Item = (MemberIndex, &BlsKey, Weight)> {
        (0_u16..)
            .zip(&self.voters)
            .filter_map(|(index, voter)| voter.as_ref().map(|v| (MemberIndex(index), &v.key, v.weight)))
    }

    /// The position of the voter with this key.
    #[must_use]
    pub fn index_of(&self, key: &BlsKey) -> Option<MemberIndex> {
        self.voters().find(|(_, other, _)| *other == key).map(|(index, _, _)| index)
    }

    /// The key of a voter.
    #[must_use]
    pub fn key(&self, index: MemberIndex) -> Option<&BlsKey> {
        self.voter(index).map(|voter| &voter.key)
    }

    /// The weight of a voter; 0 for whoever cannot vote.
    #[must_use]
    pub fn weight(&self, index: MemberIndex) -> Weight {
        self.voter(index).map_or(0, |voter| voter.weight)
    }

    /// The weight of several voters; each must be given once.
    pub fn weigh<'a>(&self, members: impl IntoIterator<Item = &'a MemberIndex>) -> Weight {
        members.into_iter().fold(0, |sum: Weight, member| sum.saturating_add(self.weight(*member)))
    }

    /// Who proposes in `round` of `height`.
    #[must_use]
    pub fn proposer(&self, height: Height, round: Round) -> MemberIndex {
        let position = proposer(self.board_hash, height, round, &self.proposing);
        // `new` refused a board in which nobody proposes, and a board has at most 256 members.
        MemberIndex(position.and_then(|position| u16::try_from(position).ok()).unwrap_or(u16::MAX))
    }

    fn voter(&self, index: MemberIndex) -> Option<&Voter> {
        self.voters.get(usize::from(index.0)).and_then(Option::as_ref)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use xln_primitives::{BoundedVec, Member, MemberId, Permissions, Profile, SecretKey, crypto::bls};
    use zeroize::Zeroizing;

    pub(crate) fn secret(n: u8) -> SecretKey {
        SecretKey::Bls(Zeroizing::new([n; 32]))
    }

    pub(crate) fn member(n: u8, weight: Weight, permissions: Permissions) -> Member {
        let possession = Some(bls::prove_possession(&[n; 32]).unwrap());
        Member { id: MemberId::Signer { key: secret(n).public().unwrap(), possession }, weight, permissions }
    }

    pub(crate) fn board(weights: &[Weight], threshold: Weight, profile: Profile) -> Board {
        let members = (1_u8..).zip(weights).map(|(n, weight)| member(n, *weight, Permissions::ALL)).collect();
        Board { members: BoundedVec::truncate_from(members), threshold, profile }
    }

    #[test]
    fn the_quorum_is_the_boards_in_both_profiles() {
        let quorum = |weights: &[Weight], threshold, profile| {
            Electorate::new(&board(weights, threshold, profile)).unwrap().quorum()
        };
        assert_eq!(quorum(&[1, 1, 1, 1], 1, Profile::Byzantine), 3);
        assert_eq!(quorum(&[1, 1, 1, 1], 4, Profile::Byzantine), 4);
        assert_eq!(quorum(&[5, 1, 1], 1, Profile::Byzantine), 5);
        assert_eq!(quorum(&[1, 1, 1], 2, Profile::CrashFault), 2);
    }

    #[test]
    fn whoever_may_not_vote_counts_in_the_total_only() {
        let mut with_guest = board(&[1, 1, 1, 1], 1, Profile::Byzantine);
        with_guest.members[3].permissions = Permissions::PROPOSE;
        let electorate = Electorate::new(&with_guest).unwrap();
        assert_eq!((electorate.total(), electorate.quorum()), (4, 3));
        assert_eq!(electorate.voters().count(), 3);
        assert_eq!(electorate.weight(MemberIndex(3)), 0);
        assert!((0..100).all(|height| electorate.proposer(height, 0) != MemberIndex(3)));
    }

    #[test]
    fn a_board_that_can_never_decide_is_refused_with_the_reason() {
        let mut mute = board(&[1, 1, 1, 1], 1, Profile::Byzantine);
        mute.members[2].permissions = Permissions::NONE;
        mute.members[3].permissions = Permissions::NONE;
        assert_eq!(Electorate::new(&mute), Err(CannotVote::NoQuorum { voters: 2, quorum: 3 }));
        let mut shy = board(&[1], 1, Profile::Byzantine);
        shy.members[0].permissions = Permissions::VOTE;
        assert_eq!(Electorate::new(&shy), Err(CannotVote::NoProposer));
    }
}
