//! Four validators and two hubs as processes: the depositary's frames are decided by votes, payments cross servers, and
//! nothing is lost when processes are killed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "other tests use the rest of what starts processes")]

#[path = "process/mod.rs"]
mod process;

use std::{path::Path, process::Command};

use process::{BINARY, Process, call, eventually, free_ports, testnet};
use serde_json::{Value, json};

const SERVERS: [&str; 6] = ["validator-1", "validator-2", "validator-3", "validator-4", "hub-1", "hub-2"];

/// The servers of one network, each running or not.
struct Servers {
    folder: tempfile::TempDir,
    running: Vec<Option<Process>>,
}

impl Servers {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_ports(6);
        testnet((4, 2), port, folder.path());
        let mut servers = Self { folder, running: (0..SERVERS.len()).map(|_| None).collect() };
        for place in 0..SERVERS.len() {
            servers.run(place, port);
        }
        servers
    }

    /// Starts a server on what it has on its disk.
    fn run(&mut self, place: usize, port: u16) {
        let name = SERVERS[place];
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let (chain, log) = (self.folder.path().join("chain.json"), folder.join("node.log"));
        let port = (port + u16::try_from(place).unwrap()).to_string();
        let mut options = vec!["--chain", chain.to_str().unwrap(), "--server", name, "--port", &port];
        if name.starts_with("validator") {
            options.push("--validator");
        }
        let started = Process::start_by(&mut Command::new(BINARY), &folder, &log, &options);
        self.running[place] = Some(started.unwrap_or_else(|said| panic!("{name} did not start: {said}")));
    }

    fn port(&self) -> u16 {
        let chain = std::fs::read_to_string(self.folder.path().join("chain.json")).unwrap();
        let chain: Value = serde_json::from_str(&chain).unwrap();
        let address = chain["servers"][0]["addresses"][0].as_str().unwrap();
        address.rsplit('/').next().unwrap().parse().unwrap()
    }

    fn kill(&mut self, place: usize) {
        self.running[place].take().unwrap().kill();
    }

    fn ask(&self, place: usize, method: &str, params: Value) -> Result<Value, String> {
        call(&self.running[place].as_ref().unwrap().url, method, &params)
    }

    /// What an entity has at the depositary, as a server sees it.
    fn reserve(&self, place: usize, entity: &str) -> Result<u64, String> {
        let rows = self.ask(place, "depositary.listReserves", json!({ "entity": entity }))?;
        let reserve = rows[0]["reserve"].as_str().ok_or_else(|| rows.to_string())?;
        reserve.parse().map_err(|error| format!("{error}: {rows}"))
    }

    /// Height and state root of the depositary's latest frame, as a server has it.
    fn head(&self, place: usize) -> Result<(String, String), String> {
        let header = self.ask(place, "chain.getHeader", json!({ "entity": "depositary" }))?;
        Ok((header["height"].to_string(), header["stateRoot"].to_string()))
    }

    /// What an entity can send over its only channel.
    fn can_send(&self, place: usize, entity: &str) -> Result<u64, String> {
        let channels = self.ask(place, "channel.list", json!({ "entity": entity }))?;
        let text = channels[0]["assets"][0]["outCapacity"].as_str().ok_or_else(|| channels.to_string())?;
        text.parse().map_err(|error| format!("{error}"))
    }

    fn pay(&self, from: usize, payer: &str, payee: &str, amount: &str) -> Result<Value, String> {
        let payment = json!({ "entity": payer, "to": payee, "amount": amount, "asset": "usd" });
        self.ask(from, "payment.send", payment)
    }

    fn transfer(&self, from: usize, owner: &str, to: &str, amount: &str) -> Result<Value, String> {
        let transfer = json!({ "entity": owner, "to": to, "amount": amount, "asset": "usd" });
        self.ask(from, "depositary.transfer", transfer)
    }
}

fn equal<T: PartialEq + std::fmt::Debug>(found: Result<T, String>, expected: &T) -> Result<(), String> {
    let found = found?;
    if found == *expected { Ok(()) } else { Err(format!("{found:?} instead of {expected:?}")) }
}

const HUB_1: usize = 4;
const HUB_2: usize = 5;

