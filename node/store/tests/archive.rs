//! Immutable snapshots: what goes in comes out, and nothing else comes in.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{fs, ops::ControlFlow, path::Path};

use tempfile::{TempDir, tempdir};
use xln_primitives::{BlockHeader, ChannelId, EntityId, FrameHash, Hash, Network, SignerId, Timestamp};
use xln_store::{
    ArchiveError, ArchiveStream, Batch, ChunkFault, ChunkReader, Manifest, Options, PeerId, SignedMark,
    SnapshotMarker, Staging, StateRow, Store, StoreError, write_stream,
};

const NETWORK: Network = Network::new([7; 32]);
const ENTITY: EntityId = EntityId::new([2; 32]);
const PEER: PeerId = PeerId::new([3; 32]);

fn open(path: &Path) -> Store {
    Store::open(path, NETWORK, &Options::default()).unwrap()
}

fn marker(number: u64) -> SnapshotMarker {
    let block = BlockHeader {
        number,
        parent: Hash::ZERO,
        timestamp: Timestamp::from_millis(number),
        first_slice: number * 2 + 1,
        slices: 2,
        inputs_root: Hash::ZERO,
        state_root: Hash::new([5; 32]),
        receipts_root: Hash::ZERO,
    };
    SnapshotMarker { state_root: block.state_root, slice: number * 2 + 2, block }
}

/// Writes rows `first ..` of 150 bytes each into the state of block `number`.
fn write(store: &Store, number: u64, rows: impl Iterator<Item = u64>) {
    let mut snapshot = store.begin_snapshot(&marker(number)).unwrap();
    snapshot.put_head(&SignerId::ZERO, &ENTITY, Some(b"head")).unwrap();
    for row in rows {
        let mut key = vec![3];
        key.extend_from_slice(&row.to_be_bytes());
        let value = *blake3::hash(&(row, number).0.to_le_bytes()).as_bytes();
        snapshot.put_state(&SignerId::ZERO, &ENTITY, &key, Some(&value.repeat(4))).unwrap();
    }
    snapshot.put_proof(&ENTITY, &ChannelId::ZERO, b"proof").unwrap();
    snapshot.put_outbox(&PEER, 9, Some(b"message")).unwrap();
    snapshot.finish().unwrap();
    let mut batch = Batch::new();
    batch.put_signed(&ENTITY, SignedMark { height: 4, frame: FrameHash::new([8; 32]) });
    batch.put_block(&marker(number).block);
    store.commit(batch).unwrap();
}

fn archive(store: &Store) -> Manifest {
    store.state().unwrap().unwrap().archive(|_| ControlFlow::Continue(())).unwrap()
}

fn exported(store: &Store, manifest: &Manifest) -> Vec<u8> {
    let mut bytes = Vec::new();
    let size = write_stream(store, manifest, &mut bytes, |_| {}).unwrap();
    assert_eq!(size, u64::try_from(bytes.len()).unwrap());
    bytes
}

/// Reads a whole stream; its chunks are staged if a folder is given.
fn read(bytes: &[u8], staging: Option<&Staging>) -> Result<Manifest, ArchiveError> {
    let mut stream = ArchiveStream::open(bytes)?;
    let manifest = stream.manifest().clone();
    let mut reader = ChunkReader::new();
    for info in &manifest.chunks {
        let chunk = stream.next_chunk()?.unwrap();
        reader.read(info, &chunk, |_, _| Ok::<_, ArchiveError>(()))?;
        if let Some(staging) = staging {
            staging.write(info, chunk)?;
        }
    }
    assert_eq!(stream.next_chunk()?, None);
    Ok(manifest)
}

