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

/// A mounted file system, unmounted when it is dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None`, with the reason on standard output, where mounting is not allowed.
    fn mount(arguments: &[&str], source: &Path) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        run(Command::new("mount").args(arguments).arg(source).arg(folder.path())).then_some(Self(folder))
    }

    /// A small one in memory.
    fn small(size: &str) -> Option<Self> {
        Self::mount(&["-t", "tmpfs", "-o", size], Path::new("tmpfs"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the space that is left but `keep` bytes.
    fn fill(&self, keep: u64) -> PathBuf {
        let path = self.path().join("filler");
        let mut filler = fs::File::create(&path).unwrap();
        for size in [64 << 10, 4 << 10] {
            let chunk = vec![1; size];
            while free(self.path()) > keep && filler.write_all(&chunk).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmount = |how: &[&str]| Command::new("umount").args(how).arg(self.0.path()).output();
        // A disk that is still in use goes when its user does. What fails here must not hide why a test failed.
        if !unmount(&[]).is_ok_and(|output| output.status.success()) {
            let _ = unmount(&["--lazy"]);
        }
    }
}

/// Whether a command succeeds; if not, why the test is skipped.
fn run(command: &mut Command) -> bool {
    match command.output() {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            println!("skipped: {command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
            false
        }
        Err(error) => {
            println!("skipped: {command:?}: {error}");
            false
        }
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
    let Some(disk) = Disk::small("size=48m") else { return };
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

#[test]
fn a_disk_that_loses_writes_stops_the_node_at_the_fsync_and_nothing_acknowledged_is_lost() {
    // A disk whose image has promised more space than there is: when that runs out, writes to it fail as those to a
    // broken disk do, and it is the fsync that learns of it.
    let Some(below) = Disk::small("size=64m") else { return };
    let image = below.path().join("image");
    fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
    if !run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image)) {
        return;
    }
    let mount = || Disk::mount(&["-o", "loop"], &image);
    let Some(disk) = mount() else { return };
    let log = tempfile::NamedTempFile::new().unwrap();
    let options = ["--dev", "--min-free-space", "0"];
    let start = |disk: &Disk| Process::start_by(&mut Command::new(BINARY), disk.path(), log.path(), &options);
    let node = start(&disk).unwrap();
    assert_eq!(pay(&node).unwrap()["status"], "succeeded");
    let filler = below.fill(0);
    let (acknowledged, _) = pay_until_refused(&node);
    assert_stopped(&node, &["Input/output error", "Read-only file system"]);
    node.kill();
    drop(disk);
    fs::remove_file(filler).unwrap();
    let disk = mount().unwrap();
    let mut node = start(&disk).unwrap();
    assert_kept(&node, &acknowledged);
    assert_eq!(pay(&node).unwrap()["status"], "succeeded");
    node.terminate();
    println!("failing fsync: {} payments acknowledged, all kept", acknowledged.len());
}
