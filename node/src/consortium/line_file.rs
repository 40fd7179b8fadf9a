//! A file beside the database to which lines are only added: what others said of themselves and is needed after a restart before
//! they say it again.
//!
//! - **Boards** of entities elsewhere: what an entity here says to such an entity goes to the servers of its board.
//! - **Voting keys** of servers: which server a key of a board leads to, where the chain spec does not say.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    marker::PhantomData,
    path::PathBuf,
};

use codec::{Decode, Encode};
use xln_primitives::decode_exact;

/// Most bytes that are read.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub(super) struct LineFileError {
    path: PathBuf,
    source: std::io::Error,
}

/// The file.
pub(super) struct LineFile<T> {
    path: PathBuf,
    item: PhantomData<fn() -> T>,
}

impl<T: Encode + Decode> LineFile<T> {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, item: PhantomData }
    }

    fn error(&self) -> impl FnOnce(std::io::Error) -> LineFileError {
        let path = self.path.clone();
        |source| LineFileError { path, source }
    }

    /// What is in it, in the order in which it was added. A line that was not written to its end is none: nothing that depends on it was said.
    pub(super) fn read(&self) -> Result<Vec<T>, LineFileError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.error()(error)),
        };
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(self.error())?;
        let item = |line: &str| {
            let bytes = hex::decode(line).ok()?;
            decode_exact::<T>(&bytes, bytes.len()).ok()
        };
        Ok(text.lines().filter_map(item).collect())
    }

    /// Adds a line, durably.
    pub(super) fn append(&self, item: &T) -> Result<(), LineFileError> {
        self.append_all(core::slice::from_ref(item))
    }

    /// Adds lines, durably; if that fails, perhaps some of them.
    pub(super) fn append_all(&self, items: &[T]) -> Result<(), LineFileError> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path).map_err(self.error())?;
        // After a line that was cut off a new one begins.
        let lines: Vec<String> = items.iter().map(|item| hex::encode(item.encode())).collect();
        let text = format!("\n{}\n", lines.join("\n"));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(self.error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xln_primitives::{Board, PublicKey};

    fn board(byte: u8) -> Board {
        Board::single(PublicKey::Ed25519([byte; 32]))
    }

    #[test]
    fn boards_are_there_after_a_restart_and_a_torn_line_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = LineFile::new(folder.path().join("boards"));
        assert_eq!(file.read().unwrap(), []);
        file.append(&board(1)).unwrap();
        let whole = std::fs::read(&file.path).unwrap();
        file.append(&board(2)).unwrap();
        assert_eq!(file.read().unwrap(), [board(1), board(2)]);
        for length in whole.len()..std::fs::read(&file.path).unwrap().len() - 1 {
            let bytes = std::fs::read(&file.path).unwrap();
            std::fs::write(&file.path, &bytes[..length]).unwrap();
            assert_eq!(file.read().unwrap(), [board(1)], "{length} bytes");
            file.append(&board(3)).unwrap();
            assert_eq!(file.read().unwrap(), [board(1), board(3)], "{length} bytes, and another one");
            std::fs::write(&file.path, bytes).unwrap();
        }
    }
}
