//! Who orders the frames of an entity: its board as keys that vote, each once.

use std::collections::BTreeMap;

use crate::{Board, Permissions, Weight};

/// A key that votes on frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voter {
    /// The BLS key.
    pub key: [u8; 48],
    /// Weight of all members for whom it votes.
    pub weight: Weight,
    /// Weight of those of them who may also propose: its share of the proposals.
    pub proposing: Weight,
}

impl Board {
    /// Who votes on frames, at the position of the member for whom it votes; none at the positions of members who have no
    /// BLS key, lack [`Permissions::VOTE`], or for whom a key at an earlier position votes already.
    ///
    /// The weight of those without a voter counts in [`Board::total_weight`] all the same, so in the quorum.
    #[must_use]
    pub fn voters(&self) -> Vec<Option<Voter>> {
        let mut voters: Vec<Option<Voter>> = Vec::with_capacity(self.members.len());
        let mut first: BTreeMap<&[u8; 48], usize> = BTreeMap::new();
        for member in &self.members {
            let key = member.bls_key().filter(|_| member.permissions.allows(Permissions::VOTE));
            let place = voters.len();
            voters.push(None);
            let Some(key) = key else { continue };
            let place = *first.entry(key).or_insert(place);
            let Some(voter) = voters.get_mut(place) else { continue };
            let voter = voter.get_or_insert(Voter { key: *key, weight: 0, proposing: 0 });
            voter.weight = voter.weight.saturating_add(member.weight);
            if member.permissions.allows(Permissions::PROPOSE) {
                voter.proposing = voter.proposing.saturating_add(member.weight);
            }
        }
        voters
    }

    /// Weight that can vote on frames.
    #[must_use]
    pub fn voting_weight(&self) -> Weight {
        self.voters().iter().flatten().fold(0, |sum: Weight, voter| sum.saturating_add(voter.weight))
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::{BoardError, Delegate, EntityId, Member, MemberId, Profile, SecretKey, crypto::bls};

    fn delegate(n: u8) -> Delegate {
        let SecretKey::Bls(secret) = SecretKey::Bls(Zeroizing::new([n; 32])) else { unreachable!() };
        let key = SecretKey::Bls(secret.clone()).public().unwrap();
        let crate::PublicKey::Bls(key) = key else { unreachable!() };
        Delegate { key, possession: bls::prove_possession(&secret).unwrap() }
    }

    fn person(n: u8, delegate: Delegate, permissions: Permissions) -> Member {
        let key = SecretKey::Ed25519(Zeroizing::new([n; 32])).public().unwrap();
        Member { id: MemberId::Delegating { key, delegate }, weight: u32::from(n), permissions }
    }

    fn board(members: Vec<Member>) -> Board {
        Board { members: members.try_into().unwrap(), threshold: 1, profile: Profile::Byzantine }
    }

    #[test]
    fn a_key_that_orders_for_several_votes_once_with_the_sum_of_their_weights() {
        let all = Permissions::ALL;
        let entity = MemberId::Entity { entity: EntityId::new([9; 32]), delegate: Some(delegate(1)) };
        let board = board(vec![
            person(1, delegate(1), Permissions::VOTE),
            person(2, delegate(2), all),
            person(3, delegate(1), all),
            person(4, delegate(1), Permissions::EXECUTE),
            Member { id: entity, weight: 10, permissions: all },
        ]);
        assert_eq!(board.validate(), Ok(()));
        let voters = board.voters();
        assert_eq!(voters[0], Some(Voter { key: delegate(1).key, weight: 14, proposing: 13 }));
        assert_eq!(voters[1], Some(Voter { key: delegate(2).key, weight: 2, proposing: 2 }));
        assert_eq!(voters[2..], [None, None, None]);
        assert_eq!((board.voting_weight(), board.total_weight()), (16, 20));
    }

    #[test]
    fn a_delegate_proves_its_key_and_a_bls_key_has_no_delegate() {
        let wrong = Delegate { possession: delegate(2).possession, ..delegate(1) };
        assert_eq!(
            board(vec![person(1, wrong, Permissions::ALL)]).validate(),
            Err(BoardError::Possession(0))
        );
        let key = SecretKey::Bls(Zeroizing::new([3; 32])).public().unwrap();
        let both = Member {
            id: MemberId::Delegating { key, delegate: delegate(1) },
            weight: 1,
            permissions: Permissions::ALL,
        };
        assert_eq!(board(vec![both]).validate(), Err(BoardError::Delegate(0)));
    }
}
