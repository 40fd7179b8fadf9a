//! What the depositary's ledger can be asked.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, AssetId, BoundedVec, ConstU32, EntityId, Side};

use crate::{Settlement, WithdrawalId};

/// What names a deposit outside, such as a transaction hash; at most 64 bytes, not interpreted.
pub type Reference = BoundedVec<u8, ConstU32<64>>;

/// Where a withdrawal goes outside, such as an address or an account number; at most 128 bytes, not interpreted.
pub type Destination = BoundedVec<u8, ConstU32<128>>;

/// A call of this pallet. The codes are those of the wire.
///
/// Every call that names an asset may fail with [`crate::Error::UnknownAsset`], every call that names an amount
/// with [`crate::Error::ZeroAmount`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Call {
    /// Adds to a reserve what arrived outside. By the asset's bridge authority without limit; by anyone up to the
    /// limit of the asset's faucet, if it has one.
    ///
    /// Errors: [`crate::Error::NotTheBridge`], [`crate::Error::FaucetLimit`], [`crate::Error::SupplyTooLarge`].
    #[codec(index = 0x40)]
    Deposit {
        /// The asset.
        asset: AssetId,
        /// Whose reserve grows.
        to: EntityId,
        /// By how much.
        amount: Amount,
        /// What it is called outside.
        reference: Reference,
    },
    /// Asks for assets to leave. They leave the reserve at once and are final when the bridge confirms.
    ///
    /// Errors: [`crate::Error::InsufficientReserve`].
    #[codec(index = 0x41)]
    Withdraw {
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// Where to.
        destination: Destination,
    },
    /// Moves the caller's reserve into the collateral of any channel, in favour of one of its sides.
    ///
    /// Errors: [`crate::Error::SidesOutOfOrder`], [`crate::Error::InsufficientReserve`],
    /// [`crate::Error::TooManyRows`].
    #[codec(index = 0x42)]
    Allocate {
        /// Left side of the channel: the smaller identifier.
        left: EntityId,
        /// Right side of the channel.
        right: EntityId,
        /// Whose claim grows with it; in favour of left raises `ondelta` by the same.
        in_favour: Side,
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
    /// Moves the caller's reserve to another entity's.
    ///
    /// Errors: [`crate::Error::InsufficientReserve`].
    #[codec(index = 0x43)]
    Transfer {
        /// Whose reserve grows.
        to: EntityId,
        /// The asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
    /// The caller's half of a settlement; executes if the other side's half is there and identical.
    ///
    /// Errors: see [`Settlement`].
    #[codec(index = 0x44)]
    Settle(Settlement),
    /// Publishes a preimage, so that its SHA-256 hash counts as revealed from now on. The first time counts; a
    /// repetition changes nothing.
    #[codec(index = 0x45)]
    Reveal {
        /// The preimage.
        preimage: [u8; 32],
    },
    /// The bridge authority has paid a withdrawal out: it is final.
    ///
    /// Errors: [`crate::Error::UnknownWithdrawal`], [`crate::Error::NotTheBridge`].
    #[codec(index = 0x46)]
    ConfirmWithdrawal {
        /// The withdrawal.
        id: WithdrawalId,
    },
    /// The bridge authority cannot pay a withdrawal out: it returns to the reserve that it came from.
    ///
    /// Errors: [`crate::Error::UnknownWithdrawal`], [`crate::Error::NotTheBridge`].
    #[codec(index = 0x47)]
    RejectWithdrawal {
        /// The withdrawal.
        id: WithdrawalId,
    },
}
