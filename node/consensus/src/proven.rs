//! Keys whose possession was proven to this machine.
//!
//! The same few servers vote on many entities, and each board carries the proofs of their keys anew: a pairing each. A key and
//! a proof that were found good once are good in every board. Other than what a process may remember of signatures
//! ([`remember`](xln_primitives::crypto::bls::remember)), this is always on and belongs to one machine: with ten thousand entities nothing works
//! without it.

use std::collections::BTreeSet;

use xln_primitives::{Board, Member};

use crate::{BlsKey, BlsSignature, CannotVote, Electorate};

/// Most proofs that are remembered; about two megabytes.
const PROOFS_MAX: usize = 16_384;

/// Keys with the proofs that were checked.
#[derive(Debug, Default)]
pub(crate) struct Proven(BTreeSet<(BlsKey, BlsSignature)>);

impl Proven {
    /// [`Electorate::new`], without checking again what was checked before.
    pub(crate) fn electorate(&mut self, board: &Board) -> Result<Electorate, CannotVote> {
        let electorate = Electorate::given(board, |key, proof| self.0.contains(&(*key, *proof)))?;
        // Nothing of a board that was refused is remembered.
        for (key, proof) in board.members.iter().filter_map(Member::possession) {
            if self.0.len() >= PROOFS_MAX {
                self.0.clear();
            }
            self.0.insert((*key, *proof));
        }
        Ok(electorate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::electorate::tests::board;
    use xln_primitives::{BoardError, MemberId, Profile};

    #[test]
    fn a_proof_stands_for_its_own_key_only_and_a_refused_board_teaches_nothing() {
        let mut proven = Proven::default();
        let good = board(&[1, 1, 1, 1], 1, Profile::Byzantine);
        let mut swapped = good.clone();
        let proof = |board: &Board, place: usize| *board.members[place].possession().unwrap().1;
        for (place, other) in [(0, 1), (1, 0)] {
            let MemberId::Signer { possession, .. } = &mut swapped.members[place].id else { unreachable!() };
            *possession = Some(proof(&good, other));
        }
        let refused = Err(CannotVote::Board(BoardError::Possession(0)));
        assert_eq!(proven.electorate(&swapped), refused);
        assert_eq!(proven.0.len(), 0);
        assert_eq!(proven.electorate(&good), Electorate::new(&good));
        assert_eq!(proven.0.len(), 4);
        assert_eq!(
            proven.electorate(&swapped),
            refused,
            "both keys and both proofs are known, and not together"
        );
        assert_eq!(proven.electorate(&good), Electorate::new(&good));
    }
}
