//! The node as a process, and JSON-RPC over plain HTTP to it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// The node.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_xln-node");

/// Everything that is waited for comes within this time, also on a busy machine and after connections were sought in vain.
const DEADLINE: Duration = Duration::from_secs(90);

/// Tries until it succeeds.
pub(crate) fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(error) if Instant::now() > end => panic!("{what}: {error}"),
            Err(_) => std::thread::park_timeout(Duration::from_millis(50)),
        }
    }
}

/// The first of some ports in a row that nobody listens at, below those that the system gives to others: a server finds its port
/// free again when it is started again.
pub(crate) fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        // Other processes of these tests begin elsewhere.
        let place = NEXT.fetch_add(count.into(), Ordering::Relaxed) + std::process::id() * 100;
        let first = 10_000 + u16::try_from(place % 20_000).unwrap();
        if (first..first + count).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()) {
            return first;
        }
    }
}

/// A running node, killed when it is dropped.
pub(crate) struct Process {
    child: std::cell::RefCell<Child>,
    /// `host:port` of its RPC.
    pub(crate) url: String,
}

impl Process {
    /// Starts a development network on `folder` and waits until it answers.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::try_start(folder).unwrap_or_else(|said| panic!("the node did not start: {said}"))
    }

    /// As [`Process::start`]; what the node said if it did not start.
    pub(crate) fn try_start(folder: &Path) -> Result<Self, String> {
        Self::start_by(&mut Command::new(BINARY), folder, &folder.join("node.log"), &["--dev"])
    }

    /// Starts a node by `command`, which is the node or something that becomes it, with these options besides those of
    /// every node here.
    pub(crate) fn start_by(
        command: &mut Command,
        folder: &Path,
        log: &Path,
        options: &[&str],
    ) -> Result<Self, String> {
        let mut child = command
            .args(options)
            .args(["--rpc-port", "0", "--no-prometheus", "--base-path"])
            .arg(folder.join("data"))
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(log).unwrap())
            .spawn()
            .unwrap();
        // The node says where it listens once everything has started.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next());
        match url.map(str::to_owned) {
            Some(url) => Ok(Self { child: std::cell::RefCell::new(child), url }),
            None => {
                let status = child.wait().unwrap();
                Err(format!("{status}: {line}{}", std::fs::read_to_string(log).unwrap()))
            }
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.borrow().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Processor time that it has taken, as Linux tells it: in steps of 10 ms.
    pub(crate) fn processor(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.borrow().id())).unwrap();
        // The name of the program, in brackets, may have spaces.
        let fields = stat.rsplit(')').next().unwrap().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Asks it to stop, without waiting.
    pub(crate) fn ask_to_stop(&self) {
        self.signal("TERM");
    }

    /// kill −9.
    pub(crate) fn kill(&self) {
        let mut child = self.child.borrow_mut();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it to stop, and checks that it does so without an error.
    pub(crate) fn terminate(&mut self) {
        self.ask_to_stop();
        let status = self.child.borrow_mut().wait().unwrap();
        assert!(status.success(), "stopped with {status}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = self.child.borrow_mut();
        // It may be gone already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Status and body of a page.
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    let answer =
        exchange(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"));
    let answer = answer.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn exchange(address: &str, request: &str) -> Result<String, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(address).map_err(text)?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(text)?;
    stream.write_all(request.as_bytes()).map_err(text)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(text)?;
    Ok(answer)
}

/// Calls a method. An error of the node and a broken connection are both errors.
pub(crate) fn call(address: &str, method: &str, params: &Value) -> Result<Value, String> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let answer = exchange(
        address,
        &format!(
            "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    )?;
    let (_, json) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    let mut answer: Value = serde_json::from_str(json).map_err(|error| format!("{error}: {json}"))?;
    match answer.get("error") {
        Some(error) => Err(error.to_string()),
        None => Ok(answer["result"].take()),
    }
}

/// Writes a network with well-known keys: so many validators and hubs, with ports from this one on.
pub(crate) fn testnet((nodes, hubs): (usize, usize), port: u16, out: &Path) {
    let written = Command::new(BINARY)
        .args(["testnet", "--well-known", "--nodes", &nodes.to_string(), "--hubs", &hubs.to_string()])
        .args(["--port", &port.to_string(), "--out"])
        .arg(out)
        .output()
        .unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
}
