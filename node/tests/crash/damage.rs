//! Damaged databases: after a cut, a flipped bit or a lost file a node starts with the state that it had, or not at all.
//!
//! One database is made by a node that is killed twice and stopped once, so that it has sorted files, a snapshot and a
//! write-ahead log; after each payment the heads and roots of all entities are noted. Then, case by case, a copy is
//! damaged somewhere at random and a node is started on it. If it starts, it stands at the last slice that was
//! acknowledged, with the heads and roots that it had there, and goes on. If not, it says which file, column or block
//! is at fault, and does not panic.
//!
//! `XLN_DAMAGES=1000` runs a longer campaign, `XLN_DAMAGES_SEED=7` another one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    process::{Process, call},
    random::Random,
};

/// How many databases are damaged.
const DAMAGES: u64 = 50;
/// Payments in each life of the node.
const PAYMENTS: u64 = 40;

/// What there was at a slice.
#[derive(Debug, Clone, PartialEq)]
struct State {
    slice: u64,
    /// Everything that `entity.list` tells, heads and roots among it.
    entities: Value,
}

fn state(node: &Process) -> State {
    let info = call(&node.url, "server.getInfo", &json!({})).unwrap();
    let entities = call(&node.url, "entity.list", &json!({ "hosted": true })).unwrap();
    State { slice: info["slice"].as_str().unwrap().parse().unwrap(), entities }
}

fn pay(node: &Process, number: u64) -> Result<Value, String> {
    let (payer, payee) = if number.is_multiple_of(2) { ("alice", "carol") } else { ("carol", "alice") };
    let request = json!({ "entity": payer, "to": payee, "asset": "usd", "amount": "7", "wait": true });
    call(&node.url, "payment.send", &request)
}

/// Makes the database, and tells what its last state was.
fn prepare(folder: &Path) -> State {
    let mut last = None;
    for life in 0..3 {
        let mut node = Process::start(folder);
        if let Some(last) = &last {
            assert_eq!(state(&node), *last, "undamaged, it comes back as it was");
        }
        for number in 0..PAYMENTS {
            assert_eq!(pay(&node, number).unwrap()["status"], "succeeded");
        }
        last = Some(state(&node));
        if life == 1 { node.terminate() } else { node.kill() }
    }
    last.unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    // The keystore must be nobody else's.
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// The files of a database that matter: not RocksDB's reports about itself.
fn files(database: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(database).unwrap().map(|entry| entry.unwrap());
    let matters = |name: &str| {
        name.ends_with(".sst")
            || name.ends_with(".log")
            || name.starts_with("MANIFEST")
            || ["CURRENT", "high-water"].contains(&name)
    };
    let mut files: Vec<PathBuf> = files
        .filter(|entry| matters(&entry.file_name().to_string_lossy()) && entry.metadata().unwrap().len() > 0)
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

/// Damages one file somewhere, and says how.
fn damage(database: &Path, random: &mut Random) -> String {
    let files = files(database);
    // Every second time the write-ahead log, which is one file of many.
    let log = files.iter().find(|file| file.extension().is_some_and(|extension| extension == "log"));
    let file = match log {
        Some(log) if random.below(2) == 0 => log,
        _ => &files[usize::try_from(random.below(files.len() as u64)).unwrap()],
    };
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let mut bytes = fs::read(file).unwrap();
    let place = random.below(bytes.len() as u64);
    let at = usize::try_from(place).unwrap();
    match random.below(8) {
        0 => {
            fs::remove_file(file).unwrap();
            format!("{name} removed")
        }
        1..=3 => {
            bytes.truncate(at);
            fs::write(file, bytes).unwrap();
            format!("{name} cut at {place}")
        }
        _ => {
            let bits = 1 + random.below(3);
            for _ in 0..bits {
                let bit = random.below(8);
                bytes[at] ^= 1 << bit;
            }
            // The same bit twice is no damage; then the byte is inverted.
            if bytes == fs::read(file).unwrap() {
                bytes[at] ^= 0xff;
            }
            fs::write(file, bytes).unwrap();
            format!("{name} with flipped bits at {place}")
        }
    }
}

/// Where the database of the development network lies in a folder of these tests.
fn database(folder: &Path) -> PathBuf {
    folder.join("data/chains/dev/db")
}

#[test]
fn a_damaged_database_is_refused_by_name_or_found_whole() {
    let number =
        |name, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (damages, mut random) = (number("XLN_DAMAGES", DAMAGES), Random::new(number("XLN_DAMAGES_SEED", 1)));
    let folder = tempfile::tempdir().unwrap();
    let last = prepare(folder.path());
    let (mut whole, mut refused) = (0_u64, 0_u64);
    for case in 0..damages {
        let place = tempfile::tempdir().unwrap();
        copy(folder.path(), place.path());
        let what = damage(&database(place.path()), &mut random);
        match Process::try_start(place.path()) {
            Ok(node) => {
                assert_eq!(state(&node), last, "case {case}, {what}: it started with another state");
                // It may meet the damage later and stop then, by name; it never pays twice or crashes.
                if let Err(error) = pay(&node, 0) {
                    assert_named(&error, case, &what);
                }
                whole += 1;
            }
            Err(said) => {
                assert_named(&said, case, &what);
                refused += 1;
            }
        }
    }
    println!("{damages} damaged databases: {refused} refused by name, {whole} found whole");
}

/// An error says where, and that without a panic.
#[track_caller]
fn assert_named(said: &str, case: u64, what: &str) {
    assert!(!said.contains("panicked"), "case {case}, {what}: {said}");
    let names = ["chains/dev/db", "column ", "slice ", "block "];
    assert!(
        names.iter().any(|name| said.contains(name)),
        "case {case}, {what}: it does not say where: {said}"
    );
}
