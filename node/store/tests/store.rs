//! The store as a node uses it: through its public interface, across restarts and failures.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::{TempDir, tempdir};
use xln_primitives::{BlockHeader, CallHash, ChannelId, EntityId, Hash, Network, Timestamp};
use xln_store::{
    Batch, Keep, Options, PeerId, Pruned, Pruning, SnapshotMarker, Store, StoreError, check_free_space,
    free_space,
};

const NETWORK: Network = Network::new([7; 32]);

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(path, NETWORK, &Options::default())
}

fn fresh() -> (TempDir, Store) {
    let folder = tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    (folder, store)
}

fn block(number: u64, parent: Hash) -> BlockHeader {
    BlockHeader {
        number,
        parent,
        timestamp: Timestamp::from_millis(number * 100),
        first_slice: number * 2 + 1,
        slices: 2,
        inputs_root: Hash::ZERO,
        state_root: Hash::ZERO,
        receipts_root: Hash::ZERO,
    }
}

fn marker(block: &BlockHeader, slice: u64) -> SnapshotMarker {
    SnapshotMarker { block: block.clone(), slice, state_root: Hash::ZERO }
}

fn call(slice: u64) -> CallHash {
    let mut bytes = [0xcc; 32];
    bytes[..8].copy_from_slice(&slice.to_be_bytes());
    CallHash::new(bytes)
}

/// Commits one slice with everything that belongs to it.
fn commit_slice(store: &Store, number: u64) {
    let mut batch = Batch::new();
    batch.put_slice(number, format!("slice {number}").as_bytes());
    batch.put_receipt(number, &call(number), format!("receipt {number}").as_bytes());
    store.commit(batch).unwrap();
}

/// Blocks `0 .. count` of two slices each.
fn commit_chain(store: &Store, count: u64) -> Vec<BlockHeader> {
    let mut chain: Vec<BlockHeader> = Vec::new();
    for number in 0..count {
        let block = block(number, chain.last().map_or(Hash::ZERO, BlockHeader::hash));
        commit_slice(store, block.first_slice);
        commit_slice(store, block.first_slice + 1);
        let mut batch = Batch::new();
        batch.put_block(&block);
        store.commit(batch).unwrap();
        chain.push(block);
    }
    chain
}

fn numbers(rows: impl Iterator<Item = Result<(u64, Vec<u8>), StoreError>>) -> Vec<u64> {
    rows.map(|row| row.unwrap().0).collect()
}

fn log_files(path: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut logs: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|ending| ending == "log")).collect();
    logs.sort();
    logs
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let (folder, store) = fresh();
    let chain = commit_chain(&store, 3);
    let (entity, channel) = (EntityId::new([1; 32]), ChannelId::new([2; 32]));
    let mut snapshot = store.begin_snapshot(&marker(&chain[0], 2)).unwrap();
    snapshot.put_proof(&entity, &channel, b"proof").unwrap();
    snapshot.finish().unwrap();
    drop(store);

    let store = open(folder.path()).unwrap();
    assert_eq!(store.latest_block().unwrap().as_ref(), chain.last());
    assert_eq!(store.block_by_number(1).unwrap().as_ref(), Some(&chain[1]));
    assert_eq!(store.block_by_hash(&chain[2].hash()).unwrap().as_ref(), Some(&chain[2]));
    assert_eq!(store.block_hash(0).unwrap(), Some(chain[0].hash()));
    assert_eq!(store.latest_slice().unwrap(), Some(6));
    assert_eq!(store.slice(4).unwrap().unwrap(), b"slice 4");
    assert_eq!(store.receipt(&call(5)).unwrap().unwrap(), b"receipt 5");
    assert_eq!(store.proof(&entity, &channel).unwrap().unwrap(), b"proof");
    assert_eq!(numbers(store.slices_from(3)), [3, 4, 5, 6]);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_sound());
}

#[test]
fn what_was_never_written_is_absent_and_not_an_error() {
    let (_folder, store) = fresh();
    assert_eq!(store.slice(1).unwrap(), None);
    assert_eq!(store.block_by_number(0).unwrap(), None);
    assert_eq!(store.latest_block().unwrap(), None);
    assert_eq!(store.latest_slice().unwrap(), None);
    assert_eq!(store.receipt(&call(1)).unwrap(), None);
    assert_eq!(store.snapshot_marker().unwrap(), None);
    assert_eq!(store.slices_from(0).count(), 0);
    assert!(store.state().unwrap().is_none());
    assert!(store.verify(&mut |_, _| {}).unwrap().is_sound());
}

