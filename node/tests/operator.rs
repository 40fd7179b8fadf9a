//! What an operator does to a running consortium: who may connect, who knocked in vain, what is measured.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "other tests use the rest of what starts processes")]

#[path = "process/mod.rs"]
mod process;

use std::{path::Path, process::Command};

use process::{BINARY, Process, call, eventually, free_ports, testnet};
use serde_json::{Value, json};

/// A validator and a hub.
struct Pair {
    folder: tempfile::TempDir,
    port: u16,
}

impl Pair {
    fn write() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_ports(2);
        testnet((1, 1), port, folder.path());
        Self { folder, port }
    }

    fn start(&self, place: u16) -> Process {
        let name = ["validator-1", "hub-1"][usize::from(place)];
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let chain = self.folder.path().join("chain.json");
        let port = (self.port + place).to_string();
        let options = ["--chain", chain.to_str().unwrap(), "--server", name, "--port", &port];
        let started =
            Process::start_by(&mut Command::new(BINARY), &folder, &folder.join("node.log"), &options);
        started.unwrap_or_else(|said| panic!("{name} did not start: {said}"))
    }
}

fn ask(node: &Process, method: &str, params: Value) -> Result<Value, String> {
    call(&node.url, method, &params)
}

/// The only other server, once it is as wanted.
fn other(node: &Process, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || {
        let peers = ask(node, "system.peers", json!({}))?;
        if wanted(&peers[0]) { Ok(peers[0].clone()) } else { Err(peers.to_string()) }
    })
}

#[test]
fn a_server_that_is_shut_out_stays_out_over_a_restart_until_it_is_let_in() {
    let pair = Pair::write();
    let (validator, hub) = (pair.start(0), pair.start(1));
    let known = other(&validator, "a ping", |peer| peer["roundTripUs"].is_string());
    assert_eq!(
        (&known["name"], &known["allowed"], &known["validator"]),
        (&json!("hub-1"), &json!(true), &json!(false))
    );
    assert!(known["addresses"][0].as_str().unwrap().starts_with("/ip4/127.0.0.1/"), "{known}");
    other(&hub, "bytes both ways", |peer| peer["bytesSent"] != "0" && peer["bytesReceived"] != "0");

    let out = ask(&validator, "system.disallowPeer", json!({ "peer": "hub-1" })).unwrap();
    assert_eq!((&out["changed"], &out["note"]), (&json!(true), &Value::Null));
    let out = ask(&hub, "system.disallowPeer", json!({ "peer": "hub-1" })).unwrap_err();
    assert!(out.contains("this server itself"), "{out}");
    other(&validator, "the end of the connection", |peer| {
        peer["connected"] == false && peer["allowed"] == false
    });
    let file = "data/chains/local/network/changes.json";
    assert!(Path::new(&pair.folder.path().join("validator-1").join(file)).exists());

    // It keeps knocking; everybody who looks sees it, also after a restart.
    validator.kill();
    let validator = pair.start(0);
    let refused = eventually("a refusal", || {
        let refusals = ask(&validator, "system.refusals", json!({}))?;
        if refusals["network"]["not_allowed"].is_string() { Ok(refusals) } else { Err(refusals.to_string()) }
    });
    assert_eq!(
        (&refused["last"][0]["name"], &refused["last"][0]["reason"]),
        (&json!("hub-1"), &json!("not_allowed"))
    );
    assert!(other(&validator, "still out", |_| true)["allowed"] == false);
    let address = format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", pair.port + 1, known["id"].as_str().unwrap());
    let early = ask(&validator, "system.addPeer", json!({ "address": address })).unwrap_err();
    assert!(early.contains("system.allowPeer"), "{early}");

    let back = ask(&validator, "system.allowPeer", json!({ "peer": known["id"] })).unwrap();
    assert_eq!(back["changed"], true);
    other(&validator, "the hub is back", |peer| peer["connected"] == true);
    let same = ask(&validator, "system.addPeer", json!({ "address": address })).unwrap();
    assert_eq!(same["changed"], false, "the chain spec says the same");

    let strange = ask(&validator, "system.allowPeer", json!({ "peer": "hub-7" })).unwrap_err();
    assert!(strange.contains("hub-1"), "the error names who is known: {strange}");
    let nobody =
        ask(&validator, "system.addPeer", json!({ "address": "/dns4/a.example/tcp/1" })).unwrap_err();
    assert!(nobody.contains("/ip4/192.0.2.7/tcp/30333/p2p/"), "{nobody}");
    assert_eq!(ask(&validator, "consensus.evidence", json!({ "entity": "depositary" })).unwrap(), json!([]));
}
