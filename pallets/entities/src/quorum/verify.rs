//! Checking a quorum proof: form first, then weights, then signatures, then what carried boards prove of their BLS keys.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use xln_primitives::{Board, EntityId, Member, MemberId, Permissions, PublicKey, crypto::bls};

use super::{
    BoardEvidence, MAX_PROOF_MEMBERS, Outcome, QuorumError, QuorumProof, STATEMENT_BYTES, SignedBoard,
    Statement, evaluate,
};

/// The boards that a verifier knows and has checked ([`Board::validate`]): those of registered entities as of the height at which
/// the statement is judged, and any lazy ones that it likes not to check again.
pub trait KnownBoards {
    /// The board that speaks for `entity`.
    fn board(&self, entity: &EntityId) -> Option<Cow<'_, Board>>;
}

impl KnownBoards for BTreeMap<EntityId, Board> {
    fn board(&self, entity: &EntityId) -> Option<Cow<'_, Board>> {
        self.get(entity).map(Cow::Borrowed)
    }
}

/// Who signed with what.
#[derive(Default)]
struct Marked {
    bls: Vec<[u8; 48]>,
    single: Vec<PublicKey>,
}

impl QuorumProof {
    /// Checks the proof over `statement`, and evaluates the weight in the board of the statement's entity.
    ///
    /// An outcome that is not [reached](Outcome::reached) comes from valid signatures that are too few. Everything in a proof
    /// that says nothing is an error: a board that is nested in none before it, a second mark for a person, a signature for which
    /// nobody is marked.
    pub fn verify(&self, known: &impl KnownBoards, statement: &Statement) -> Result<Outcome, QuorumError> {
        let root = statement.entity;
        let boards = self.resolve(known, root)?;
        let marked = self.marked(&boards)?;
        self.check_counts(&marked)?;
        let signed = marked.bls.iter().map(|key| PublicKey::Bls(*key)).chain(marked.single.iter().copied());
        let signed: BTreeSet<PublicKey> = signed.collect();
        let by_entity: BTreeMap<EntityId, &Board> =
            boards.iter().map(|(entity, board)| (*entity, board.as_ref())).collect();
        let outcome = evaluate(&root, &by_entity, &signed)?;
        self.check_signatures(&marked, &statement.sign_bytes())?;
        self.check_possessions()?;
        Ok(outcome)
    }

