//! Whether the outcome is right: a fast wrong run does not count.
//!
//! At the end nothing is under way, so the hub's and the user's copy of every channel that took part must be in the same
//! state at the same height, and every user must have exactly what the schedule says. Beside that every invariant of the
//! hub's server holds (conservation among them), and its root is the one of the recording.

use pallet_channels::view;
use xln_primitives::{ChannelId, EntityId, Hash, Height};
use xln_runtime::{Server, invariants};

use super::{BenchmarkError, Parties, record::Recorded, schedule::Schedule};

/// One side's copy of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copy {
    /// Its height.
    pub height: Height,
    /// Hash of its state, which both sides committed to.
    pub state: Hash,
    /// What left may claim.
    pub delta: i128,
    /// HTLCs that are pending.
    pub pending: u16,
    /// Whether a frame is unacknowledged or moves wait.
    pub unfinished: bool,
}

/// What is wrong with an outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// The state is another one than when it was recorded.
    #[error("the state root is {found}, recorded was {expected}")]
    Root {
        /// What was recorded.
        expected: Hash,
        /// What came out.
        found: Hash,
    },
    /// A channel that only one side has.
    #[error("channel {channel}: one side has no copy")]
    Missing {
        /// The channel.
        channel: ChannelId,
    },
    /// Two different copies.
    #[error("channel {channel}: the hub has {hub:?}, the user has {user:?}")]
    Copies {
        /// The channel.
        channel: ChannelId,
        /// The hub's copy.
        hub: Box<Copy>,
        /// The user's copy.
        user: Box<Copy>,
    },
    /// Something is still under way.
    #[error("channel {channel} is not at rest: {copy:?}")]
    Unfinished {
        /// The channel.
        channel: ChannelId,
        /// The hub's copy.
        copy: Box<Copy>,
    },
    /// Payments that were never over, or more than there are.
    #[error("{found} payments are over, there were {expected}")]
    Payments {
        /// By the plan.
        expected: u64,
        /// Found.
        found: u64,
    },
    /// Payments that failed, or that nobody asked for.
    #[error("user {user} has {found} more than at the start, by the schedule it is {expected}")]
    Balance {
        /// The user.
        user: EntityId,
        /// By the schedule.
        expected: i128,
        /// Found.
        found: i128,
    },
}

impl Copy {
    /// The copy that `holder` keeps, if it has one.
    pub(super) fn of(
        server: &Server,
        holder: EntityId,
        channel: ChannelId,
    ) -> Result<Option<Self>, invariants::Violation> {
        let Some(entity) = server.entity(&holder) else { return Ok(None) };
        let view = view::channel(&entity.state(), channel).map_err(|error| {
            invariants::Violation::Channels { entity: holder, violation: error.to_string() }
        })?;
        Ok(view.map(|view| Self {
            height: view.channel.height,
            state: view.channel.state_hash,
            delta: view.channel.subchannels.iter().map(|row| row.offdelta.get()).sum(),
            pending: view.channel.pending_htlcs,
            unfinished: view.pending.is_some() || view.queued > 0,
        }))
    }

    /// What `user` has more than at the start in its channel with `hub`.
    pub(super) fn gained(&self, user: EntityId, hub: EntityId) -> i128 {
        // Δ is what left may claim; what right has more, left has less.
        if user < hub { self.delta } else { -self.delta }
    }
}

/// Checks the hub's server after the last slice.
pub(super) fn check(
    server: &Server,
    parties: &Parties,
    schedule: &Schedule,
    recorded: &Recorded,
) -> Result<(), BenchmarkError> {
    let (expected, found) = (recorded.state_root, server.state_root());
    if expected != found {
        return Err(Unsound::Root { expected, found }.into());
    }
    let hub = parties.hub().id();
    for ((user, of_user), expected) in parties.users().iter().zip(&recorded.copies).zip(schedule.balances()) {
        let channel = ChannelId::between(&user.id(), &hub);
        let of_hub = Copy::of(server, hub, channel)?;
        let (Some(of_hub), Some(of_user)) = (of_hub, *of_user) else {
            return Err(Unsound::Missing { channel }.into());
        };
        if of_hub != of_user {
            let (hub, user) = (Box::new(of_hub), Box::new(of_user));
            return Err(Unsound::Copies { channel, hub, user }.into());
        }
        if of_hub.unfinished || of_hub.pending > 0 {
            return Err(Unsound::Unfinished { channel, copy: Box::new(of_hub) }.into());
        }
        let found = of_hub.gained(user.id(), hub);
        if found != expected {
            return Err(Unsound::Balance { user: user.id(), expected, found }.into());
        }
    }
    invariants::check(server)?;
    Ok(())
}
