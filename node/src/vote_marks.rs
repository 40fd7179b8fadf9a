//! How far the voting key has voted, kept apart from the database.
//!
//! A vote must never be given twice, and what was voted is in the database's log. A database that was lost, or comes from a
//! backup, does not know: so the place of the last row of every log is also kept in a file beside the keys.
//!
//! ```text
//!   votes of a turn ─► log, fsync ─► mark: height, sequence (fsync if the height grew) ─► votes leave
//!
//!   at the start      mark within what the database has ─► it knows all votes: it votes on
//!                     mark beyond                       ─► it votes above the marked height only
//!                     no mark, known to be new          ─► the key has not voted there: it is marked so, and votes
//!                     no mark                           ─► nobody knows: it listens first
//!                     the operator said "restored"      ─► it listens first, until it votes again
//! ```
//!
//! For each entity there are two slots, written in turn, so that a write which was cut off leaves the one before:
//!
//! ```text
//!   slot: entity ‖ count ‖ height ‖ sequence ‖ 1 if restored ‖ checksum          numbers big-endian
//! ```

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use xln_consensus::{BlsKey, Row, VoteHistory};
use xln_primitives::{EntityId, Height};

/// Entity, four numbers and their checksum.
const SLOT: usize = 32 + 4 * 8 + 8;

/// What the operator says of the votes that this server's key gave before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeclaredHistory {
    /// This key has never voted in this network, here or elsewhere
    First,
    /// This disk comes from a backup: listen before voting
    Restored,
    /// This key has voted nowhere since what this disk knows: vote at once. If that is wrong, it may vote twice
    Vouched,
}

/// Marks that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VoteMarksError {
    /// The file cannot be read or written.
    #[error("the marks of votes in {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Neither slot of an entity can be read.
    #[error(
        "the marks of votes in {path} are damaged at byte {offset}: remove the file and start with \
         --vote-history restored"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where.
        offset: usize,
    },
}

/// Where the log of an entity's consensus had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    height: Height,
    sequence: u64,
    /// The disk comes from a backup, and the key has not voted since.
    restored: bool,
}

#[derive(Debug)]
struct Place {
    /// Where the first slot of the entity is.
    offset: u64,
    count: u64,
    mark: Mark,
}

/// The marks of one key.
#[derive(Debug)]
pub struct VoteMarks {
    path: PathBuf,
    file: File,
    places: BTreeMap<EntityId, Place>,
    declared: Option<DeclaredHistory>,
    /// Whether a key without a mark has never voted: on networks for trying things out.
    assumes_new: bool,
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let digest = xln_tree::Hasher::Blake3.value(bytes);
    let mut short = [0; 8];
    short.copy_from_slice(&digest[..8]);
    short
}

fn encode(entity: &EntityId, count: u64, mark: Mark) -> [u8; SLOT] {
    let mut slot = [0; SLOT];
    slot[..32].copy_from_slice(entity.as_ref());
    let numbers = [count, mark.height, mark.sequence, u64::from(mark.restored)];
    for (place, number) in slot[32..64].chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&number.to_be_bytes());
    }
    let sum = checksum(&slot[..64]);
    slot[64..].copy_from_slice(&sum);
    slot
}

fn decode(slot: &[u8]) -> Option<(EntityId, u64, Mark)> {
    let (content, sum) = slot.split_at_checked(64)?;
    if sum != checksum(content) {
        return None;
    }
    let (entity, numbers) = content.split_first_chunk::<32>()?;
    let mut numbers = numbers.chunks_exact(8).map(|bytes| bytes.try_into().map(u64::from_be_bytes));
    let mut next = || numbers.next()?.ok();
    let (count, height, sequence) = (next()?, next()?, next()?);
    let mark = Mark { height, sequence, restored: next()? != 0 };
    Some((EntityId::new(*entity), count, mark))
}

