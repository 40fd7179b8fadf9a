//! Starting: from the snapshot on disk through the log to where the node stopped.
//!
//! ```text
//!   rows of the state ─► roots checked against frames and block ─► replay slices ─► each block's roots compared
//!   (none yet: the genesis is built and written)                     (≤ 100 blocks)
//! ```
//!
//! Whatever does not agree with what was certified is refused by name. Nothing is repaired silently: `xln-node db verify`
//! tells the extent of the damage.

use std::{
    num::NonZero,
    thread,
    time::{Duration, Instant},
};

use codec::Decode;
use xln_primitives::{EntityId, FrameHash, Height};
use xln_runtime::{
    Adopted, Adoption, Entity, Executed, Genesis, ReplayError, RestoreError, Restoring, RowsError, Server,
    Slice, StateRow,
};
use xln_store::{Batch, Manifest, SignedMark, SnapshotMarker, StateView, Store, StoreError};

use crate::{
    archive::{self, SnapshotError},
    author,
};

/// Progress is told this often.
const PROGRESS: Duration = Duration::from_secs(3);
/// Most threads that read the state; one more puts the trees together.
const READERS_MAX: usize = 8;

/// Why a node cannot start from what is on its disk.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The database fails or is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The genesis cannot be built.
    #[error("the chain spec cannot start a network: {0}")]
    Genesis(#[from] xln_runtime::genesis::GenesisError),
    /// The snapshot contradicts itself.
    #[error("the snapshot of block {block} cannot be started from: {reason}")]
    Restore {
        /// The snapshot's block.
        block: u64,
        /// What is wrong.
        reason: RestoreError,
    },
    /// A slice in the log is unreadable.
    #[error("slice {slice} in the log does not decode: {reason}")]
    Slice {
        /// Its number.
        slice: u64,
        /// What is wrong.
        reason: codec::Error,
    },
    /// The log does not lead where it led before.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The state lies behind what was certified: an old database, or one whose log was shortened.
    #[error(transparent)]
    Equivocation(#[from] Box<Equivocation>),
    /// The rows of a state that was taken over do not lead to it.
    #[error("the rows of a state that was taken over: {0}")]
    Rows(#[from] RowsError),
    /// A state that was taken over is not wholly there.
    #[error("chunk {index} of {count} of the state of entity {entity} after its frame {height} is missing")]
    MissingChunk {
        /// Whose state.
        entity: EntityId,
        /// Height of the frame.
        height: Height,
        /// Which chunk.
        index: u32,
        /// How many there are.
        count: u32,
    },
    /// An immutable snapshot is damaged.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Blocks without a state.
    #[error(
        "the database has block {block} and no state; restore a backup, or `purge-chain` and import a snapshot"
    )]
    NoState {
        /// The last block.
        block: u64,
    },
    /// A block that was not made yet.
    #[error("there is no block {asked}; the last is {latest}")]
    NoSuchBlock {
        /// The block in question.
        asked: u64,
        /// The last one.
        latest: u64,
    },
    /// What leads to a state was forgotten.
    #[error(
        "the state of block {asked} was pruned: the nearest snapshot is of block {base}, and the slices from {slice} to \
         {first} are gone; --state-pruning says how many are kept"
    )]
    Pruned {
        /// The block in question.
        asked: u64,
        /// Block of the nearest snapshot before it, 0 for the genesis.
        base: u64,
        /// Its last slice.
        slice: u64,
        /// The first slice that is there.
        first: u64,
    },
    /// The log ends within a sealed block.
    #[error("the log ends at slice {slice}, before the end of block {number}")]
    MissingSlices {
        /// The block.
        number: u64,
        /// The last slice that is there.
        slice: u64,
    },
}

/// The state and the frames that were certified do not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "entity {entity} has certified frame {signed} at height {signed_height}, the state has frame {found:?} at height \
     {found_height}: going on would certify another frame at a height that was certified before"
)]
pub struct Equivocation {
    /// Whose frames.
    pub entity: EntityId,
    /// Height of the last frame that was certified.
    pub signed_height: Height,
    /// That frame.
    pub signed: FrameHash,
    /// Height of the last frame in the state.
    pub found_height: Height,
    /// That frame.
    pub found: Option<FrameHash>,
}

