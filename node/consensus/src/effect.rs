//! What the machine asks of its caller.

use std::sync::Arc;

use xln_primitives::{Certificate, EntityId, FrameHash, Height, Round};

use crate::{BlsKey, Body, Evidence, Halt, Row, TimerId};

/// Why a message was not taken. Counted by the caller, and ground to throttle a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// Too much from this peer in one turn.
    #[error("more messages or bytes than one peer may send in a turn")]
    Quota,
    /// Not a message.
    #[error("not a board message in its canonical encoding")]
    Malformed,
    /// We are not on the board of this entity.
    #[error("an entity that this server does not decide for")]
    UnknownEntity,
    /// The sender is not on the board.
    #[error("the sender does not vote on this board")]
    NotAMember,
    /// Wrong signatures before, at this height.
    #[error("the sender sent too many wrong signatures at this height")]
    Muted,
    /// A height that is over, or too far ahead.
    #[error("neither our height nor the next one")]
    Height,
    /// A round too far ahead.
    #[error("a round too far ahead of ours")]
    Round,
    /// Somebody else proposes in this round.
    #[error("a proposal by a member whose turn it is not")]
    NotTheProposer,
    /// A certificate without the weight that it needs, or with a member twice or unknown.
    #[error("a certificate that proves nothing")]
    Certificate,
    /// A signature is wrong.
    #[error("a signature does not hold")]
    Signature,
    /// A body that is not the frame that it came with, or larger than a frame may be.
    #[error("a body that is not the frame it came with")]
    Body,
    /// The queue for the next height is full.
    #[error("too many messages for a height that has not begun")]
    Early,
}

impl Refusal {
    /// Its name as the label of a metric.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::Malformed => "malformed",
            Self::UnknownEntity => "unknown_entity",
            Self::NotAMember => "not_a_member",
            Self::Muted => "muted",
            Self::Height => "height",
            Self::Round => "round",
            Self::NotTheProposer => "not_the_proposer",
            Self::Certificate => "certificate",
            Self::Signature => "signature",
            Self::Body => "body",
            Self::Early => "early",
        }
    }
}

/// One effect. Effects of a turn are performed in the order given.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Write these rows, all or none, and report [`Event::Durable`](crate::Event::Durable) with this number once they
    /// are synced. Rows of several turns may share one write; then the last number stands for all. A write that fails
    /// ends the process.
    Append {
        /// Number of the turn, rising.
        turn: u64,
        /// The rows, of all entities.
        rows: Vec<Row>,
    },
    /// Send bytes to members, each on its own connection.
    Send {
        /// To whom; never ourselves.
        to: Arc<[BlsKey]>,
        /// An encoded [`BoardMessage`](crate::BoardMessage).
        bytes: Arc<[u8]>,
    },
    /// Report [`Event::Elapsed`](crate::Event::Elapsed) after `after_ms`. A timer that runs already starts anew.
    SetTimer {
        /// Which timer.
        timer: TimerId,
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// Forget a timer.
    CancelTimer {
        /// Which timer.
        timer: TimerId,
    },
    /// Build a frame from the calls that wait and report [`Event::Built`](crate::Event::Built); asked once per round.
    /// If nothing waits, do not answer in the first rounds, and answer with an empty frame later: a height that was begun
    /// ends with a frame only.
    Build {
        /// For which entity.
        entity: EntityId,
        /// At which height.
        height: Height,
        /// For which round.
        round: Round,
        /// How long a proposal is waited for.
        within_ms: u64,
    },
    /// Execute a body on the state of the entity before `height` and report
    /// [`Event::Validated`](crate::Event::Validated).
    Validate {
        /// Of which entity.
        entity: EntityId,
        /// At which height.
        height: Height,
        /// The hash that the body must have.
        frame: FrameHash,
        /// The frame.
        body: Body,
    },
    /// The board decided. In one transaction: the new state, frame, certificate, and the deletion of this height's log;
    /// then report [`Event::Applied`](crate::Event::Applied). The body was found valid by this server, before a restart
    /// perhaps: then execute it again.
    Decided {
        /// Whose board.
        entity: EntityId,
        /// Which height.
        height: Height,
        /// The frame.
        frame: FrameHash,
        /// The board's commitment to it.
        certificate: Certificate,
        /// The frame's bytes.
        body: Body,
    },
    /// Send a member the frame and certificate of a height that is decided ([`Content::Decided`](crate::Content)), from
    /// the store.
    Answer {
        /// Whom.
        to: BlsKey,
        /// Of which entity.
        entity: EntityId,
        /// Which height.
        height: Height,
    },
    /// Others are ahead: fetch frames from `from` on, from this member or any other, and report
    /// [`Event::Applied`](crate::Event::Applied) for each, then [`Event::CatchUpEnded`](crate::Event::CatchUpEnded).
    CatchUp {
        /// Of which entity.
        entity: EntityId,
        /// The first height that is missing.
        from: Height,
        /// A member who claims to have it.
        member: BlsKey,
    },
    /// Keep this; it convicts a member.
    Evidence(Evidence),
    /// A message was not taken.
    Refused {
        /// Whose.
        from: BlsKey,
        /// Why.
        reason: Refusal,
    },
    /// This entity takes part no more until the process is started again. Alert the operator.
    Halt {
        /// Which entity.
        entity: EntityId,
        /// At which height.
        height: Height,
        /// Why.
        reason: Halt,
    },
}
