//! A validator that lies, as a process.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    faults::more,
    judge::wealth,
    load::Load,
    process::eventually,
    servers::{Servers, number},
};

/// Who the process is that runs this test program once more.
const LIAR: &str = "XLN_TEST_LIAR";

/// The process of the liar: this test program, of which it runs the next function alone.
struct Process(Child);

impl Process {
    fn start(servers: &Servers, place: usize) -> Self {
        let liar = format!("{}\n{}", servers.names[place], servers.spec(place).display());
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "byzantine::the_process_of_a_liar_lies_and_any_other_does_nothing"])
            .args(["--nocapture"])
            .env(LIAR, liar)
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn the_process_of_a_liar_lies_and_any_other_does_nothing() {
    let Ok(liar) = std::env::var(LIAR) else { return };
    let (name, chain) = liar.split_once('\n').unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(xln_byzantine::run(&PathBuf::from(chain), name)).unwrap();
}

#[test]
fn three_of_four_decide_beside_a_liar_whose_double_votes_everybody_can_prove() {
    let mut servers = Servers::new(4, 2, 8);
    let liar = 3;
    for place in servers.all().filter(|place| *place != liar) {
        servers.run(place);
    }
    let process = Process::start(&servers, liar);
    servers.until_connected();
    eventually("the liar is connected", || {
        let peers = servers.ask(0, "system.peers", json!({}))?;
        let peer = peers.as_array().into_iter().flatten().find(|peer| peer["name"] == servers.names[liar]);
        if peer.is_some_and(|peer| peer["connected"] == true) { Ok(()) } else { Err(peers.to_string()) }
    });
    let before = eventually("a quiet network", || wealth(&servers));
    let load = Load::start(&servers);
    more(&load, 20, 20);
    // Those who heard both statements have the proof, and can show it to anybody.
    for place in 0..liar {
        let evidence = eventually("evidence", || {
            let evidence = servers.ask(place, "consensus.evidence", json!({}))?;
            let kinds =
                |kind: &str| evidence.as_array().is_some_and(|all| all.iter().any(|one| one["kind"] == kind));
            if ["proposal", "prevote", "precommit"].into_iter().all(kinds) {
                Ok(evidence)
            } else {
                Err(evidence.to_string())
            }
        });
        for one in evidence.as_array().unwrap() {
            assert_eq!(one["server"], json!(servers.names[liar]), "{one}");
            assert_ne!(one["first"]["frame"], one["second"]["frame"], "{one}");
        }
    }
    // Everything else that it says is refused, counted by what it was.
    let refused = eventually("refusals", || {
        let refused = servers.ask(0, "system.refusals", json!({}))?;
        let boards = ["signature", "certificate", "malformed", "not_the_proposer", "body"];
        let counted = |of: &str, reason: &str| number(&refused[of][reason]).is_ok_and(|count| count > 0);
        if boards.iter().all(|reason| counted("consensus", reason))
            && ["oversized", "invalid"].iter().all(|reason| counted("network", reason))
        {
            Ok(refused)
        } else {
            Err(refused.to_string())
        }
    });
    println!("refused of boards {}, of the network {}", refused["consensus"], refused["network"]);
    // Proof outlives the process that found it.
    servers.kill(0);
    servers.run(0);
    assert_ne!(servers.ask(0, "consensus.evidence", json!({})).unwrap(), json!([]));
    servers.until_connected();
    more(&load, 20, 5);
    drop(process);
    let known = load.stop();
    // An honest server in its place catches up.
    servers.run(liar);
    let frames = crate::judge::judge(&servers, &known, before);
    println!(
        "{} payments, {} transfers, {frames} frames beside a liar",
        known.payments.len(),
        known.transfers
    );
    for place in servers.all() {
        assert_eq!(servers.ask(place, "consensus.status", json!({})).unwrap()[0]["halted"], Value::Null);
    }
}