impl VoteMarks {
    /// Opens the marks of a key in a folder, or begins them.
    ///
    /// Errors: the file cannot be used; it is damaged.
    pub fn open(
        folder: &Path,
        key: &BlsKey,
        declared: Option<DeclaredHistory>,
        assumes_new: bool,
    ) -> Result<Self, VoteMarksError> {
        let path = folder.join(hex::encode(key));
        let failed = |source| VoteMarksError::File { path: path.clone(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(failed)?;
        // The file's own name has to survive too.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        let mut places = BTreeMap::new();
        for (index, pair) in bytes.chunks(2 * SLOT).enumerate() {
            let offset = index * 2 * SLOT;
            let newest = pair.chunks_exact(SLOT).filter_map(decode).max_by_key(|(_, count, _)| *count);
            match newest {
                Some((entity, count, mark)) => {
                    let offset = u64::try_from(offset).unwrap_or(u64::MAX);
                    places.insert(entity, Place { offset, count, mark });
                }
                // The end of a file that was being made longer when the power failed: nothing was voted yet.
                None if offset + 2 * SLOT >= bytes.len() && pair.iter().all(|byte| *byte == 0) => {}
                None => return Err(VoteMarksError::Damaged { path, offset }),
            }
        }
        let mut marks = Self { path, file, places, declared, assumes_new };
        if declared == Some(DeclaredHistory::First) && marks.places.is_empty() {
            // So that it is known later that the key had not voted until now.
            marks.put(&EntityId::ZERO, Mark { height: 0, sequence: 0, restored: false })?;
        }
        Ok(marks)
    }

    /// What is known of the votes on an entity whose next height is `next`, and whose log ends at `last`, height and
    /// sequence. `enters` if the key was not on the board of the height before, or there was none.
    pub fn history(
        &mut self,
        entity: &EntityId,
        next: Height,
        last: Option<(Height, u64)>,
        enters: bool,
    ) -> Result<VoteHistory, VoteMarksError> {
        let known = self.places.get(entity).map(|place| place.mark);
        match self.declared {
            Some(DeclaredHistory::Vouched) => return Ok(VoteHistory::Whole),
            Some(DeclaredHistory::Restored) => {
                let mark = known.unwrap_or(Mark { height: 0, sequence: 0, restored: true });
                self.put(entity, Mark { restored: true, ..mark })?;
                return Ok(VoteHistory::Restored);
            }
            Some(DeclaredHistory::First) | None => {}
        }
        // An entity that is being founded, or whose board the key enters, while marks of it are kept: had it voted there, there
        // would be one.
        let is_new = || {
            let enters_marked = enters && self.places.values().any(|place| !place.mark.restored);
            enters_marked || self.declared == Some(DeclaredHistory::First)
        };
        Ok(match known {
            Some(mark) if mark.restored => VoteHistory::Restored,
            Some(mark) if next > mark.height || last >= Some((mark.height, mark.sequence)) => {
                VoteHistory::Whole
            }
            Some(mark) => VoteHistory::UpTo(mark.height),
            None if is_new() => {
                // At the next start it is no news any more, and the key may not have voted until then.
                self.put(entity, Mark { height: 0, sequence: 0, restored: false })?;
                VoteHistory::Whole
            }
            None if self.assumes_new => VoteHistory::Whole,
            None => VoteHistory::Unknown,
        })
    }

    /// Rows of logs are durable, and what was voted in them is about to leave.
    pub fn raise(&mut self, rows: &[Row]) -> Result<(), VoteMarksError> {
        let mut reached: BTreeMap<EntityId, (Height, u64)> = BTreeMap::new();
        for row in rows {
            let place = reached.entry(row.entity).or_default();
            *place = (*place).max((row.height, row.sequence));
        }
        let mut is_new = false;
        for (entity, (height, sequence)) in reached {
            // Who votes again after a restore does so above whatever was voted before, and who is vouched for wherever it is.
            let starts_anew = |mark: &Mark| mark.restored || self.declared == Some(DeclaredHistory::Vouched);
            let known = self.places.get(&entity).map(|place| place.mark).filter(|mark| !starts_anew(mark));
            if known.is_none_or(|mark| (height, sequence) > (mark.height, mark.sequence)) {
                is_new |= self.write(&entity, Mark { height, sequence, restored: false })?;
            }
        }
        // However many entities it is about: a turn costs one sync.
        if is_new { self.sync() } else { Ok(()) }
    }

    /// Writes a mark durably, if it says more than another sequence.
    fn put(&mut self, entity: &EntityId, mark: Mark) -> Result<(), VoteMarksError> {
        if self.write(entity, mark)? { self.sync() } else { Ok(()) }
    }

    fn sync(&self) -> Result<(), VoteMarksError> {
        self.file.sync_data().map_err(|source| VoteMarksError::File { path: self.path.clone(), source })
    }

    /// Writes a mark. Whether it says more than another sequence, and has to be synced.
    fn write(&mut self, entity: &EntityId, mark: Mark) -> Result<bool, VoteMarksError> {
        let end = u64::try_from(self.places.len() * 2 * SLOT).unwrap_or(u64::MAX);
        let before = self.places.get(entity).map(|place| place.mark);
        let place = self.places.entry(*entity).or_insert(Place { offset: end, count: 0, mark });
        place.count = place.count.saturating_add(1);
        place.mark = mark;
        let slot = if place.count.is_multiple_of(2) { 0 } else { SLOT as u64 };
        let failed = |source| VoteMarksError::File { path: self.path.clone(), source };
        let offset = place.offset.saturating_add(slot);
        self.file.write_all_at(&encode(entity, place.count, mark), offset).map_err(failed)?;
        Ok(before.is_none_or(|before| (before.height, before.restored) != (mark.height, mark.restored)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xln_consensus::Entry;

    const KEY: BlsKey = [7; 48];

    fn entity(n: u8) -> EntityId {
        EntityId::new([n; 32])
    }

    fn open(folder: &Path) -> VoteMarks {
        VoteMarks::open(folder, &KEY, None, false).unwrap()
    }

    fn rows(of: u8, height: Height, sequences: core::ops::Range<u64>) -> Vec<Row> {
        let row = |sequence| Row { entity: entity(of), height, sequence, entry: Entry::ProposeTimeout(0) };
        sequences.map(row).collect()
    }

    #[test]
    fn a_database_that_has_what_was_marked_is_whole_and_an_older_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut marks = open(folder.path());
        assert_eq!(marks.history(&entity(1), 1, None, true).unwrap(), VoteHistory::Unknown);
        marks.raise(&rows(1, 4, 0..3)).unwrap();
        marks.raise(&rows(2, 9, 0..1)).unwrap();
        marks.raise(&rows(1, 5, 0..2)).unwrap();
        marks.raise(&rows(1, 5, 2..4)).unwrap();
        drop(marks);
        let mut marks = open(folder.path());
        let mut history = |next, last| marks.history(&entity(1), next, last, next == 1).unwrap();
        assert_eq!(history(5, Some((5, 3))), VoteHistory::Whole);
        assert_eq!(history(6, None), VoteHistory::Whole, "the height was decided");
        assert_eq!(history(5, Some((5, 2))), VoteHistory::UpTo(5), "a row is missing");
        assert_eq!(history(1, None), VoteHistory::UpTo(5), "the disk was wiped");
        assert_eq!(marks.history(&entity(2), 9, Some((9, 0)), false).unwrap(), VoteHistory::Whole);
        assert_eq!(marks.history(&entity(3), 7, None, false).unwrap(), VoteHistory::Unknown);
        assert_eq!(
            marks.history(&entity(3), 1, None, true).unwrap(),
            VoteHistory::Whole,
            "it is being founded"
        );
        drop(marks);
        let mut marks = open(folder.path());
        let history = marks.history(&entity(3), 2, None, false).unwrap();
        assert_eq!(history, VoteHistory::Whole, "it followed the first frame and has not voted yet");
    }

    #[test]
    fn what_the_operator_says_of_a_restore_holds_until_the_key_votes_again() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).raise(&rows(1, 4, 0..3)).unwrap();
        let declared = |declared| VoteMarks::open(folder.path(), &KEY, Some(declared), false).unwrap();
        let mut restored = declared(DeclaredHistory::Restored);
        assert_eq!(restored.history(&entity(1), 5, None, false).unwrap(), VoteHistory::Restored);
        assert_eq!(restored.history(&entity(2), 1, None, true).unwrap(), VoteHistory::Restored);
        drop(restored);
        let mut marks = open(folder.path());
        assert_eq!(marks.history(&entity(1), 5, None, false).unwrap(), VoteHistory::Restored, "still");
        assert_eq!(marks.history(&entity(2), 1, None, true).unwrap(), VoteHistory::Restored);
        marks.raise(&rows(1, 9, 0..2)).unwrap();
        drop(marks);
        let mut marks = open(folder.path());
        assert_eq!(marks.history(&entity(1), 9, Some((9, 1)), false).unwrap(), VoteHistory::Whole);
        assert_eq!(marks.history(&entity(2), 1, None, true).unwrap(), VoteHistory::Restored);
        let mut vouched = declared(DeclaredHistory::Vouched);
        assert_eq!(vouched.history(&entity(1), 1, None, true).unwrap(), VoteHistory::Whole);
        vouched.raise(&rows(1, 1, 0..1)).unwrap();
        drop(vouched);
        assert_eq!(
            open(folder.path()).history(&entity(1), 1, Some((1, 0)), true).unwrap(),
            VoteHistory::Whole
        );
    }

    #[test]
    fn a_first_start_is_one_that_the_operator_or_a_network_for_trying_out_says_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = VoteMarks::open(folder.path(), &KEY, Some(DeclaredHistory::First), false).unwrap();
        assert_eq!(first.history(&entity(1), 1, None, true).unwrap(), VoteHistory::Whole);
        first.raise(&rows(1, 4, 0..3)).unwrap();
        let mut later = open(folder.path());
        assert_eq!(later.history(&entity(4), 1, None, false).unwrap(), VoteHistory::Unknown);
        assert_eq!(first.history(&entity(4), 1, None, true).unwrap(), VoteHistory::Whole);
        let mut later = open(folder.path());
        assert_eq!(
            later.history(&entity(4), 1, None, false).unwrap(),
            VoteHistory::Whole,
            "it was said once"
        );
        // It is not believed against a mark.
        assert_eq!(first.history(&entity(1), 1, None, true).unwrap(), VoteHistory::UpTo(4));
        let mut assumed = VoteMarks::open(folder.path(), &KEY, None, true).unwrap();
        assert_eq!(assumed.history(&entity(2), 1, None, true).unwrap(), VoteHistory::Whole);
        assert_eq!(assumed.history(&entity(1), 1, None, true).unwrap(), VoteHistory::UpTo(4));
    }

    #[test]
    fn a_slot_that_was_cut_off_leaves_the_one_before_and_two_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut marks = open(folder.path());
        marks.raise(&rows(1, 4, 0..1)).unwrap();
        marks.raise(&rows(1, 5, 0..1)).unwrap();
        let path = marks.path.clone();
        drop(marks);
        let mut bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 2 * SLOT);
        bytes[3] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(open(folder.path()).history(&entity(1), 1, None, true).unwrap(), VoteHistory::UpTo(4));
        bytes[SLOT + 3] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let error = VoteMarks::open(folder.path(), &KEY, None, false).unwrap_err().to_string();
        assert!(error.contains("--vote-history restored"), "{error}");
    }
}
