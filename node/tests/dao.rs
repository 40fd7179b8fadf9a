//! The page "A DAO of companies" of the book: its commands are run as they stand there, against a node as a process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "other tests use the rest of what starts processes")]

#[path = "process/mod.rs"]
mod process;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use process::{BINARY, Process, eventually, free_ports, testnet};
use serde_json::Value;

/// Commands that change nothing.
const LOOKING: [&str; 4] = ["show", "list", "proposal", "proposals"];
const PAGE: &str = include_str!("../../docs/src/dao.md");

/// A block of the page: what is written behind its fence, and its lines.
fn blocks() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, Vec<&str>)> = None;
    for line in PAGE.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(kind), None) => open = Some((kind, Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    blocks
}

/// The program for people, which is built beside the node.
fn client() -> PathBuf {
    let client = Path::new(BINARY).with_file_name("xln");
    assert!(client.exists(), "{} is missing: run the tests of the whole workspace", client.display());
    client
}

struct Reader {
    folder: tempfile::TempDir,
    node: Process,
    server: Value,
}

impl Reader {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, network) = (free_ports(2), folder.path().join("try"));
        testnet((1, 1), port, &network);
        let chain = network.join("chain.json");
        let spec: Value = serde_json::from_str(&std::fs::read_to_string(&chain).unwrap()).unwrap();
        let entities = spec["genesis"]["entities"].as_array().unwrap();
        let depositary = entities.iter().find(|entity| entity["name"] == "depositary").unwrap();
        let voter = &depositary["board"]["members"][0];
        let server =
            serde_json::json!({ "key": voter["key"], "proofOfPossession": voter["proofOfPossession"] });
        let (home, port) = (folder.path().join("home"), port.to_string());
        std::fs::create_dir_all(&home).unwrap();
        let log = home.join("node.log");
        let options =
            ["--chain", chain.to_str().unwrap(), "--server", "validator-1", "--port", &port, "--validator"];
        let started = Process::start_by(&mut Command::new(BINARY), &home, &log, &options);
        let node = started.unwrap_or_else(|said| panic!("the node did not start: {said}"));
        Self { folder, node, server }
    }

    /// Runs a command; why not, if it fails or does not say what it should.
    fn attempt(&self, arguments: &[&str], expected: &str) -> Result<String, String> {
        let output = Command::new(client())
            .env_remove("XLN_AS")
            .env("XLN_URL", format!("http://{}", self.node.url))
            .current_dir(self.folder.path())
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() && said.contains(expected) {
            return Ok(said);
        }
        Err(format!("xln {}: {said}{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)))
    }

    fn run(&self, arguments: &[&str]) -> String {
        self.attempt(arguments, "").unwrap_or_else(|said| panic!("{said}"))
    }

    /// Writes a file of the page, keys in the place of names.
    fn write(&self, name: &str, lines: &[&str]) {
        let signers: Value = serde_json::from_str(&self.run(&["signer", "list", "-o", "json"])).unwrap();
        let key = |signer: &Value| {
            let scheme = signer["scheme"].as_str()?;
            let label = signer["label"].as_str()?.to_owned();
            Some((label, format!("{scheme}:{}", signer["publicKey"].as_str()?)))
        };
        let keys: BTreeMap<String, String> = signers.as_array().unwrap().iter().filter_map(key).collect();
        let mut text = lines.join("\n").replace("\"<server>\"", &self.server.to_string());
        for (label, key) in keys {
            text = text.replace(&format!("<{label}>"), &key);
        }
        assert!(!text.contains('<'), "{name} has names without a key: {text}");
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }
}

#[test]
fn the_page_about_a_dao_of_companies_is_true() {
    let reader = Reader::start();
    let mut commands = 0;
    for (kind, lines) in blocks() {
        match kind.split_once(' ').unwrap_or((kind, "")) {
            ("json", name) => reader.write(name, &lines),
            ("sh", _) => {
                for line in lines {
                    let (command, expected) = line.split_once(" # ").unwrap_or((line, ""));
                    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
                    // Who only looks may look again: what one entity says to another takes a moment.
                    let only_looks = words.iter().any(|word| LOOKING.contains(word));
                    if only_looks {
                        eventually(line, || reader.attempt(&words, expected));
                    } else {
                        reader.attempt(&words, expected).unwrap_or_else(|said| panic!("{said}"));
                    }
                    commands += 1;
                }
            }
            _ => {}
        }
    }
    assert!(commands > 20, "the page has {commands} commands");
}
