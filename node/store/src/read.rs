//! Reading: single rows by key, and rows in order.

use rocksdb::{Direction, IteratorMode, ReadOptions};
use xln_primitives::{BlockHeader, CallHash, ChannelId, EntityId, Hash, Height, decode_exact};

use crate::{Column, PeerId, Store, StoreError, checksum::unseal, key};

/// Bytes that a scan reads ahead.
const READAHEAD: usize = 2 << 20;

/// A key and its value with the checksum.
type SealedRow = (Box<[u8]>, Box<[u8]>);

impl Store {
    /// The value of one row, checked.
    pub(crate) fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner
            .db
            .get_pinned_cf(self.column(column), key)
            .map_err(StoreError::database("read a row"))?
            .map(|sealed| unseal(column, key, &sealed))
            .transpose()
    }

    /// The rows from `start` on as they are stored, unchecked. Ends after the first error.
    pub(crate) fn sealed_rows<'a>(
        &'a self,
        column: Column,
        start: &[u8],
    ) -> impl Iterator<Item = Result<SealedRow, StoreError>> + use<'a> {
        let mut options = ReadOptions::default();
        options.set_readahead_size(READAHEAD);
        // A scan must not push out what single reads keep using.
        options.fill_cache(false);
        let mode = IteratorMode::From(start, Direction::Forward);
        self.inner
            .db
            .iterator_cf_opt(self.column(column), options, mode)
            .map(|row| row.map_err(StoreError::database("read the next row")))
    }

    /// The rows from `start` on, checked.
    pub(crate) fn rows<'a>(
        &'a self,
        column: Column,
        start: &[u8],
    ) -> impl Iterator<Item = Result<(Box<[u8]>, Vec<u8>), StoreError>> + use<'a> {
        self.sealed_rows(column, start).map(move |row| {
            let (key, sealed) = row?;
            let value = unseal(column, &key, &sealed)?;
            Ok((key, value))
        })
    }

    /// The rows whose key is a number, from `first` on.
    fn numbered<'a>(
        &'a self,
        column: Column,
        first: u64,
    ) -> impl Iterator<Item = Result<(u64, Vec<u8>), StoreError>> + use<'a> {
        self.rows(column, &key::number(column, first)).map(move |row| {
            let (key, value) = row?;
            Ok((key::parse_number(column, &key)?, value))
        })
    }

    /// The largest number in a column whose keys are numbers.
    fn latest(&self, column: Column) -> Result<Option<u64>, StoreError> {
        self.inner
            .db
            .iterator_cf(self.column(column), IteratorMode::End)
            .next()
            .transpose()
            .map_err(StoreError::database("read the last row"))?
            .map(|(key, _)| key::parse_number(column, &key))
            .transpose()
    }

    /// The smallest number in a column whose keys are numbers.
    pub(crate) fn earliest(&self, column: Column) -> Result<Option<u64>, StoreError> {
        let first = self.sealed_rows(column, &key::number(column, 0)).next().transpose()?;
        first.map(|(key, _)| key::parse_number(column, &key)).transpose()
    }

    /// Number of the first slice that was not pruned.
    pub fn earliest_slice(&self) -> Result<Option<u64>, StoreError> {
        self.earliest(Column::Slices)
    }

    /// Number of the first slice whose receipts were not pruned.
    pub fn earliest_receipts(&self) -> Result<Option<u64>, StoreError> {
        self.earliest(Column::SliceReceipts)
    }

    /// Slice `number`.
    pub fn slice(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Column::Slices, &key::number(Column::Slices, number))
    }

    /// The slices from `number` to the latest, without gaps: a missing one, also the first, is an error, after
    /// which nothing follows. Nothing at all if `number` is beyond the latest.
    pub fn slices_from(&self, number: u64) -> impl Iterator<Item = Result<(u64, Vec<u8>), StoreError>> + '_ {
        let mut expected = Some(number);
        self.numbered(Column::Slices, number).map_while(move |row| {
            let wanted = expected.take()?;
            Some(row.and_then(|(found, slice)| {
                if found != wanted {
                    return Err(StoreError::Gap { column: Column::Slices, expected: wanted, found });
                }
                expected = found.checked_add(1);
                Ok((found, slice))
            }))
        })
    }

    /// Number of the latest slice.
    pub fn latest_slice(&self) -> Result<Option<u64>, StoreError> {
        self.latest(Column::Slices)
    }

    /// The block with this hash.
    pub fn block_by_hash(&self, hash: &Hash) -> Result<Option<BlockHeader>, StoreError> {
        let key = key::digest(Column::Blocks, hash.as_bytes());
        self.get(Column::Blocks, &key)?
            .map(|bytes| {
                decode_exact(&bytes, bytes.len()).map_err(|_| StoreError::corrupt(Column::Blocks, &key))
            })
            .transpose()
    }

    /// The hash of block `number`.
    pub fn block_hash(&self, number: u64) -> Result<Option<Hash>, StoreError> {
        let key = key::number(Column::BlockNumbers, number);
        self.get(Column::BlockNumbers, &key)?.map(|bytes| block_hash(&key, &bytes)).transpose()
    }

    /// Block `number`.
    pub fn block_by_number(&self, number: u64) -> Result<Option<BlockHeader>, StoreError> {
        let Some(hash) = self.block_hash(number)? else { return Ok(None) };
        match self.block_by_hash(&hash)? {
            Some(block) => Ok(Some(block)),
            None => Err(StoreError::UnlistedBlock { number, hash }),
        }
    }

    /// The block with the largest number.
    pub fn latest_block(&self) -> Result<Option<BlockHeader>, StoreError> {
        match self.latest(Column::BlockNumbers)? {
            Some(number) => self.block_by_number(number),
            None => Ok(None),
        }
    }

    /// The receipt of a call.
    pub fn receipt(&self, call: &CallHash) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Column::Receipts, &key::digest(Column::Receipts, call.as_bytes()))
    }

    /// The newest dispute proof that `entity` holds for a channel.
    pub fn proof(&self, entity: &EntityId, channel: &ChannelId) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Column::Proofs, &key::proof(entity, channel))
    }

    /// The frame that the board of an entity decided at a height, if the entity is followed here.
    pub fn frame(&self, entity: &EntityId, height: Height) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Column::Frames, &key::frame(entity, height))
    }

    /// The proofs of changes of an entity's board, in the order of their heights.
    pub fn handovers(&self, entity: &EntityId) -> impl Iterator<Item = Result<Vec<u8>, StoreError>> + '_ {
        let start = key::handover(entity, 0);
        let prefix = start[..1 + 32].to_vec();
        self.rows(Column::Handovers, &start)
            .take_while(move |row| row.as_ref().map_or(true, |(key, _)| key.starts_with(&prefix)))
            .map(|row| row.map(|(_, proof)| proof))
    }

    /// The consensus log of an entity: height, place and entry of each row, in order.
    pub fn consensus(
        &self,
        entity: &EntityId,
    ) -> impl Iterator<Item = Result<(Height, u64, Vec<u8>), StoreError>> + '_ {
        // Height 0 is the place of a mark, see `key::signed`.
        let start = key::consensus(entity, 1, 0);
        let prefix = start[..1 + 32].to_vec();
        self.rows(Column::Consensus, &start)
            .take_while(move |row| row.as_ref().map_or(true, |(key, _)| key.starts_with(&prefix)))
            .map(|row| {
                let (key, entry) = row?;
                let (height, sequence) = key::parse_consensus(&key)?;
                Ok((height, sequence, entry))
            })
    }

    /// Every proof of a member who signed two things for one place, by entity, height and slot.
    pub fn evidence(&self) -> impl Iterator<Item = Result<Vec<u8>, StoreError>> + '_ {
        self.rows(Column::Evidence, &[]).map(|row| row.map(|(_, evidence)| evidence))
    }

    /// What waits for a peer, from sequence `from` on.
    pub fn outbox(
        &self,
        peer: &PeerId,
        from: u64,
    ) -> impl Iterator<Item = Result<(u64, Vec<u8>), StoreError>> + '_ {
        let start = key::outbox(peer, from);
        let prefix = start[..1 + 32].to_vec();
        self.rows(Column::Outbox, &start)
            .take_while(move |row| row.as_ref().map_or(true, |(key, _)| key.starts_with(&prefix)))
            .map(|row| {
                let (key, message) = row?;
                Ok((key::parse_sequence(&key)?, message))
            })
    }
}

/// A hash as the column of block numbers stores it.
pub(crate) fn block_hash(key: &[u8], bytes: &[u8]) -> Result<Hash, StoreError> {
    <[u8; 32]>::try_from(bytes).map(Hash::new).map_err(|_| StoreError::corrupt(Column::BlockNumbers, key))
}