#[test]
fn votes_decide_payments_cross_and_killed_servers_come_back() {
    let mut servers = Servers::start();
    let port = servers.port();
    eventually("everybody is connected", || {
        let peers = servers.ask(HUB_1, "system.peers", json!({}))?;
        let connected =
            peers.as_array().map_or(0, |peers| peers.iter().filter(|peer| peer["connected"] == true).count());
        if connected == SERVERS.len() - 1 { Ok(()) } else { Err(peers.to_string()) }
    });
    let status = servers.ask(1, "consensus.status", json!({})).unwrap();
    assert_eq!((&status[0]["votes"], &status[0]["halted"]), (&json!(true), &Value::Null), "{status}");
    // Names of entities elsewhere are known from the chain spec, and so is the way.
    let before = servers.can_send(HUB_2, "bob").unwrap();
    eventually("a first payment", || servers.pay(HUB_1, "alice", "bob", "1000"));
    eventually("bob was paid", || equal(servers.can_send(HUB_2, "bob"), &(before + 1000)));

    // The answer may come before the depositary's: then the reserve tells.
    let _ = servers.transfer(HUB_1, "alice", "bob", "700");
    eventually("the transfer is everywhere", || equal(servers.reserve(HUB_2, "bob"), &100_700));

    // Three of four decide without the fourth, whoever's turn it is.
    servers.kill(0);
    let _ = servers.transfer(HUB_1, "alice", "bob", "300");
    eventually("three decide", || equal(servers.reserve(HUB_2, "bob"), &101_000));

    // A hub that is away is paid through when it is back.
    servers.kill(HUB_2);
    let waiting = json!({ "entity": "alice", "to": "bob", "amount": "500", "asset": "usd", "wait": false });
    servers.ask(HUB_1, "payment.send", waiting).unwrap();
    servers.run(HUB_2, port);
    eventually("what waited arrived", || equal(servers.can_send(HUB_2, "bob"), &(before + 1500)));

    // The validator that was away catches up, and all have one state.
    servers.run(0, port);
    let head = servers.head(1).unwrap();
    for place in 0..SERVERS.len() {
        eventually("one state everywhere", || equal(servers.head(place), &head));
    }
    assert!(Path::new(servers.folder.path()).join("validator-1/data").exists());
}

#[test]
fn somebody_new_on_one_server_is_paid_over_a_hub_on_another_from_the_first_second() {
    let mut servers = Servers::start();
    let port = servers.port();
    // No chain spec names her.
    let zoe = servers.ask(HUB_2, "entity.create", json!({ "name": "zoe" })).unwrap()["id"].clone();
    let open = json!({ "entity": "zoe", "peer": "hub-1", "credit": "100000", "asset": "usd" });
    eventually("her channel with the hub elsewhere is open", || {
        // The first attempt may come before the servers are connected.
        let _ = servers.ask(HUB_2, "channel.open", open.clone());
        let channel = servers.ask(HUB_2, "channel.get", json!({ "entity": "zoe", "channel": "hub-1" }))?;
        if channel["status"] == "open" { Ok(()) } else { Err(channel.to_string()) }
    });
    let zoe = zoe.as_str().unwrap();
    eventually("the hub knows it too", || {
        servers.ask(HUB_1, "channel.get", json!({ "entity": "hub-1", "channel": zoe }))
    });
    servers.pay(HUB_1, "alice", zoe, "1000").unwrap();
    eventually("she has it", || equal(servers.can_send(HUB_2, "zoe"), &1_000));
    servers.pay(HUB_2, "zoe", "alice", "300").unwrap();

    // Where she lives the other server remembers, whatever happens to it.
    let before = servers.can_send(HUB_2, "zoe").unwrap();
    servers.kill(HUB_1);
    servers.run(HUB_1, port);
    servers.pay(HUB_1, "alice", zoe, "200").unwrap();
    eventually("she has that too", || equal(servers.can_send(HUB_2, "zoe"), &(before + 200)));

    // What was said to somebody before anybody knew where he lives comes with his first word to whomever on that server.
    let yan = servers.ask(HUB_2, "entity.create", json!({ "name": "yan" })).unwrap()["id"].clone();
    let early = json!({ "entity": "hub-1", "peer": yan, "credit": "500", "asset": "usd", "wait": false });
    servers.ask(HUB_1, "channel.open", early).unwrap();
    let first = json!({ "entity": "yan", "peer": "alice", "credit": "500", "asset": "usd" });
    servers.ask(HUB_2, "channel.open", first).unwrap();
    eventually("what the hub said is here", || {
        servers.ask(HUB_2, "channel.get", json!({ "entity": "yan", "channel": "hub-1" }))
    });
}