/// What recovery found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Block of the snapshot.
    pub snapshot: u64,
    /// Slices that were replayed.
    pub slices: u64,
    /// Blocks whose roots were compared.
    pub blocks: u64,
}

/// The server as it was when the last durable slice was written.
pub fn recover(genesis: &Genesis, store: &Store) -> Result<(Server, Recovered), RecoveryError> {
    recover_noting(genesis, store, |_| {})
}

/// As [`recover`]; shows every slice that is executed again, in order.
pub fn recover_noting(
    genesis: &Genesis,
    store: &Store,
    mut note: impl FnMut(&Executed),
) -> Result<(Server, Recovered), RecoveryError> {
    let Some(state) = store.state()? else {
        if let Some(block) = store.latest_block()?.filter(|block| block.number > 0) {
            return Err(RecoveryError::NoState { block: block.number });
        }
        return Ok((begin(genesis, store)?, Recovered::default()));
    };
    store.forget_unadopted()?;
    let mut server = load(genesis, &state)?;
    let recovered = replay(&mut server, store, None, &mut note)?;
    check_signed(&server, store)?;
    Ok((server, Recovered { snapshot: state.marker().block.number, ..recovered }))
}

/// The server as it was at a snapshot.
fn load(genesis: &Genesis, state: &StateView<'_>) -> Result<Server, RecoveryError> {
    let SnapshotMarker { block: head, slice, .. } = state.marker().clone();
    let block = head.number;
    let failed = |reason| RecoveryError::Restore { block, reason };
    let expected = state.rows_estimated()?;
    let mut told = Instant::now();
    let mut restoring = Restoring::new();
    let readers = thread::available_parallelism().map_or(1, NonZero::get).min(READERS_MAX);
    state.read(readers, |batch| {
        for row in batch.rows() {
            restoring.push(&runtime_row(row?)).map_err(failed)?;
        }
        if told.elapsed() >= PROGRESS {
            let rows = restoring.rows();
            let percent = rows.saturating_mul(100).checked_div(expected).unwrap_or(100).min(100);
            tracing::info!(rows, percent, "reading the state");
            told = Instant::now();
        }
        Ok::<_, RecoveryError>(())
    })?;
    restoring.finish(genesis, head, slice).map_err(failed)
}

/// Builds the genesis and writes it down, so that every later start finds a snapshot.
fn begin(genesis: &Genesis, store: &Store) -> Result<Server, RecoveryError> {
    let mut server = genesis.build()?;
    let mut batch = Batch::new();
    batch.put_block(server.head());
    store.commit(batch)?;
    // Last: as long as there is no snapshot, the next start begins again.
    author::write_snapshot(store, &server.take_changes(), None, &author::marker(&server))?;
    Ok(server)
}

/// No entity may stand below, or beside, a frame that its key has certified here (safety rule 9).
fn check_signed(server: &Server, store: &Store) -> Result<(), RecoveryError> {
    for row in store.signed() {
        let (entity, mark) = row?;
        check_mark(server, entity, mark)?;
    }
    Ok(())
}

/// An entity may not stand below, or beside, the last frame that its key has certified.
pub(crate) fn check_mark(server: &Server, entity: EntityId, mark: SignedMark) -> Result<(), RecoveryError> {
    let head = server.entity(&entity).and_then(Entity::head).map(|head| &head.header);
    let (found_height, found) = head.map_or((0, None), |header| (header.height, Some(header.hash())));
    if found_height != mark.height || found != Some(mark.frame) {
        let (signed_height, signed) = (mark.height, mark.frame);
        return Err(Box::new(Equivocation { entity, signed_height, signed, found_height, found }).into());
    }
    Ok(())
}

