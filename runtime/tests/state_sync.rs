//! Taking over the state of an entity whose board votes, instead of all its frames.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod consortium;
mod network;

use codec::Encode;
use consortium::{Consortium, transfer};
use proptest::prelude::*;
use xln_primitives::{Amount, BlockHeader, Certificate, FrameHeader, Hash, decode_exact};
use xln_runtime::{
    AdoptError, Adoption, Assembly, AssemblyError, CHUNK_BYTES, DecidedFrame, Entity, EntitySnapshot,
    EntitySnapshotError, Executed, ManifestError, ReplayError, RowsError, Server, Slice, SliceInputs,
    StateManifest, StateRow, invariants,
};
use xln_tree::Tree;

/// Two servers after a few decided frames, the second as it was before them, and the frames.
fn behind() -> (Consortium, Server, Vec<DecidedFrame>) {
    let mut net = Consortium::new();
    let before = net.servers[0].clone();
    let bob = net.keys.id("bob");
    let mut frames = Vec::new();
    for nonce in 0..3 {
        net.call(1, "alice", nonce, transfer(bob, 10));
        frames.extend(net.settle());
    }
    (net, before, frames)
}

fn depositary(server: &Server) -> &Entity {
    server.depositary().unwrap()
}

fn begin(net: &Consortium, manifest: StateManifest, known: &Server) -> Result<Assembly, AssemblyError> {
    Assembly::begin(manifest, net.genesis.network, depositary(known))
}

fn assemble(net: &Consortium, snapshot: &EntitySnapshot, known: &Server) -> Result<Adoption, AssemblyError> {
    let manifest = StateManifest::decode(&snapshot.manifest().encode()).unwrap();
    let mut assembly = begin(net, manifest, known)?;
    while let Some(index) = assembly.next() {
        assembly.push(index, &snapshot.chunk(index).unwrap())?;
    }
    assembly.finish()
}

fn adopt(net: &Consortium, server: &Server, adopted: Vec<Adoption>) -> Executed {
    let inputs = SliceInputs { adopted, ..SliceInputs::default() };
    server.execute(net.now, Hash::ZERO, inputs, net.keys.certifier()).unwrap()
}

#[test]
fn a_state_is_taken_over_and_the_frames_after_it_are_followed() {
    let (mut net, mut late, _) = behind();
    let snapshot = EntitySnapshot::of(depositary(&net.servers[0])).unwrap();
    let adoption = assemble(&net, &snapshot, &late).unwrap();
    assert_eq!((adoption.entity(), adoption.height()), (net.genesis.depositary, 3));
    let executed = adopt(&net, &late, vec![adoption]);
    assert_eq!((executed.frames, executed.unadopted.as_slice()), (1, &[][..]));
    late.commit(&executed);
    assert_eq!(depositary(&late).head(), depositary(&net.servers[0]).head());
    invariants::check(&late).unwrap();

    let bob = net.keys.id("bob");
    net.call(1, "alice", 3, transfer(bob, 10));
    let frames = net.settle();
    let executed = late
        .execute(net.now, Hash::ZERO, SliceInputs { frames, ..SliceInputs::default() }, net.keys.certifier())
        .unwrap();
    assert_eq!(executed.unfit, []);
    late.commit(&executed);
    assert_eq!(depositary(&late).head(), depositary(&net.servers[0]).head());
    assert_eq!(late.seal(net.now).unwrap().header.state_root, late.state_root());
}

#[test]
fn a_slice_that_adopted_a_state_replays_from_what_was_kept_of_it() {
    let (net, late, _) = behind();
    let snapshot = EntitySnapshot::of(depositary(&net.servers[0])).unwrap();
    let adoption = assemble(&net, &snapshot, &late).unwrap();
    let executed = adopt(&net, &late, vec![adoption]);
    let logged: Slice = decode_exact(&executed.log, executed.log.len()).unwrap();
    let [adopted] = &logged.adopted[..] else { panic!("one state was adopted") };
    let kept = || (0..adopted.chunks).map(|index| Ok::<_, RowsError>(snapshot.chunk(index).unwrap()));

    let mut again = late.clone();
    let missing = ReplayError::Adopted { slice: 1, logged: 1, found: 0 };
    assert_eq!(again.replay(&logged, true).err(), Some(missing));
    let restored = Adoption::from_log(adopted, kept()).unwrap();
    again.replay_adopting(&logged, vec![restored], true).unwrap();
    assert_eq!(depositary(&again).head(), depositary(&net.servers[0]).head());

    let mut forged = logged.clone();
    let Certificate::Aggregate { signature, .. } = &mut forged.adopted[0].certificate else { unreachable!() };
    signature[90] ^= 1;
    let restored = Adoption::from_log(&forged.adopted[0], kept()).unwrap();
    let refusal = late.clone().replay_adopting(&forged, vec![restored], true);
    assert!(matches!(refusal, Err(ReplayError::Frame { slice: 1, .. })));
    let damaged = kept().map(|chunk| {
        let mut chunk = chunk?;
        *chunk.last_mut().unwrap() ^= 1;
        Ok::<_, RowsError>(chunk)
    });
    assert!(matches!(Adoption::from_log(adopted, damaged), Err(RowsError::Root { height: 3, .. })));
}