#[test]
fn the_database_of_another_network_is_refused_with_both_names() {
    let (folder, store) = fresh();
    drop(store);
    let other = Network::new([8; 32]);
    let refusal = Store::open(folder.path(), other, &Options::default()).unwrap_err();
    assert!(
        matches!(&refusal, StoreError::OtherNetwork { found, expected, .. } if (*found, *expected) == (NETWORK, other))
    );
    let text = refusal.to_string();
    assert!(text.contains(&NETWORK.to_string()) && text.contains(&other.to_string()));
    open(folder.path()).unwrap();
}

#[test]
fn a_database_has_one_owner_at_a_time() {
    let (folder, store) = fresh();
    let clone = store.clone();
    drop(store);
    assert!(matches!(open(folder.path()).unwrap_err(), StoreError::Locked { path } if path == folder.path()));
    drop(clone);
    open(folder.path()).unwrap();
}

#[test]
fn a_database_is_made_only_if_asked() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("nothing");
    let options = Options { create: false, ..Options::default() };
    assert!(matches!(Store::open(&path, NETWORK, &options), Err(StoreError::Missing { .. })));
    assert!(!path.exists());
}

#[test]
fn an_empty_batch_writes_nothing() {
    let (_folder, store) = fresh();
    assert!(Batch::new().is_empty());
    assert_eq!(store.commit(Batch::new()).unwrap().bytes, 0);
    assert_eq!(store.stats().unwrap().commits, 0);
}

#[test]
fn an_outbox_keeps_peers_apart_and_forgets_what_was_confirmed() {
    let (_folder, store) = fresh();
    let (one, other) = (PeerId::new([1; 32]), PeerId::new([2; 32]));
    let block = block(0, Hash::ZERO);
    let mut snapshot = store.begin_snapshot(&marker(&block, 1)).unwrap();
    for peer in [&one, &other] {
        for sequence in [1, 2, 300] {
            snapshot.put_outbox(peer, sequence, Some(b"message")).unwrap();
        }
    }
    snapshot.finish().unwrap();
    let mut snapshot = store.begin_snapshot(&marker(&block, 2)).unwrap();
    snapshot.put_outbox(&one, 2, None).unwrap();
    snapshot.finish().unwrap();
    assert_eq!(numbers(store.outbox(&one, 0)), [1, 300]);
    assert_eq!(numbers(store.outbox(&other, 2)), [2, 300]);
    assert_eq!(numbers(store.outbox(&PeerId::new([3; 32]), 0)), [0; 0]);
}

#[test]
fn a_torn_last_write_is_dropped_whole_and_all_before_it_stay() {
    let (folder, store) = fresh();
    commit_slice(&store, 1);
    commit_slice(&store, 2);
    let log = log_files(folder.path()).pop().unwrap();
    let whole = fs::metadata(&log).unwrap().len();
    let mark = folder.path().join("high-water");
    let marked = fs::read(&mark).unwrap();
    commit_slice(&store, 3);
    drop(store);
    let file = fs::OpenOptions::new().write(true).open(&log).unwrap();
    let torn = fs::metadata(&log).unwrap().len() - 5;
    assert!(torn > whole);
    file.set_len(torn).unwrap();
    let refusal = open(folder.path()).unwrap_err();
    assert!(matches!(refusal, StoreError::Shortened { found_slice: 2, slice: 3, .. }), "{refusal}");

    // Power that fails in the middle of a write lets it neither be acknowledged nor marked.
    fs::write(&mark, marked).unwrap();
    let store = open(folder.path()).unwrap();
    assert_eq!(store.latest_slice().unwrap(), Some(2));
    assert_eq!(store.receipt(&call(3)).unwrap(), None, "nothing of the torn batch is there");
    commit_slice(&store, 3);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_sound());
}

#[test]
fn damage_within_the_log_refuses_to_open() {
    let (folder, store) = fresh();
    commit_slice(&store, 1);
    let log = log_files(folder.path()).pop().unwrap();
    let middle = usize::try_from(fs::metadata(&log).unwrap().len()).unwrap() - 5;
    commit_slice(&store, 2);
    drop(store);
    let mut bytes = fs::read(&log).unwrap();
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();
    let refusal = open(folder.path()).unwrap_err();
    let text = refusal.to_string();
    assert!(text.contains("does not open: Corruption") && text.contains(log.to_str().unwrap()), "{text}");
}