/// The server as it was after block `number`: the nearest snapshot at or before it, and the slices in between. Every root on the
/// way is compared. Works beside a running author.
///
/// Fails if there is no such block yet, or what leads to it was pruned.
pub fn state_at(genesis: &Genesis, store: &Store, number: u64) -> Result<(Server, Recovered), RecoveryError> {
    let latest = store.latest_block()?.map_or(0, |block| block.number);
    if number > latest {
        return Err(RecoveryError::NoSuchBlock { asked: number, latest });
    }
    let mutable = store.state()?.filter(|state| state.marker().block.number <= number);
    let archive = store.archives().map_err(SnapshotError::from)?;
    let archive = archive.into_iter().rfind(|manifest| manifest.block.number <= number);
    let newer = |manifest: &Manifest| {
        mutable.as_ref().is_none_or(|state| state.marker().block.number < manifest.block.number)
    };
    let archive = archive.filter(newer);
    // Whether the slices are there is known before anything is loaded.
    let (base, slice) = match (&archive, &mutable) {
        (Some(manifest), _) => (manifest.block.number, manifest.slice),
        (None, Some(state)) => (state.marker().block.number, state.marker().slice),
        (None, None) => (0, 0),
    };
    let first = store.earliest_slice()?.unwrap_or(u64::MAX);
    if base < number && first > slice.saturating_add(1) {
        return Err(RecoveryError::Pruned { asked: number, base, slice, first });
    }
    let mut server = match (&archive, &mutable) {
        (Some(manifest), _) => {
            archive::load(genesis, manifest, |index, info| store.chunk(index, info), |_| {})?
        }
        (None, Some(state)) => load(genesis, state)?,
        (None, None) => genesis.build()?,
    };
    let recovered = replay(&mut server, store, Some(number), &mut |_| {})?;
    Ok((server, Recovered { snapshot: base, ..recovered }))
}

/// Executes the log behind the snapshot, up to the end of block `until` if one is named. Slices that a block sealed are checked by the block's roots, the others by
/// their certificates.
fn replay(
    server: &mut Server,
    store: &Store,
    until: Option<u64>,
    note: &mut impl FnMut(&Executed),
) -> Result<Recovered, RecoveryError> {
    let mut recovered = Recovered::default();
    if until == Some(server.head().number) {
        return Ok(recovered);
    }
    let mut next_block = store.block_by_number(server.head().number.saturating_add(1))?;
    for row in store.slices_from(server.slice().saturating_add(1)) {
        let (number, bytes) = row?;
        let slice = Slice::decode(&mut bytes.as_slice())
            .map_err(|reason| RecoveryError::Slice { slice: number, reason })?;
        let adopted = slice.adopted.iter().map(|adopted| adopted_state(store, adopted));
        let adopted = adopted.collect::<Result<_, _>>()?;
        note(&server.replay_adopting(&slice, adopted, next_block.is_none())?);
        recovered.slices += 1;
        if let Some(header) = &next_block
            && number.saturating_add(1) == header.first_slice.saturating_add(u64::from(header.slices))
        {
            server.replay_block(header)?;
            recovered.blocks += 1;
            if until == Some(server.head().number) {
                return Ok(recovered);
            }
            next_block = store.block_by_number(server.head().number.saturating_add(1))?;
            if recovered.blocks.is_multiple_of(20) {
                tracing::info!(block = server.head().number, slice = number, "replaying");
            }
        }
    }
    if let Some(header) = next_block {
        // The block's slices must all be there, since they became durable before it.
        return Err(RecoveryError::MissingSlices { number: header.number, slice: server.slice() });
    }
    Ok(recovered)
}

/// A state that a slice took over, from the chunks that were kept.
fn adopted_state(store: &Store, adopted: &Adopted) -> Result<Adoption, RecoveryError> {
    let (entity, height) = (adopted.header.entity, adopted.header.height);
    let chunks = (0..adopted.chunks).map(|index| {
        let chunk = store.adopted_chunk(&entity, height, index)?;
        chunk.ok_or(RecoveryError::MissingChunk { entity, height, index, count: adopted.chunks })
    });
    tracing::info!(%entity, height, chunks = adopted.chunks, "taking the state over again");
    Adoption::from_log(adopted, chunks)
}

pub(crate) fn runtime_row(row: xln_store::StateRow<'_>) -> StateRow<'_> {
    match row {
        xln_store::StateRow::Head { signer, entity, head } => {
            StateRow::Head { signer, entity, head: Some(head.into()) }
        }
        xln_store::StateRow::Entry { signer, entity, key, value } => {
            StateRow::Value { signer, entity, key: key.into(), value: Some(value.into()) }
        }
    }
}
