//! Making a quorum proof of signatures that were collected.

use std::collections::{BTreeMap, BTreeSet};

use xln_primitives::{Board, BoundedVec, EntityId, PublicKey, Signature, crypto::bls};

use super::{
    BoardEvidence, MAX_LEVELS, QuorumError, QuorumProof, SignedBoard,
    evaluate::{Height, Nesting},
    verify::voting_key,
};

impl QuorumProof {
    /// Puts together a proof that `root` stands behind a statement: the boards that count and the signatures of the people in them.
    /// The signatures are over the statement's bytes; they are not checked here. A lazy entity's board is carried, another's
    /// is named for the verifier to know.
    ///
    /// Errors: [`QuorumError::Root`], [`QuorumError::TooManyBoards`], [`QuorumError::TooManyMembers`],
    /// [`QuorumError::AggregateSignature`] for a BLS signature that is none.
    pub fn assemble(
        root: &EntityId,
        boards: &BTreeMap<EntityId, Board>,
        signatures: &BTreeMap<PublicKey, Signature>,
    ) -> Result<Self, QuorumError> {
        let signed: BTreeSet<PublicKey> = signatures.keys().copied().collect();
        let nesting = Nesting::new(root, boards)?;
        let needed = needed(&nesting, &nesting.heights(&signed));
        let mut earlier = BTreeSet::new();
        let (mut aggregated, mut single) = (Vec::new(), Vec::new());
        let mut proven = Vec::with_capacity(needed.len());
        for place in
            nesting.places().iter().enumerate().filter(|(at, _)| needed.contains(at)).map(|(_, place)| place)
        {
            let mut marks = vec![0_u8; place.board.members.len().div_ceil(8)];
            for (position, member) in place.board.members.iter().enumerate() {
                let Some(key) = voting_key(member).filter(|key| earlier.insert(*key)) else { continue };
                let Some(signature) = signatures.get(&key) else { continue };
                match signature {
                    Signature::Bls(signature) => aggregated.push(*signature),
                    other => single.push(*other),
                }
                if let Some(byte) = marks.get_mut(position / 8) {
                    *byte |= 1 << (position % 8);
                }
            }
            let evidence = if place.board.entity() == place.entity {
                BoardEvidence::Carried(place.board.clone())
            } else {
                BoardEvidence::Known { entity: place.entity, board: place.board.hash() }
            };
            // A board has at most 256 members, so at most 32 bytes of marks.
            proven.push(SignedBoard { evidence, marks: BoundedVec::truncate_from(marks) });
        }
        let signers = aggregated.len();
        let failed = |reason| QuorumError::AggregateSignature { signers, reason };
        let aggregate = if signers == 0 { None } else { Some(bls::aggregate(&aggregated).map_err(failed)?) };
        let members = single.len();
        Ok(Self {
            boards: BoundedVec::truncate_from(proven),
            aggregate,
            signatures: single.try_into().map_err(|_| QuorumError::TooManyMembers { members })?,
        })
    }
}

/// The root, the entities that count in its board, and whatever makes those count.
fn needed(nesting: &Nesting<'_>, heights: &[Height]) -> BTreeSet<usize> {
    let mut needed = BTreeSet::from([0]);
    let mut waiting = vec![(0, MAX_LEVELS)];
    while let Some((position, height)) = waiting.pop() {
        let Some(place) = nesting.places().get(position) else { continue };
        for (supporter, _) in place.supporters(heights, height) {
            if needed.insert(supporter) {
                waiting.push((supporter, heights.get(supporter).copied().flatten().unwrap_or(0)));
            }
        }
    }
    needed
}
