//! Bytes that claim to be a board.

use codec::{Decode, Encode, MaxEncodedLen};
use pallet_entities::{found, try_state};
use xln_primitives::{Board, EntityId, Weight, decode_exact, keccak256};

use super::{making, rules};
use crate::{
    mock::Machine,
    random::{Random, campaign},
};

/// Of so many sound boards one is checked with its proofs of possession, which take a millisecond each; of large ones one of so
/// many again.
const PROVEN: usize = 4;
const LARGE: usize = 8;

/// Bytes, and whether they are those of a board.
fn bytes(random: &mut Random) -> (Vec<u8>, bool) {
    if random.once_in(10) {
        return ((0..random.below(600)).map(|_| random.byte()).collect(), false);
    }
    let mut bytes = making::board(random).encode();
    let is_whole = random.once_in(2);
    if !is_whole {
        random.corrupt(&mut bytes);
    }
    (bytes, is_whole)
}

/// What holds of whatever was decoded.
fn check_weights(board: &Board) {
    let total = rules::total(board);
    assert_eq!(u128::from(board.total_weight()), total.min(u128::from(Weight::MAX)));
    let (voting, quorum) = (u128::from(board.voting_weight()), u128::from(board.quorum()));
    assert!(voting <= u128::from(board.total_weight()));
    assert!(quorum >= u128::from(board.threshold).max(1));
    assert_eq!(board.votes(), rules::votes(board));
    if total <= u128::from(Weight::MAX) {
        assert_eq!(quorum, rules::quorum(board));
        let voters = board.voters().into_iter().flatten();
        let voters: Vec<_> = voters
            .map(|voter| (voter.key, (u128::from(voter.weight), u128::from(voter.proposing))))
            .collect();
        assert_eq!(voters.len(), rules::voters(board).len(), "a key votes once");
        assert_eq!(voters.into_iter().collect::<std::collections::BTreeMap<_, _>>(), rules::voters(board));
    }
}

/// What holds of what is accepted as a board.
fn check_sound(board: &Board) {
    let (total, quorum) = (u128::from(board.total_weight()), u128::from(board.quorum()));
    assert!(quorum <= total, "everybody together decides");
    let share = match board.profile {
        xln_primitives::Profile::Byzantine => 3 * quorum > 2 * total,
        xln_primitives::Profile::CrashFault => 2 * quorum > total,
    };
    assert!(share, "two quorums share a member, in the Byzantine profile an honest one");
}

#[test]
fn bytes_are_no_board_or_the_one_encoding_of_a_board_whose_weights_add_up() {
    let most = Board::max_encoded_len();
    let (mut decoded, mut formed, mut founded) = (0_u64, 0_u64, 0_u64);
    let cases = campaign("bytes of boards", |random, _| {
        let (bytes, is_whole) = bytes(random);
        if let Ok(board) = Board::decode(&mut &*bytes) {
            assert!(bytes.starts_with(&board.encode()), "something else was read than stood there");
        }
        let Ok(board) = decode_exact::<Board>(&bytes, most) else { return assert!(!is_whole) };
        decoded += 1;
        assert_eq!(board.encode(), bytes);
        assert_eq!(decode_exact::<Board>(&board.encode(), most).as_ref(), Ok(&board));
        assert_eq!(board.hash(), keccak256(&bytes));
        check_weights(&board);
        let form = board.validate_form();
        assert_eq!(form.is_ok(), rules::is_formed(&board), "{form:?} of {board:?}");
        if let Err(error) = &form {
            assert!(rules::is_true(error, &board), "{error:?} is not true of {board:?}");
            assert_eq!(board.validate().as_ref(), Err(error));
        } else {
            formed += 1;
            check_sound(&board);
        }
        if form.is_ok() && random.once_in(PROVEN) && (board.members.len() <= LARGE || random.once_in(PROVEN))
        {
            let validated = board.validate();
            assert_eq!(validated.is_ok(), board.members.iter().all(rules::is_proven));
            let mut machine = Machine::of(EntityId::registered(1));
            let result = found(&mut machine, &board);
            let expected = validated.is_ok() && rules::can_decide(&board);
            assert_eq!(result.is_ok(), expected, "{result:?} of {board:?}");
            if result.is_ok() {
                founded += 1;
                assert_eq!(pallet_entities::board(&machine), Ok(Some(board)));
                assert_eq!(try_state(&machine), Ok(()));
            } else {
                assert_eq!(pallet_entities::board(&machine), Ok(None));
            }
        }
    });
    println!("{decoded} decoded, {formed} of them sound in form, {founded} founded an entity");
    assert!(cases == 1 || (decoded * 4 > cases && formed * 20 > cases && founded > 0));
}
