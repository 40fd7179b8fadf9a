//! How long a server that has nothing takes to catch up with the depositary: by frames, and by the state.
//!
//! One server, a process, has the frames on its disk, each with one transfer between reserves. A second begins with an empty
//! folder: a hub, which has to follow every frame, and then a validator, which takes the state. What is measured is the time
//! from its start as a process until it stands at the last frame, with network, certificates, execution
//! and every write synced.
//!
//! `cargo bench -p xln-node --bench catch_up`; `XLN_FRAMES=10000` says how many.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(dead_code, reason = "other programs use the rest of what starts processes")]

#[path = "../tests/process/mod.rs"]
mod process;

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use process::{BINARY, Process, call, free_ports};
use serde_json::json;
use xln_chain_spec::ChainSpec;
use xln_integration::certify;
use xln_keystore::{Keystore, Scheme, dev_key, dev_secret};
use xln_node::{author::KeystoreCertifier, recovery::recover};
use xln_primitives::{Amount, AssetId, Board, CALL_VERSION, EntityId, Hash, SecretKey, Timestamp};
use xln_runtime::{
    Authentic, CallBody, DecidedFrame, Genesis, Inbound, Server, SliceInputs, authenticate_calls,
    authenticate_messages,
};
use xln_store::{Batch, Options, Store};

/// Slices in a block, and in one write while the frames are made.
const BLOCK: usize = 100;

/// The four voting keys, and the board that they make.
struct Validators {
    board: Board,
    secrets: Vec<SecretKey>,
}

/// Alice, who asks the depositary for a transfer in every frame.
struct Payer {
    server: Server,
    certifier: KeystoreCertifier,
    alice: EntityId,
    to: EntityId,
    board: Board,
}

impl Payer {
    fn new(genesis: &Genesis, hosts: &std::collections::BTreeSet<EntityId>) -> Self {
        let named = |name: &str| genesis.entities.iter().find(|entity| entity.name == name).unwrap();
        let keystore = Keystore::in_memory();
        keystore.insert(dev_key("alice")).unwrap();
        let genesis_here = Genesis { hosted: Some(hosts.clone()), ..genesis.clone() };
        Self {
            server: genesis_here.build().unwrap(),
            certifier: KeystoreCertifier::new(genesis.network, Arc::new(keystore)),
            alice: named("alice").id,
            to: named("hub-1").id,
            board: named("alice").board.clone(),
        }
    }

    fn ask(&mut self, nonce: u64, now: Timestamp) -> Authentic<Inbound> {
        let network = self.server.facts().network;
        let (asset, amount) = (AssetId::named("usd"), Amount::new(1));
        let transfer = pallet_reserves::Call::Transfer { to: self.to, asset, amount };
        let body = CallBody {
            version: CALL_VERSION,
            network,
            signer: dev_key("alice").public().unwrap(),
            entity: self.alice,
            nonce,
            valid_until: Timestamp::MAX,
            calls: vec![transfer.into()].try_into().unwrap(),
            tip: Amount::ZERO,
        };
        let calls = authenticate_calls(vec![body.sign(&dev_key("alice")).unwrap()], network, now, [1; 32]);
        let calls = calls.into_iter().map(Result::unwrap).collect();
        let inputs = SliceInputs { calls, ..SliceInputs::default() };
        let executed = self.server.execute(now, Hash::ZERO, inputs, &self.certifier).unwrap();
        drop(self.server.commit(&executed));
        let message = executed.outbox[0].certified().unwrap();
        let proven = authenticate_messages(vec![(message, self.board.clone())], network, [2; 32]);
        proven.into_iter().next().unwrap().unwrap()
    }
}