#[test]
fn after_a_failed_write_every_later_one_is_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("db");
    let options = Options { write_buffer_size: 64 << 10, ..Options::default() };
    let store = Store::open(&path, NETWORK, &options).unwrap();
    commit_slice(&store, 1);
    // Without its folder the database cannot start the next log file, as on a failing disk.
    fs::remove_dir_all(&path).unwrap();
    let failed = (2..1_000).find_map(|number| {
        let mut batch = Batch::new();
        batch.put_slice(number, &[0; 16 << 10]);
        store.commit(batch).err()
    });
    assert!(matches!(failed, Some(StoreError::Database { .. })), "{failed:?}");
    let mut batch = Batch::new();
    batch.put_slice(1_000, b"slice");
    assert!(
        matches!(store.commit(batch), Err(StoreError::Poisoned { reason }) if Some(&*reason) == store.poisoned())
    );
}

#[test]
fn pruning_forgets_what_was_promised_to_nobody() {
    let (folder, store) = fresh();
    let chain = commit_chain(&store, 12);
    let last = |blocks, state| Pruning { blocks: Keep::Last(blocks), state: Keep::Last(state) };
    assert_eq!(store.prune(last(0, 0)).unwrap(), Pruned::default(), "nothing before there is a state");

    let snapshot = |number: usize| {
        let block = &chain[number];
        store.begin_snapshot(&marker(block, block.first_slice + 1)).unwrap().finish().unwrap();
    };
    let archive =
        || store.state().unwrap().unwrap().archive(|_| core::ops::ControlFlow::Continue(())).unwrap();
    let blocks =
        || -> Vec<u64> { store.archives().unwrap().iter().map(|manifest| manifest.block.number).collect() };
    for number in [2, 6] {
        snapshot(number);
        archive();
    }
    snapshot(10);
    assert_eq!(store.prune(Pruning::ARCHIVE).unwrap(), Pruned::default());
    assert_eq!(blocks(), [2, 6]);

    // The state of block 2 is still promised, so the slices after it stay; the receipts before block 6 do not.
    let pruned = store.prune(last(4, 8)).unwrap();
    assert_eq!((pruned.slices, pruned.receipts, pruned.snapshots), (6, 12, 0));
    assert_eq!(store.earliest_slice().unwrap(), Some(7));
    assert_eq!(store.receipt(&call(12)).unwrap(), None);
    assert_eq!(store.receipt(&call(13)).unwrap().unwrap(), b"receipt 13");
    // The state of block 9 begins at the snapshot of block 6.
    let pruned = store.prune(last(0, 1)).unwrap();
    assert_eq!((pruned.slices, pruned.receipts, pruned.snapshots), (8, 8, 1));
    assert_eq!(blocks(), [6]);
    assert_eq!(store.prune(last(0, 1)).unwrap(), Pruned::default(), "there is nothing left to forget");
    assert_eq!(store.pruning().unwrap(), Pruning::ARCHIVE);
    store.set_pruning(last(0, 1)).unwrap();
    drop(store);

    let store = open(folder.path()).unwrap();
    assert_eq!(store.pruning().unwrap(), last(0, 1));
    assert_eq!((store.earliest_slice().unwrap(), store.earliest_receipts().unwrap()), (Some(15), Some(21)));
    assert_eq!(numbers(store.slices_from(23)), [23, 24]);
    assert!(matches!(
        store.slices_from(14).next(),
        Some(Err(StoreError::Gap { expected: 14, found: 15, .. }))
    ));
    assert_eq!(store.block_by_number(0).unwrap().as_ref(), Some(&chain[0]), "headers stay");
    assert!(store.verify(&mut |_, _| {}).unwrap().is_sound());
}

#[test]
fn space_is_measured_and_too_little_of_it_is_an_error() {
    let (folder, store) = fresh();
    let free = free_space(folder.path()).unwrap();
    assert!(free > 0);
    check_free_space(folder.path(), 1).unwrap();
    let refusal = store.check_free_space(u64::MAX).unwrap_err();
    assert!(matches!(refusal, StoreError::DiskFull { needed: u64::MAX, .. }));
    assert!(free_space(folder.path().join("nothing")).is_err());

    let written = {
        let mut batch = Batch::new();
        batch.put_slice(1, &[1; 100_000]);
        store.commit(batch).unwrap().bytes
    };
    assert!(written > 100_000);
    assert!(store.size().unwrap() > 100_000);
    let stats = store.stats().unwrap();
    assert_eq!((stats.commits, stats.written), (1, written));
    assert!(stats.columns.iter().any(|column| column.column.name() == "slices" && column.rows == 1));
}
