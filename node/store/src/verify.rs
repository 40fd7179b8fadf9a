//! Verification of every row on disk.

use xln_primitives::{BlockHeader, Hash, decode_exact};

use crate::{
    Column, Store, StoreError,
    checksum::{check, unseal},
    key, read,
    state::parse_marker,
};

/// Faults that a report lists; further ones are counted only.
const FAULTS_LISTED: usize = 100;

/// Rows between two reports of progress.
const PROGRESS_ROWS: u64 = 10_000;

/// What a verification found.
#[derive(Debug, Default)]
pub struct VerifyReport {
    /// Rows that were read.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// How many faults there are.
    pub faults: u64,
    /// The first of them, each naming its column and key.
    pub listed: Vec<StoreError>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults == 0
    }

    fn fault(&mut self, fault: StoreError) {
        self.faults += 1;
        if self.listed.len() < FAULTS_LISTED {
            self.listed.push(fault);
        }
    }
}

/// What the rows of a column must be beyond their own form, row after row.
enum Order {
    None,
    State,
    Slices { last: Option<u64> },
    Blocks,
    Numbers { last: Option<(u64, Hash)> },
}

impl Store {
    /// Reads every row and checks its checksum, the form of its key and its place: blocks build on each other
    /// and are listed under hash and number, slices have no gap and reach back to the snapshot.
    ///
    /// `progress` is told the rows read so far and the column. Faults are listed in the report; an error is
    /// returned only if the database itself cannot go on.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, &str)) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport::default();
        for column in Column::ALL {
            let mut order = match column {
                Column::State => Order::State,
                Column::Slices => Order::Slices { last: None },
                Column::Blocks => Order::Blocks,
                Column::BlockNumbers => Order::Numbers { last: None },
                _ => Order::None,
            };
            progress(report.rows, column.name());
            for row in self.sealed_rows(column, &[]) {
                let (key, sealed) = match row {
                    Ok(row) => row,
                    Err(fault) => {
                        report.fault(fault);
                        break;
                    }
                };
                report.rows += 1;
                let size = key.len().saturating_add(sealed.len());
                report.bytes = report.bytes.saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
                if report.rows.is_multiple_of(PROGRESS_ROWS) {
                    progress(report.rows, column.name());
                }
                if let Err(fault) = self.verify_row(column, &key, &sealed, &mut order) {
                    report.fault(fault);
                }
            }
        }
        progress(report.rows, "done");
        Ok(report)
    }

    fn verify_row(
        &self,
        column: Column,
        key: &[u8],
        sealed: &[u8],
        order: &mut Order,
    ) -> Result<(), StoreError> {
        if !key::is_well_formed(column, key) {
            return Err(StoreError::malformed(column, key));
        }
        match order {
            Order::None => unseal(column, key, sealed).map(drop),
            Order::State => {
                let value = check(column, key, sealed)?;
                if key == key::marker() { parse_marker(value).map(drop) } else { Ok(()) }
            }
            Order::Slices { last } => {
                let found = key::parse_number(column, key)?;
                let before = last.replace(found);
                unseal(column, key, sealed)?;
                match before.map(|before| before.saturating_add(1)) {
                    Some(expected) if found != expected => Err(StoreError::Gap { column, expected, found }),
                    Some(_) => Ok(()),
                    None => self.verify_reach(found),
                }
            }
            Order::Blocks => {
                let bytes = unseal(column, key, sealed)?;
                let block: BlockHeader =
                    decode_exact(&bytes, bytes.len()).map_err(|_| StoreError::corrupt(column, key))?;
                let hash = block.hash();
                if key.get(1..) != Some(hash.as_ref()) {
                    return Err(StoreError::corrupt(column, key));
                }
                match self.block_hash(block.number) {
                    Ok(Some(listed)) if listed == hash => Ok(()),
                    // A damaged row of that column is reported there.
                    Err(StoreError::Corrupt { .. }) => Ok(()),
                    Ok(_) => Err(StoreError::UnlistedBlock { number: block.number, hash }),
                    Err(error) => Err(error),
                }
            }
            Order::Numbers { last } => {
                let number = key::parse_number(column, key)?;
                let before = last.take();
                let hash = read::block_hash(key, &unseal(column, key, sealed)?)?;
                *last = Some((number, hash));
                self.verify_link(number, hash, before)
            }
        }
    }

    /// The first slice must not lie behind the point where replay starts.
    fn verify_reach(&self, first: u64) -> Result<(), StoreError> {
        let snapshot = match self.snapshot_marker() {
            Ok(marker) => marker.map_or(0, |marker| marker.slice),
            // A damaged marker is reported in its own column.
            Err(StoreError::Corrupt { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        if first > snapshot.saturating_add(1) {
            return Err(StoreError::Unreachable { snapshot, first });
        }
        Ok(())
    }

    /// A block must follow the one before in number and in hash.
    fn verify_link(&self, number: u64, hash: Hash, before: Option<(u64, Hash)>) -> Result<(), StoreError> {
        let block = match self.block_by_hash(&hash) {
            Ok(Some(block)) if block.number == number => block,
            Ok(_) => return Err(StoreError::UnlistedBlock { number, hash }),
            // A damaged block is reported in its own column.
            Err(StoreError::Corrupt { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let Some((last, expected)) = before else { return Ok(()) };
        let next = last.saturating_add(1);
        if number != next {
            return Err(StoreError::Gap { column: Column::BlockNumbers, expected: next, found: number });
        }
        if block.parent != expected {
            return Err(StoreError::BrokenChain { number, expected, found: block.parent });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, Options, SnapshotMarker};
    use xln_primitives::{CallHash, ChannelId, EntityId, Network, SignerId, Timestamp};

    fn block(number: u64, parent: Hash) -> BlockHeader {
        BlockHeader {
            number,
            parent,
            timestamp: Timestamp::from_millis(number * 100),
            first_slice: number + 1,
            slices: 1,
            inputs_root: Hash::ZERO,
            state_root: Hash::ZERO,
            receipts_root: Hash::ZERO,
        }
    }

    /// Three blocks of one slice each, and something in every other column that has content.
    fn filled() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Network::ZERO, &Options::default()).unwrap();
        let mut batch = Batch::new();
        let mut parent = Hash::ZERO;
        for number in 0..3 {
            let block = block(number, parent);
            parent = block.hash();
            batch.put_block(&block);
            batch.put_slice(number + 1, b"slice");
        }
        batch.put_receipt(1, &CallHash::new([1; 32]), b"receipt");
        store.commit(batch).unwrap();
        let marker = SnapshotMarker { block: block(0, Hash::ZERO), slice: 1, state_root: Hash::ZERO };
        let mut snapshot = store.begin_snapshot(&marker).unwrap();
        snapshot.put_head(&SignerId::ZERO, &EntityId::ZERO, Some(b"head")).unwrap();
        snapshot.put_state(&SignerId::ZERO, &EntityId::ZERO, &[3, 1], Some(b"value")).unwrap();
        snapshot.put_proof(&EntityId::ZERO, &ChannelId::ZERO, b"proof").unwrap();
        snapshot.put_outbox(&crate::PeerId::new([1; 32]), 1, Some(b"message")).unwrap();
        snapshot.finish().unwrap();
        (folder, store)
    }

    fn only_fault(store: &Store) -> StoreError {
        let mut report = store.verify(&mut |_, _| {}).unwrap();
        assert_eq!(report.faults, 1, "{:?}", report.listed);
        report.listed.remove(0)
    }

    /// Writes past all checks.
    fn write_raw(store: &Store, column: Column, key: &[u8], sealed: &[u8]) {
        store.inner.db.put_cf(store.column(column), key, sealed).unwrap();
    }

    fn write_sealed(store: &Store, column: Column, key: &[u8], value: &[u8]) {
        write_raw(store, column, key, &crate::checksum::seal(key, value));
    }

    fn remove_raw(store: &Store, column: Column, key: &[u8]) {
        store.inner.db.delete_cf(store.column(column), key).unwrap();
    }

    #[test]
    fn a_sound_store_has_no_fault_and_every_row_is_read() {
        let (_folder, store) = filled();
        let mut columns = Vec::new();
        let report = store.verify(&mut |_, column| columns.push(column.to_owned())).unwrap();
        assert!(report.is_sound());
        assert_eq!(report.rows, 3 * 3 + 1 + 5 + 1);
        assert_eq!(columns.len(), Column::ALL.len() + 1);
    }

    #[test]
    fn a_flipped_bit_in_any_column_is_found_and_named() {
        let (_folder, store) = filled();
        for column in Column::ALL {
            let Some(row) = store.sealed_rows(column, &[]).next() else { continue };
            let (key, sealed) = row.unwrap();
            let mut damaged = sealed.clone();
            damaged[0] ^= 1;
            write_raw(&store, column, &key, &damaged);
            match only_fault(&store) {
                StoreError::Corrupt { column: found, key: at } => {
                    assert_eq!((found, at.as_slice()), (column, key.as_ref()));
                }
                other => panic!("{column}: {other}"),
            }
            assert!(matches!(store.get(column, &key), Err(StoreError::Corrupt { .. })), "{column}");
            write_raw(&store, column, &key, &sealed);
        }
    }

    #[test]
    fn a_damaged_value_ends_every_kind_of_read_with_its_name() {
        let (_folder, store) = filled();
        for column in [Column::Slices, Column::State, Column::Blocks] {
            let (key, _) = store.sealed_rows(column, &[]).next().unwrap().unwrap();
            write_raw(&store, column, &key, b"short");
        }
        let corrupt = |found: StoreError| matches!(found, StoreError::Corrupt { .. });
        assert!(corrupt(store.slice(1).unwrap_err()));
        assert!(corrupt(store.slices_from(1).next().unwrap().unwrap_err()));
        assert!(corrupt(store.state().unwrap_err()));
        assert!(corrupt(store.snapshot_marker().unwrap_err()));
    }

    #[test]
    fn a_missing_slice_is_a_gap() {
        let (_folder, store) = filled();
        remove_raw(&store, Column::Slices, &key::number(Column::Slices, 2));
        assert!(matches!(
            only_fault(&store),
            StoreError::Gap { column: Column::Slices, expected: 2, found: 3 }
        ));
        assert!(matches!(
            store.slices_from(2).next(),
            Some(Err(StoreError::Gap { expected: 2, found: 3, .. }))
        ));
        let read: Vec<_> = store.slices_from(1).collect();
        assert!(matches!(read.as_slice(), [Ok((1, _)), Err(StoreError::Gap { expected: 2, found: 3, .. })]));
    }

    #[test]
    fn slices_that_start_after_the_snapshot_are_unreachable() {
        let (_folder, store) = filled();
        for number in [1, 2] {
            remove_raw(&store, Column::Slices, &key::number(Column::Slices, number));
        }
        assert!(matches!(only_fault(&store), StoreError::Unreachable { snapshot: 1, first: 3 }));
    }

    #[test]
    fn a_block_must_follow_the_one_before() {
        let (_folder, store) = filled();
        let foreign = block(3, Hash::new([9; 32]));
        let mut batch = Batch::new();
        batch.put_block(&foreign);
        store.commit(batch).unwrap();
        assert!(matches!(only_fault(&store), StoreError::BrokenChain { number: 3, .. }));

        let (_folder, store) = filled();
        let mut batch = Batch::new();
        batch.put_block(&block(7, Hash::ZERO));
        store.commit(batch).unwrap();
        assert!(matches!(
            only_fault(&store),
            StoreError::Gap { column: Column::BlockNumbers, expected: 3, found: 7 }
        ));
    }

    #[test]
    fn a_block_must_be_listed_under_hash_and_number() {
        let (_folder, store) = filled();
        remove_raw(&store, Column::BlockNumbers, &key::number(Column::BlockNumbers, 2));
        assert!(matches!(only_fault(&store), StoreError::UnlistedBlock { number: 2, .. }));

        let (_folder, store) = filled();
        let hash = store.block_hash(2).unwrap().unwrap();
        remove_raw(&store, Column::Blocks, &key::digest(Column::Blocks, hash.as_bytes()));
        assert!(matches!(only_fault(&store), StoreError::UnlistedBlock { number: 2, .. }));
        assert!(matches!(store.latest_block(), Err(StoreError::UnlistedBlock { number: 2, .. })));
    }

    #[test]
    fn keys_that_the_store_never_writes_are_named() {
        let (_folder, store) = filled();
        write_sealed(&store, Column::Proofs, &[9, 1, 2], b"value");
        assert!(matches!(only_fault(&store), StoreError::MalformedKey { column: Column::Proofs, .. }));

        let (_folder, store) = filled();
        let mut headless = Vec::new();
        key::write_state(&mut headless, &SignerId::ZERO, &EntityId::new([1; 32]), &[key::HEAD, 1]);
        write_sealed(&store, Column::State, &headless, b"value");
        assert!(matches!(only_fault(&store), StoreError::MalformedKey { column: Column::State, .. }));
        let state = store.state().unwrap().unwrap();
        assert!(state.read(2, |_| Ok::<_, StoreError>(())).is_err());
    }

    #[test]
    fn a_value_that_fits_its_checksum_and_does_not_decode_is_named() {
        let (_folder, store) = filled();
        write_sealed(&store, Column::State, &key::marker(), b"not a marker");
        assert!(matches!(only_fault(&store), StoreError::Corrupt { column: Column::State, .. }));
    }

    #[test]
    fn many_faults_are_counted_and_some_listed() {
        let (_folder, store) = filled();
        for sequence in 0..150 {
            let key = key::outbox(&crate::PeerId::new([2; 32]), sequence);
            write_raw(&store, Column::Outbox, &key, b"damaged!");
        }
        let report = store.verify(&mut |_, _| {}).unwrap();
        assert_eq!((report.faults, report.listed.len()), (150, FAULTS_LISTED));
    }
}