/// Makes frames and writes them into the database of a validator.
fn make(genesis: &Genesis, validators: &Validators, payer: &mut Payer, store: &Store, count: usize) {
    let here = Genesis { hosted: Some([].into()), ..genesis.clone() };
    let (mut server, _) = recover(&here, store).unwrap();
    let boards: BTreeMap<EntityId, Board> = [(payer.alice, payer.board.clone())].into();
    let mut batch = Batch::new();
    for number in 0..count {
        let now = Timestamp::from_millis(1 + u64::try_from(number).unwrap());
        let messages = vec![payer.ask(u64::try_from(number).unwrap(), now)];
        let inputs = SliceInputs { messages, ..SliceInputs::default() };
        let proposal = server.propose(genesis.depositary, now, Hash::ZERO, inputs, &boards).unwrap();
        let (body, header) = proposal.unwrap();
        let certificate = certify(genesis.network, &validators.board, &header, &validators.secrets);
        let frame = DecidedFrame { certificate, body, header };
        let encoded = codec::Encode::encode(&frame);
        let inputs = SliceInputs { frames: vec![frame.clone()], ..SliceInputs::default() };
        let executed = server.execute(now, Hash::ZERO, inputs, &payer.certifier).unwrap();
        assert_eq!(executed.unfit, []);
        batch.put_slice(executed.slice.number, &executed.log);
        batch.put_frame(&genesis.depositary, frame.body.height, &encoded);
        drop(server.commit(&executed));
        if (number + 1).is_multiple_of(BLOCK) {
            let sealed = server.seal(now).unwrap();
            batch.put_block(&sealed.header);
            server.commit_block(sealed);
            store.commit(core::mem::take(&mut batch)).unwrap();
        }
    }
    if let Some(sealed) = server.seal(Timestamp::from_millis(u64::try_from(count).unwrap() + 2)) {
        batch.put_block(&sealed.header);
    }
    store.commit(batch).unwrap();
}

struct Net {
    folder: tempfile::TempDir,
    port: u16,
}

impl Net {
    fn start(&self, name: &str, place: u16) -> Process {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let (chain, log) = (self.folder.path().join("net/chain.json"), folder.join("node.log"));
        let port = (self.port + place).to_string();
        let mut options = vec!["--chain", chain.to_str().unwrap(), "--server", name, "--port", &port];
        if name.starts_with("validator") {
            options.push("--validator");
        }
        Process::start_by(&mut Command::new(BINARY), &folder, &log, &options).unwrap()
    }

    fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name).join("node.log")).unwrap()
    }
}

fn height(process: &Process) -> u64 {
    let header = call(&process.url, "chain.getHeader", &json!({ "entity": "depositary" })).unwrap();
    header["height"].as_u64().or_else(|| header["height"].as_str()?.parse().ok()).unwrap()
}

fn until(process: &Process, count: usize, what: &str) {
    let began = Instant::now();
    while height(process) < u64::try_from(count).unwrap() {
        assert!(began.elapsed() < Duration::from_secs(1_200), "{what}: at {}", height(process));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn database(folder: &Path, name: &str) -> std::path::PathBuf {
    folder.join(name).join("data/chains/local/db")
}

fn main() {
    let count = std::env::var("XLN_FRAMES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let net = Net { folder: tempfile::tempdir().unwrap(), port: free_ports(6) };
    let out = net.folder.path().join("net");
    let port = net.port.to_string();
    let written = Command::new(BINARY)
        .args(["testnet", "--well-known", "--nodes", "4", "--hubs", "2", "--port", &port, "--out"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let spec = ChainSpec::load(out.join("chain.json").to_str().unwrap()).unwrap();
    let genesis = spec.to_genesis().unwrap();
    let secret = |n: u8| dev_secret(&format!("validator-{n}"), Scheme::Bls).unwrap();
    let board = genesis.facts().unwrap().depositary_board.as_ref().clone();
    let validators = Validators { board, secrets: (1..=4).map(secret).collect() };
    let mut payer = Payer::new(&genesis, &spec.known_servers().unwrap()[4].hosts);

    let began = Instant::now();
    let path = database(net.folder.path(), "validator-1");
    let store = Store::open(&path, genesis.network, &Options::default()).unwrap();
    make(&genesis, &validators, &mut payer, &store, count);
    drop(store);
    println!("{count} frames made in {:.1} s", began.elapsed().as_secs_f64());

    let began = Instant::now();
    let there = net.start("validator-1", 0);
    println!("their server replayed them and started in {:.1} s", began.elapsed().as_secs_f64());
    assert_eq!(height(&there), u64::try_from(count).unwrap());

    let began = Instant::now();
    let hub = net.start("hub-2", 5);
    until(&hub, count, "by frames");
    let by_frames = began.elapsed();
    println!("by frames: {:.2} s, {:.0} frames per second", by_frames.as_secs_f64(), {
        f64::from(u32::try_from(count).unwrap()) / by_frames.as_secs_f64()
    });
    drop(hub);

    let began = Instant::now();
    let validator = net.start("validator-2", 1);
    until(&validator, count, "by the state");
    let by_state = began.elapsed();
    println!("by the state: {:.2} s", by_state.as_secs_f64());
    drop(validator);
    assert!(net.log("validator-2").contains("taken over"), "it took the state");
}
