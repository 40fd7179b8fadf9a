//! Channels that exist from the start.

use xln_primitives::{Amount, AssetId, Delta, EntityId, Storage};

use crate::{
    Error, TransitionError,
    capacity::Subchannel,
    channel::Channel,
    settlement::MAX_ASSETS,
    state_hash,
    storage::{CHANNELS, row},
};

/// An asset of a channel that the chain spec opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenesisRow {
    /// The asset.
    pub asset: AssetId,
    /// Locked at the depositary.
    pub collateral: Amount,
    /// Left's claim on it; zero if the collateral is right's.
    pub ondelta: Delta,
    /// The most that left may owe.
    pub left_credit: Amount,
    /// The most that right may owe.
    pub right_credit: Amount,
}

/// Writes the copy of `own` of a channel that is open from the start. Called with the same rows for both entities,
/// it writes the same channel: height 0, epoch 0, no event of the depositary.
pub fn genesis_channel(
    storage: &mut impl Storage,
    own: EntityId,
    peer: EntityId,
    rows: &[GenesisRow],
) -> Result<(), Error> {
    let mut channel = Channel::empty(own, peer, 0, 0).ok_or(Error::OwnEntity)?;
    if rows.len() > usize::try_from(MAX_ASSETS).unwrap_or(usize::MAX) {
        return Err(TransitionError::TooManyAssets { limit: MAX_ASSETS }.into());
    }
    for row in rows {
        if channel.subchannel(&row.asset).is_some() {
            return Err(TransitionError::AssetExists { asset: row.asset }.into());
        }
        let subchannel = Subchannel {
            collateral: row.collateral,
            ondelta: row.ondelta,
            left_credit_limit: row.left_credit,
            right_credit_limit: row.right_credit,
            ..Subchannel::empty(row.asset)
        };
        channel
            .subchannels
            .try_push(subchannel)
            .map_err(|_| TransitionError::TooManyAssets { limit: MAX_ASSETS })?;
    }
    channel.state_hash = state_hash::of(&channel);
    CHANNELS.put(storage, &row(&channel.id), &channel);
    Ok(())
}
