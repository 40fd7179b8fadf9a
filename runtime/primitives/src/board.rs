//! The board of an entity: who may speak for it, with what weight.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use sp_core::{ConstU32, bounded::BoundedVec};

use crate::{EntityId, Hash, Member, MemberId, Permissions, PublicKey, Weight, keccak256};

/// Most members that a board may have.
pub const MAX_MEMBERS: u32 = 256;

/// Which faults the board's agreement survives.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Profile {
    /// Any behaviour of less than a third of the weight.
    #[codec(index = 0)]
    Byzantine,
    /// Crashes only, with evidence against a member that lies; for small boards such as 2 of 3.
    #[codec(index = 1)]
    CrashFault,
}

/// Why a board cannot exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum BoardError {
    /// No member.
    #[error("a board needs at least one member")]
    Empty,
    /// A member without weight, at this position.
    #[error("member {0} has no weight")]
    WeightlessMember(u32),
    /// The total weight reaches 2³².
    #[error("the total weight does not fit in 32 bits")]
    TooHeavy,
    /// The threshold cannot be reached, or authorises without anybody.
    #[error("threshold {threshold} is not within 1 and the total weight {total}")]
    Threshold {
        /// Threshold asked for.
        threshold: Weight,
        /// Total weight of the members.
        total: Weight,
    },
    /// The same member twice, second at this position.
    #[error("member {0} stands in the board twice")]
    DuplicateMember(u32),
    /// A BLS key without a valid proof of possession, or another key with one, at this position.
    #[error("member {0} has no valid proof of possession of its BLS key")]
    Possession(u32),
    /// A member with a BLS key of its own and a delegate, at this position.
    #[error("member {0} has a BLS key of its own, and a delegate: one of them orders frames for it")]
    Delegate(u32),
}

/// An ordered list of members with a threshold.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Board {
    /// The members, in the order that certificates' bitmaps refer to.
    pub members: BoundedVec<Member, ConstU32<MAX_MEMBERS>>,
    /// Weight that authorises an action of the entity.
    pub threshold: Weight,
    /// Which faults its agreement survives.
    pub profile: Profile,
}

impl Board {
    /// The board of one signer that may do everything.
    ///
    /// A BLS key belongs to boards of several and needs a proof of possession: build those by hand.
    #[must_use]
    pub fn single(key: PublicKey) -> Self {
        let member = Member {
            id: MemberId::Signer { key, possession: None },
            weight: 1,
            permissions: Permissions::ALL,
        };
        let members = BoundedVec::truncate_from(vec![member]);
        Self { members, threshold: 1, profile: Profile::CrashFault }
    }

