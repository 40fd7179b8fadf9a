//! XLN's state tree beside those of others: the same keys and values, one after the other on the same machine.
//!
//! `cargo run --release -- [entries …]` measures every tree at every size (by default 100,000 and 1,000,000), each in a
//! process of its own so that its memory can be told, prints one table, and then the same as JSON.

mod jellyfish;
mod keys;
mod measure;
mod nearly_optimal;
mod patricia;
mod table;
mod xln;

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use measure::{Figures, measure};

/// Entries before anything is measured, if nothing is said.
const SIZES: [u64; 2] = [100_000, 1_000_000];

/// The trees, as a child process is asked for them.
const TREES: [&str; 5] = ["xln", "xln-shared", "jmt", "nomt", "sp-trie"];

/// More entries than this take the others too long, or too much memory.
const OTHERS_ENTRIES_MAX: u64 = 1_000_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, tree, entries] = &arguments[..]
        && flag == "--one"
    {
        println!("{}", serde_json::to_string(&one(tree, entries.parse()?)?)?);
        return Ok(());
    }
    let sizes = arguments.iter().map(|size| size.replace('_', "").parse().context("a number of entries"));
    let mut sizes: Vec<u64> = sizes.collect::<Result<_>>()?;
    if sizes.is_empty() {
        sizes.extend(SIZES);
    }
    let mut all = Vec::new();
    for entries in sizes {
        for tree in TREES.iter().filter(|tree| tree.starts_with("xln") || entries <= OTHERS_ENTRIES_MAX) {
            eprintln!("{tree}: {entries} entries …");
            all.push(child(tree, entries)?);
        }
    }
    table::print(&all);
    println!("{}", serde_json::to_string(&all)?);
    Ok(())
}

fn one(tree: &str, entries: u64) -> Result<Figures> {
    match tree {
        "xln" => measure(xln::Xln::new(false), entries),
        "xln-shared" => measure(xln::Xln::new(true), entries),
        "jmt" => measure(jellyfish::Jellyfish::default(), entries),
        "nomt" => measure(nearly_optimal::NearlyOptimal::new()?, entries),
        "sp-trie" => measure(patricia::Patricia::default(), entries),
        _ => bail!("no tree is called {tree}; there are {}", TREES.join(", ")),
    }
}

/// Measures in a process of its own.
fn child(tree: &str, entries: u64) -> Result<Figures> {
    let program = std::env::current_exe()?;
    let output = Command::new(program).args(["--one", tree, &entries.to_string()]).output()?;
    ensure!(output.status.success(), "{tree}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}
