//! Disks that are full or fail. The node stops authoring, says why, goes on answering, and keeps what it acknowledged.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::process::{BINARY, Process, call, get};

/// How long the node may take to notice.
const DEADLINE: Duration = Duration::from_secs(60);
/// Size of the small disk.
const DISK: &str = "size=48m";

/// A file system in memory, unmounted when it is dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None`, with the reason on standard output, where mounting is not allowed.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(folder.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder)),
            Ok(output) => {
                println!("skipped: no small disk: {}", String::from_utf8_lossy(&output.stderr).trim());
                None
            }
            Err(error) => {
                println!("skipped: no small disk: {error}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the space that is left but `keep` bytes.
    fn fill(&self, keep: u64) -> PathBuf {
        let path = self.path().join("filler");
        let mut filler = fs::File::create(&path).unwrap();
        let chunk = vec![1; 64 << 10];
        while free(self.path()) > keep && filler.write_all(&chunk).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, since what fails here must not hide why a test failed.
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

fn free(path: &Path) -> u64 {
    xln_store::free_space(path).unwrap()
}

fn pay(node: &Process) -> Result<Value, String> {
    let request = json!({ "entity": "alice", "to": "carol", "asset": "usd", "amount": "7", "wait": true });
    call(&node.url, "payment.send", &request)
}

/// Pays until the node refuses; what was acknowledged, and the refusal.
fn pay_until_refused(node: &Process) -> (Vec<String>, String) {
    let (start, mut acknowledged) = (Instant::now(), Vec::new());
    loop {
        match pay(node) {
            Ok(payment) => {
                assert_eq!(payment["status"], "succeeded");
                acknowledged.push(payment["number"].as_str().unwrap().to_owned());
            }
            Err(refusal) => return (acknowledged, refusal),
        }
        assert!(start.elapsed() < DEADLINE, "it does not notice");
    }
}

/// What holds for a node that has stopped authoring: it is unready with the reason, answers, and refuses by a typed error.
fn assert_stopped(node: &Process, reason: &[&str]) {
    let start = Instant::now();
    let body = loop {
        let (status, body) = get(&node.url, "/health");
        if status == 503 {
            break body;
        }
        assert!(start.elapsed() < DEADLINE, "it stays ready: {body}");
    };
    assert!(reason.iter().any(|reason| body.contains(reason)), "health does not say why: {body}");
    let health = call(&node.url, "system.health", &json!({})).unwrap();
    assert_eq!(health["ready"], false, "{health}");
    assert!(!call(&node.url, "entity.list", &json!({})).unwrap().as_array().unwrap().is_empty());
    let refusal: Value = serde_json::from_str(&pay(node).unwrap_err()).unwrap();
    assert!(refusal["code"].is_number() && refusal["message"].is_string(), "{refusal}");
}

/// Every acknowledged payment is there.
fn assert_kept(node: &Process, acknowledged: &[String]) {
    for number in acknowledged {
        let payment =
            call(&node.url, "payment.get", &json!({ "entity": "alice", "number": number })).unwrap();
        assert_eq!(payment["status"], "succeeded", "{payment}");
    }
}

/// Lets the disk run full under load, twice: at the limit that the node keeps, and without one.
fn full_disk(min_free_mib: &str, keep: u64, reason: &[&str]) {
    let Some(disk) = SmallDisk::mount() else { return };
    let log = tempfile::NamedTempFile::new().unwrap();
    let options = ["--dev", "--min-free-space", min_free_mib];
    let start = || Process::start_by(&mut Command::new(BINARY), disk.path(), log.path(), &options);
    let node = start().unwrap();
    assert_eq!(pay(&node).unwrap()["status"], "succeeded");
    let filler = disk.fill(keep);
    let (acknowledged, _) = pay_until_refused(&node);
    assert_stopped(&node, reason);
    node.kill();
    // A start finds no room either, and says so.
    if let Err(said) = start() {
        assert!(reason.iter().any(|reason| said.contains(reason)) && !said.contains("panicked"), "{said}");
    }
    fs::remove_file(filler).unwrap();
    let mut node = start().unwrap();
    assert_kept(&node, &acknowledged);
    assert_eq!(pay(&node).unwrap()["status"], "succeeded", "it goes on once there is room");
    node.terminate();
    println!(
        "disk full with {min_free_mib} MiB kept: {} payments acknowledged, all kept",
        acknowledged.len()
    );
}

#[test]
fn a_node_stops_before_the_disk_is_full() {
    full_disk("16", 17 << 20, &["bytes free"]);
}

#[test]
fn a_node_that_meets_a_full_disk_stops_and_loses_nothing() {
    full_disk("0", 512 << 10, &["No space left"]);
}

#[test]
fn a_write_that_fails_stops_the_node_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("node.log");
    Process::start(folder.path()).terminate();
    // The shell forbids files above a size, of which the write-ahead log learns by a failing write in its middle.
    let limited = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", limited, BINARY]);
    let node = Process::start_by(&mut shell, folder.path(), Path::new("/dev/null"), &["--dev"]).unwrap();
    let (acknowledged, _) = pay_until_refused(&node);
    assert!(!acknowledged.is_empty());
    assert_stopped(&node, &["File too large"]);
    node.kill();
    let mut node = Process::start_by(&mut Command::new(BINARY), folder.path(), &log, &["--dev"]).unwrap();
    assert_kept(&node, &acknowledged);
    assert_eq!(pay(&node).unwrap()["status"], "succeeded");
    node.terminate();
    println!("failing write: {} payments acknowledged, all kept", acknowledged.len());
}
