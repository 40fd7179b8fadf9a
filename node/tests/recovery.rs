//! A node refuses to start from what does not lead where it led before, and says what and where.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use codec::Decode;
use xln_chain_spec::ChainSpec;
use xln_node::recovery::{RecoveryError, recover};
use xln_primitives::{Hash, Timestamp};
use xln_runtime::{Genesis, ReplayError, Slice, SliceInputs};
use xln_store::{Batch, Options, Store};

mod signing {
    use xln_keystore::dev_key;
    use xln_primitives::{Board, Certificate, EntityId, FrameHeader, Network, SecretKey, Vote};
    use xln_runtime::{Certifier, CertifyError};

    /// Signs with the well-known keys.
    pub(crate) struct DevKeys(pub(crate) Network);

    pub(crate) fn key_of(board: &Board) -> Option<SecretKey> {
        let wanted = *board.sole_signer()?;
        xln_keystore::DEV_NAMES.iter().map(|name| dev_key(name)).find(|key| key.public() == Ok(wanted))
    }

    impl Certifier for DevKeys {
        fn can_certify(&self, _entity: EntityId, board: &Board) -> bool {
            key_of(board).is_some()
        }

        fn certify(
            &self,
            _: usize,
            board: &Board,
            header: &FrameHeader,
        ) -> Result<Certificate, CertifyError> {
            let vote = Vote::precommit(self.0, header, 0).sign_bytes();
            Ok(Certificate::Single(key_of(board).unwrap().sign(&vote).unwrap()))
        }
    }
}

struct Fixture {
    _folder: tempfile::TempDir,
    genesis: Genesis,
    store: Store,
}

impl Fixture {
    /// A log of three slices, the first two in a block of their own each.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let genesis = ChainSpec::dev().unwrap().to_genesis().unwrap();
        let store = Store::open(folder.path(), genesis.network, &Options::default()).unwrap();
        let (mut server, _) = recover(&genesis, &store).unwrap();
        let keys = signing::DevKeys(genesis.network);
        for turn in 1..=3_u8 {
            let heartbeat = xln_runtime::ServerInput::Heartbeat { entity: genesis.depositary };
            let inputs = SliceInputs { server: vec![heartbeat], ..SliceInputs::default() };
            let now = Timestamp::from_millis(genesis.timestamp.as_millis() + u64::from(turn) * 100);
            let executed = server.execute(now, Hash::new([turn; 32]), inputs, &keys).unwrap();
            let mut batch = Batch::new();
            batch.put_slice(executed.slice.number, &codec::Encode::encode(&executed.slice));
            store.commit(batch).unwrap();
            server.commit(&executed);
            if turn < 3 {
                let sealed = server.seal(now).unwrap();
                let mut batch = Batch::new();
                batch.put_block(&sealed.header);
                store.commit(batch).unwrap();
                server.commit_block(sealed);
            }
        }
        Self { _folder: folder, genesis, store }
    }

    fn change_slice(&self, number: u64, change: impl FnOnce(&mut Slice)) {
        let mut slice = Slice::decode(&mut self.store.slice(number).unwrap().unwrap().as_slice()).unwrap();
        change(&mut slice);
        let mut batch = Batch::new();
        batch.put_slice(number, &codec::Encode::encode(&slice));
        self.store.commit(batch).unwrap();
    }

    fn recover(&self) -> Result<(u64, u64), Box<RecoveryError>> {
        let (server, recovered) = recover(&self.genesis, &self.store)?;
        Ok((server.slice(), recovered.blocks))
    }
}

#[test]
fn an_undamaged_log_is_replayed_to_its_end_with_every_block_compared() {
    assert_eq!(Fixture::new().recover().unwrap(), (3, 2));
}

#[test]
fn a_slice_that_was_changed_is_refused_by_the_root_of_its_block() {
    let fixture = Fixture::new();
    fixture.change_slice(2, |slice| slice.entropy = Hash::ZERO);
    let error = fixture.recover().unwrap_err();
    assert!(matches!(*error, RecoveryError::Replay(ReplayError::Block { number: 2, .. })), "{error}");
    assert!(error.to_string().contains("inputs root is 0x"), "{error}");
}

#[test]
fn a_changed_slice_of_the_open_block_is_refused_by_its_certificates() {
    let fixture = Fixture::new();
    fixture.change_slice(3, |slice| slice.timestamp = slice.timestamp.saturating_add(1));
    let error = fixture.recover().unwrap_err();
    assert!(matches!(*error, RecoveryError::Replay(ReplayError::Frame { slice: 3, .. })), "{error}");
}

#[test]
fn a_certificate_that_is_missing_is_refused() {
    let fixture = Fixture::new();
    fixture.change_slice(1, |slice| slice.certificates.clear());
    assert!(matches!(
        *fixture.recover().unwrap_err(),
        RecoveryError::Replay(ReplayError::Frame { slice: 1, .. })
    ));
}

#[test]
fn a_genesis_that_differs_is_refused_before_anything_is_read() {
    let fixture = Fixture::new();
    let path = fixture.store.path().to_path_buf();
    let Fixture { _folder, store, mut genesis } = fixture;
    drop(store);
    genesis.network = xln_primitives::Network::ZERO;
    let error = Store::open(path, genesis.network, &Options::default()).unwrap_err();
    assert!(error.to_string().contains(&ChainSpec::dev().unwrap().network().unwrap().to_string()), "{error}");
}

#[test]
fn a_state_below_a_frame_that_was_certified_is_refused_so_that_no_height_is_certified_twice() {
    let fixture = Fixture::new();
    let (entity, height) = (fixture.genesis.depositary, 4);
    let mut batch = Batch::new();
    let frame = xln_primitives::FrameHash::new([7; 32]);
    batch.put_signed(&entity, xln_store::SignedMark { height, frame });
    fixture.store.commit(batch).unwrap();
    let error = fixture.recover().unwrap_err();
    let RecoveryError::Equivocation(found) = *error else { panic!("{error}") };
    assert_eq!((found.signed_height, found.found_height), (4, 3));
}
