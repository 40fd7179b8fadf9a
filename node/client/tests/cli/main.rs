//! The program `xln` itself, against a node that answers from a script and against nothing.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod consortium;
mod decisions;
mod node;
mod story;
mod without_a_node;

use std::process::{Command, Output};

/// Runs `xln` with arguments separated by spaces.
fn xln(url: &str, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xln"))
        .env_remove("XLN_AS")
        .env("XLN_URL", url)
        .args(line.split(' ').filter(|word| !word.is_empty()))
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
