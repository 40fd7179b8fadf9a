//! Why the ledger refuses.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, ArithmeticError, AssetId, ChannelId, Corrupt, Delta, EntityId, Timestamp};

use crate::{MAX_ROWS, WithdrawalId};

/// A refusal. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, thiserror::Error)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Error {
    /// The depositary does not know the asset.
    #[error("asset {asset} is unknown to this depositary")]
    UnknownAsset {
        /// The asset.
        asset: AssetId,
    },
    /// The genesis defines an asset twice.
    #[error("asset {asset} is defined already")]
    AssetExists {
        /// The asset.
        asset: AssetId,
    },
    /// Symbol or name of an asset are no text.
    #[error("symbol and name of asset {asset} must be UTF-8 text without control characters")]
    NotText {
        /// The asset.
        asset: AssetId,
    },
    /// Nothing to move.
    #[error("the amount is zero: name at least 1 of the asset's smallest unit")]
    ZeroAmount,
    /// Only the asset's bridge authority may do this.
    #[error("{origin} is not the bridge authority of asset {asset}, which is {bridge}")]
    NotTheBridge {
        /// The asset.
        asset: AssetId,
        /// Who may.
        bridge: EntityId,
        /// Who asked.
        origin: EntityId,
    },
    /// More than the faucet gives at once.
    #[error("the faucet of asset {asset} gives at most {limit} per call, asked for {asked}")]
    FaucetLimit {
        /// The asset.
        asset: AssetId,
        /// Asked for.
        asked: Amount,
        /// Most per call.
        limit: Amount,
    },
    /// The reserve is too small.
    #[error("the reserve of {entity} in asset {asset} is too small: needs {needs}, has {has}")]
    InsufficientReserve {
        /// Whose reserve.
        entity: EntityId,
        /// The asset.
        asset: AssetId,
        /// What the call takes from it.
        needs: Amount,
        /// What is there.
        has: Amount,
    },
    /// The collateral is too small.
    #[error("the collateral of channel {channel} in asset {asset} is too small: needs {needs}, has {has}")]
    InsufficientCollateral {
        /// The channel.
        channel: ChannelId,
        /// The asset.
        asset: AssetId,
        /// What the settlement takes from it.
        needs: Amount,
        /// What is there.
        has: Amount,
    },
    /// There would be more of the asset than there may be.
    #[error(
        "asset {asset} has a supply of {supply}, {amount} more would exceed the most that may exist, {limit}"
    )]
    SupplyTooLarge {
        /// The asset.
        asset: AssetId,
        /// What the depositary holds of it.
        supply: Amount,
        /// What would be added.
        amount: Amount,
        /// Most that may exist: 1 of a non-fungible asset, otherwise 2¹²⁷ − 1.
        limit: Amount,
    },
    /// No such pending withdrawal.
    #[error("withdrawal {id} is not pending: it is final, was returned, or never existed")]
    UnknownWithdrawal {
        /// The withdrawal.
        id: WithdrawalId,
    },
    /// The sides are not those of a channel.
    #[error(
        "{left} and {right} are not the left and right side of a channel: left is the smaller identifier"
    )]
    SidesOutOfOrder {
        /// Given as left.
        left: EntityId,
        /// Given as right.
        right: EntityId,
    },
    /// The channel is not that of the two sides.
    #[error("channel {found} is not that of the two sides, which is {expected}")]
    WrongChannel {
        /// The channel of the two sides.
        expected: ChannelId,
        /// The channel named.
        found: ChannelId,
    },
    /// The caller is not a side of the channel.
    #[error("{origin} is not a side of channel {channel}")]
    NotASide {
        /// The channel.
        channel: ChannelId,
        /// Who asked.
        origin: EntityId,
    },
    /// The settlement is for another life of the channel.
    #[error("the settlement is for epoch {found}, channel {channel} is in epoch {expected}")]
    WrongEpoch {
        /// The channel.
        channel: ChannelId,
        /// Its epoch.
        expected: u32,
        /// The epoch of the settlement.
        found: u32,
    },
    /// The settlement does not follow the channel's last change.
    #[error("the settlement has nonce {found}, the next one of channel {channel} is {expected}")]
    WrongNonce {
        /// The channel.
        channel: ChannelId,
        /// The nonce that is next.
        expected: u64,
        /// The nonce of the settlement.
        found: u64,
    },
    /// The settlement is too late.
    #[error("the settlement was good before {expires}, it is {now}: agree on a new one")]
    Expired {
        /// Last valid moment.
        expires: Timestamp,
        /// Time of the depositary.
        now: Timestamp,
    },
    /// The settlement has two rows of one asset.
    #[error("the settlement names asset {asset} twice")]
    DuplicateAsset {
        /// The asset.
        asset: AssetId,
    },
    /// The settlement would create or destroy money.
    #[error(
        "the settlement of asset {asset} does not add up to zero: left's reserve {left:+}, right's reserve {right:+}, collateral {collateral:+}"
    )]
    Unbalanced {
        /// The asset.
        asset: AssetId,
        /// Change of left's reserve.
        left: Delta,
        /// Change of right's reserve.
        right: Delta,
        /// Change of the collateral.
        collateral: Delta,
    },
    /// The channel has as many assets as it may have.
    #[error("channel {channel} has {MAX_ROWS} assets already, the most that it may have")]
    TooManyRows {
        /// The channel.
        channel: ChannelId,
    },
    /// The closing settlement leaves something in the channel.
    #[error(
        "the closing settlement leaves collateral {collateral} and ondelta {ondelta} of asset {asset}: both must end at zero"
    )]
    CloseLeaves {
        /// The asset.
        asset: AssetId,
        /// Collateral left.
        collateral: Amount,
        /// Ondelta left.
        ondelta: Delta,
    },
    /// A sum that does not fit.
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
    /// The state is damaged.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}
