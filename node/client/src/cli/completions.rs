//! `xln completions SHELL`.

use clap::{Args, CommandFactory};

use super::{Arguments, exit::Failure, output};

/// Prints a script that lets a shell complete `xln`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  xln completions bash > ~/.local/share/bash-completion/completions/xln")]
pub(super) struct Completions {
    /// For which shell.
    shell: clap_complete::Shell,
}

impl Completions {
    /// Prints it; needs no node.
    pub(super) fn print(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "xln", &mut script);
        output::print(&String::from_utf8_lossy(&script))
    }
}
