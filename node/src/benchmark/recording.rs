//! The recording: what arrives at the hub, slice by slice, in a file.
//!
//! ```text
//!   file   = slice*
//!   slice  = length (4 bytes, little-endian) ‖ SCALE of RecordedSlice
//! ```
//!
//! It holds what a network would carry, in the bytes in which it would carry it; whoever replays it decodes and verifies
//! everything. Nothing in it is trusted: a certificate that does not verify, or a frame of the hub that comes out
//! differently, fails the run.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Board, CertifiedMessage, FrameHash, Hash, Timestamp, decode_exact};
use xln_runtime::{RuntimeMessage, SignedCall};

/// Longest slice in a file, in bytes: anything longer is damage.
const SLICE_BYTES_MAX: usize = 1 << 30;

/// A message of a user, as it arrives: a lazy sender's board travels beside it.
pub type Arrival = (Arc<CertifiedMessage<RuntimeMessage>>, Board);

/// What the hub executes in one slice, and what must come out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct RecordedSlice {
    /// When: the number of the step. Steps without anything for the hub have no slice.
    pub step: u64,
    /// Payments that begin here.
    pub begun: u32,
    /// The fixed clock.
    pub timestamp: Timestamp,
    /// The fixed randomness.
    pub entropy: Hash,
    /// Messages of users.
    pub arrivals: Vec<Arrival>,
    /// Calls of the hub's operator.
    pub calls: Vec<SignedCall>,
    /// Hash of the frame that the hub made: it commits to the inputs, the state, and every message that it sends.
    pub frame: FrameHash,
    /// Payments that are over once this is durable.
    pub done: u32,
}

/// A recording that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file fails.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file does not say what a recording says.
    #[error("{}: slice {slice} of the recording is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Place of the slice in the file; the first is 1.
        slice: u64,
        /// What is wrong.
        reason: String,
    },
}

/// Writes a recording.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
}

impl Writer {
    /// Begins a file; one that is there is replaced.
    pub fn create(path: &Path) -> Result<Self, RecordingError> {
        let file = File::create(path).map_err(failed(path))?;
        Ok(Self { path: path.to_path_buf(), file: BufWriter::with_capacity(1 << 20, file), bytes: 0 })
    }

    /// Adds a slice.
    pub fn append(&mut self, slice: &RecordedSlice) -> Result<(), RecordingError> {
        let bytes = slice.encode();
        let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::FileTooLarge.into());
        let written = length.and_then(|length| {
            self.file.write_all(&length.to_le_bytes())?;
            self.file.write_all(&bytes)
        });
        self.bytes = self.bytes.saturating_add(4).saturating_add(bytes.len() as u64);
        written.map_err(failed(&self.path))
    }

    /// Completes the file. Returns its size in bytes.
    pub fn finish(mut self) -> Result<u64, RecordingError> {
        self.file.flush().map_err(failed(&self.path))?;
        Ok(self.bytes)
    }
}

/// Reads a recording, one slice after the other.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    slice: u64,
    bytes: Vec<u8>,
}

impl Reader {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let file = File::open(path).map_err(failed(path))?;
        let file = BufReader::with_capacity(1 << 20, file);
        Ok(Self { path: path.to_path_buf(), file, slice: 0, bytes: Vec::new() })
    }

    /// The bytes of the next slice, if there is one.
    pub fn next_raw(&mut self) -> Result<Option<Raw<'_>>, RecordingError> {
        let failed = failed(&self.path);
        if self.file.fill_buf().map_err(&failed)?.is_empty() {
            return Ok(None);
        }
        let mut length = [0; 4];
        self.file.read_exact(&mut length).map_err(&failed)?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        self.slice = self.slice.saturating_add(1);
        if length > SLICE_BYTES_MAX {
            let (path, slice) = (self.path.clone(), self.slice);
            let reason = format!("it is said to have {length} bytes");
            return Err(RecordingError::Damaged { path, slice, reason });
        }
        self.bytes.resize(length, 0);
        self.file.read_exact(&mut self.bytes).map_err(&failed)?;
        Ok(Some(Raw { path: &self.path, slice: self.slice, bytes: &self.bytes }))
    }
}

impl Iterator for Reader {
    type Item = Result<RecordedSlice, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_raw().and_then(|raw| raw.map(|raw| raw.decode()).transpose()).transpose()
    }
}

/// A slice as it stands in the file.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    path: &'a Path,
    slice: u64,
    bytes: &'a [u8],
}

impl Raw<'_> {
    /// Its step, and how many payments begin in it, without decoding the rest.
    pub fn opening(&self) -> Result<(u64, u32), RecordingError> {
        Decode::decode(&mut &*self.bytes).map_err(|error: codec::Error| self.damaged(error.to_string()))
    }

    /// All of it. What is not the one encoding of a slice is refused, as it is everywhere on a network.
    pub fn decode(&self) -> Result<RecordedSlice, RecordingError> {
        decode_exact(self.bytes, self.bytes.len()).map_err(|error| self.damaged(error.to_string()))
    }

    fn damaged(&self, reason: String) -> RecordingError {
        RecordingError::Damaged { path: self.path.to_path_buf(), slice: self.slice, reason }
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> RecordingError {
    let path = path.to_path_buf();
    move |source| RecordingError::File { path: path.clone(), source }
}
