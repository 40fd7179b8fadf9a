//! Crashes of the real binary on a real disk: kill −9 under load here, damaged databases in [`damage`], full and failing
//! disks in [`disk`].
//!
//! Users pay each other over the hub as fast as the node answers, while the process is killed twenty times. After each
//! start: the node recovers to a state whose roots it has checked itself; every payment that was acknowledged is there
//! with its preimage; nobody has lost or gained a unit; and the same call is never executed twice.
//!
//! `XLN_CRASHES=1000` runs a longer campaign.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod damage;
mod disk;
mod process;
mod random;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use process::{Process, call};
use random::Random;
use serde_json::{Value, json};

/// How often the node is killed.
const CRASHES: u64 = 20;
/// Who pays whom: both ways over the hub, so that nobody runs dry.
const PAYERS: [(&str, &str); 4] =
    [("alice", "carol"), ("carol", "alice"), ("dave", "alice"), ("alice", "dave")];

/// What was acknowledged: payer and number of the payment, with its amount.
type Acknowledged = Arc<Mutex<BTreeMap<(String, String), String>>>;

#[test]
fn what_was_acknowledged_survives_twenty_kills_and_money_stays_what_it_is() {
    let crashes = std::env::var("XLN_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(CRASHES);
    let folder = tempfile::tempdir().unwrap();
    let acknowledged: Acknowledged = Arc::default();
    let mut before: Option<BTreeMap<String, i128>> = None;
    let mut random = Random::new(1);
    for round in 0..=crashes {
        let mut node = Process::start(folder.path());
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
        // Up to 400 ms of load, so that kills hit slices, seals and snapshots alike.
        let life = Duration::from_millis(20 + random.below(400));
        // Every third time in the middle of a clean stop, which seals the last block and writes the state.
        let end = (round % 3 == 2).then(|| Duration::from_millis(random.below(60)));
        load(&node, &acknowledged, life, &mut || {
            if let Some(end) = end {
                node.ask_to_stop();
                std::thread::park_timeout(end);
            }
            node.kill();
        });
    }
    let payments = acknowledged.lock().unwrap().len();
    println!("{crashes} kills, {payments} acknowledged payments");
    assert!(payments > 20, "the load was no load: {payments} payments");

    // A clean stop writes the state, so that the next start has nothing to replay.
    let mut node = Process::start(folder.path());
    let root = call(&node.url, "server.getInfo", &json!({})).unwrap()["stateRoot"].clone();
    node.terminate();
    let node = Process::start(folder.path());
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
    for entity in call(&node.url, "entity.list", &json!({})).unwrap().as_array().unwrap() {
        let name = entity["name"].as_str().unwrap().to_owned();
        let reserves = call(&node.url, "depositary.listReserves", &json!({ "entity": name })).unwrap();
        let reserves: i128 = reserves
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["symbol"] == "usd")
            .map(|row| number(&row["reserve"]))
            .sum();
        let channels = call(&node.url, "channel.list", &json!({ "entity": name })).unwrap();
        let assets =
            channels.as_array().unwrap().iter().flat_map(|channel| channel["assets"].as_array().unwrap());
        let claims: i128 = assets
            .filter(|row| row["symbol"] == "usd")
            .map(|row| {
                number(&row["outCollateral"]) + number(&row["outPeerCredit"]) - number(&row["inOwnCredit"])
            })
            .sum();
        wealth.insert(name, reserves + claims);
    }
    wealth
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
