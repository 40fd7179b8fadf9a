//! Boards of entities elsewhere, in a file beside the database: one line each, only added to.
//!
//! What an entity here says to such an entity goes to the servers of its board. The board came with the first message of that
//! entity; after a restart it is needed before the next one comes.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    path::PathBuf,
};

use codec::Encode;
use xln_primitives::{Board, decode_exact};

/// Most bytes that are read.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub(super) struct BoardFileError {
    path: PathBuf,
    source: std::io::Error,
}

/// The file.
pub(super) struct BoardFile {
    path: PathBuf,
}

impl BoardFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn error(&self) -> impl FnOnce(std::io::Error) -> BoardFileError {
        let path = self.path.clone();
        |source| BoardFileError { path, source }
    }

    /// The boards in it. A line that was not written to its end is none: nothing that depends on it was said.
    pub(super) fn read(&self) -> Result<Vec<Board>, BoardFileError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.error()(error)),
        };
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(self.error())?;
        let board = |line: &str| {
            let bytes = hex::decode(line).ok()?;
            decode_exact::<Board>(&bytes, bytes.len()).ok()
        };
        Ok(text.lines().filter_map(board).collect())
    }

    /// Adds a board, durably.
    pub(super) fn append(&self, board: &Board) -> Result<(), BoardFileError> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path).map_err(self.error())?;
        // After a line that was cut off a new one begins.
        let line = format!("\n{}\n", hex::encode(board.encode()));
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(self.error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xln_primitives::PublicKey;

    fn board(byte: u8) -> Board {
        Board::single(PublicKey::Ed25519([byte; 32]))
    }

    #[test]
    fn boards_are_there_after_a_restart_and_a_torn_line_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = BoardFile::new(folder.path().join("boards"));
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
