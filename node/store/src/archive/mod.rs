//! Immutable snapshots: the state of one block, compressed, named by its hash, and able to prove itself.
//!
//! ```text
//!   rows of state, marks, outbox, proofs ─► cut where keys say so ─► zstd ─► chunk, named by its hash
//!   (one view of the database)                                                  │
//!                     manifest: network, block header, slice, the chunks ◄──────┘
//!                        └─► its hash is the snapshot's name
//! ```
//!
//! A manifest is a row of the archive column; chunks are files in the folder `snapshots` of the database. Whether a chunk ends
//! after a row depends on the row's key alone, so a part of the state that did not change between two snapshots is the same
//! chunk in both, and lies on disk once.
//!
//! Everything is read from one view of the database while the node goes on, so making a snapshot needs neither the author nor
//! memory for more than a chunk. The rows lead to the state root of the block in the manifest: whoever trusts that block
//! header, or the certificates in the heads of the entities, needs to trust nobody else.
//!
//! **Foreign bytes.** Sizes are checked against limits before memory is taken, each chunk against its hash before it is
//! decompressed, each row's key against the form of its column and the order of all keys.

mod chunk;
mod create;
mod error;
mod files;
mod manifest;
mod stream;

pub use chunk::{ArchivedRow, ChunkReader};
pub use create::ArchiveProgress;
pub use error::{ArchiveError, ChunkFault};
pub use files::Staging;
pub use manifest::{ChunkInfo, Manifest};
pub use stream::{ArchiveStream, write_stream};
