//! What one commit writes.

use std::collections::BTreeMap;

use codec::Encode;
use xln_primitives::{BlockHeader, CallHash, EntityId, Height};

use crate::{Column, checksum::seal, key};

/// Identity of a peer server as a key: 32 bytes, such as a digest of its network identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId([u8; 32]);

impl PeerId {
    /// From its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A row to write, or to remove if it has no value.
pub(crate) struct Row {
    pub(crate) column: Column,
    pub(crate) key: Vec<u8>,
    pub(crate) sealed: Option<Vec<u8>>,
}

/// Changes that reach the disk together or not at all. Of two changes to one row the later one counts.
#[derive(Default)]
pub struct Batch {
    rows: Vec<Row>,
    receipts: BTreeMap<u64, Vec<u8>>,
}

impl Batch {
    /// Nothing to write yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn put(&mut self, column: Column, key: Vec<u8>, value: &[u8]) {
        let sealed = Some(seal(&key, value));
        self.rows.push(Row { column, key, sealed });
    }

    pub(crate) fn remove(&mut self, column: Column, key: Vec<u8>) {
        self.rows.push(Row { column, key, sealed: None });
    }

    /// Stores slice `number`.
    pub fn put_slice(&mut self, number: u64, slice: &[u8]) {
        self.put(Column::Slices, key::number(Column::Slices, number), slice);
    }

    /// Stores a block under its hash and its number.
    pub fn put_block(&mut self, block: &BlockHeader) {
        let hash = block.hash();
        self.put(Column::Blocks, key::digest(Column::Blocks, hash.as_bytes()), &block.encode());
        self.put(Column::BlockNumbers, key::number(Column::BlockNumbers, block.number), hash.as_bytes());
    }

    /// Stores the receipt of a call that slice `slice` executed. All receipts of a slice go into one batch.
    pub fn put_receipt(&mut self, slice: u64, call: &CallHash, receipt: &[u8]) {
        self.put(Column::Receipts, key::digest(Column::Receipts, call.as_bytes()), receipt);
        self.receipts.entry(slice).or_default().extend_from_slice(call.as_ref());
    }

    /// Adds a row to the log of a board's consensus: what was taken in at `height` of `entity`, at place `sequence`.
    pub fn put_consensus(&mut self, entity: &EntityId, height: Height, sequence: u64, entry: &[u8]) {
        self.put(Column::Consensus, key::consensus(entity, height, sequence), entry);
    }

    /// Takes a row out of that log. It belongs into the batch that stores the frame which was decided at that height, and
    /// nowhere else.
    pub fn remove_consensus(&mut self, entity: &EntityId, height: Height, sequence: u64) {
        self.remove(Column::Consensus, key::consensus(entity, height, sequence));
    }

    /// Stores a frame that the board of `entity` decided.
    pub fn put_frame(&mut self, entity: &EntityId, height: Height, frame: &[u8]) {
        self.put(Column::Frames, key::frame(entity, height), frame);
    }

    /// Stores proof that the board which certified the frame of this height gave way to another.
    pub fn put_handover(&mut self, entity: &EntityId, height: Height, proof: &[u8]) {
        self.put(Column::Handovers, key::handover(entity, height), proof);
    }

    /// Stores proof of a member who signed two things for one place: `slot` names the place among those of `height`.
    pub fn put_evidence(&mut self, entity: &EntityId, height: Height, slot: u64, evidence: &[u8]) {
        self.put(Column::Evidence, key::evidence(entity, height, slot), evidence);
    }

    /// The rows, with the lists of receipts.
    pub(crate) fn into_rows(mut self) -> Vec<Row> {
        for (slice, calls) in core::mem::take(&mut self.receipts) {
            self.put(Column::SliceReceipts, key::number(Column::SliceReceipts, slice), &calls);
        }
        self.rows
    }
}
