//! Passwords and where they come from.

use std::{fs::File, io::Read, path::Path, path::PathBuf};

use zeroize::Zeroizing;

use crate::folder;

/// Longest password in bytes.
const MAX_LENGTH: usize = 1024;

/// A password, erased when dropped and never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// It has no characters.
    #[error("the password is empty")]
    Empty,
    /// It is longer than any password.
    #[error("the password has more than {MAX_LENGTH} bytes; is it the right file?")]
    TooLong,
    /// Others may read the file.
    #[error("{} has mode {mode:04o}, so others may read the password; run: chmod 600 {}", path.display(), path.display())]
    Loose {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
}

impl Password {
    /// From what somebody typed.
    pub fn new(text: Zeroizing<String>) -> Result<Self, PasswordError> {
        Self::from_bytes(text.as_bytes())
    }

    /// From the first `MAX_LENGTH` bytes of a file that only its owner can read, without one newline at the end.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, PasswordError> {
        let path = path.as_ref();
        let failed = |source| PasswordError::File { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(failed)?;
        let mode = folder::mode(&file.metadata().map_err(failed)?);
        if folder::is_loose(mode) {
            return Err(PasswordError::Loose { path: path.to_path_buf(), mode });
        }
        // One byte more than allowed with a newline of two, so that a longer file is noticed.
        let room = MAX_LENGTH + 3;
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        file.take(u64::try_from(room).unwrap_or(u64::MAX)).read_to_end(&mut bytes).map_err(failed)?;
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        Self::from_bytes(text.strip_suffix(b"\r").unwrap_or(text))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, PasswordError> {
        match bytes.len() {
            0 => Err(PasswordError::Empty),
            1..=MAX_LENGTH => Ok(Self(Zeroizing::new(bytes.to_vec()))),
            _ => Err(PasswordError::TooLong),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl core::fmt::Debug for Password {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Password(hidden)")
    }
}