#[test]
fn nobody_here_misses_what_was_said_to_him_in_between() {
    let (mut net, late, _) = behind();
    let (alice, hub) = (net.keys.id("alice"), net.keys.id("hub"));
    let (left, right) = if alice < hub { (alice, hub) } else { (hub, alice) };
    let allocate = pallet_reserves::Call::Allocate {
        left,
        right,
        in_favour: xln_primitives::Side::of(&alice, &hub).unwrap(),
        asset: xln_primitives::AssetId::named(network::USD),
        amount: Amount::new(1),
    };
    net.call(1, "alice", 3, allocate.into());
    net.settle();
    let snapshot = EntitySnapshot::of(depositary(&net.servers[0])).unwrap();
    let adoption = assemble(&net, &snapshot, &late).unwrap();
    let executed = adopt(&net, &late, vec![adoption]);
    let [(_, AdoptError::Unheard { to, said: 1, heard: 0 })] = executed.unadopted[..] else {
        panic!("the hub was told of its collateral: {:?}", executed.unadopted)
    };
    assert_eq!((to, executed.frames), (hub, 0));
}

#[test]
fn what_is_not_later_or_of_somebody_else_is_refused() {
    let (net, late, _) = behind();
    let server = net.servers[0].clone();
    let snapshot = EntitySnapshot::of(depositary(&server)).unwrap();
    let adoption = assemble(&net, &snapshot, &late).unwrap();
    let refusal = assemble(&net, &snapshot, &server).unwrap_err();
    assert_eq!(refusal, AssemblyError::NotLater { known: 3, found: 3 });
    let executed = adopt(&net, &server, vec![adoption.clone()]);
    assert!(matches!(executed.unadopted[..], [(_, AdoptError::NotLater { known: 3, found: 3, .. })]));
    let executed = adopt(&net, &late, vec![adoption.clone(), adoption]);
    assert_eq!((executed.slice.adopted.len(), executed.unadopted.len()), (1, 1));

    let hub = net.keys.id("hub");
    let other = net.servers[0].entity(&hub).unwrap();
    let refusal = Assembly::begin(snapshot.manifest().clone(), net.genesis.network, other).unwrap_err();
    assert!(matches!(refusal, AssemblyError::OtherEntity { .. }));
    let genesis = depositary(&late);
    let refusal = EntitySnapshotError::NotCertified { entity: net.genesis.depositary };
    assert_eq!(EntitySnapshot::of(genesis).unwrap_err(), refusal);
}

#[test]
fn headers_and_certificates_that_were_changed_are_refused_before_a_chunk_is_asked_for() {
    let (net, late, _) = behind();
    let snapshot = EntitySnapshot::of(depositary(&net.servers[0])).unwrap();
    let manifest = snapshot.manifest();
    let mut forged = manifest.clone();
    forged.header.state_root = Hash::new([7; 32]);
    assert!(matches!(begin(&net, forged, &late), Err(AssemblyError::Certificate { height: 3, .. })));
    let mut forged = manifest.clone();
    let Certificate::Aggregate { signers, .. } = &mut forged.certificate else { unreachable!() };
    *signers = vec![0b0011].try_into().unwrap();
    assert!(matches!(begin(&net, forged, &late), Err(AssemblyError::Certificate { .. })));
    let mut forged = manifest.clone();
    forged.header.board_hash = Hash::new([7; 32]);
    assert!(matches!(begin(&net, forged, &late), Err(AssemblyError::OtherBoard { .. })));
    let mut forged = manifest.clone();
    forged.bytes += u64::try_from(CHUNK_BYTES).unwrap();
    assert!(matches!(StateManifest::decode(&forged.encode()), Err(ManifestError::Numbers { .. })));
    let mut later = manifest.encode();
    later[0] = 3;
    assert_eq!(StateManifest::decode(&later), Err(ManifestError::Version { found: 3 }));
}

