//! The mutable snapshot: it moves as a whole or not at all, and is read as a whole whatever is written meanwhile.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{collections::BTreeMap, fs, path::Path};

use proptest::prelude::*;
use tempfile::{TempDir, tempdir};
use xln_primitives::{BlockHeader, ChannelId, EntityId, Hash, Network, SignerId, Timestamp};
use xln_store::{Options, PeerId, SnapshotMarker, StateRow, StateView, Store, StoreError};

const NETWORK: Network = Network::new([7; 32]);

fn open(path: &Path) -> Store {
    Store::open(path, NETWORK, &Options::default()).unwrap()
}

fn fresh() -> (TempDir, Store) {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    (folder, store)
}

fn marker(number: u64) -> SnapshotMarker {
    let block = BlockHeader {
        number,
        parent: Hash::ZERO,
        timestamp: Timestamp::from_millis(number),
        first_slice: 1,
        slices: 2,
        inputs_root: Hash::ZERO,
        state_root: Hash::ZERO,
        receipts_root: Hash::ZERO,
    };
    SnapshotMarker { block, slice: number * 2, state_root: Hash::new([5; 32]) }
}

/// A row as a test writes it down: signer, entity, key (none for the head), value.
type Row = (u8, u8, Option<Vec<u8>>);

fn own(row: StateRow<'_>) -> (Row, Vec<u8>) {
    match row {
        StateRow::Head { signer, entity, head } => {
            ((signer.as_ref()[0], entity.as_ref()[0], None), head.to_vec())
        }
        StateRow::Entry { signer, entity, key, value } => {
            ((signer.as_ref()[0], entity.as_ref()[0], Some(key.to_vec())), value.to_vec())
        }
    }
}

fn write(store: &Store, number: u64, rows: &BTreeMap<Row, Option<Vec<u8>>>) -> Result<(), StoreError> {
    let mut snapshot = store.begin_snapshot(&marker(number))?;
    for ((signer, entity, key), value) in rows {
        let (signer, entity) = (SignerId::new([*signer; 32]), EntityId::new([*entity; 32]));
        match key {
            Some(key) => snapshot.put_state(&signer, &entity, key, value.as_deref())?,
            None => snapshot.put_head(&signer, &entity, value.as_deref())?,
        }
    }
    assert_eq!(snapshot.finish()?.rows, u64::try_from(rows.len()).unwrap());
    Ok(())
}

fn in_order(state: &StateView<'_>) -> Vec<(Row, Vec<u8>)> {
    let batches: Vec<_> = state.in_order().map(Result::unwrap).collect();
    batches.iter().flat_map(xln_store::StateBatch::rows).map(|row| own(row.unwrap())).collect()
}

fn by_readers(state: &StateView<'_>, readers: usize) -> Vec<(Row, Vec<u8>)> {
    let mut rows = Vec::new();
    let take = |batch: &xln_store::StateBatch| {
        rows.extend(batch.rows().map(|row| own(row.unwrap())));
        Ok::<_, StoreError>(())
    };
    state.read(readers, take).unwrap();
    rows.sort();
    rows
}

fn row(key: Option<&[u8]>, value: Option<&str>) -> (Row, Option<Vec<u8>>) {
    ((1, 2, key.map(<[u8]>::to_vec)), value.map(|value| value.as_bytes().to_vec()))
}

#[test]
fn the_state_is_what_the_snapshots_wrote_with_heads_before_entries() {
    let (folder, store) = fresh();
    let first =
        [row(None, Some("head")), row(Some(&[3, 1]), Some("channel")), row(Some(&[5]), Some("reserve"))];
    write(&store, 4, &first.into()).unwrap();
    write(&store, 6, &[row(None, Some("later")), row(Some(&[5]), None)].into()).unwrap();
    assert_eq!(store.stats().unwrap().written, 0, "nothing goes through the log");
    drop(store);

    let store = open(folder.path());
    assert_eq!(store.snapshot_marker().unwrap(), Some(marker(6)));
    let state = store.state().unwrap().unwrap();
    assert_eq!(state.marker(), &marker(6));
    let key = |key: &[u8]| (1, 2, Some(key.to_vec()));
    assert_eq!(in_order(&state), [((1, 2, None), b"later".to_vec()), (key(&[3, 1]), b"channel".to_vec())]);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_sound());
}

#[test]
fn what_is_out_of_order_or_without_a_storage_type_is_refused_and_the_snapshot_stays() {
    let (_folder, store) = fresh();
    write(&store, 1, &[row(Some(&[5]), Some("value"))].into()).unwrap();
    let (signer, entity) = (SignerId::ZERO, EntityId::ZERO);
    for bad in [&[][..], &[0, 1]] {
        let mut snapshot = store.begin_snapshot(&marker(2)).unwrap();
        let refusal = snapshot.put_state(&signer, &entity, bad, Some(b"value"));
        assert!(matches!(refusal, Err(StoreError::MalformedKey { .. })));
    }
    let mut snapshot = store.begin_snapshot(&marker(2)).unwrap();
    snapshot.put_state(&signer, &entity, &[5], Some(b"value")).unwrap();
    for bad in [&[5][..], &[4, 9]] {
        let refusal = snapshot.put_state(&signer, &entity, bad, Some(b"value"));
        assert!(matches!(refusal, Err(StoreError::Unsorted { .. })));
    }
    assert!(matches!(snapshot.put_head(&signer, &entity, None), Err(StoreError::Unsorted { .. })));
    assert!(matches!(store.begin_snapshot(&marker(3)), Err(StoreError::SnapshotOpen)));
    drop(snapshot);
    assert_eq!(store.snapshot_marker().unwrap(), Some(marker(1)));
    assert_eq!(in_order(&store.state().unwrap().unwrap()).len(), 1);
    assert_eq!(store.poisoned(), None, "nothing reached the database");
    write(&store, 3, &BTreeMap::new()).unwrap();
}

