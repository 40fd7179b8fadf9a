//! `try_state` finds what no call can write.

use pallet_entities::{Error, Violation, found, register, try_state};
use xln_primitives::{
    Board, BoardError, EntityId, FrameHash, MemberId, Storage, StorageKey, StorageType,
    storage::MemoryStorage,
};

use crate::mock::{board, key, member, signer};
use codec::Encode;

fn with(key: StorageKey, value: Vec<u8>) -> MemoryStorage {
    let mut state = MemoryStorage::default();
    found(&mut state, &Board::single(crate::mock::key(1))).unwrap();
    register(&mut state, &Board::single(crate::mock::key(1))).unwrap();
    assert_eq!(try_state(&state), Ok(()));
    state.put(key.as_ref(), value);
    state
}

#[test]
fn a_board_that_could_not_have_been_founded_is_found() {
    let place = StorageKey::new(StorageType::Board, 0);
    let several = with(
        place,
        board(vec![signer(1), member(MemberId::Entity { entity: EntityId::ZERO, delegate: None })]).encode(),
    );
    let error = Error::CannotAgree { voting: 0, quorum: 2 };
    assert_eq!(try_state(&several), Err(Violation::State(error)));
    let damaged = with(place, vec![4]);
    assert!(matches!(try_state(&damaged), Err(Violation::State(Error::Corrupt(_)))));
}

#[test]
fn a_counter_at_zero_is_found() {
    let place = StorageKey::new(StorageType::Inboxes, 1).with(&EntityId::new([1; 32]));
    let counter = "pair of positions";
    assert_eq!(try_state(&with(place, vec![0; 16])), Err(Violation::IdleCounter { counter }));
    let place = StorageKey::new(StorageType::Inboxes, 0).with(&key(1).signer_id());
    assert_eq!(try_state(&with(place, vec![0; 8])), Err(Violation::IdleCounter { counter: "nonce" }));
}

#[test]
fn metadata_that_are_no_text_are_found() {
    let state = with(StorageKey::new(StorageType::Metadata, 0), (vec![0xff_u8], vec![0_u8; 0]).encode());
    assert_eq!(try_state(&state), Err(Violation::State(Error::NotText)));
}

#[test]
fn a_registry_with_a_gap_or_an_unsound_board_is_found() {
    let place = |number: u64| StorageKey::new(StorageType::Board, 2).with(&number.to_be_bytes());
    let entry = |board: Board| (board, 0_u64, FrameHash::ZERO).encode();
    let beyond = with(place(2), entry(Board::single(key(2))));
    assert_eq!(try_state(&beyond), Err(Violation::RegistryGap { expected: 2, found: 2 }));
    let nobody = with(place(0), entry(Board::single(key(2))));
    assert_eq!(try_state(&nobody), Err(Violation::RegistryGap { expected: 1, found: 0 }));
    let missing = with(StorageKey::new(StorageType::Board, 3), 5_u64.encode());
    assert_eq!(try_state(&missing), Err(Violation::RegistryGap { expected: 2, found: 5 }));
    let unsound = with(place(1), entry(board(vec![])));
    let error = BoardError::Empty;
    assert_eq!(try_state(&unsound), Err(Violation::RegisteredBoard { number: 1, error }));
}
