//! One side's copy of a channel.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{AssetId, BoundedVec, ChannelId, ConstU32, EntityId, Hash, Height, Side, Timestamp};

use crate::{
    Error, FrameFault,
    capacity::Subchannel,
    error::TransitionError,
    settlement::{MAX_ASSETS, Settlement},
    state_hash,
};

/// Most subchannels: those that users added and those that the depositary brought.
pub(crate) const MAX_SUBCHANNELS: u32 = 2 * MAX_ASSETS;

/// Whether the channel advances.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Status {
    /// It does.
    #[codec(index = 0)]
    Open,
    /// All its sums are held for a settlement until that is executed or has expired.
    #[codec(index = 1)]
    Closing(Settlement),
    /// The peer broke the protocol; only the depositary can end it.
    #[codec(index = 2)]
    Frozen {
        /// What it did.
        fault: FrameFault,
        /// keccak-256 of the evidence, kept outside of the state.
        evidence: Hash,
        /// The settlement that was under way, if any.
        closing: Option<Settlement>,
    },
}

/// Our commitment to the peer's last frame.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Acknowledged {
    /// Height of the frame.
    pub height: Height,
    /// State after it.
    pub state_hash: Hash,
    /// Whether the acknowledgement still has to be sent, at the end of this entity frame.
    pub owed: bool,
}

/// The committed state of a channel, with what this side has to remember.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Channel {
    /// Its identifier; follows from its entities.
    pub id: ChannelId,
    /// The entity with the smaller identifier.
    pub left: EntityId,
    /// The other one.
    pub right: EntityId,
    /// How many lives it had before; a proof of an earlier life proves nothing.
    pub epoch: u32,
    /// Last height that both sides committed to.
    pub height: Height,
    /// State hash at that height; parent of the next frame.
    pub state_hash: Hash,
    /// Time of the last frame.
    pub timestamp: Timestamp,
    /// Last event of the depositary that was applied.
    pub settled_nonce: u64,
    /// Root of the pending conditions; zero if there are none.
    pub conditions_root: Hash,
    /// How many HTLCs are pending.
    pub pending_htlcs: u16,
    /// The assets, in the order in which they were added.
    pub subchannels: BoundedVec<Subchannel, ConstU32<MAX_SUBCHANNELS>>,
    /// Whether it advances.
    pub status: Status,
    /// Our last commitment to a frame of the peer in this life.
    pub acknowledged: Option<Acknowledged>,
}

impl Channel {
    /// The empty channel of two entities: the same on both sides, without any message. `None` if they are one.
    #[must_use]
    pub fn empty(one: EntityId, other: EntityId, epoch: u32, settled_nonce: u64) -> Option<Self> {
        let (left, right) = match Side::of(&one, &other)? {
            Side::Left => (one, other),
            Side::Right => (other, one),
        };
        let mut channel = Self {
            id: ChannelId::between(&left, &right),
            left,
            right,
            epoch,
            height: 0,
            state_hash: Hash::ZERO,
            timestamp: Timestamp::ZERO,
            settled_nonce,
            conditions_root: Hash::ZERO,
            pending_htlcs: 0,
            subchannels: BoundedVec::new(),
            status: Status::Open,
            acknowledged: None,
        };
        channel.state_hash = state_hash::of(&channel);
        Some(channel)
    }

    /// Which side `entity` is.
    #[must_use]
    pub fn side_of(&self, entity: &EntityId) -> Side {
        if *entity == self.left { Side::Left } else { Side::Right }
    }

    /// The entity on a side.
    #[must_use]
    pub fn entity(&self, side: Side) -> EntityId {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    /// The subchannel of an asset.
    #[must_use]
    pub fn subchannel(&self, asset: &AssetId) -> Option<&Subchannel> {
        self.subchannels.iter().find(|row| row.asset == *asset)
    }

    pub(crate) fn subchannel_mut(&mut self, asset: &AssetId) -> Result<&mut Subchannel, TransitionError> {
        self.subchannels
            .iter_mut()
            .find(|row| row.asset == *asset)
            .ok_or(TransitionError::UnknownAsset { asset: *asset })
    }

    /// Refuses a channel that takes no new payments.
    pub(crate) fn require_open(&self) -> Result<(), Error> {
        match &self.status {
            Status::Open => Ok(()),
            Status::Closing(settlement) => Err(Error::Closing { expires: settlement.expires }),
            Status::Frozen { .. } => Err(Error::Frozen { height: self.height }),
        }
    }

    pub(crate) fn is_frozen(&self) -> bool {
        matches!(self.status, Status::Frozen { .. })
    }
}