/// The genesis of a network of which one server hosts the depositary alone, with a certified frame after which its state
/// has further rows of these sizes: a row may be larger than a chunk, or end where one ends.
fn large(net: &Consortium, sizes: &[usize]) -> (EntitySnapshot, Server) {
    let genesis = xln_runtime::Genesis { hosted: Some([].into()), ..net.genesis.clone() };
    let server = genesis.build().unwrap();
    let before = depositary(&server);
    let mut tree = before.tree().clone();
    for (index, size) in sizes.iter().enumerate() {
        tree.insert([0xff, u8::try_from(index).unwrap()], vec![0xab; *size]).unwrap();
    }
    let header = FrameHeader {
        height: 1,
        parent: before.head().unwrap().header.hash(),
        timestamp: genesis.timestamp.saturating_add(1),
        state_root: Hash::new(tree.commit()),
        ..before.head().unwrap().header.clone()
    };
    let certificate = Some(net.validators.certify(&genesis, &header));
    let (signer, entity) = (before.signer(), before.id());
    let mut bound = Tree::new(tree.config());
    let hash = header.hash();
    bound.insert([signer.as_ref(), entity.as_ref()].concat(), hash.as_ref()).unwrap();
    let head = Some(xln_runtime::Head { header, certificate }.encode().into());
    let rows = tree.iter().map(|(key, value)| StateRow::Value {
        signer,
        entity,
        key: key.into(),
        value: Some(value.into()),
    });
    let rows = rows.chain([StateRow::Head { signer, entity, head }]);
    let block = BlockHeader { number: 1, state_root: Hash::new(bound.commit()), ..server.head().clone() };
    let after = Server::restore(&genesis, rows, block, 1).unwrap();
    (EntitySnapshot::of(depositary(&after)).unwrap(), server)
}

fn chunks(snapshot: &EntitySnapshot) -> Vec<Vec<u8>> {
    let count = u32::try_from(snapshot.manifest().chunks.len()).unwrap();
    (0..count).map(|index| snapshot.chunk(index).unwrap()).collect()
}

#[test]
fn chunks_of_a_large_state_have_one_size_and_are_taken_in_order_once_and_all() {
    let net = Consortium::new();
    let (snapshot, server) = large(&net, &[3 * CHUNK_BYTES + 17, 5, CHUNK_BYTES, 0, 800_000, 700_000]);
    let all = chunks(&snapshot);
    assert_eq!(all.len(), 6);
    assert!(all[..5].iter().all(|chunk| chunk.len() == CHUNK_BYTES));
    assert_eq!((snapshot.chunk(6), snapshot.manifest().size(6)), (None, None));

    let manifest = || snapshot.manifest().clone();
    let mut assembly = begin(&net, manifest(), &server).unwrap();
    let order = |expected, found| AssemblyError::Order { expected, found, count: 6 };
    assert_eq!(assembly.push(1, &all[1]), Err(order(0, 1)));
    assert_eq!(assembly.push(0, &all[0]), Ok(()));
    assert_eq!(assembly.push(0, &all[0]), Err(order(1, 0)));
    assert!(matches!(assembly.push(1, &all[5]), Err(AssemblyError::Chunk { index: 1, .. })));
    for (index, chunk) in (1..).zip(&all[1..5]) {
        assembly.push(index, chunk).unwrap();
    }
    assert_eq!(assembly.push(6, &[]), Err(order(5, 6)));
    assert_eq!(assembly.finish().unwrap_err(), AssemblyError::Missing { found: 5, expected: 6 });

    let adoption = assemble(&net, &snapshot, &server).unwrap();
    let executed = adopt(&net, &server, vec![adoption]);
    let mut server = server;
    server.commit(&executed);
    assert_eq!(EntitySnapshot::of(depositary(&server)).unwrap().manifest(), snapshot.manifest());
}

