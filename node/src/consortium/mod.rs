//! What makes several servers one network: boards that vote, frames that everybody follows, messages that cross.
//!
//! ```text
//!   network ─► consensus ──┐                                    ┌─► consensus log (fsync), then votes leave
//!            ─► letters ───┤                                    ├─► build, check: on the durable state
//!            ─► packets ───┼─► driver, one thread ─ Host.step ──┼─► decided frame ─► DecidedFrames ─► author
//!            ─► frames ────┤   (timers, messages that wait)     │                                      │
//!   slice durable ─────────┘                                    └─► letters, packets, frames to others │
//!        ▲                                                                                             │
//!        └─────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! [`Machine`] is all of it without clock, thread, socket and disk: those are its [`Environment`]. In a node one thread drives
//! it; a simulation runs the same code for many servers on a time of its own.
//!
//! **Deciding.** Whatever is said to an entity whose board votes goes to every server of that board, and waits there
//! (`waiting`). The machine of [`xln_consensus`] says when to build a frame of it, which frames to check, what to log, and
//! what was decided.
//!
//! **Following.** A decided frame goes to the author, who executes it in the next slice; the slice's write also stores the
//! frame and ends the consensus log of its height. Frames come by our own decision, as gossip, or as the answer to a
//! question; whoever brings one, its certificate and its execution are checked. A frame of which the certificate holds and
//! which leads elsewhere here is a defect of this program: it follows that entity no more, and says so.
//!
//! **Catching up.** Connected servers tell each other where they have what both follow (`heights`). Who is behind asks for the
//! frames in between, or, if they are too many or nobody has them, for the state after a certified frame (`fetch`,
//! [`Serving`]), which the author takes over in a slice like any input.
//!
//! **Delivering.** What an entity here says to one on another server goes there by [`xln_network::delivery`]: at least once,
//! in order, kept until the other server has it durably. Where that is the chain spec says, or a board, or the entity itself
//! (`whereabouts`). Whoever carries a message proves nothing; the message proves itself.

mod board;
mod calls;
mod changes;
mod decided;
mod directory;
mod driver;
mod environment;
mod evidence;
mod fetch;
mod follow;
mod halt_file;
mod heights;
mod here;
mod home;
mod in_order;
mod letter;
mod line_file;
mod machine;
mod pace;
mod peers;
mod post;
mod serving;
mod start;
mod status;
mod telling;
mod time;
mod unproven;
mod voting_server;
mod waiting;
mod whereabouts;

pub use changes::PeerChanges;
pub use decided::DecidedFrames;
pub use directory::{BadAddress, Directory};
pub use driver::Slices;
pub use environment::{Environment, Kept, StoredRow};
pub use evidence::EvidenceLog;
pub use home::LearnedHome;
pub use machine::{Identity, Input, Machine, Notice, SNAPSHOT_GAP};
pub use pace::{Class, OfClass, Pace};
pub use peers::{PeerError, PeerStatus, Peers};
pub use serving::Serving;
pub use start::{Consortium, ConsortiumError, Parts};
pub use status::{BoardStatus, Fetching, Progress, Shared, Status};
pub use voting_server::VoterClaim;
