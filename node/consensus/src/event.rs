//! What happens to the machine.

use xln_primitives::{Board, EntityId, FrameHash, Height, Round};

use crate::{BlsKey, Body, Row, TimerId};

/// What the runtime says about a frame that it executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the next frame of the entity, and executing its inputs gives its header.
    Valid,
    /// It is a frame, and not one that may come next.
    Invalid,
    /// The bytes are not the frame of this hash: malformed, another header, or inputs that do not fit the header. Says
    /// nothing about the frame, only about whoever sent the bytes.
    Mismatch,
}

/// What a server knows of the votes that its key gave on an entity before it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoteHistory {
    /// All of them are in the log, or on heights that are decided here. Also of a key that has never voted.
    Whole,
    /// It voted at heights up to this one, and their log is lost: it votes above.
    UpTo(Height),
    /// The store comes from a backup, and nobody knows how much later the key voted: it listens first.
    Restored,
    /// Nobody knows whether the key ever voted: it listens first. It may begin at once with a network of which every other
    /// member says that nothing is decided.
    Unknown,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An entity whose board we are on, at start or when we join: its next height is `height`, decided by `board`.
    Follow {
        /// Which entity.
        entity: EntityId,
        /// Height of the frame that comes next.
        height: Height,
        /// The board that decides it.
        board: Board,
        /// What the log holds for this entity, in order.
        rows: Vec<Row>,
        /// What is known of the votes that this key gave before.
        history: VoteHistory,
    },
    /// Bytes from a peer.
    Received {
        /// The key that the connection proved.
        from: BlsKey,
        /// A [`BoardMessage`](crate::BoardMessage), supposedly.
        bytes: Vec<u8>,
    },
    /// A call waits to be ordered.
    Work {
        /// By which entity.
        entity: EntityId,
    },
    /// The answer to [`Effect::Build`](crate::Effect::Build). Without one the round passes without our proposal.
    Built {
        /// For which entity.
        entity: EntityId,
        /// At which height.
        height: Height,
        /// For which round.
        round: Round,
        /// Hash of the frame.
        frame: FrameHash,
        /// The frame.
        body: Body,
    },
    /// The answer to [`Effect::Validate`](crate::Effect::Validate).
    Validated {
        /// Of which entity.
        entity: EntityId,
        /// At which height.
        height: Height,
        /// Which frame.
        frame: FrameHash,
        /// What the runtime found.
        verdict: Verdict,
    },
    /// A timer elapsed.
    Elapsed(TimerId),
    /// The rows of this turn and of all before are on disk.
    Durable {
        /// Number of the turn, from [`Effect::Append`](crate::Effect::Append).
        turn: u64,
    },
    /// A frame of an entity is committed, decided here or caught up with.
    Applied {
        /// Which entity.
        entity: EntityId,
        /// Height of the frame.
        height: Height,
        /// The board that decides the next height.
        board: Board,
    },
    /// A member told, in a digest of heights, which height of an entity it has next.
    Heard {
        /// Which entity.
        entity: EntityId,
        /// Which member.
        member: BlsKey,
        /// The height that it decides next.
        height: Height,
    },
    /// A catch-up ended, whether it brought frames or not: it may be asked for again.
    CatchUpEnded {
        /// Of which entity.
        entity: EntityId,
    },
    /// The operator vouches that this key has voted at no height above the store's, so that an entity that listens
    /// after a restore may vote at once. If the operator errs, this key may vote twice.
    Vouched {
        /// For which entity.
        entity: EntityId,
    },
}