#[test]
fn a_manifest_that_fits_wrong_rows_is_found_out_by_the_root() {
    let net = Consortium::new();
    let (snapshot, server) = large(&net, &[100]);
    let (other, _) = large(&net, &[101]);
    // The certified frame of one state over the rows of another.
    let mut lie = other.manifest().clone();
    lie.header = snapshot.manifest().header.clone();
    lie.certificate = snapshot.manifest().certificate.clone();
    let mut assembly = begin(&net, lie.clone(), &server).unwrap();
    assembly.push(0, &other.chunk(0).unwrap()).unwrap();
    assert!(matches!(assembly.finish(), Err(AssemblyError::Rows(RowsError::Root { height: 1, .. }))));

    lie.rows -= 1;
    let mut assembly = begin(&net, lie.clone(), &server).unwrap();
    assembly.push(0, &other.chunk(0).unwrap()).unwrap();
    assert!(matches!(assembly.finish(), Err(AssemblyError::Count { .. })));
}

/// A manifest that names these bytes as the only chunk of a certified frame.
fn naming(snapshot: &EntitySnapshot, bytes: &[u8]) -> StateManifest {
    let mut manifest = snapshot.manifest().clone();
    manifest.chunks = vec![Hash::new(xln_tree::Hasher::Blake3.value(bytes))].try_into().unwrap();
    manifest.bytes = u64::try_from(bytes.len()).unwrap();
    manifest
}

#[test]
fn rows_that_no_state_has_are_refused_by_name() {
    let net = Consortium::new();
    let (snapshot, server) = large(&net, &[]);
    let push = |bytes: &[u8]| {
        let mut assembly = begin(&net, naming(&snapshot, bytes), &server).unwrap();
        assembly.push(0, bytes).and_then(|()| assembly.finish().map(drop))
    };
    let row = |key: &[u8], size: u32, value: &[u8]| {
        [&[u8::try_from(key.len()).unwrap()], key, &size.to_le_bytes(), value].concat()
    };
    let twice = [row(b"b", 1, b"1"), row(b"b", 1, b"1")].concat();
    assert_eq!(push(&twice), Err(RowsError::Unsorted { row: 1 }.into()));
    assert!(matches!(
        push(&row(&[7; 128], 1, b"1")),
        Err(AssemblyError::Rows(RowsError::Limit { row: 0, .. }))
    ));
    let huge = row(b"a", (16 << 20) + 1, b"1");
    assert!(matches!(push(&huge), Err(AssemblyError::Rows(RowsError::Limit { row: 0, .. }))));
    let mut cut = snapshot.chunk(0).unwrap();
    cut.extend(row(&[0xff; 9], 5, b"four"));
    assert!(matches!(push(&cut), Err(AssemblyError::Rows(RowsError::CutShort { left: 18, .. }))));
    // Whatever else it is, it is not the state of the frame.
    assert!(push(b"").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_flipped_bit_of_a_manifest_or_a_chunk_is_refused(
        sizes in proptest::collection::vec(0_usize..700_000, 0..4),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let net = Consortium::new();
        let (snapshot, server) = large(&net, &sizes);
        let encoded = snapshot.manifest().encode();
        let all = chunks(&snapshot);
        let total = encoded.len() + all.iter().map(Vec::len).sum::<usize>();
        // Half of the flips hit the manifest, which is much smaller.
        let place = if bit < 4 { place.index(encoded.len()) } else { place.index(total) };

        let mut bytes = encoded.clone();
        let mut all = all;
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1 << bit;
        } else {
            let mut place = place - encoded.len();
            for chunk in &mut all {
                if let Some(byte) = chunk.get_mut(place) {
                    *byte ^= 1 << bit;
                    break;
                }
                place -= chunk.len();
            }
        }
        let taken = StateManifest::decode(&bytes).map_err(|error| error.to_string()).and_then(|manifest| {
            let mut assembly = begin(&net, manifest, &server).map_err(|error| error.to_string())?;
            for (index, chunk) in (0..).zip(&all) {
                assembly.push(index, chunk).map_err(|error| error.to_string())?;
            }
            assembly.finish().map_err(|error| error.to_string())
        });
        prop_assert!(taken.is_err());
    }

    #[test]
    fn a_state_comes_out_as_it_went_in(sizes in proptest::collection::vec(0_usize..1_500_000, 0..5)) {
        let net = Consortium::new();
        let (snapshot, server) = large(&net, &sizes);
        let adoption = assemble(&net, &snapshot, &server).unwrap();
        let executed = adopt(&net, &server, vec![adoption]);
        let mut server = server;
        server.commit(&executed);
        let root = Hash::new(depositary(&server).tree().root());
        prop_assert_eq!(root, snapshot.manifest().header.state_root);
        let (again, first) = (EntitySnapshot::of(depositary(&server)).unwrap(), snapshot);
        prop_assert_eq!(again.manifest(), first.manifest());
    }
}
