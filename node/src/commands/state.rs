//! `check-state`: everything that must hold in the state of a stopped node.

use std::fmt;

use serde::Serialize;
use xln_chain_spec::ChainSpec;
use xln_primitives::Hash;
use xln_runtime::invariants;

use super::{CommandError, database::open};
use crate::{
    cli::DatabaseArgs,
    recovery::{recover, state_at},
};

/// A state in which every invariant holds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckedState {
    /// Its last block.
    pub block: u64,
    /// Its last slice.
    pub slice: u64,
    /// Root over the latest frames of all entities.
    pub state_root: Hash,
    /// How many entities it has.
    pub entities: usize,
    /// How many keys they have together.
    pub keys: usize,
    /// Slices that were executed again from the log.
    pub replayed_slices: u64,
}

/// Recovers the state as a start would, with every root and certificate compared, and checks the invariants of every
/// pallet and between entities.
///
/// With `at`, the state as it was after that block: the nearest snapshot before it and the log in between.
pub fn check_state(args: &DatabaseArgs, at: Option<u64>) -> Result<CheckedState, CommandError> {
    let genesis = ChainSpec::load(&args.chain.chain)?.to_genesis()?;
    let store = open(args)?;
    let (server, recovered) = match at {
        None => recover(&genesis, &store)?,
        Some(block) => state_at(&genesis, &store, block)?,
    };
    invariants::check(&server)?;
    Ok(CheckedState {
        block: server.head().number,
        slice: server.slice(),
        state_root: server.state_root(),
        entities: server.entities().len(),
        keys: server.keys(),
        replayed_slices: recovered.slices,
    })
}

impl fmt::Display for CheckedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "block            {}", self.block)?;
        writeln!(f, "slice            {}", self.slice)?;
        writeln!(f, "state root       {}", self.state_root)?;
        writeln!(f, "entities         {}", self.entities)?;
        writeln!(f, "keys             {}", self.keys)?;
        writeln!(f, "replayed slices  {}", self.replayed_slices)?;
        writeln!(f, "every invariant holds")
    }
}