/// Everything that a snapshot keeps.
fn content(store: &Store) -> Vec<String> {
    let state = store.state().unwrap().unwrap();
    let mut rows = vec![format!("{:?}", state.marker())];
    for batch in state.in_order() {
        let batch = batch.unwrap();
        rows.extend(batch.rows().map(|row: Result<StateRow<'_>, _>| format!("{:?}", row.unwrap())));
    }
    rows.extend(store.signed().map(|mark| format!("{:?}", mark.unwrap())));
    rows.extend(store.outbox(&PEER, 0).map(|row| format!("{:?}", row.unwrap())));
    rows.push(format!("{:?}", store.proof(&ENTITY, &ChannelId::ZERO).unwrap()));
    rows.push(format!("{:?}", store.latest_block().unwrap()));
    rows
}

fn small() -> (TempDir, Store, Manifest) {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    write(&store, 4, 0..20);
    let manifest = archive(&store);
    (folder, store, manifest)
}

#[test]
fn a_database_that_imported_a_snapshot_has_what_the_other_had() {
    let (folder, store, manifest) = small();
    assert_eq!((manifest.rows(), manifest.network), (1 + 20 + 3, NETWORK));
    let bytes = exported(&store, &manifest);
    let (other, staged) = (tempdir().unwrap(), tempdir().unwrap());
    let staging = Staging::new(staged.path().to_path_buf());
    let arrived = read(&bytes, Some(&staging)).unwrap();
    assert_eq!(arrived, manifest);
    let imported = open(other.path());
    imported.import(&arrived, &staging).unwrap();
    assert_eq!(content(&imported), content(&store));
    assert_eq!(imported.archives().unwrap(), std::slice::from_ref(&manifest));
    assert_eq!(exported(&imported, &manifest), bytes, "it can be handed on");
    assert!(imported.verify(&mut |_, _| {}).unwrap().is_sound());
    drop((store, imported));
    assert_eq!(content(&open(other.path())), content(&open(folder.path())));
}

#[test]
fn only_an_empty_database_imports() {
    let (_folder, store, manifest) = small();
    let staged = tempdir().unwrap();
    let staging = Staging::new(staged.path().to_path_buf());
    read(&exported(&store, &manifest), Some(&staging)).unwrap();
    let before = content(&store);
    let refusal = store.import(&manifest, &staging);
    assert!(matches!(refusal, Err(ArchiveError::Store(StoreError::NotEmpty { .. }))));
    assert_eq!(content(&store), before);
}

#[test]
fn every_flipped_byte_of_a_stream_is_found() {
    let (_folder, store, manifest) = small();
    let bytes = exported(&store, &manifest);
    for position in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1 << (position % 8);
        assert!(read(&damaged, None).is_err(), "byte {position} of {}", bytes.len());
    }
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length], None).is_err(), "cut at {length}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(read(&longer, None), Err(ArchiveError::Trailing { .. })));
}

#[test]
fn a_hostile_manifest_takes_no_memory() {
    let huge = [b"xln-snapshot".as_slice(), &[0; 32], &u32::MAX.to_le_bytes()].concat();
    assert!(matches!(ArchiveStream::open(&*huge), Err(ArchiveError::ManifestTooLarge { .. })));
    let (_folder, _store, manifest) = small();
    let mut larger = manifest.clone();
    larger.chunks[0].size = u32::MAX;
    let encoded = codec::Encode::encode(&larger);
    assert!(matches!(Manifest::decode(&encoded), Err(ArchiveError::Inconsistent(_))));
    let mut later = manifest;
    later.slice += 1;
    assert!(matches!(Manifest::decode(&codec::Encode::encode(&later)), Err(ArchiveError::Inconsistent(_))));
}

