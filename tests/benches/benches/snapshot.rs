//! Snapshots and restart of a hub: how long they take, and how many bytes they have.
//!
//! `XLN_CHANNELS=1000000 cargo bench -p xln-benches --bench snapshot`. Every channel has carried a payment of its own size in
//! each direction, so its rows are those of a channel in use.

use std::{collections::BTreeMap, ops::ControlFlow, time::Instant};

use codec::Encode;
use xln_benches::Side;
use xln_primitives::{
    AssetId, BlockHeader, Board, FrameHash, FrameHeader, Hash, Network, SecretKey, Storage, Timestamp,
};
use xln_runtime::{Genesis, Head, Restoring, StateRow, genesis::GenesisEntity};
use xln_store::{Options, SnapshotMarker, Store, StoreError};
use xln_tree::{Config, Hasher, Tree};

const CHANNELS: u32 = 100_000;

/// The rows of a hub after it has dealt with everybody.
fn hub(board: &Board, channels: u32) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let asset = AssetId::named("usd");
    let mut rows = BTreeMap::new();
    // A side of its own for each portion: a side's own maps are not what is measured.
    for first in (0..channels).step_by(1_000) {
        let mut hub = Side::new(board.entity());
        if first == 0 {
            pallet_entities::found(&mut hub, board).expect("a board of one");
        }
        for number in first..channels.min(first.saturating_add(1_000)) {
            let mut user = Side::numbered(number);
            hub.open(user.id(), asset, 1_000_000_000).expect("a new channel");
            user.open(hub.id(), asset, 1_000_000_000).expect("a new channel");
            let size = u128::from(u32::from_be_bytes(*user.id().as_bytes().first_chunk().expect("32 bytes")));
            hub.pay(&mut user, asset, 1 + size % 1_000_000);
            user.pay(&mut hub, asset, 1 + size % 999);
            for sequence in 1..=2 {
                pallet_entities::accept_incoming(&mut hub, &user.id(), sequence).expect("in order");
                pallet_entities::next_outgoing(&mut hub, &user.id()).expect("few messages");
            }
        }
        rows.extend(hub.scan(&[], None, usize::MAX));
    }
    rows
}

/// A network whose depositary is the hub.
fn genesis(board: &Board) -> Genesis {
    let hub = GenesisEntity {
        id: board.entity(),
        name: "hub".into(),
        board: board.clone(),
        reserves: Vec::new(),
        policy: None,
        governance: None,
    };
    Genesis {
        network: Network::ZERO,
        timestamp: Timestamp::ZERO,
        depositary: board.entity(),
        dispute_window_ms: 10_000,
        hosted: None,
        assets: Vec::new(),
        entities: vec![hub],
        channels: Vec::new(),
    }
}

fn timed<T>(what: &str, rows: u64, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    let took = began.elapsed();
    let each = took.as_nanos() as f64 / rows.max(1) as f64;
    println!("{what:<28} {:>8.2} s  {each:>7.0} ns per row", took.as_secs_f64());
    done
}

