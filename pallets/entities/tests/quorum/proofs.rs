//! Proofs as they are made, and each way in which one can be wrong.

use std::collections::BTreeMap;

use codec::Encode;
use pallet_entities::quorum::{
    BoardEvidence, MAX_PROOF_BYTES, Purpose, QuorumError, QuorumProof, Statement, evaluate,
};
use proptest::prelude::*;
use xln_primitives::{
    Board, BoardError, EntityId, MemberId, Permissions, Signature, SignatureError, crypto::bls,
};

use crate::{
    people::{PEOPLE, board, delegating, member, nested, person, signatures, statement},
    worlds::worlds,
};

/// A DAO of a lazy company, of a registered club that has the company as a member, and of two people, of whom one may
/// not vote.
struct Dao {
    root: EntityId,
    club: EntityId,
    company: EntityId,
    boards: BTreeMap<EntityId, Board>,
}

impl Dao {
    fn new() -> Self {
        let company = board(vec![member(0, 1), member(1, 1), delegating(2, 1)], 2);
        let club = board(vec![nested(company.entity(), 1), member(3, 1), member(4, 1)], 2);
        let club_id = EntityId::registered(3);
        let mut silent = member(5, 1);
        silent.permissions = Permissions::PROPOSE;
        let members = vec![nested(company.entity(), 1), nested(club_id, 1), member(4, 1), silent];
        let dao = board(members, 3);
        let (root, company_id) = (dao.entity(), company.entity());
        let boards = BTreeMap::from([(root, dao), (club_id, club), (company_id, company)]);
        Self { root, club: club_id, company: company_id, boards }
    }

    fn known(&self) -> BTreeMap<EntityId, Board> {
        BTreeMap::from([(self.club, self.boards[&self.club].clone())])
    }

    fn proof(&self, people: &[usize]) -> QuorumProof {
        let signed = signatures(people.iter().copied(), &statement(self.root));
        QuorumProof::assemble(&self.root, &self.boards, &signed).unwrap()
    }

    /// The error of a proof that was right before `change`.
    fn refused(&self, change: impl FnOnce(&mut QuorumProof)) -> QuorumError {
        let mut proof = self.proof(&[0, 1, 2, 3, 4]);
        assert!(proof.verify(&self.known(), &statement(self.root)).unwrap().reached());
        change(&mut proof);
        proof.verify(&self.known(), &statement(self.root)).unwrap_err()
    }
}

#[test]
fn people_with_keys_of_all_schemes_authorise_through_three_boards() {
    let dao = Dao::new();
    let proof = dao.proof(&[0, 1, 2, 3, 4]);
    let shape = (proof.boards.len(), proof.signatures.len(), proof.aggregate.is_some());
    assert_eq!(shape, (3, 3, true), "1, 2 and 4 sign for themselves; 0 and 3 together");
    let outcome = proof.verify(&dao.known(), &statement(dao.root)).unwrap();
    assert_eq!((outcome.weight, outcome.threshold, outcome.faults), (3, 3, vec![]));
    let copy = QuorumProof::decode_bounded(&proof.encode()).unwrap();
    assert_eq!(copy, proof);
}

#[test]
fn signatures_that_do_not_suffice_are_an_outcome_and_no_error() {
    let dao = Dao::new();
    let outcome = dao.proof(&[0, 4]).verify(&dao.known(), &statement(dao.root)).unwrap();
    assert_eq!((outcome.weight, outcome.reached()), (1, false));
    let nobody = dao.proof(&[]);
    assert_eq!((nobody.boards.len(), nobody.aggregate), (1, None));
    assert!(!nobody.verify(&dao.known(), &statement(dao.root)).unwrap().reached());
}

#[test]
fn a_proof_holds_for_its_statement_only() {
    let dao = Dao::new();
    let proof = dao.proof(&[0, 1, 2, 3, 4]);
    let other = Statement { purpose: Purpose::new([8; 16]), ..statement(dao.root) };
    assert!(matches!(proof.verify(&dao.known(), &other), Err(QuorumError::Signature { .. })));
    let others = statement(dao.company);
    assert_eq!(proof.verify(&dao.known(), &others), Err(QuorumError::Root { root: dao.company }));
    // What the company's people sign for the DAO authorises nothing in the company's own name.
    let stolen = signatures([0, 1, 2], &statement(dao.root));
    let stolen = QuorumProof::assemble(&dao.company, &dao.boards, &stolen).unwrap();
    assert!(matches!(stolen.verify(&dao.known(), &others), Err(QuorumError::Signature { .. })));
}

