//! What this pallet reports.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, AssetId, ChannelId, EntityId, Hash, Side, Timestamp};

use crate::{Destination, Reference, Settled, WithdrawalId};

/// Something that happened in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Event {
    /// A reserve grew from outside.
    Deposited {
        /// The asset.
        asset: AssetId,
        /// Who reported it: the bridge, or a user of the faucet.
        by: EntityId,
        /// Whose reserve grew.
        to: EntityId,
        /// By how much.
        amount: Amount,
        /// What it is called outside.
        reference: Reference,
    },
    /// Assets left a reserve and wait for the bridge.
    WithdrawalRequested {
        /// The withdrawal.
        id: WithdrawalId,
        /// Whose reserve they left.
        owner: EntityId,
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// Where to.
        destination: Destination,
    },
    /// The bridge has paid a withdrawal out.
    WithdrawalConfirmed {
        /// The withdrawal.
        id: WithdrawalId,
    },
    /// The bridge refused a withdrawal; its amount is back in the reserve.
    WithdrawalRejected {
        /// The withdrawal.
        id: WithdrawalId,
    },
    /// One reserve paid another.
    Transferred {
        /// The asset.
        asset: AssetId,
        /// Who paid.
        from: EntityId,
        /// Who was paid.
        to: EntityId,
        /// How much.
        amount: Amount,
    },
    /// A reserve became collateral; [`Event::Settled`] with the new rows follows.
    Allocated {
        /// The channel.
        channel: ChannelId,
        /// Whose reserve it was.
        from: EntityId,
        /// Whose claim grew with it.
        in_favour: Side,
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
    /// One side's half of a settlement waits for the other's.
    HalfSettled {
        /// The channel.
        channel: ChannelId,
        /// Whose half.
        side: Side,
        /// The nonce that it wants to take.
        nonce: u64,
        /// From when on it is refused.
        expires: Timestamp,
    },
    /// The rows of a channel have changed.
    Settled(Settled),
    /// A preimage was published, for the first time.
    Revealed {
        /// SHA-256 of it.
        hash: Hash,
        /// The preimage.
        preimage: [u8; 32],
    },
}
