//! The state of one entity, as whoever is far behind takes it from another server.
//!
//! Following an entity frame by frame executes everything that it ever did. A server that lost its disk, or was away for long,
//! can take the state after one certified frame instead, and follow from there:
//!
//! ```text
//!   server that has it                                    server that is behind
//!   Entity ─► EntitySnapshot ── manifest: header, ──────► Assembly: is it later? does the board that is known
//!             (a handle; rows   certificate, hashes       here stand behind it?
//!              are read when    of the chunks
//!              a chunk is       ── chunk 0, 1, 2, … ────► each against its hash, rows in ascending order ─► tree
//!              asked for)
//!                                                         root = header.state_root ─► Adoption
//!                                                                      │
//!                            SliceInputs::adopted ◄────────────────────┘   the next slice takes it over
//! ```
//!
//! **What is trusted.** Nothing but the board that the receiver knows. The certificate covers the header, the header the root,
//! the root every row. Hashes of chunks prove nothing; they tell at which chunk a transfer went wrong before all of it is
//! there. If another board decided the frame, the manifest proves how it followed on the one that is known: the last header of
//! each board, with the path to the board after it ([`Handovers`]).
//!
//! **Canonical.** All rows in the order of their keys are one sequence of bytes, cut every [`CHUNK_BYTES`]:
//!
//! ```text
//!   row = length of the key (1 byte) ‖ key ‖ length of the value (4 bytes, little-endian) ‖ value
//! ```
//!
//! so of one state there is one list of chunks, whatever the size of its rows, and a chunk is never larger than it may be.
//!
//! **What is skipped is not heard.** Frames between the one here and the adopted one said things; what they said to
//! entities of this server is nowhere in the state. A slice refuses to adopt a state over the head of somebody who was spoken to
//! ([`AdoptError::Unheard`]); the frames tell it.

mod adoption;
mod assembly;
mod cut;
mod manifest;
mod rows;
mod succession;

pub use adoption::{AdoptError, Adopted, Adoption};
pub use assembly::{Assembly, AssemblyError};
pub use cut::{EntitySnapshot, EntitySnapshotError};
pub use manifest::{CHUNK_BYTES, CHUNKS_MAX, ManifestError, StateManifest};
pub use rows::RowsError;
pub use succession::{HANDOVERS_MAX, Handovers};
