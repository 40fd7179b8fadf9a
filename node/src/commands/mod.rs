//! What `xln-node` does besides running. Each command is a function that returns what it found; printing is apart,
//! so that tests and other programs can use the functions.

mod benchmark;
mod chain;
mod database;
mod error;
mod key;
mod purge;
mod snapshot;
mod state;
mod testnet;

use std::io::{self, Write};

use clap::CommandFactory;

use crate::cli::{BenchmarkCommand, Cli, Command, DatabaseCommand, KeyCommand, Output, SnapshotCommand};

pub use benchmark::{HubReport, benchmark_hub};
pub use chain::{AssetInfo, BoardInfo, ChainInfo, build_spec, chain_info};
pub use database::{DatabaseStats, DatabaseVerdict, database_stats, verify_database};
pub use error::CommandError;
pub use key::{
    KeyList, KeyShown, NewKey, NodeKeyShown, generate_node_key, insert_key, inspect_phrase, list_keys,
    new_phrase, rotate_password,
};
pub use purge::{database_folder, purge};
pub use snapshot::{
    SnapshotChecked, SnapshotList, SnapshotShown, create_snapshot, export_snapshot, import_snapshot,
    list_snapshots, show_snapshot, verify_snapshot,
};
pub use state::{CheckedState, check_state};
pub use testnet::{Written, WrittenServer, testnet};

/// Executes a subcommand: data goes to standard output, questions to the terminal.
pub fn execute(command: Command) -> Result<(), CommandError> {
    let out = &mut io::stdout().lock();
    match command {
        Command::BuildSpec(args) => out.write_all(&build_spec(&args)?)?,
        Command::ChainInfo(args) => print(out, args.output.output, &chain_info(&args.chain)?)?,
        Command::Key(key) => match key.command {
            KeyCommand::Generate(args) => print(out, args.output.output, &new_phrase(&args.scheme)?)?,
            KeyCommand::GenerateNodeKey(args) => {
                print(out, args.output.output, &generate_node_key(&args.file)?)?;
            }
            KeyCommand::Inspect(args) => {
                print(out, args.output.output, &key::inspect_typed(&args.scheme)?)?;
            }
            KeyCommand::Insert(args) => print(out, args.output.output, &key::insert_typed(&args)?)?,
            KeyCommand::List(args) => print(out, args.output.output, &list_keys(&args.keystore)?)?,
            KeyCommand::Rotate(args) => key::rotate_typed(&args)?,
        },
        Command::Db(database) => match database.command {
            DatabaseCommand::Stats { database, output } => {
                print(out, output.output, &database_stats(&database)?)?;
            }
            DatabaseCommand::Verify { database, output } => {
                let verdict = verify_database(&database)?;
                print(out, output.output, &verdict)?;
                if verdict.faults > 0 {
                    return Err(CommandError::Unsound { faults: verdict.faults });
                }
            }
        },
        Command::CheckState(args) => print(out, args.output.output, &check_state(&args.database, args.at)?)?,
        Command::Snapshot(snapshot) => execute_snapshot(snapshot.command, out)?,
        Command::Benchmark(benchmark) => match benchmark.command {
            BenchmarkCommand::Hub(args) => print(out, args.output(), &benchmark_hub(&args)?)?,
        },
        Command::Testnet(args) => {
            print(out, args.output.output, &testnet(&args)?)?;
        }
        Command::PurgeChain(args) => purge::ask_and_purge(&args)?,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "xln-node", out);
        }
        Command::Man => clap_mangen::Man::new(Cli::command()).render(out)?,
    }
    Ok(())
}

fn execute_snapshot(command: SnapshotCommand, out: &mut impl Write) -> Result<(), CommandError> {
    match command {
        SnapshotCommand::Create { database, output } => {
            print(out, output.output, &create_snapshot(&database)?)
        }
        SnapshotCommand::List { database, output } => print(out, output.output, &list_snapshots(&database)?),
        SnapshotCommand::Show { which, database, output } => {
            print(out, output.output, &show_snapshot(&which, &database)?)
        }
        SnapshotCommand::Export { which, database, to } => {
            let exported = export_snapshot(&which, &database, to.as_deref(), out)?;
            tracing::info!(hash = %exported.hash, block = exported.block, "exported");
            Ok(())
        }
        SnapshotCommand::Import(args) => print(out, args.output.output, &import_snapshot(&args)?),
        SnapshotCommand::Verify { which, file, database, output } => {
            print(out, output.output, &verify_snapshot(&which, file.as_deref(), &database)?)
        }
    }
}

/// As JSON, or for people.
fn print<T: serde::Serialize + std::fmt::Display>(
    out: &mut impl Write,
    output: Output,
    value: &T,
) -> Result<(), CommandError> {
    match output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Output::Table => write!(out, "{value}")?,
    }
    Ok(())
}
