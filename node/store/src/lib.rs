//! Durable storage of blocks, slices, state, receipts and proofs in RocksDB.
//!
//! The store knows bytes and the primitives that order them; it does not know what a slice or a receipt says.
//!
//! ```text
//!   executed slice ──► Batch ──► Store::commit ──► one WriteBatch ──► WAL ──► one fsync ──► outputs may leave
//!                                     │ fails
//!                                     └────────► poisoned: every later commit is refused
//!
//!   snapshot ──► sorted files ──► taken over in one step, marker and rows together, beside the WAL
//!
//!   start-up:  state ──► StateView::read ──► slices_from(marker.slice + 1) ──► replay, compare the root
//!
//!   column          key                                   value
//!   state           0x00                                  SnapshotMarker
//!                   0x00 ‖ signer ‖ entity ‖ type ‖ key   entity's value; type 0x00 without key is its head
//!   blocks          0x01 ‖ hash                           BlockHeader
//!   block_numbers   0x02 ‖ number                         hash
//!   snapshot        0x03 ‖ kind                           kind 1: what is kept of the past
//!   archive         0x04 ‖ hash                           Manifest of an immutable snapshot
//!   receipts        0x05 ‖ call hash                      receipt
//!   consensus       0x06 ‖ entity ‖ height ‖ sequence     log of a board; at 0, 0: the last certified frame of an entity
//!   outbox          0x07 ‖ peer ‖ sequence                message that a peer has not confirmed
//!   slices          0x08 ‖ number                         slice
//!   proofs          0x09 ‖ entity ‖ channel               newest dispute proof
//!   slice_receipts  0x0a ‖ slice                          call hashes, so that pruning finds the receipts
//!   frames          0x0b ‖ entity ‖ height                frame that a board decided
//!   evidence        0x0c ‖ entity ‖ height ‖ slot         two statements of one member that exclude each other
//!   adopted         0x0d ‖ entity ‖ height ‖ index        chunk of a state that was taken over; index 2³²−1: in which slice
//!   handovers       0x0e ‖ entity ‖ height                proof that another board follows the one that certified this height
//! ```
//!
//! Numbers in keys are big-endian, so that key order is their order.
//!
//! **Commit point.** [`Store::commit`] returns after everything in the batch is on disk, in one atomic write and
//! one fsync. If it fails, nobody knows what reached the disk, so the store refuses to write from then on and
//! the node must restart and recover from what is there.
//!
//! **Integrity.** Every value carries eight bytes of BLAKE3 over its key and itself, checked at every read:
//! a damaged or misplaced value is [`StoreError::Corrupt`] with its column and key, never an answer. Slices
//! are read without gaps or not at all. [`Store::verify`] checks every row.
//!
//! **Recovery after power loss.** Only an incomplete record at the end of the write-ahead log is dropped: that
//! write was never acknowledged. Damage anywhere else refuses to open. A log whose end is missing, whatever the reason,
//! is told from one that was never longer by a high-water mark in a file of its own, and refused.

mod adopted;
mod archive;
mod batch;
mod checksum;
mod column;
mod damage;
mod error;
mod high_water;
mod key;
mod options;
mod prune;
mod read;
mod signed;
mod snapshot;
mod sorted_files;
mod space;
mod state;
mod store;
mod verify;

pub use archive::{
    ArchiveError, ArchiveProgress, ArchiveStream, ArchivedRow, ChunkFault, ChunkInfo, ChunkReader, Manifest,
    Staging, write_stream,
};
pub use batch::{Batch, PeerId};
pub use column::Column;
pub use error::StoreError;
pub use options::Options;
pub use prune::{Keep, Pruned, Pruning};
pub use signed::SignedMark;
pub use snapshot::{SnapshotMarker, SnapshotWriter, SnapshotWritten};
pub use space::{ColumnStats, Stats, check_free_space, free_space};
pub use state::{StateBatch, StateRow, StateView};
pub use store::{Store, Written};
pub use verify::VerifyReport;