#[test]
fn an_unfinished_snapshot_leaves_the_one_before_and_no_files() {
    let (folder, store) = fresh();
    write(&store, 1, &[row(Some(&[5]), Some("before"))].into()).unwrap();
    let unfinished = folder.path().join("unfinished");
    {
        let mut snapshot = store.begin_snapshot(&marker(2)).unwrap();
        snapshot.put_state(&SignerId::ZERO, &EntityId::ZERO, &[5], Some(b"after")).unwrap();
        snapshot.put_proof(&EntityId::ZERO, &ChannelId::ZERO, b"proof").unwrap();
        assert!(unfinished.exists());
    }
    assert!(!unfinished.exists());
    drop(store);
    // As after a crash: its files are there, and one that the database was about to take over.
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("state-0.sst"), b"half a file").unwrap();
    fs::write(folder.path().join("009999.sst"), b"half a file").unwrap();
    let store = open(folder.path());
    assert!(!unfinished.exists());
    assert!(!folder.path().join("009999.sst").exists());
    assert_eq!(store.snapshot_marker().unwrap(), Some(marker(1)));
    assert_eq!(store.proof(&EntityId::ZERO, &ChannelId::ZERO).unwrap(), None);
    assert_eq!(in_order(&store.state().unwrap().unwrap()), [((1, 2, Some(vec![5])), b"before".to_vec())]);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_sound());
}

#[test]
fn rows_of_other_columns_come_with_the_snapshot() {
    let (folder, store) = fresh();
    let (entity, peer) = (EntityId::new([1; 32]), PeerId::new([2; 32]));
    let mut snapshot = store.begin_snapshot(&marker(1)).unwrap();
    snapshot.put_proof(&entity, &ChannelId::ZERO, b"older").unwrap();
    snapshot.put_outbox(&peer, 7, Some(b"confirmed")).unwrap();
    snapshot.finish().unwrap();
    let mut snapshot = store.begin_snapshot(&marker(2)).unwrap();
    snapshot.put_outbox(&peer, 7, None).unwrap();
    snapshot.put_outbox(&peer, 8, Some(b"message")).unwrap();
    snapshot.put_proof(&entity, &ChannelId::ZERO, b"newer").unwrap();
    assert!(matches!(
        snapshot.put_proof(&EntityId::ZERO, &ChannelId::ZERO, b"proof"),
        Err(StoreError::Unsorted { .. })
    ));
    snapshot.finish().unwrap();
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.proof(&entity, &ChannelId::ZERO).unwrap().unwrap(), b"newer");
    let outbox: Vec<_> = store.outbox(&peer, 0).map(Result::unwrap).collect();
    assert_eq!(outbox, [(8, b"message".to_vec())]);
}

#[test]
fn a_view_shows_its_snapshot_whatever_is_written_after_it() {
    let (_folder, store) = fresh();
    assert!(store.state().unwrap().is_none());
    write(&store, 1, &[row(Some(&[5]), Some("one")), row(Some(&[6]), Some("one"))].into()).unwrap();
    let view = store.state().unwrap().unwrap();
    write(&store, 2, &[row(Some(&[5]), None), row(Some(&[7]), Some("two"))].into()).unwrap();
    assert_eq!(view.marker(), &marker(1));
    let keys = |view: &StateView<'_>| -> Vec<_> {
        in_order(view).into_iter().map(|(row, _)| row.2.unwrap()).collect()
    };
    assert_eq!(keys(&view), [vec![5], vec![6]]);
    assert_eq!(keys(&store.state().unwrap().unwrap()), [vec![6], vec![7]]);
}

#[test]
fn reading_ends_with_the_first_error_of_the_reader() {
    let (_folder, store) = fresh();
    let rows = (1..=200_u8).map(|number| row(Some(&[number]), Some("value")));
    write(&store, 1, &rows.collect()).unwrap();
    let state = store.state().unwrap().unwrap();
    let mut batches = 0;
    let refusal = state.read(3, |_| {
        batches += 1;
        Err(StoreError::SnapshotOpen)
    });
    assert!(matches!(refusal, Err(StoreError::SnapshotOpen)));
    assert_eq!(batches, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn snapshots_on_top_of_each_other_are_one_state(
        snapshots in prop::collection::vec(
            prop::collection::btree_map(
                (0_u8..3, 0_u8..3, prop::option::of(prop::collection::vec(1_u8..=4, 1..4))),
                prop::option::of(prop::collection::vec(any::<u8>(), 0..50)),
                0..40,
            ),
            1..7,
        ),
        readers in 1_usize..5,
    ) {
        let (_folder, store) = fresh();
        let mut model: BTreeMap<Row, Vec<u8>> = BTreeMap::new();
        for (number, rows) in (1..).zip(&snapshots) {
            write(&store, number, rows).unwrap();
            for (row, value) in rows {
                match value {
                    Some(value) => drop(model.insert(row.clone(), value.clone())),
                    None => drop(model.remove(row)),
                }
            }
        }
        let expected: Vec<_> = model.into_iter().collect();
        let state = store.state().unwrap().unwrap();
        prop_assert_eq!(in_order(&state), expected.clone());
        prop_assert_eq!(by_readers(&state, readers), expected);
    }
}