fn main() {
    let channels = std::env::var("XLN_CHANNELS").ok().and_then(|text| text.parse().ok()).unwrap_or(CHANNELS);
    xln_benches::describe("snapshot", "0", &format!("{channels} channels of one hub"));
    let secret = SecretKey::Ed25519([7; 32].into());
    let board = Board::single(secret.public().expect("a good key"));
    let genesis = genesis(&board);
    let rows = hub(&board, channels);
    let count = u64::try_from(rows.len()).expect("few rows");
    let bytes: usize = rows.iter().map(|(key, value)| 1 + 64 + key.len() + value.len()).sum();
    println!(
        "{count} rows, {:.1} bytes of whole keys and values per channel",
        bytes as f64 / f64::from(channels)
    );

    let mut tree = Tree::new(Config::default_for(Hasher::Blake3));
    tree.apply(rows.iter().map(|(key, value)| (key, Some(value)))).expect("within the limits");
    let header = FrameHeader {
        entity: board.entity(),
        height: 0,
        parent: FrameHash::ZERO,
        timestamp: Timestamp::ZERO,
        board_hash: board.hash(),
        inputs_root: Hash::ZERO,
        state_root: Hash::new(tree.root()),
        outputs_root: Hash::ZERO,
    };
    drop(tree);
    let signer = board.sole_signer().expect("a board of one").signer_id();
    let mut bound = Tree::new(Config::default_for(Hasher::Blake3));
    let place = [signer.as_ref(), board.entity().as_ref()].concat();
    bound.apply([(place, Some(*header.hash().as_bytes()))]).expect("within the limits");
    let block = BlockHeader {
        number: 0,
        parent: Hash::ZERO,
        timestamp: Timestamp::ZERO,
        first_slice: 1,
        slices: 0,
        inputs_root: Hash::ZERO,
        state_root: Hash::new(bound.root()),
        receipts_root: Hash::ZERO,
    };
    let marker = SnapshotMarker { state_root: block.state_root, slice: 0, block: block.clone() };
    let head = Head { header, certificate: None }.encode();

    let folder = tempfile::tempdir().expect("a folder");
    let open = || Store::open(folder.path(), Network::ZERO, &Options::default()).expect("a database");
    let store = open();
    let write = |rows: &mut dyn Iterator<Item = (&Vec<u8>, &Vec<u8>)>| {
        let mut snapshot = store.begin_snapshot(&marker)?;
        snapshot.put_head(&signer, &board.entity(), Some(&head))?;
        for (key, value) in rows {
            snapshot.put_state(&signer, &board.entity(), key, Some(value))?;
        }
        snapshot.finish()
    };
    let written = timed("snapshot, all rows", count, || write(&mut rows.iter())).expect("written");
    println!(
        "  {} bytes, {:.1} ms of them taking over",
        written.bytes,
        written.ingestion.as_secs_f64() * 1e3
    );
    for (what, step) in [("snapshot, every 3rd row", 3), ("snapshot, every 100th row", 100)] {
        let written =
            timed(what, count / step as u64, || write(&mut rows.iter().step_by(step))).expect("written");
        println!(
            "  {} bytes, {:.1} ms of them taking over",
            written.bytes,
            written.ingestion.as_secs_f64() * 1e3
        );
    }
    drop(rows);
    drop(store);

    let store = timed("open", 1, open);
    let server = timed("restart: read and check", count, || {
        let state = store.state().expect("readable").expect("written");
        let readers = std::thread::available_parallelism().map_or(1, usize::from);
        let mut restoring = Restoring::new();
        let read = state.read(readers, |batch| {
            for row in batch.rows() {
                let row = match row? {
                    xln_store::StateRow::Head { signer, entity, head } => {
                        StateRow::Head { signer, entity, head: Some(head.into()) }
                    }
                    xln_store::StateRow::Entry { signer, entity, key, value } => {
                        StateRow::Value { signer, entity, key: key.into(), value: Some(value.into()) }
                    }
                };
                restoring.push(&row).expect("a row");
            }
            Ok::<_, StoreError>(())
        });
        read.expect("readable");
        restoring.finish(&genesis, block, 0).expect("the root fits")
    });
    drop(server);
    let state = store.state().expect("readable").expect("written");
    let manifest =
        timed("immutable snapshot", count, || state.archive(|_| ControlFlow::Continue(())).expect("made"));
    let ratio = |raw: f64| raw / manifest.compressed() as f64;
    println!(
        "  {} chunks, {} bytes: {:.2} to 1 of keys and values, {:.2} to 1 of the chunks' rows",
        manifest.chunks.len(),
        manifest.compressed(),
        ratio(bytes as f64),
        ratio(manifest.size() as f64)
    );
    compare(&store, &manifest);
    timed("the same again", count, || state.archive(|_| ControlFlow::Continue(())).expect("made"));
}

/// What other levels and a dictionary would bring, on some chunks.
fn compare(store: &Store, manifest: &xln_store::Manifest) {
    let chunks: Vec<Vec<u8>> = (manifest.chunks.iter().enumerate().take(8))
        .map(|(index, info)| {
            let bytes = store.chunk(index, info).expect("readable");
            zstd::bulk::decompress(&bytes, info.size as usize).expect("a chunk")
        })
        .collect();
    let total: usize = chunks.iter().map(Vec::len).sum();
    let report = |what: &str, compress: &mut dyn FnMut(&[u8]) -> usize| {
        let began = Instant::now();
        let compressed: usize = chunks.iter().map(|chunk| compress(chunk)).sum();
        let rate = total as f64 / began.elapsed().as_secs_f64() / 1e6;
        println!("  zstd {what:<18} {:.2} to 1 at {rate:.0} MB/s", total as f64 / compressed as f64);
    };
    for level in [1, 3, 9, 19] {
        report(&format!("level {level}"), &mut |chunk| {
            zstd::bulk::compress(chunk, level).expect("compresses").len()
        });
    }
    let samples: Vec<&[u8]> = chunks.iter().flat_map(|chunk| chunk.chunks(4_096)).take(4_000).collect();
    if let Ok(dictionary) = zstd::dict::from_samples(&samples, 112_640) {
        let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &dictionary).expect("a dictionary");
        report("3 with dictionary", &mut |chunk| compressor.compress(chunk).expect("compresses").len());
        report("3, 16 KiB pieces", &mut |chunk| {
            chunk.chunks(16_384).map(|piece| zstd::bulk::compress(piece, 3).expect("compresses").len()).sum()
        });
        report("3, 16 KiB, dict.", &mut |chunk| {
            chunk.chunks(16_384).map(|piece| compressor.compress(piece).expect("compresses").len()).sum()
        });
    }
}