#[test]
fn a_chunk_that_fits_its_hash_and_not_its_manifest_is_named_with_its_row() {
    let compress = |raw: &[u8]| zstd::bulk::compress(raw, 3).unwrap();
    let check = |raw: &[u8], rows: u32, size: usize| {
        let bytes = compress(raw);
        let info = xln_store::ChunkInfo {
            hash: Hash::new(*blake3::hash(&bytes).as_bytes()),
            rows,
            size: u32::try_from(size).unwrap(),
            compressed: u32::try_from(bytes.len()).unwrap(),
        };
        match ChunkReader::new().read(&info, &bytes, |_, _| Ok::<_, ArchiveError>(())) {
            Err(ArchiveError::Chunk { index: 0, offset: 0, fault }) => fault,
            other => panic!("{other:?}"),
        }
    };
    let row = |shared: u8, suffix: &[u8]| {
        let mut row = vec![shared, u8::try_from(suffix.len()).unwrap()];
        row.extend_from_slice(suffix);
        row.extend_from_slice(&[4, b'v']);
        row
    };
    let proof = [vec![9], vec![1; 64]].concat();
    let good = row(0, &proof);
    assert!(matches!(check(&good, 2, good.len()), ChunkFault::Rows { found: 1, expected: 2 }));
    assert!(matches!(check(&good, 1, good.len() - 1), ChunkFault::Compression(_)));
    assert!(matches!(check(&good, 1, good.len() + 1), ChunkFault::Compression(_)));
    let twice = [good.clone(), row(65, &[])].concat();
    assert!(matches!(check(&twice, 2, twice.len()), ChunkFault::Unsorted { row: 1 }));
    let slice = row(0, &[8; 9]);
    assert!(matches!(check(&slice, 1, slice.len()), ChunkFault::Key { row: 0, .. }));
    let marker = row(0, &[0]);
    assert!(matches!(check(&marker, 1, marker.len()), ChunkFault::Key { row: 0, .. }));
    let borrowed = row(1, &proof[1..]);
    assert!(matches!(check(&borrowed, 1, borrowed.len()), ChunkFault::Row { row: 0 }));
    let cut = &good[..good.len() - 1];
    assert!(matches!(check(cut, 1, cut.len()), ChunkFault::Row { row: 0 }));
}

#[test]
fn what_did_not_change_lies_on_disk_once_and_stays_as_long_as_a_snapshot_has_it() {
    let folder = tempdir().unwrap();
    let store = open(folder.path());
    write(&store, 4, 0..40_000);
    let first = archive(&store);
    assert!(first.chunks.len() > 5, "{} chunks", first.chunks.len());
    write(&store, 6, core::iter::once(70_000));
    let mut shared = 0;
    let second = store.state().unwrap().unwrap().archive(|progress| {
        shared = progress.shared;
        ControlFlow::Continue(())
    });
    let second = second.unwrap();
    assert!(shared + 3 >= u64::try_from(first.chunks.len()).unwrap(), "{shared} of {}", first.chunks.len());
    assert_eq!(store.archives().unwrap(), [first.clone(), second.clone()]);

    let (kept, files) = (exported(&store, &second), folder.path().join("snapshots"));
    let freed = store.remove_archive(&first.hash()).unwrap();
    assert!(freed > 0 && freed < first.compressed());
    assert_eq!(exported(&store, &second), kept);
    assert_eq!(fs::read_dir(files).unwrap().count(), second.chunks.len());
    assert!(matches!(store.archive(&first.hash()), Err(ArchiveError::Unknown(_))));
}

#[test]
fn a_snapshot_that_was_stopped_is_none_and_its_chunks_go_with_the_next_removal() {
    let (folder, store, manifest) = small();
    write(&store, 6, 0..30);
    let stopped = store.state().unwrap().unwrap().archive(|_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(ArchiveError::Stopped)));
    assert_eq!(store.archives().unwrap(), std::slice::from_ref(&manifest));
    let files = || fs::read_dir(folder.path().join("snapshots")).unwrap().count();
    assert_eq!(files(), manifest.chunks.len() + 1);
    store.remove_archive(&Hash::ZERO).unwrap();
    assert_eq!(files(), manifest.chunks.len());
}

#[test]
fn a_damaged_chunk_on_disk_is_named() {
    let (folder, store, manifest) = small();
    let name = hex::encode(manifest.chunks[0].hash.as_bytes());
    let path = folder.path().join("snapshots").join(name);
    let mut bytes = fs::read(&path).unwrap();
    bytes[5] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(store.chunk(0, &manifest.chunks[0]), Err(ArchiveError::Chunk { index: 0, .. })));
    let mut nothing = Vec::new();
    assert!(write_stream(&store, &manifest, &mut nothing, |_| {}).is_err());
}
