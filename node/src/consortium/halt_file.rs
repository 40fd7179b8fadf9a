//! Entities that this server follows no more because a certified frame of them does not execute here, in a file beside the
//! database's: one line each, only added to.
//!
//! What is wrong is this program or this disk, and a restart mends neither: the state might be certified by others and be another
//! one here. So the note outlives restarts, until somebody who has looked into it removes the file.
//!
//! ```text
//! 0x31f08c…  frame 812: the frame leads to state 0x5d…, its header says 0x07…
//! ```

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    path::PathBuf,
};

use xln_primitives::EntityId;

/// Most bytes that are read.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub(super) struct HaltFileError {
    path: PathBuf,
    source: io::Error,
}

/// The file.
pub(super) struct HaltFile {
    path: PathBuf,
}

impl HaltFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn error(&self) -> impl FnOnce(io::Error) -> HaltFileError {
        let path = self.path.clone();
        |source| HaltFileError { path, source }
    }

    /// The entities in it, with the reasons. What does not begin with an entity is no line.
    pub(super) fn read(&self) -> Result<Vec<(EntityId, String)>, HaltFileError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.error()(error)),
        };
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(self.error())?;
        let line = |line: &str| {
            let (entity, reason) = line.split_once(char::is_whitespace)?;
            Some((entity.parse().ok()?, reason.trim().to_owned()))
        };
        Ok(text.lines().filter_map(line).collect())
    }

    /// Adds an entity, durably.
    pub(super) fn append(&self, entity: &EntityId, reason: &str) -> Result<(), HaltFileError> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path).map_err(self.error())?;
        // After a line that was cut off a new one begins, and a reason is one line.
        let line = format!("\n{entity}  {}\n", reason.replace('\n', " "));
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(self.error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_halted_is_there_after_a_restart_until_the_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let file = HaltFile::new(folder.path().join("halts"));
        assert_eq!(file.read().unwrap(), []);
        let (one, two) = (EntityId::new([1; 32]), EntityId::new([2; 32]));
        file.append(&one, "frame 7: of two\nlines").unwrap();
        std::fs::OpenOptions::new().append(true).open(&file.path).unwrap().write_all(b"0x0202").unwrap();
        file.append(&two, "frame 9").unwrap();
        let expected = [(one, "frame 7: of two lines".to_owned()), (two, "frame 9".to_owned())];
        assert_eq!(file.read().unwrap(), expected, "a line that was cut off is none");
        std::fs::remove_file(&file.path).unwrap();
        assert_eq!(file.read().unwrap(), []);
    }
}