#[test]
fn a_registered_entitys_board_has_to_be_the_one_that_the_verifier_knows() {
    let dao = Dao::new();
    let proof = dao.proof(&[0, 1, 2, 3, 4]);
    let nothing: BTreeMap<EntityId, Board> = BTreeMap::new();
    let unknown = QuorumError::UnknownBoard { entity: dao.club };
    assert_eq!(proof.verify(&nothing, &statement(dao.root)), Err(unknown));
    let today = board(vec![member(3, 1), member(4, 1)], 2);
    let (named, known) = (dao.boards[&dao.club].hash(), today.hash());
    let changed = BTreeMap::from([(dao.club, today)]);
    let other = QuorumError::OtherBoard { entity: dao.club, named, known };
    assert_eq!(proof.verify(&changed, &statement(dao.root)), Err(other));
}

#[test]
fn boards_that_nobody_needs_or_that_come_twice_are_refused() {
    let dao = Dao::new();
    let stranger = board(vec![member(7, 1)], 1);
    let entity = stranger.entity();
    let error = dao.refused(|proof| proof.boards[2].evidence = BoardEvidence::Carried(stranger));
    assert_eq!(error, QuorumError::NotNested { entity });
    let error = dao.refused(|proof| proof.boards.try_push(proof.boards[1].clone()).unwrap());
    assert_eq!(error, QuorumError::BoardTwice { entity: dao.company });
    assert_eq!(dao.refused(|proof| proof.boards.clear()), QuorumError::Root { root: dao.root });
    let error = dao.refused(|proof| proof.boards = proof.boards[1..].to_vec().try_into().unwrap());
    assert_eq!(error, QuorumError::Root { root: dao.root });
}

#[test]
fn marks_fit_the_boards_they_stand_beside() {
    let dao = Dao::new();
    let (root, company) = (dao.root, dao.company);
    let marked = |mark: u8| dao.refused(|proof| proof.boards[0].marks[0] |= mark);
    assert_eq!(marked(1 << 4), QuorumError::UnknownMember { entity: root, position: 4 });
    assert_eq!(marked(1), QuorumError::NotAPerson { entity: root, position: 0 });
    assert_eq!(marked(1 << 3), QuorumError::MayNotVote { entity: root, position: 3 });
    // Person 4 stands in the DAO and in the club, and is marked in the DAO.
    let error = dao.refused(|proof| proof.boards[2].marks[0] |= 1 << 2);
    assert_eq!(error, QuorumError::Duplicate { entity: dao.club, position: 2 });
    let error = dao.refused(|proof| proof.boards[1].marks.try_push(0).unwrap());
    assert_eq!(error, QuorumError::Bitmap { entity: company, bytes: 2, expected: 1 });
    let error = dao.refused(|proof| proof.boards[1].marks.clear());
    assert_eq!(error, QuorumError::Bitmap { entity: company, bytes: 0, expected: 1 });
}

#[test]
fn signatures_fit_the_marks() {
    let dao = Dao::new();
    let counted = QuorumError::SignatureCount { given: 2, signers: 3 };
    assert_eq!(dao.refused(|proof| proof.signatures.truncate(2)), counted);
    assert_eq!(dao.refused(|proof| proof.aggregate = None), QuorumError::Aggregate { signers: 2 });
    assert!(matches!(
        dao.refused(|proof| proof.signatures.as_mut().swap(0, 1)),
        QuorumError::Signature { .. }
    ));
    let error = dao.refused(|proof| {
        let Signature::Bls(alone) = person(0).sign(&statement(dao.root)) else { unreachable!() };
        proof.aggregate = Some(alone);
    });
    let reason = SignatureError::InvalidSignature;
    assert_eq!(error, QuorumError::AggregateSignature { signers: 2, reason });
    // Without marks the sum of signatures is the sum of nothing.
    let error = dao.refused(|proof| {
        proof.boards.iter_mut().for_each(|board| board.marks[0] = 0);
        proof.signatures.clear();
    });
    assert_eq!(error, QuorumError::Aggregate { signers: 0 });
}

