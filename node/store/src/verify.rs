//! Verification of every row on disk.

use xln_primitives::{BlockHeader, Hash, decode_exact};

use crate::{Column, Store, StoreError, checksum::unseal, key, read};

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
        if let Err(fault) = self.snapshot_marker() {
            // The checksum was counted above; here is what fits it and does not decode.
            if !matches!(fault, StoreError::Corrupt { .. }) || report.is_sound() {
                report.fault(fault);
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
        let snapshot = self.snapshot_marker()?.map_or(0, |marker| marker.slice);
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
