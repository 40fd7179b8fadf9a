//! Crashes of the real binary on a real disk: kill −9 under load here, damaged databases in [`damage`], full and failing
//! disks in [`disk`].
//!
//! Users pay each other over the hub as fast as the node answers, while the process is killed, also where the hub has
//! thousands of other channels. After each start: the node recovers to a state whose roots it has checked itself; every
//! payment that was acknowledged is there with its preimage; nobody has lost or gained a unit; and the same call is never
//! executed twice.
//!
//! `XLN_CRASHES=1000` runs a longer campaign.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod damage;
mod disk;
#[path = "../process/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod process;
mod random;

use std::{
    collections::BTreeMap,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use process::{BINARY, Process, call};
use random::Random;
use serde_json::{Value, json};
use xln_primitives::{SecretKey, keccak256};

/// How often the node is killed.
const CRASHES: u64 = 20;
/// How often the one with thousands of channels.
const CRASHES_LARGE: u64 = 6;
/// Users of the hub there, besides those of the development network.
const USERS: u32 = 3_000;
/// Most items that the node lists at once.
const PAGE: usize = 1_000;
/// Blocks between two snapshots: so few that kills can wait for one.
const SNAPSHOT_INTERVAL: &str = "3";
/// How long a kill waits for a snapshot to begin.
const PATIENCE: Duration = Duration::from_secs(2);
/// Those who may gain or lose by the payments here.
const CONCERNED: [&str; 4] = ["alice", "carol", "dave", "hub"];
/// Who pays whom: both ways over the hub, so that nobody runs dry.
const PAYERS: [(&str, &str); 4] =
    [("alice", "carol"), ("carol", "alice"), ("dave", "alice"), ("alice", "dave")];

/// What was acknowledged: payer and number of the payment, with its amount.
type Acknowledged = Arc<Mutex<BTreeMap<(String, String), String>>>;

fn crashes(at_each_landing: u64) -> u64 {
    std::env::var("XLN_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(at_each_landing)
}

#[test]
fn what_was_acknowledged_survives_kills_and_money_stays_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    campaign(&folder, "dev", &["--dev"], crashes(CRASHES));
}

#[test]
fn what_was_acknowledged_survives_kills_of_a_hub_with_thousands_of_channels() {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.json");
    std::fs::write(&spec, large_network()).unwrap();
    campaign(&folder, "large", &["--dev", "--chain", spec.to_str().unwrap()], crashes(CRASHES_LARGE));
}

/// The development network with more users of the hub.
fn large_network() -> String {
    let dev = Command::new(BINARY).args(["build-spec", "--chain", "dev"]).output().unwrap();
    let mut spec: Value = serde_json::from_slice(&dev.stdout).unwrap();
    spec["id"] = json!("large");
    for user in 0..USERS {
        let name = format!("user-{user}");
        let key = SecretKey::Ed25519((*keccak256(name.as_bytes()).as_bytes()).into()).public().unwrap();
        let member = json!({ "key": key, "weight": 1, "permissions": ["all"] });
        let entity = json!({
            "name": name, "registered": false, "reserves": {},
            "board": { "members": [member], "threshold": 1, "profile": "crashFault" },
        });
        let row = json!({ "collateral": "0", "leftShare": "0", "leftCredit": "1000", "rightCredit": "1000" });
        let channel = json!({ "left": name, "right": "hub", "assets": { "usd": row } });
        spec["genesis"]["entities"].as_array_mut().unwrap().push(entity);
        spec["genesis"]["channels"].as_array_mut().unwrap().push(channel);
    }
    spec.to_string()
}

/// Kills a node under load so many times, and checks after each start what must hold.
///
/// ```text
///   round  0 3 6 …   at a random moment
///          1 4 7 …   when the writing of a periodic snapshot has begun
///          2 5 8 …   within a clean stop, which seals the last block and writes the state
/// ```
fn campaign(folder: &tempfile::TempDir, network: &str, options: &[&str], crashes: u64) {
    let options = [options, &["--snapshot-interval", SNAPSHOT_INTERVAL]].concat();
    let start = || {
        let log = folder.path().join("node.log");
        Process::start_by(&mut Command::new(BINARY), folder.path(), &log, &options)
            .unwrap_or_else(|said| panic!("the node did not start: {said}"))
    };
    // There while a snapshot is being written, and after a kill until the next start.
    let unfinished = folder.path().join(format!("data/chains/{network}/db/unfinished"));
    let mut inside_snapshots = 0_u64;
    let acknowledged: Acknowledged = Arc::default();
    let mut before: Option<BTreeMap<String, i128>> = None;
    let mut random = Random::new(1);
    for round in 0..=crashes {
        let mut node = start();
        let wealth = wealth(&node);
        let total: i128 = wealth.values().sum();
        if let Some(before) = &before {
            assert_eq!(total, before.values().sum::<i128>(), "round {round}: money appeared or vanished");
        }
        before = Some(wealth);
        check_payments(&node, &acknowledged, round);
        assert_same_root_twice(&node);
        if round == crashes {
            node.terminate();
            break;
        }
        let life = Duration::from_millis(20 + random.below(400));
        let pause = Duration::from_millis(random.below(60));
        load(&node, &acknowledged, life, &mut || {
            match round % 3 {
                0 => {}
                1 => {
                    let end = Instant::now() + PATIENCE;
                    while !unfinished.exists() && Instant::now() < end {
                        std::thread::yield_now();
                    }
                }
                _ => {
                    node.ask_to_stop();
                    std::thread::park_timeout(pause);
                }
            }
            node.kill();
        });
        inside_snapshots += u64::from(round % 3 != 2 && unfinished.exists());
    }
    let payments = acknowledged.lock().unwrap().len();
    println!(
        "{crashes} kills, {inside_snapshots} inside periodic snapshots; {payments} acknowledged payments"
    );
    assert!(payments > 20, "the load was no load: {payments} payments");
    assert!(inside_snapshots > 0, "no kill landed inside a periodic snapshot");

    // A clean stop writes the state, so that the next start has nothing to replay.
    let mut node = start();
    let root = call(&node.url, "server.getInfo", &json!({})).unwrap()["stateRoot"].clone();
    node.terminate();
    let node = start();
    assert_eq!(call(&node.url, "server.getInfo", &json!({})).unwrap()["stateRoot"], root);
}

/// Pays on several connections until the node is killed.
fn load(node: &Process, acknowledged: &Acknowledged, life: Duration, kill: &mut dyn FnMut()) {
    let stop = Arc::new(AtomicBool::new(false));
    let pay = |(payer, payee): (&'static str, &'static str)| {
        let (url, stop, acknowledged) = (node.url.clone(), Arc::clone(&stop), Arc::clone(acknowledged));
        std::thread::spawn(move || {
            while !stop.load(Ordering::Acquire) {
                let request =
                    json!({ "entity": payer, "to": payee, "asset": "usd", "amount": "7", "wait": true });
                let Ok(payment) = call(&url, "payment.send", &request) else { continue };
                if payment["status"] == "succeeded" {
                    let key = (payer.to_owned(), payment["number"].as_str().unwrap().to_owned());
                    let amount = payment["amount"].as_str().unwrap().to_owned();
                    let earlier = acknowledged.lock().unwrap().insert(key, amount);
                    assert_eq!(earlier, None, "the same payment was acknowledged twice");
                }
            }
        })
    };
    let payers: Vec<_> = PAYERS.into_iter().map(pay).collect();
    let end = Instant::now() + life;
    while let Some(rest) = end.checked_duration_since(Instant::now()) {
        std::thread::park_timeout(rest);
    }
    kill();
    stop.store(true, Ordering::Release);
    for payer in payers {
        payer.join().unwrap();
    }
}

/// What everybody owns in usd: reserve and claims, less debts.
fn wealth(node: &Process) -> BTreeMap<String, i128> {
    let number = |value: &Value| value.as_str().unwrap().parse::<i128>().unwrap();
    let mut wealth: BTreeMap<String, i128> = BTreeMap::new();
    for name in CONCERNED {
        let reserves = call(&node.url, "depositary.listReserves", &json!({ "entity": name })).unwrap();
        let reserves: i128 = reserves
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["symbol"] == "usd")
            .map(|row| number(&row["reserve"]))
            .sum();
        let channels = channels(node, name);
        let assets = channels.iter().flat_map(|channel| channel["assets"].as_array().unwrap());
        let claims: i128 = assets
            .filter(|row| row["symbol"] == "usd")
            .map(|row| {
                number(&row["outCollateral"]) + number(&row["outPeerCredit"]) - number(&row["inOwnCredit"])
            })
            .sum();
        wealth.insert(name.to_owned(), reserves + claims);
    }
    wealth
}

