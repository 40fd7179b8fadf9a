//! `testnet`: the files of a network of several servers.

use std::path::PathBuf;

use clap::Args;

/// Write the files of a network of several servers for trying things out: a chain spec and a script that starts them
///
/// All keys are well known: they follow from the names of servers and entities.
#[derive(Debug, Args)]
pub struct Testnet {
    /// How many servers vote on the depositary's frames, 1 to 64
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub nodes: u8,
    /// How many further servers there are, each with a hub and a user, 1 to 8
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub hubs: u8,
    /// First port; server i listens for others at port + i, answers RPC at port + 100 + i
    #[arg(long, value_name = "PORT", default_value_t = 30400)]
    pub port: u16,
    /// Folder to write to; it is made
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
}