    /// keccak-256 of the SCALE encoding; also the identifier of the lazy entity with this board.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.using_encoded(keccak256)
    }

    /// The lazy entity that this board makes.
    #[must_use]
    pub fn entity(&self) -> EntityId {
        self.hash().into()
    }

    /// The key of the only member, if the board is one signer.
    #[must_use]
    pub fn sole_signer(&self) -> Option<&PublicKey> {
        match self.members.as_slice() {
            [Member { id: MemberId::Signer { key, .. }, .. }] => Some(key),
            _ => None,
        }
    }

    /// Whether its frames are decided by votes, which its members' BLS keys make one certificate of. A board of one other
    /// key executes at once.
    #[must_use]
    pub fn votes(&self) -> bool {
        !matches!(self.sole_signer(), Some(PublicKey::Ed25519(_) | PublicKey::Secp256k1(_)))
    }

    /// The member with this key.
    #[must_use]
    pub fn signer(&self, wanted: &PublicKey) -> Option<&Member> {
        self.members.iter().find(|member| member.signer() == Some(wanted))
    }

    /// Sum of all weights; saturates for a board that [`Board::validate`] refuses.
    #[must_use]
    pub fn total_weight(&self) -> Weight {
        self.members.iter().fold(0, |sum: Weight, member| sum.saturating_add(member.weight))
    }

    /// Weight that orders frames: more than two thirds and at least the threshold, or, for the crash-fault
    /// profile, more than half and at least the threshold.
    #[must_use]
    pub fn quorum(&self) -> Weight {
        let total = u64::from(self.total_weight());
        let majority = match self.profile {
            Profile::Byzantine => total.saturating_mul(2) / 3,
            Profile::CrashFault => total / 2,
        };
        // A third or a half of a 32-bit total always fits.
        let least = Weight::try_from(majority.saturating_add(1)).unwrap_or(Weight::MAX);
        self.threshold.max(least)
    }

    /// Checks everything that a board must satisfy, proofs of possession included.
    pub fn validate(&self) -> Result<(), BoardError> {
        self.validate_given(|_, _| false)
    }

    /// [`Board::validate`] for whoever has found some proofs of possession good before: of those keys and proofs for which
    /// `is_proven` says so, the pairing is not computed again.
    pub fn validate_given(&self, is_proven: impl Fn(&[u8; 48], &[u8; 96]) -> bool) -> Result<(), BoardError> {
        self.validate_form()?;
        let holds = |member: &Member| {
            member.possession().is_some_and(|(key, proof)| is_proven(key, proof)) || member.has_possession()
        };
        let unproven = (0_u32..).zip(&self.members).find(|(_, member)| !holds(member));
        unproven.map_or(Ok(()), |(position, _)| Err(BoardError::Possession(position)))
    }

    /// [`Board::validate`] without the proofs of possession, which cost a pairing each.
    pub fn validate_form(&self) -> Result<(), BoardError> {
        if self.members.is_empty() {
            return Err(BoardError::Empty);
        }
        let mut total: Weight = 0;
        for (position, member) in (0_u32..).zip(self.members.iter()) {
            if member.weight == 0 {
                return Err(BoardError::WeightlessMember(position));
            }
            total = total.checked_add(member.weight).ok_or(BoardError::TooHeavy)?;
            let earlier = self.members.iter().take(usize::try_from(position).unwrap_or(usize::MAX));
            if earlier.into_iter().any(|other| other.is_same(member)) {
                return Err(BoardError::DuplicateMember(position));
            }
            if matches!(&member.id, MemberId::Delegating { key: PublicKey::Bls(_), .. }) {
                return Err(BoardError::Delegate(position));
            }
        }
        if self.threshold == 0 || self.threshold > total {
            return Err(BoardError::Threshold { threshold: self.threshold, total });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SecretKey, crypto::bls};
    use zeroize::Zeroizing;

    fn bls_member(n: u8) -> Member {
        let scalar = [n; 32];
        let key = SecretKey::Bls(Zeroizing::new(scalar)).public().unwrap();
        let possession = Some(bls::prove_possession(&scalar).unwrap());
        Member { id: MemberId::Signer { key, possession }, weight: 1, permissions: Permissions::ALL }
    }

    fn board(members: Vec<Member>, threshold: Weight) -> Board {
        Board { members: members.try_into().unwrap(), threshold, profile: Profile::Byzantine }
    }

    #[test]
    fn a_board_of_four_needs_three_and_of_three_needs_all() {
        assert_eq!(board((1..=4).map(bls_member).collect(), 1).quorum(), 3);
        assert_eq!(board((1..=3).map(bls_member).collect(), 1).quorum(), 3);
        let two_of_three =
            Board { profile: Profile::CrashFault, ..board((1..=3).map(bls_member).collect(), 2) };
        assert_eq!(two_of_three.quorum(), 2);
        assert_eq!(board((1..=4).map(bls_member).collect(), 4).quorum(), 4);
    }

    #[test]
    fn boards_that_cannot_work_are_refused_with_the_reason() {
        assert_eq!(board(vec![], 1).validate(), Err(BoardError::Empty));
        assert_eq!(board(vec![bls_member(1)], 1).validate(), Ok(()));
        assert_eq!(
            board(vec![bls_member(1)], 2).validate(),
            Err(BoardError::Threshold { threshold: 2, total: 1 })
        );
        assert_eq!(
            board(vec![bls_member(1)], 0).validate(),
            Err(BoardError::Threshold { threshold: 0, total: 1 })
        );
        assert_eq!(
            board(vec![bls_member(1), bls_member(1)], 1).validate(),
            Err(BoardError::DuplicateMember(1))
        );
        let weightless = Member { weight: 0, ..bls_member(2) };
        assert_eq!(
            board(vec![bls_member(1), weightless], 1).validate(),
            Err(BoardError::WeightlessMember(1))
        );
        let heavy = |n| Member { weight: Weight::MAX, ..bls_member(n) };
        assert_eq!(board(vec![heavy(1), heavy(2)], 1).validate(), Err(BoardError::TooHeavy));
    }

    #[test]
    fn a_proof_that_was_found_good_before_is_not_checked_again_and_every_other_is() {
        let mut wrong = bls_member(2);
        let MemberId::Signer { possession, .. } = &mut wrong.id else { unreachable!() };
        *possession = Some([7; 96]);
        let two = board(vec![bls_member(1), wrong], 1);
        assert_eq!(two.validate(), Err(BoardError::Possession(1)));
        assert_eq!(two.validate_given(|_, proof| *proof == [7; 96]), Ok(()));
        assert_eq!(two.validate_given(|_, proof| *proof != [7; 96]), Err(BoardError::Possession(1)));
        assert_eq!(board(vec![], 1).validate_given(|_, _| true), Err(BoardError::Empty));
    }

    #[test]
    fn a_bls_key_without_its_own_proof_of_possession_never_enters() {
        let MemberId::Signer { key, .. } = bls_member(1).id else { unreachable!() };
        let MemberId::Signer { possession, .. } = bls_member(2).id else { unreachable!() };
        for possession in [None, possession] {
            let member = Member { id: MemberId::Signer { key, possession }, ..bls_member(1) };
            assert_eq!(board(vec![member], 1).validate(), Err(BoardError::Possession(0)));
        }
    }
}