    /// The boards with their entities, sound as far as weights go.
    fn resolve<'a>(
        &'a self,
        known: &'a impl KnownBoards,
        root: EntityId,
    ) -> Result<Vec<(EntityId, Cow<'a, Board>)>, QuorumError> {
        if self.boards.is_empty() {
            return Err(QuorumError::Root { root });
        }
        let mut boards = Vec::with_capacity(self.boards.len());
        let mut seen = BTreeSet::new();
        // The entities that an earlier board names, and at first the root.
        let mut named = BTreeSet::from([root]);
        let mut members: usize = 0;
        for (position, SignedBoard { evidence, .. }) in self.boards.iter().enumerate() {
            let (entity, board) = resolve(evidence, known)?;
            if !named.contains(&entity) {
                let nested = position > 0;
                return Err(if nested {
                    QuorumError::NotNested { entity }
                } else {
                    QuorumError::Root { root }
                });
            }
            if !seen.insert(entity) {
                return Err(QuorumError::BoardTwice { entity });
            }
            members = members.saturating_add(board.members.len());
            if members > usize::try_from(MAX_PROOF_MEMBERS).unwrap_or(usize::MAX) {
                return Err(QuorumError::TooManyMembers { members });
            }
            board.validate_form().map_err(|reason| QuorumError::Unsound { entity, reason })?;
            named.extend(board.members.iter().filter_map(nested_entity));
            boards.push((entity, board));
        }
        Ok(boards)
    }

    /// The keys that are marked, each where it stands first.
    fn marked(&self, boards: &[(EntityId, Cow<'_, Board>)]) -> Result<Marked, QuorumError> {
        let mut marked = Marked::default();
        let mut earlier: BTreeSet<PublicKey> = BTreeSet::new();
        for ((entity, board), SignedBoard { marks, .. }) in boards.iter().zip(&self.boards) {
            let entity = *entity;
            let expected = board.members.len().div_ceil(8);
            if marks.len() != expected {
                return Err(QuorumError::Bitmap { entity, bytes: marks.len(), expected });
            }
            for position in (0..marks.len().saturating_mul(8)).filter(|position| is_marked(marks, *position))
            {
                let member = board.members.get(position);
                let member = member.ok_or(QuorumError::UnknownMember { entity, position })?;
                let key = *member.signer().ok_or(QuorumError::NotAPerson { entity, position })?;
                if !member.permissions.allows(Permissions::VOTE) {
                    return Err(QuorumError::MayNotVote { entity, position });
                }
                if earlier.contains(&key) {
                    return Err(QuorumError::Duplicate { entity, position });
                }
                match key {
                    PublicKey::Bls(key) => marked.bls.push(key),
                    key => marked.single.push(key),
                }
            }
            earlier.extend(board.members.iter().filter_map(voting_key));
        }
        Ok(marked)
    }

    fn check_counts(&self, marked: &Marked) -> Result<(), QuorumError> {
        let signers = marked.single.len();
        if self.signatures.len() != signers {
            return Err(QuorumError::SignatureCount { given: self.signatures.len(), signers });
        }
        let signers = marked.bls.len();
        if self.aggregate.is_some() == (signers > 0) {
            Ok(())
        } else {
            Err(QuorumError::Aggregate { signers })
        }
    }

    fn check_signatures(&self, marked: &Marked, message: &[u8; STATEMENT_BYTES]) -> Result<(), QuorumError> {
        for (key, signature) in marked.single.iter().zip(&self.signatures) {
            let failed = |reason| QuorumError::Signature { signer: key.signer_id(), reason };
            key.verify(message, signature).map_err(failed)?;
        }
        let Some(aggregate) = &self.aggregate else { return Ok(()) };
        let failed = |reason| QuorumError::AggregateSignature { signers: marked.bls.len(), reason };
        bls::verify_aggregate(&marked.bls, message, aggregate).map_err(failed)
    }

    /// The rest of what makes a carried board sound. The proofs of possession cost the most, so they come last.
    fn check_possessions(&self) -> Result<(), QuorumError> {
        for SignedBoard { evidence, .. } in &self.boards {
            let BoardEvidence::Carried(board) = evidence else { continue };
            board.validate().map_err(|reason| QuorumError::Unsound { entity: board.entity(), reason })?;
        }
        Ok(())
    }
}

fn resolve<'a>(
    evidence: &'a BoardEvidence,
    known: &'a impl KnownBoards,
) -> Result<(EntityId, Cow<'a, Board>), QuorumError> {
    match evidence {
        BoardEvidence::Carried(board) => Ok((board.entity(), Cow::Borrowed(board))),
        BoardEvidence::Known { entity, board: named } => {
            let (entity, named) = (*entity, *named);
            let board = known.board(&entity).ok_or(QuorumError::UnknownBoard { entity })?;
            let known = board.hash();
            if known == named {
                Ok((entity, board))
            } else {
                Err(QuorumError::OtherBoard { entity, named, known })
            }
        }
    }
}

const fn is_marked(marks: &[u8], position: usize) -> bool {
    position / 8 < marks.len() && marks[position / 8] >> (position % 8) & 1 == 1
}

const fn nested_entity(member: &Member) -> Option<EntityId> {
    match &member.id {
        MemberId::Entity { entity, .. } => Some(*entity),
        MemberId::Signer { .. } | MemberId::Delegating { .. } => None,
    }
}

/// The key of a person who may vote.
pub(super) fn voting_key(member: &Member) -> Option<PublicKey> {
    member.signer().copied().filter(|_| member.permissions.allows(Permissions::VOTE))
}
