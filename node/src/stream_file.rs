//! Which stream of messages to other servers this start of the node begins: a number in the database's folder, larger each time.
//!
//! Receivers count positions within a stream. The database may be an older copy than that of the last start, and will use positions
//! again under which the receivers have something else: they must not take them for known.

use std::{fs, io, io::Write, path::Path};

const NAME: &str = "stream";

/// The number of a new stream, which is written down: the time in ms, or more if the clock was set back.
///
/// Errors: the folder cannot be written to; the file is damaged.
pub(crate) fn begin(folder: &Path, now_ms: u64) -> io::Result<u64> {
    let path = folder.join(NAME);
    let last = match fs::read_to_string(&path) {
        Ok(text) => text.trim().parse::<u64>().map_err(|error| damaged(&path, &error))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let next = now_ms.max(last.saturating_add(1));
    // Whole or not at all: half of it would keep the node from starting.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(next.to_string().as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(next)
}

fn damaged(path: &Path, error: &core::num::ParseIntError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}; remove the file", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_begins_a_later_stream_also_when_the_clock_is_set_back_or_the_file_is_an_old_copy() {
        let folder = tempfile::tempdir().unwrap();
        let begin = |now| begin(folder.path(), now).unwrap();
        assert_eq!([begin(1_000), begin(1_500)], [1_000, 1_500]);
        let old = fs::read(folder.path().join(NAME)).unwrap();
        assert_eq!([begin(1_400), begin(1_600)], [1_501, 1_600], "the clock was set back");
        fs::write(folder.path().join(NAME), old).unwrap();
        assert_eq!(begin(1_700), 1_700, "an old copy");
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NAME), "half").unwrap();
        let error = begin(folder.path(), 1).unwrap_err().to_string();
        assert!(error.contains("stream") && error.contains("remove"), "{error}");
    }
}
