//! What boards leave: the log of what they are deciding, marks of what was certified, and proof of members who lied.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::path::Path;

use xln_primitives::{EntityId, FrameHash, Network};
use xln_store::{Batch, Options, SignedMark, Store};

const BOARD: EntityId = EntityId::new([2; 32]);
const HUB: EntityId = EntityId::new([5; 32]);

fn open(path: &Path) -> Store {
    Store::open(path, Network::new([7; 32]), &Options::default()).unwrap()
}

#[test]
fn marks_are_read_beside_the_log_of_a_height_that_is_being_decided() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mark = SignedMark { height: 4, frame: FrameHash::new([8; 32]) };
    let mut batch = Batch::new();
    for sequence in 0..3 {
        batch.put_consensus(&BOARD, 9, sequence, b"a vote");
        batch.put_consensus(&HUB, 1, sequence, b"a vote");
    }
    batch.put_signed(&HUB, mark);
    store.commit(batch).unwrap();
    let marks: Vec<_> = store.signed().map(Result::unwrap).collect();
    assert_eq!(marks, [(HUB, mark)]);
    assert_eq!(store.consensus(&HUB).count(), 3);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_sound());
}

#[test]
fn changes_of_a_board_are_read_in_the_order_of_their_heights_and_without_those_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut batch = Batch::new();
    for (entity, height) in [(BOARD, 300), (BOARD, 2), (HUB, 1), (EntityId::new([1; 32]), 9)] {
        batch.put_handover(&entity, height, &[entity.as_ref()[0], height.to_le_bytes()[0]]);
    }
    store.commit(batch).unwrap();
    drop(store);
    let store = open(folder.path());
    let kept = |entity| store.handovers(entity).map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(kept(&BOARD), [[2, 2], [2, 44]]);
    assert_eq!(kept(&HUB), [[5, 1]]);
    assert!(kept(&EntityId::new([3; 32])).is_empty());
    assert!(store.verify(&mut |_, _| {}).unwrap().is_sound());
}

#[test]
fn evidence_is_kept_once_for_each_place_and_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(store.evidence().count(), 0);
    for (height, slot, bytes) in [(2, 7, "second"), (1, 9, "first"), (2, 7, "second")] {
        let mut batch = Batch::new();
        batch.put_evidence(&BOARD, height, slot, bytes.as_bytes());
        store.commit(batch).unwrap();
    }
    drop(store);
    let store = open(folder.path());
    let kept: Vec<_> = store.evidence().map(Result::unwrap).collect();
    assert_eq!(kept, [b"first".to_vec(), b"second".to_vec()]);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_sound());
}
