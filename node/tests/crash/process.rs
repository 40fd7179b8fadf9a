//! The node as a process, and JSON-RPC over plain HTTP to it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

/// A running node, killed when it is dropped.
pub(crate) struct Process {
    child: std::cell::RefCell<Child>,
    /// `host:port` of its RPC.
    pub(crate) url: String,
}

impl Process {
    /// Starts a development network on `folder` and waits until it answers.
    pub(crate) fn start(folder: &Path) -> Self {
        let log = std::fs::File::create(folder.join("node.log")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_xln-node"))
            .args(["--dev", "--rpc-port", "0", "--no-prometheus", "--base-path"])
            .arg(folder.join("data"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        // The node says where it listens once everything has started.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next());
        let Some(url) = url.map(str::to_owned) else {
            let log = std::fs::read_to_string(folder.join("node.log")).unwrap();
            panic!("the node did not start: {line}\n{log}");
        };
        Self { child: std::cell::RefCell::new(child), url }
    }

    /// kill −9.
    pub(crate) fn kill(&self) {
        let mut child = self.child.borrow_mut();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it to stop, and checks that it does so without an error.
    pub(crate) fn terminate(&mut self) {
        let mut child = self.child.borrow_mut();
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let status = child.wait().unwrap();
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

/// Calls a method. An error of the node and a broken connection are both errors.
pub(crate) fn call(address: &str, method: &str, params: &Value) -> Result<Value, String> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let text = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(address).map_err(text)?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(text)?;
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).map_err(text)?;
    stream.write_all(body.as_bytes()).map_err(text)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(text)?;
    let (_, json) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    let mut answer: Value = serde_json::from_str(json).map_err(|error| format!("{error}: {json}"))?;
    match answer.get("error") {
        Some(error) => Err(error.to_string()),
        None => Ok(answer["result"].take()),
    }
}
