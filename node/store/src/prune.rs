//! Pruning: forgetting what nobody was promised.
//!
//! ```text
//!   genesis ─── snapshot ─────────── snapshot ─────────────── mutable snapshot ── head
//!               10,000               20,000                                       25,000
//!                                       ▲                ▲
//!                        base of the oldest state        oldest state that is kept: head − state pruning
//! ```
//!
//! A state of the past is the newest immutable snapshot at or before it and the slices in between. So a promise of old states
//! keeps snapshots and slices; a promise of old blocks keeps slices and receipts. Block headers, the state, proofs,
//! outboxes, decided frames, changes of boards and the marks of what was certified always stay, and so does what a start replays.

use codec::{Decode, DecodeWithMemTracking, Encode};
use rocksdb::{WriteBatch, WriteOptions};
use xln_primitives::decode_exact;

use crate::{ArchiveError, Batch, Column, Store, StoreError, key};

/// Receipts removed by one write.
const RECEIPTS_PER_WRITE: usize = 2_000;
/// Receipts removed by one run: more than a busy node makes between two of them.
const RECEIPTS_PER_RUN: u64 = 2_000_000;

/// How much of something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Keep {
    /// Everything.
    #[codec(index = 0)]
    All,
    /// What belongs to the last so many blocks.
    #[codec(index = 1)]
    Last(u64),
}

/// What is kept of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Pruning {
    /// Slices and receipts.
    pub blocks: Keep,
    /// States: immutable snapshots, and the slices that lead from one to the next.
    pub state: Keep,
}

impl Pruning {
    /// Nothing is forgotten.
    pub const ARCHIVE: Self = Self { blocks: Keep::All, state: Keep::All };
}

/// What a run forgot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Slices.
    pub slices: u64,
    /// Receipts.
    pub receipts: u64,
    /// Immutable snapshots.
    pub snapshots: u64,
    /// Whether receipts are left for the next run.
    pub more: bool,
}

impl Keep {
    /// The first block of which it is kept, if `head` is the last.
    const fn first(self, head: u64) -> u64 {
        match self {
            Self::All => 0,
            Self::Last(blocks) => head.saturating_sub(blocks),
        }
    }
}

impl Store {
    /// Forgets what `pruning` does not keep. A run does bounded work; an interruption leaves some of it, and the next run
    /// removes the rest.
    pub fn prune(&self, pruning: Pruning) -> Result<Pruned, ArchiveError> {
        let mut pruned = Pruned::default();
        let Some(marker) = self.snapshot_marker()? else { return Ok(pruned) };
        let head = marker.block.number;
        let base = self.prune_archives(pruning.state.first(head), &mut pruned)?;
        let blocks = pruning.blocks.first(head);
        // The slices of a snapshot's own block are in its state.
        let slices = blocks.min(if pruning.state == Keep::All { 0 } else { base.saturating_add(1) });
        if let Some(block) = self.block_by_number(slices)? {
            pruned.slices = self.prune_numbered(Column::Slices, block.first_slice)?;
            self.prune_adopted(block.first_slice)?;
        }
        if let Some(block) = self.block_by_number(blocks)? {
            self.prune_receipts(block.first_slice, &mut pruned)?;
        }
        Ok(pruned)
    }

    /// What is kept of the past; everything unless something else was said.
    pub fn pruning(&self) -> Result<Pruning, StoreError> {
        let key = key::pruning();
        let Some(bytes) = self.get(Column::Snapshot, &key)? else { return Ok(Pruning::ARCHIVE) };
        decode_exact(&bytes, bytes.len()).map_err(|_| StoreError::corrupt(Column::Snapshot, &key))
    }

    /// Says what is kept of the past. Nothing is removed yet.
    pub fn set_pruning(&self, pruning: Pruning) -> Result<(), StoreError> {
        if self.pruning()? != pruning {
            let mut batch = Batch::new();
            batch.put(Column::Snapshot, key::pruning(), &pruning.encode());
            self.commit(batch)?;
        }
        Ok(())
    }

    /// Removes the snapshots that no state from block `first` on needs. Returns the block of the oldest that is left at or
    /// before `first`, 0 if there is none: then the genesis stands for it.
    fn prune_archives(&self, first: u64, pruned: &mut Pruned) -> Result<u64, ArchiveError> {
        let mut archives = self.archives()?;
        let needed = archives.partition_point(|manifest| manifest.block.number <= first).saturating_sub(1);
        let older: Vec<_> = archives.drain(..needed).map(|manifest| manifest.hash()).collect();
        for hash in older {
            match self.remove_archive(&hash) {
                // One is being made: the next run will do.
                Err(ArchiveError::Busy) => return Ok(0),
                removed => removed?,
            };
            pruned.snapshots = pruned.snapshots.saturating_add(1);
        }
        let base = archives.first().map(|manifest| manifest.block.number);
        Ok(base.filter(|base| *base <= first).unwrap_or(0))
    }

    /// Removes the rows whose number is below `first` from a column whose keys are numbers.
    fn prune_numbered(&self, column: Column, first: u64) -> Result<u64, StoreError> {
        let Some(oldest) = self.earliest(column)?.filter(|oldest| *oldest < first) else { return Ok(0) };
        let (from, to) = (key::number(column, oldest), key::number(column, first));
        // Files that hold nothing else go at once; what is left in others goes when they are compacted.
        let last = key::number(column, first.saturating_sub(1));
        self.poisoning("remove pruned files", |db| {
            db.delete_file_in_range_cf(self.column(column), from.as_slice(), last.as_slice())
        })?;
        let mut writes = WriteBatch::default();
        writes.delete_range_cf(self.column(column), from, to);
        self.forget(writes)?;
        Ok(first.saturating_sub(oldest))
    }

    fn prune_receipts(&self, first_slice: u64, pruned: &mut Pruned) -> Result<(), StoreError> {
        let mut writes = WriteBatch::default();
        for row in self.rows(Column::SliceReceipts, &key::number(Column::SliceReceipts, 0)) {
            let (list, calls) = row?;
            if key::parse_number(Column::SliceReceipts, &list)? >= first_slice {
                break;
            }
            if pruned.receipts >= RECEIPTS_PER_RUN {
                pruned.more = true;
                break;
            }
            let (calls, rest) = calls.as_chunks::<32>();
            if !rest.is_empty() {
                return Err(StoreError::corrupt(Column::SliceReceipts, &list));
            }
            for call in calls {
                writes.delete_cf(self.column(Column::Receipts), key::digest(Column::Receipts, call));
                pruned.receipts = pruned.receipts.saturating_add(1);
            }
            writes.delete_cf(self.column(Column::SliceReceipts), list);
            if writes.len() >= RECEIPTS_PER_WRITE {
                self.forget(core::mem::take(&mut writes))?;
            }
        }
        self.forget(writes)
    }

    /// Removes rows. Not synced: what comes back after a power loss is removed again.
    pub(crate) fn forget(&self, writes: WriteBatch) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        let mut options = WriteOptions::default();
        options.set_low_pri(true);
        self.poisoning("prune", |db| db.write_opt(writes, &options))
    }
}