#[test]
fn a_carried_board_proves_the_possession_of_its_keys() {
    // The rogue key: chosen against person 0's, so that the sum of both is a key that the attacker has.
    let mut rogue = member(3, 1);
    let MemberId::Signer { possession, .. } = &mut rogue.id else { unreachable!() };
    *possession = Some(bls::prove_possession(&[77; 32]).unwrap());
    let company = board(vec![member(0, 1), rogue], 2);
    let root = company.entity();
    let boards = BTreeMap::from([(root, company)]);
    let signed = signatures([0, 3], &statement(root));
    let proof = QuorumProof::assemble(&root, &boards, &signed).unwrap();
    let unsound = QuorumError::Unsound { entity: root, reason: BoardError::Possession(1) };
    let none: BTreeMap<EntityId, Board> = BTreeMap::new();
    assert_eq!(proof.verify(&none, &statement(root)), Err(unsound));
}

#[test]
fn more_members_than_are_checked_are_refused_before_any_work() {
    let wide = |first: u64| {
        let members = (first..first + 256).map(|number| nested(EntityId::registered(number), 1)).collect();
        board(members, 1)
    };
    let mut boards: BTreeMap<EntityId, Board> =
        (1..=4).map(|number| (EntityId::registered(number), wide(1_000 * number))).collect();
    let top = board((1..=4).map(|number| nested(EntityId::registered(number), 1)).collect(), 4);
    let root = top.entity();
    let bare = |entity: &EntityId, board: &Board| pallet_entities::quorum::SignedBoard {
        evidence: BoardEvidence::Known { entity: *entity, board: board.hash() },
        marks: vec![0; board.members.len().div_ceil(8)].try_into().unwrap(),
    };
    let nested: Vec<_> = boards.iter().map(|(entity, board)| bare(entity, board)).collect();
    let all = [bare(&root, &top)].into_iter().chain(nested).collect::<Vec<_>>();
    boards.insert(root, top);
    let proof = QuorumProof {
        boards: all.try_into().unwrap(),
        aggregate: None,
        signatures: vec![].try_into().unwrap(),
    };
    let error = proof.verify(&boards, &statement(root)).unwrap_err();
    assert_eq!(error, QuorumError::TooManyMembers { members: 1_028 });
}

#[test]
fn the_largest_proof_fits_into_its_limit() {
    let widest = delegating(2, 1).encode().len().max(member(0, 1).encode().len());
    let signatures = (Signature::Secp256k1([0; 65]).encode().len() + widest) * 1_024;
    let boards = 64 * (1 + 2 + 4 + 1 + 1 + 32);
    assert!(signatures + boards + 100 < MAX_PROOF_BYTES, "{}", signatures + boards);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_assembled_of_any_world_proves_what_is_evaluated(world in worlds(7, 5, 45)) {
        let statement = statement(world.root);
        let signed = signatures(world.signing.iter().copied(), &statement);
        let proof = QuorumProof::assemble(&world.root, &world.boards, &signed).unwrap();
        let found = QuorumProof::decode_bounded(&proof.encode()).unwrap().verify(&world.boards, &statement).unwrap();
        let expected = evaluate(&world.root, &world.boards, &world.signed()).unwrap();
        prop_assert_eq!((found.weight, found.threshold), (expected.weight, expected.threshold));
    }

    #[test]
    fn a_signature_less_never_makes_a_proof_say_more(world in worlds(7, 5, 45), without in 0..PEOPLE) {
        let statement = statement(world.root);
        let signing = world.signing.iter().copied().filter(|number| *number != without);
        let proof = QuorumProof::assemble(&world.root, &world.boards, &signatures(signing, &statement)).unwrap();
        let found = proof.verify(&world.boards, &statement).unwrap();
        let all = evaluate(&world.root, &world.boards, &world.signed()).unwrap();
        prop_assert!(found.weight <= all.weight);
    }
}
