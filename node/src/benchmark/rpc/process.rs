//! The node as a process.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{
    super::{
        BenchmarkError, Used,
        processor::{resident_in, used_in},
    },
    LoadError,
    network::Files,
};

/// A running node, killed when it is dropped.
pub(super) struct Process {
    child: Child,
    address: String,
}

impl Process {
    /// Starts the node and waits until it answers.
    pub(super) fn start(program: &Path, files: &Files) -> Result<Self, BenchmarkError> {
        let failed = |source| BenchmarkError::Folder { path: program.to_path_buf(), source };
        let log = File::create(&files.log)
            .map_err(|source| BenchmarkError::Folder { path: files.log.clone(), source })?;
        let mut child = Command::new(program)
            .args(["--rpc-port", "0", "--no-prometheus", "--log", "warn", "--min-free-space", "0"])
            .arg("--chain")
            .arg(&files.spec)
            .arg("--base-path")
            .arg(&files.data)
            .arg("--keystore-path")
            .arg(&files.keystore)
            .arg("--password-filename")
            .arg(&files.password)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        // It says where it listens once everything has started.
        let mut line = String::new();
        let said = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        let address = line.split("ws://").nth(1).and_then(|rest| rest.split_whitespace().next());
        match (said, address) {
            (Some(Ok(_)), Some(address)) => Ok(Self { address: address.to_owned(), child }),
            _ => {
                // It may have ended on its own.
                let _ = child.kill();
                let _ = child.wait();
                let log = fs::read_to_string(&files.log).unwrap_or_default();
                Err(LoadError::NotStarted { log }.into())
            }
        }
    }

    /// Where it answers.
    pub(super) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Processor time that it used, and memory that it has in use.
    pub(super) fn used(&self) -> (Used, Option<u64>) {
        let folder = format!("/proc/{}", self.child.id());
        let folder = Path::new(&folder);
        (used_in(folder), resident_in(folder))
    }

    /// Ends it without warning.
    pub(super) fn kill(&mut self) {
        // It may have ended on its own.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
