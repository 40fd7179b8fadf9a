//! Immutable snapshots and states of the past: what was comes back to the last root, and nothing else does.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, ops::ControlFlow, path::Path};

use clap::Parser;
use codec::{Decode, Encode};
use xln_chain_spec::ChainSpec;
use xln_keystore::{Cost, Keystore, Password, dev_key};
use xln_node::{
    archive::{SnapshotError, check_certificates, load},
    cli::{ChainArgs, Cli, Command, DatabaseArgs, Import, SnapshotCommand, Which, WhichArgs},
    commands::{
        CommandError, check_state, create_snapshot, database_folder, database_stats, export_snapshot,
        import_snapshot, list_snapshots, show_snapshot, verify_snapshot,
    },
    recovery::{RecoveryError, recover, state_at},
};
use xln_primitives::{BlockHeader, Board, Certificate, EntityId, FrameHeader, Hash, Timestamp, Vote};
use xln_runtime::{
    Certifier, CertifyError, Genesis, Head, RestoreError, Server, ServerInput, SliceInputs, StateRow,
};
use xln_store::{
    ArchiveError, Batch, Keep, Manifest, Options, Pruning, SignedMark, SnapshotMarker, Store, StoreError,
};

/// Signs with the well-known keys.
struct DevKeys(xln_primitives::Network);

impl Certifier for DevKeys {
    fn can_certify(&self, _: EntityId, board: &Board) -> bool {
        board.sole_signer().is_some()
    }

    fn certify(&self, _: usize, board: &Board, header: &FrameHeader) -> Result<Certificate, CertifyError> {
        let mut keys = xln_keystore::DEV_NAMES.iter().map(|name| xln_keystore::dev_key(name));
        let key = keys.find(|key| key.public().ok().as_ref() == board.sole_signer()).unwrap();
        Ok(Certificate::Single(key.sign(&Vote::precommit(self.0, header, 0).sign_bytes()).unwrap()))
    }
}

fn args(base: &Path) -> DatabaseArgs {
    let chain = ChainArgs { chain: "dev".into() };
    DatabaseArgs { chain, base_path: Some(base.to_path_buf()) }
}

fn genesis() -> Genesis {
    ChainSpec::dev().unwrap().to_genesis().unwrap()
}

fn open(base: &Path) -> Store {
    Store::open(database_folder(&args(base)).unwrap(), genesis().network, &Options::default()).unwrap()
}

fn write(store: &Store, server: &mut Server, change: impl Fn(&mut Vec<u8>, bool)) {
    let block = server.head().clone();
    let marker = SnapshotMarker { slice: server.slice(), state_root: block.state_root, block };
    let mut snapshot = store.begin_snapshot(&marker).unwrap();
    for row in server.take_changes().rows() {
        match row {
            StateRow::Value { signer, entity, key, value } => {
                let mut value = value.unwrap().into_owned();
                change(&mut value, false);
                snapshot.put_state(&signer, &entity, &key, Some(&value)).unwrap();
            }
            StateRow::Head { signer, entity, head } => {
                let mut head = head.unwrap().into_owned();
                change(&mut head, true);
                snapshot.put_head(&signer, &entity, Some(&head)).unwrap();
            }
        }
    }
    snapshot.finish().unwrap();
}

/// One more block of one slice.
fn advance(store: &Store, server: &mut Server) -> BlockHeader {
    let genesis = genesis();
    let heartbeat = ServerInput::Heartbeat { entity: genesis.depositary };
    let inputs = SliceInputs { server: vec![heartbeat], ..SliceInputs::default() };
    let now = Timestamp::from_millis(server.head().timestamp.as_millis() + 100);
    let executed = server.execute(now, Hash::new([7; 32]), inputs, &DevKeys(genesis.network)).unwrap();
    let mut batch = Batch::new();
    batch.put_slice(executed.slice.number, &executed.log);
    for header in executed.heads() {
        batch.put_signed(&header.entity, SignedMark { height: header.height, frame: header.hash() });
    }
    drop(server.commit(&executed));
    let sealed = server.seal(now).unwrap();
    batch.put_block(&sealed.header);
    store.commit(batch).unwrap();
    let header = sealed.header.clone();
    server.commit_block(sealed);
    header
}

