//! `purge-chain`.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use xln_chain_spec::ChainSpec;

use super::CommandError;
use crate::{
    cli::{ChainArgs, DatabaseArgs, PurgeChain},
    config::{ChainFolder, default_base_path},
};

/// The folder of a chain under the base path that is named, or the default one.
pub(super) fn chain_folder(chain: &ChainArgs, base: Option<&Path>) -> Result<ChainFolder, CommandError> {
    let base = base.map(Path::to_path_buf).or_else(|| default_base_path(0)).ok_or(CommandError::NoFolder)?;
    Ok(ChainFolder::of(&base, &ChainSpec::load(&chain.chain)?.id))
}

/// The folder of the database that is meant.
pub fn database_folder(args: &DatabaseArgs) -> Result<PathBuf, CommandError> {
    Ok(chain_folder(&args.chain, args.base_path.as_deref())?.database())
}

/// Removes a database; whether there was one. Refuses while a node has it open.
pub fn purge(args: &DatabaseArgs) -> Result<bool, CommandError> {
    let folder = database_folder(args)?;
    if !folder.exists() {
        return Ok(false);
    }
    // A database of another version or a damaged one may be removed, one in use may not.
    let network = ChainSpec::load(&args.chain.chain)?.network()?;
    let options = xln_store::Options { create: false, ..xln_store::Options::default() };
    if let Err(error @ xln_store::StoreError::Locked { .. }) =
        xln_store::Store::open(&folder, network, &options)
    {
        return Err(error.into());
    }
    fs::remove_dir_all(&folder).map_err(|source| CommandError::Folder { path: folder, source })?;
    Ok(true)
}

pub(super) fn ask_and_purge(args: &PurgeChain) -> Result<(), CommandError> {
    let folder = database_folder(&args.database)?;
    if !args.yes && folder.exists() {
        let mut terminal = io::stderr().lock();
        write!(terminal, "Remove {} with everything in it? [y/N] ", folder.display())?;
        terminal.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(CommandError::Declined);
        }
    }
    let removed = purge(&args.database)?;
    let what = if removed { "removed" } else { "there is no database in" };
    writeln!(io::stderr(), "{what} {}", folder.display())?;
    Ok(())
}
