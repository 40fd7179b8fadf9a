//! `xln-node`: parse, set up the log, then do what was asked or run.

use std::process::ExitCode;

use clap::{Parser, error::ErrorKind};
use xln_node::{
    cli::{Cli, Exit},
    commands,
    config::Config,
    logging::{self, LogFormat},
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => {
            let exit = match refusal.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok,
                _ => Exit::Usage,
            };
            // Nothing can be done if even that cannot be printed.
            let _ = refusal.print();
            return exit.into();
        }
    };
    let done = match cli.command {
        Some(command) => logging::init("info", LogFormat::Text)
            .map_err(|error| (error.to_string(), Exit::Software))
            .and_then(|()| commands::execute(command).map_err(|error| (error.to_string(), error.exit()))),
        None => Config::load(&cli.run).map_err(|error| (error.to_string(), Exit::Config)).and_then(run),
    };
    match done {
        Ok(()) => Exit::Ok.into(),
        Err((message, exit)) => {
            eprintln!("xln-node: {message}");
            exit.into()
        }
    }
}

fn run(config: Config) -> Result<(), (String, Exit)> {
    logging::init(&config.log, config.log_format).map_err(|error| (error.to_string(), Exit::Config))?;
    xln_node::run(config).map_err(|error| (error.to_string(), error.exit()))
}