fn archive(store: &Store) -> Manifest {
    store.state().unwrap().unwrap().archive(|_| ControlFlow::Continue(())).unwrap()
}

/// Six blocks, an immutable snapshot of block 2, the mutable one at block 4.
fn played(base: &Path) -> Vec<BlockHeader> {
    let store = open(base);
    let (mut server, _) = recover(&genesis(), &store).unwrap();
    let mut headers = vec![server.head().clone()];
    for number in 1..=6 {
        headers.push(advance(&store, &mut server));
        if number == 2 || number == 4 {
            write(&store, &mut server, |_, _| {});
        }
        if number == 2 {
            archive(&store);
        }
    }
    headers
}

/// As the mutable snapshot of a clean stop: at the last block.
fn stopped(base: &Path) -> Server {
    played(base);
    let store = open(base);
    let (mut server, _) = recover(&genesis(), &store).unwrap();
    write(&store, &mut server, |_, _| {});
    server
}

#[test]
fn the_state_after_any_block_is_had_from_the_nearest_snapshot() {
    let base = tempfile::tempdir().unwrap();
    let headers = played(base.path());
    let (genesis, store) = (genesis(), open(base.path()));
    for (header, base) in headers.iter().zip([0, 0, 2, 2, 4, 4, 4]) {
        let (server, recovered) = state_at(&genesis, &store, header.number).unwrap();
        assert_eq!((server.head(), server.state_root()), (header, header.state_root));
        assert_eq!((recovered.snapshot, recovered.slices), (base, header.number - base));
    }
    let beyond = state_at(&genesis, &store, 7).unwrap_err();
    assert!(matches!(beyond, RecoveryError::NoSuchBlock { asked: 7, latest: 6 }));

    store.set_pruning(Pruning { blocks: Keep::Last(0), state: Keep::Last(1) }).unwrap();
    store.prune(store.pruning().unwrap()).unwrap();
    for number in [2, 3, 6] {
        let (server, _) = state_at(&genesis, &store, number).unwrap();
        assert_eq!(server.head().number, number);
    }
    let pruned = state_at(&genesis, &store, 1).unwrap_err();
    assert!(matches!(pruned, RecoveryError::Pruned { asked: 1, base: 0, slice: 0, first: 3 }), "{pruned}");
    drop(store);
    assert_eq!(check_state(&args(base.path()), Some(5)).unwrap().block, 5);
    let stats = database_stats(&args(base.path())).unwrap();
    assert_eq!((stats.blocks_pruning.as_str(), stats.state_pruning.as_str()), ("0", "1"));
    assert_eq!((stats.snapshots, stats.first_slice), (1, Some(3)));
}

