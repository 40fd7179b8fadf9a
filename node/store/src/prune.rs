//! Pruning: forgetting the history that start-up does not need.

use rocksdb::WriteBatch;

use crate::{Column, Store, StoreError, key};

/// Receipts removed by one write.
const RECEIPTS_PER_WRITE: usize = 10_000;

/// What to forget. Block headers, state, proofs and outboxes always stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrunePolicy {
    /// The inputs; without them the history cannot be replayed.
    pub slices: bool,
    /// The events; subscriptions cannot resume before what is kept.
    pub events: bool,
    /// The receipts; a repeated old call is then refused for its nonce instead of answered with its receipt.
    pub receipts: bool,
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// First slice that was kept.
    pub first_slice: u64,
    /// Receipts removed.
    pub receipts: u64,
}

impl Store {
    /// Forgets what belongs to the slices of blocks before block `before`.
    ///
    /// `before` may be at most the block of the snapshot, so that start-up keeps what it replays. An
    /// interruption leaves some of it; pruning again removes the rest.
    pub fn prune(&self, before: u64, policy: PrunePolicy) -> Result<Pruned, StoreError> {
        let snapshot = self.snapshot_marker()?.map_or(0, |marker| marker.block.number);
        let Some(block) = self.block_by_number(before)?.filter(|_| before <= snapshot) else {
            return Err(StoreError::PruneTooFar { asked: before, snapshot });
        };
        let first_slice = block.first_slice;
        let mut pruned = Pruned { first_slice, receipts: 0 };
        if policy.receipts {
            pruned.receipts = self.prune_receipts(first_slice)?;
        }
        let mut writes = WriteBatch::default();
        for (column, wanted) in [(Column::Slices, policy.slices), (Column::Events, policy.events)] {
            if wanted {
                let (from, to) = (key::number(column, 0), key::number(column, first_slice));
                writes.delete_range_cf(self.column(column), from, to);
            }
        }
        self.write(writes, "prune slices and events")?;
        Ok(pruned)
    }

    fn prune_receipts(&self, first_slice: u64) -> Result<u64, StoreError> {
        let (mut total, mut writes) = (0, WriteBatch::default());
        for row in self.rows(Column::SliceReceipts, &key::number(Column::SliceReceipts, 0)) {
            let (list, calls) = row?;
            if key::parse_number(Column::SliceReceipts, &list)? >= first_slice {
                break;
            }
            let (calls, rest) = calls.as_chunks::<32>();
            if !rest.is_empty() {
                return Err(StoreError::corrupt(Column::SliceReceipts, &list));
            }
            for call in calls {
                writes.delete_cf(self.column(Column::Receipts), key::digest(Column::Receipts, call));
                total += 1;
            }
            writes.delete_cf(self.column(Column::SliceReceipts), list);
            if writes.len() >= RECEIPTS_PER_WRITE {
                self.write(core::mem::take(&mut writes), "prune receipts")?;
            }
        }
        self.write(writes, "prune receipts")?;
        Ok(total)
    }
}
