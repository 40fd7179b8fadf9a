//! What must always hold of one entity's channels, checked from nothing; for tests and `check-state`.

use std::collections::BTreeMap;

use xln_primitives::{Amount, AssetId, ChannelId, Corrupt, Hash, Height, Side, Storage};

use crate::{
    Error,
    channel::{Channel, Status},
    conditions, queue, state_hash, storage, view,
};

/// What is wrong with a stored channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Stored bytes do not decode.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// A queue or record cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Error),
    /// The stored root is not that of the stored HTLCs.
    #[error("channel {channel}: conditions root {stored}, the HTLCs have {computed}")]
    ConditionsRoot {
        /// The channel.
        channel: ChannelId,
        /// In the record.
        stored: Hash,
        /// Of the HTLCs.
        computed: Hash,
    },
    /// The stored state hash is not that of the stored state.
    #[error("channel {channel}: state hash {stored}, the state has {computed}")]
    StateHash {
        /// The channel.
        channel: ChannelId,
        /// In the record.
        stored: Hash,
        /// Of the record.
        computed: Hash,
    },
    /// A hold is not the sum of the HTLCs.
    #[error("channel {channel}, asset {asset}: {side:?} holds {stored}, its HTLCs sum up to {computed}")]
    Hold {
        /// The channel.
        channel: ChannelId,
        /// The asset.
        asset: AssetId,
        /// Whose hold.
        side: Side,
        /// In the record.
        stored: Amount,
        /// Sum of the HTLCs.
        computed: Amount,
    },
    /// The number of HTLCs is not what the record says.
    #[error("channel {channel}: {stored} HTLCs by the record, {found} stored")]
    HtlcCount {
        /// The channel.
        channel: ChannelId,
        /// In the record.
        stored: u16,
        /// Stored.
        found: usize,
    },
    /// Δ does not fit into its type.
    #[error("channel {channel}, asset {asset}: Δ does not fit")]
    DeltaOverflow {
        /// The channel.
        channel: ChannelId,
        /// The asset.
        asset: AssetId,
    },
    /// The pending frame does not build on the committed state.
    #[error("channel {channel}: the pending frame has height {pending}, the channel {height}")]
    Pending {
        /// The channel.
        channel: ChannelId,
        /// Height of the pending frame.
        pending: Height,
        /// Committed height.
        height: Height,
    },
    /// An acknowledgement was not sent at the end of the frame.
    #[error("channel {channel}: an acknowledgement is owed after the end of the frame")]
    AckOwed {
        /// The channel.
        channel: ChannelId,
    },
}

/// Checks every channel of an entity between two of its frames. That Δ stays within the limits is a matter of two
/// states (a limit may be lowered below a debt); see [`crate::Subchannel::is_within_limits`].
pub fn try_state(storage: &impl Storage) -> Result<(), Broken> {
    let mut after = None;
    loop {
        let page = storage::channels(storage, after.as_ref(), 256)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
        for (id, channel) in page {
            check(storage, id, &channel)?;
        }
    }
}

fn check(storage: &impl Storage, id: ChannelId, channel: &Channel) -> Result<(), Broken> {
    let htlcs = view::htlcs(storage, id, None, usize::MAX)?;
    if htlcs.len() != usize::from(channel.pending_htlcs) {
        return Err(Broken::HtlcCount { channel: id, stored: channel.pending_htlcs, found: htlcs.len() });
    }
    let leaves: BTreeMap<_, _> = htlcs.iter().map(|(slot, htlc)| (*slot, htlc.terms.leaf())).collect();
    let computed = conditions::root_of(&leaves);
    if computed != channel.conditions_root {
        return Err(Broken::ConditionsRoot { channel: id, stored: channel.conditions_root, computed });
    }
    for row in &channel.subchannels {
        let asset = row.asset;
        for side in [Side::Left, Side::Right] {
            let computed = htlcs
                .iter()
                .map(|(_, htlc)| &htlc.terms)
                .filter(|terms| terms.asset == asset && terms.payer == side)
                .try_fold(Amount::ZERO, |sum, terms| sum.add(terms.amount))
                .unwrap_or(Amount::MAX);
            let stored = row.hold(side);
            if stored != computed {
                return Err(Broken::Hold { channel: id, asset, side, stored, computed });
            }
        }
        row.checked_delta().map_err(|_| Broken::DeltaOverflow { channel: id, asset })?;
    }
    let computed = state_hash::of(channel);
    if computed != channel.state_hash {
        return Err(Broken::StateHash { channel: id, stored: channel.state_hash, computed });
    }
    if channel.acknowledged.as_ref().is_some_and(|acknowledged| acknowledged.owed) {
        return Err(Broken::AckOwed { channel: id });
    }
    if let Some(pending) =
        queue::pending(storage, &id)?.filter(|_| !matches!(channel.status, Status::Frozen { .. }))
        && pending.frame.parent_state != channel.state_hash
    {
        return Err(Broken::Pending { channel: id, pending: pending.frame.height, height: channel.height });
    }
    Ok(())
}