#[test]
fn a_snapshot_is_made_listed_carried_and_started_from() {
    let (base, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = stopped(base.path());
    let here = args(base.path());
    let created = create_snapshot(&here).unwrap();
    assert_eq!((created.block, created.state_root), (6, server.state_root()));
    let blocks = |args: &DatabaseArgs| -> Vec<u64> {
        list_snapshots(args).unwrap().0.iter().map(|snapshot| snapshot.block).collect()
    };
    assert_eq!(blocks(&here), [2, 6]);
    let of_block = |block| WhichArgs { snapshot: Some(Which::Block(block)) };
    assert_eq!(show_snapshot(&of_block(2), &here).unwrap().block, 2);
    assert!(matches!(show_snapshot(&of_block(3), &here), Err(CommandError::NoSnapshot)));
    let checked = verify_snapshot(&WhichArgs::default(), None, &here).unwrap();
    assert_eq!((checked.keys, checked.entities), (server.keys(), server.entities().len()));

    let file = base.path().join("state.xln");
    let which = WhichArgs { snapshot: Some(Which::Hash(created.hash)) };
    export_snapshot(&which, &here, Some(&file), &mut Vec::new()).unwrap();
    let again = export_snapshot(&which, &here, Some(&file), &mut Vec::new());
    assert!(matches!(again, Err(CommandError::Io(_))), "a file is never overwritten");
    let mut piped = Vec::new();
    export_snapshot(&which, &here, None, &mut piped).unwrap();
    assert_eq!(fs::read(&file).unwrap(), piped);
    verify_snapshot(&WhichArgs::default(), Some(&file), &here).unwrap();

    let there = import(&file, other.path());
    let imported = import_snapshot(&there).unwrap();
    assert_eq!(imported.snapshot.hash, created.hash);
    let state = check_state(&there.database, None).unwrap();
    assert_eq!((state.block, state.slice, state.state_root), (6, 6, server.state_root()));
    assert_eq!(blocks(&there.database), [6]);
    let twice = import_snapshot(&there);
    assert!(matches!(twice, Err(CommandError::Store(StoreError::NotEmpty { .. }))));

    // It goes on from there.
    let store = open(other.path());
    let (mut server, _) = recover(&genesis(), &store).unwrap();
    assert_eq!(advance(&store, &mut server).number, 7);
    assert_eq!(state_at(&genesis(), &store, 7).unwrap().0.state_root(), server.state_root());
    assert!(store.verify(&mut |_, _| {}).unwrap().is_sound());
    assert!(matches!(create_snapshot(&there.database), Err(CommandError::Store(StoreError::Locked { .. }))));
}

fn import(file: &Path, base: &Path) -> Import {
    let line = ["xln-node", "snapshot", "import", "-o", "json", file.to_str().unwrap()];
    let Some(Command::Snapshot(snapshot)) = Cli::try_parse_from(line).unwrap().command else { panic!() };
    let SnapshotCommand::Import(import) = snapshot.command else { panic!() };
    Import { database: args(base), ..import }
}

#[test]
fn a_snapshot_behind_what_its_keys_have_certified_is_not_imported() {
    let (base, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut server = stopped(base.path());
    let store = open(base.path());
    advance(&store, &mut server);
    drop(store);
    let file = base.path().join("state.xln");
    create_snapshot(&args(base.path())).unwrap();
    export_snapshot(&WhichArgs::default(), &args(base.path()), Some(&file), &mut Vec::new()).unwrap();
    let refusal = import_snapshot(&import(&file, other.path())).unwrap_err();
    let CommandError::Recovery(refusal) = refusal else { panic!("{refusal}") };
    assert!(matches!(*refusal, RecoveryError::Equivocation(_)), "{refusal}");
    assert_eq!(fs::read_dir(other.path().join("chains/dev")).map_or(0, Iterator::count), 0);
}

#[test]
fn a_snapshot_whose_keys_are_here_is_imported_only_to_take_over() {
    let (base, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = stopped(base.path());
    let file = base.path().join("state.xln");
    create_snapshot(&args(base.path())).unwrap();
    export_snapshot(&WhichArgs::default(), &args(base.path()), Some(&file), &mut Vec::new()).unwrap();

    let there = import(&file, other.path());
    let database = database_folder(&there.database).unwrap();
    let keystore = database.with_file_name("keystore");
    let password = Password::new("correct horse".to_owned().into()).unwrap();
    let keystore = Keystore::open_with(keystore, password, Cost::LIGHT).unwrap();
    // The key of an entity that has certified nothing is no danger.
    keystore.insert(dev_key("bob")).unwrap();
    keystore.insert(dev_key("depositary")).unwrap();
    let refusal = import_snapshot(&there).unwrap_err();
    assert!(
        matches!(&refusal, CommandError::TakeOver { entity } if *entity == genesis().depositary),
        "{refusal}"
    );
    assert!(refusal.to_string().contains("--take-over"));
    assert!(!database.exists(), "nothing was made");

    let taken = import_snapshot(&Import { take_over: true, ..import(&file, other.path()) }).unwrap();
    assert_eq!(taken.snapshot.state_root, server.state_root());
}

#[test]
fn a_file_with_a_flipped_byte_is_refused_and_changes_nothing() {
    let (base, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    stopped(base.path());
    create_snapshot(&args(base.path())).unwrap();
    let file = base.path().join("state.xln");
    let mut bytes = Vec::new();
    export_snapshot(&WhichArgs::default(), &args(base.path()), None, &mut bytes).unwrap();
    let positions = (0..64).chain((64..bytes.len()).step_by(bytes.len() / 64));
    for position in positions {
        let mut damaged = bytes.clone();
        damaged[position] ^= 0x10;
        fs::write(&file, &damaged).unwrap();
        let refusal = import_snapshot(&import(&file, other.path())).unwrap_err();
        assert!(matches!(refusal, CommandError::Archive(_)), "byte {position}: {refusal}");
        fs::write(&file, &bytes[..position]).unwrap();
        assert!(import_snapshot(&import(&file, other.path())).is_err(), "cut at {position}");
        assert!(!other.path().join("chains/dev").exists(), "byte {position}");
    }
    fs::write(&file, &bytes).unwrap();
    import_snapshot(&import(&file, other.path())).unwrap();
}

/// What checking says of a snapshot whose rows somebody has changed before hashing them.
fn forged(change: impl Fn(&mut Vec<u8>, bool)) -> SnapshotError {
    let base = tempfile::tempdir().unwrap();
    let genesis = genesis();
    let store = open(base.path());
    let mut server = genesis.build().unwrap();
    advance(&store, &mut server);
    write(&store, &mut server, change);
    let manifest = archive(&store);
    load(&genesis, &manifest, |index, info| store.chunk(index, info), |_| {})
        .and_then(|server| check_certificates(&genesis, &server))
        .unwrap_err()
}

#[test]
fn rows_that_were_changed_before_they_were_hashed_are_found_by_roots_and_certificates() {
    let state = forged(|value, head| {
        if !head {
            value[0] ^= 1;
        }
    });
    let SnapshotError::Restore { reason, .. } = state else { panic!("{state}") };
    assert!(matches!(*reason, RestoreError::EntityRoot { .. }), "{reason}");
    let change_head = |change: fn(&mut Head)| {
        forged(move |bytes, is_head| {
            if is_head {
                let mut head = Head::decode(&mut bytes.as_slice()).unwrap();
                change(&mut head);
                *bytes = head.encode();
            }
        })
    };
    let later = change_head(|head| head.header.height += 1);
    let SnapshotError::Restore { reason, .. } = later else { panic!("{later}") };
    assert!(matches!(*reason, RestoreError::Root { .. }), "{reason}");
    let unsigned = change_head(|head| head.certificate = None);
    assert!(matches!(unsigned, SnapshotError::Uncertified { height: 1, .. }), "{unsigned}");
    let signed = change_head(|head| {
        if let Some(Certificate::Single(signature)) = &mut head.certificate {
            let mut bytes = signature.encode();
            *bytes.last_mut().unwrap() ^= 1;
            *signature = Decode::decode(&mut bytes.as_slice()).unwrap();
        }
    });
    assert!(matches!(signed, SnapshotError::Uncertified { .. }), "{signed}");
}

#[test]
fn a_snapshot_of_another_network_is_refused_with_both_names() {
    let base = tempfile::tempdir().unwrap();
    played(base.path());
    let (store, mut other) = (open(base.path()), genesis());
    let manifest = store.archives().unwrap().remove(0);
    other.network = xln_primitives::Network::ZERO;
    let refusal = load(&other, &manifest, |index, info| store.chunk(index, info), |_| {}).unwrap_err();
    assert!(matches!(refusal, SnapshotError::OtherNetwork { .. }), "{refusal}");
    let unknown = store.archive(&Hash::ZERO);
    assert!(matches!(unknown, Err(ArchiveError::Unknown(_))));
}
