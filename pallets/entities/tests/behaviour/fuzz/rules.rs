//! What makes a board sound, and able to go on, in numbers that cannot overflow.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use xln_primitives::{
    Board, BoardError, Delegate, Member, MemberId, Permissions, Profile, PublicKey, Weight, crypto::bls,
};

pub(super) fn total(board: &Board) -> u128 {
    board.members.iter().map(|member| u128::from(member.weight)).sum()
}

/// Weight that decides a frame, if the total fits into 32 bits.
pub(super) fn quorum(board: &Board) -> u128 {
    let share = match board.profile {
        Profile::Byzantine => total(board) * 2 / 3,
        Profile::CrashFault => total(board) / 2,
    };
    u128::from(board.threshold).max(share + 1)
}

/// Whether it has the form of a board.
pub(super) fn is_formed(board: &Board) -> bool {
    let principals: BTreeSet<_> = board.members.iter().map(Member::principal).collect();
    !board.members.is_empty()
        && board.members.iter().all(|member| member.weight > 0)
        && principals.len() == board.members.len()
        && !board.members.iter().any(has_two_bls_keys)
        && total(board) <= u128::from(Weight::MAX)
        && (1..=total(board)).contains(&u128::from(board.threshold))
}

fn has_two_bls_keys(member: &Member) -> bool {
    matches!(&member.id, MemberId::Delegating { key: PublicKey::Bls(_), .. })
}

/// Whether what the error says of the board is so.
pub(super) fn is_true(error: &BoardError, board: &Board) -> bool {
    let at = |position: &u32| &board.members[usize::try_from(*position).unwrap()];
    let before = |position: &u32| &board.members[..usize::try_from(*position).unwrap()];
    match error {
        BoardError::Empty => board.members.is_empty(),
        BoardError::WeightlessMember(position) => at(position).weight == 0,
        BoardError::TooHeavy => total(board) > u128::from(Weight::MAX),
        BoardError::Threshold { threshold, total: sum } => {
            *threshold == board.threshold
                && u128::from(*sum) == total(board)
                && (*threshold == 0 || threshold > sum)
        }
        BoardError::DuplicateMember(position) => {
            before(position).iter().any(|other| other.principal() == at(position).principal())
        }
        BoardError::Possession(position) => !is_proven(at(position)),
        BoardError::Delegate(position) => has_two_bls_keys(at(position)),
    }
}

/// Whether every BLS key comes with its proof, and no other key with one.
pub(super) fn is_proven(member: &Member) -> bool {
    match &member.id {
        MemberId::Signer { key: PublicKey::Bls(key), possession } => {
            possession.is_some_and(|proof| proves(*key, proof))
        }
        MemberId::Signer { possession, .. } => possession.is_none(),
        MemberId::Entity { delegate: None, .. } => true,
        MemberId::Entity { delegate: Some(Delegate { key, possession }), .. }
        | MemberId::Delegating { delegate: Delegate { key, possession }, .. } => proves(*key, *possession),
    }
}

/// A key and its proof of possession, and whether it is one.
type Proofs = BTreeMap<([u8; 48], [u8; 96]), bool>;

/// Whether a proof of possession holds; each is computed once.
fn proves(key: [u8; 48], proof: [u8; 96]) -> bool {
    thread_local! {
        static KNOWN: RefCell<Proofs> = const { RefCell::new(BTreeMap::new()) };
    }
    let holds = || bls::verify_possession(&key, &proof).is_ok();
    KNOWN.with_borrow_mut(|known| *known.entry((key, proof)).or_insert_with(holds))
}

/// Whether frames are decided by votes.
pub(super) fn votes(board: &Board) -> bool {
    let alone = match board.members.as_slice() {
        [Member { id: MemberId::Signer { key, .. }, .. }] => !matches!(key, PublicKey::Bls(_)),
        _ => false,
    };
    !alone
}

/// Weight by which each key votes on frames, and for which it proposes.
pub(super) fn voters(board: &Board) -> BTreeMap<[u8; 48], (u128, u128)> {
    let mut voters: BTreeMap<[u8; 48], (u128, u128)> = BTreeMap::new();
    for member in board.members.iter().filter(|member| member.permissions.allows(Permissions::VOTE)) {
        let key = match &member.id {
            MemberId::Signer { key: PublicKey::Bls(key), .. } => key,
            MemberId::Signer { .. } | MemberId::Entity { delegate: None, .. } => continue,
            MemberId::Entity { delegate: Some(delegate), .. } | MemberId::Delegating { delegate, .. } => {
                &delegate.key
            }
        };
        let (weight, proposing) = voters.entry(*key).or_default();
        *weight += u128::from(member.weight);
        if member.permissions.allows(Permissions::PROPOSE) {
            *proposing += u128::from(member.weight);
        }
    }
    voters
}

/// Whether its members can certify frames: a board of one key at once, another by voters who reach the quorum, one of whom may
/// propose.
pub(super) fn can_decide(board: &Board) -> bool {
    let voters = voters(board);
    let voting: u128 = voters.values().map(|(weight, _)| weight).sum();
    let proposes = voters.values().any(|(_, proposing)| *proposing > 0);
    !votes(board) || (voting >= quorum(board) && proposes)
}

/// Whether those who voted on `old` and stay can decide alone what `new` decides.
pub(super) fn goes_on(old: &Board, new: &Board) -> bool {
    let before = voters(old);
    let (mut staying, mut proposes) = (0, false);
    for (key, (weight, proposing)) in voters(new) {
        if let Some((former, _)) = before.get(&key) {
            staying += if before.len() == 1 { weight } else { weight.min(*former) };
            proposes |= proposing > 0;
        }
    }
    !votes(old) || (staying >= quorum(new) && proposes)
}