/// All channels of an entity, page by page.
fn channels(node: &Process, entity: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all.last().map(|channel| channel["id"].clone());
        let request = json!({ "entity": entity, "after": after, "limit": PAGE });
        let Value::Array(page) = call(&node.url, "channel.list", &request).unwrap() else {
            panic!("no list")
        };
        let last = page.len() < PAGE;
        all.extend(page);
        if last {
            return all;
        }
    }
}

/// Every acknowledged payment is there, succeeded, with its sum.
fn check_payments(node: &Process, acknowledged: &Acknowledged, round: u64) {
    for ((payer, number), amount) in acknowledged.lock().unwrap().iter() {
        let request = json!({ "entity": payer, "number": number });
        let payment = call(&node.url, "payment.get", &request)
            .unwrap_or_else(|error| panic!("round {round}: payment {number} of {payer} is lost: {error}"));
        assert_eq!(payment["status"], "succeeded", "round {round}: {payment}");
        assert_eq!(payment["amount"].as_str(), Some(amount.as_str()), "round {round}: {payment}");
        assert!(payment["preimage"].is_string(), "round {round}: {payment}");
    }
}

/// Without load the state does not move.
fn assert_same_root_twice(node: &Process) {
    let root = || call(&node.url, "server.getInfo", &json!({})).unwrap()["stateRoot"].clone();
    assert_eq!(root(), root());
}
