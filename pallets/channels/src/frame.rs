//! The steps in which a channel advances, and what can be wrong with one.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{BoundedVec, ChannelId, ConstU32, Hash, Height, Side, Timestamp};

use crate::{error::TransitionError, transition::Transition};

/// Most transitions in one frame.
pub const MAX_TRANSITIONS: u32 = 1_000;
/// Bytes of transitions after which a frame takes no more.
pub(crate) const FRAME_BYTES_SOFT_MAX: usize = 512 * 1024;

/// One step of a channel, proposed by one side and acknowledged by the other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct ChannelFrame {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: u32,
    /// Number of this step; the first of a life has height 1.
    pub height: Height,
    /// State hash before.
    pub parent_state: Hash,
    /// Who proposes.
    pub proposer: Side,
    /// The proposer's time, never before the parent's.
    pub timestamp: Timestamp,
    /// The moves, in order.
    pub transitions: BoundedVec<Transition, ConstU32<MAX_TRANSITIONS>>,
    /// State hash after; what the proposer commits to.
    pub state_hash: Hash,
}

/// What is wrong with a certified frame or acknowledgement of the peer. The channel freezes and the message is
/// kept as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, thiserror::Error)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum FrameFault {
    /// It does not build on the state that both sides hold.
    #[error("the frame at height {height} builds on state {found}, ours is {expected}")]
    WrongParent {
        /// Height of the frame.
        height: Height,
        /// Our state hash.
        expected: Hash,
        /// Its parent.
        found: Hash,
    },
    /// Its moves lead to another state than it says.
    #[error("the frame at height {height} leads to state {computed}, it claims {claimed}")]
    WrongState {
        /// Height of the frame.
        height: Height,
        /// What its moves lead to.
        computed: Hash,
        /// What it claims.
        claimed: Hash,
    },
    /// A move is not allowed.
    #[error("transition {index} of the frame at height {height}: {error}")]
    InvalidTransition {
        /// Height of the frame.
        height: Height,
        /// Which.
        index: u32,
        /// Why.
        error: TransitionError,
    },
    /// Its time lies before its parent's.
    #[error("the frame at height {height} is of {found}, its parent of {parent}")]
    TimeRunsBackwards {
        /// Height of the frame.
        height: Height,
        /// Time of the parent.
        parent: Timestamp,
        /// Time of the frame.
        found: Timestamp,
    },
    /// The peer committed to two states at one height.
    #[error("two different states at height {height}: {first} and {second}")]
    TwoStatesAtOneHeight {
        /// The height.
        height: Height,
        /// The state that we have from it.
        first: Hash,
        /// The other one.
        second: Hash,
    },
    /// The peer acknowledged another state than the one proposed.
    #[error("the acknowledgement at height {height} is of state {found}, proposed was {expected}")]
    WrongAcknowledgement {
        /// The height.
        height: Height,
        /// Proposed.
        expected: Hash,
        /// Acknowledged.
        found: Hash,
    },
}
