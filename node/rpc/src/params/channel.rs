//! Requests about channels.

use xln_primitives::{Amount, ChannelId};

use super::{params, yes};
use crate::{AssetRef, ChannelRef, EntityRef};

params! {
    /// Opens a channel, or adds an asset to one.
    pub struct ChannelOpen {
        /// Who acts.
        pub entity: Option<EntityRef>,
        /// With whom.
        pub peer: EntityRef,
        /// In which asset.
        pub asset: Option<AssetRef>,
        /// What the peer may owe: inbound capacity of `entity` from the first moment.
        pub credit: Option<Amount>,
        /// Whether to wait for the outcome.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Pays the peer of a channel without a condition: for channels whose sides trust each other.
    pub struct ChannelPay {
        /// Who pays.
        pub entity: Option<EntityRef>,
        /// Over which channel.
        pub channel: ChannelRef,
        /// Which asset.
        pub asset: Option<AssetRef>,
        /// How much.
        pub amount: Amount,
        /// What for.
        pub description: Option<String>,
        /// Whether to wait for the peer's acknowledgement.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Closes a channel in agreement; the depositary settles it.
    pub struct ChannelClose {
        /// Who acts.
        pub entity: Option<EntityRef>,
        /// Which channel.
        pub channel: ChannelRef,
        /// Whether to wait for the outcome.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// One channel.
    pub struct ChannelGet {
        /// Whose view.
        pub entity: Option<EntityRef>,
        /// Which channel.
        pub channel: ChannelRef,
    }

    /// Channels by identifier: those of `entity`, or without it every channel of hosted entities once, seen
    /// from its left side if that is hosted here, else from its right.
    #[derive(Default)]
    pub struct ChannelList {
        /// Whose.
        pub entity: Option<EntityRef>,
        /// Go on after this one.
        pub after: Option<ChannelId>,
        /// How many at most.
        pub limit: Option<u32>,
    }

    /// HTLCs in flight over a channel, by slot.
    pub struct ChannelListHtlcs {
        /// Whose view.
        pub entity: Option<EntityRef>,
        /// Which channel.
        pub channel: ChannelRef,
        /// Go on after this slot.
        pub after: Option<u32>,
        /// How many at most.
        pub limit: Option<u32>,
    }

    /// Sets what the peer may owe.
    pub struct ChannelSetCredit {
        /// Who acts.
        pub entity: Option<EntityRef>,
        /// On which channel.
        pub channel: ChannelRef,
        /// In which asset.
        pub asset: Option<AssetRef>,
        /// The most that the peer may owe. Below what it owes already, nothing more can be drawn.
        pub limit: Amount,
        /// Whether to wait for the outcome.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Members of a policy to change; those that are absent stay.
    #[derive(Default)]
    pub struct PolicyChange {
        /// Charged per forwarded payment.
        pub fee_base: Option<Amount>,
        /// Charged per million of the amount.
        pub fee_ppm: Option<u32>,
        /// Smallest HTLC taken.
        pub min_htlc: Option<Amount>,
        /// Largest HTLC taken.
        pub max_htlc: Option<Amount>,
        /// Time between the deadlines of an incoming and an outgoing HTLC.
        pub timelock_delta_ms: Option<u64>,
        /// Most HTLCs in flight per channel.
        pub max_pending: Option<u32>,
        /// Collateral that is locked on request without asking.
        pub auto_collateral: Option<Amount>,
    }

    /// Changes what the entity asks of those whose payments it carries, in all of its channels.
    pub struct ChannelSetPolicy {
        /// Who acts.
        pub entity: Option<EntityRef>,
        /// What changes.
        pub policy: PolicyChange,
        /// Whether to wait for the outcome.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Asks the peer to put collateral behind what it owes.
    pub struct ChannelRequestCollateral {
        /// Who acts.
        pub entity: Option<EntityRef>,
        /// On which channel.
        pub channel: ChannelRef,
        /// In which asset.
        pub asset: Option<AssetRef>,
        /// How much.
        pub amount: Amount,
        /// Whether to wait for the outcome.
        #[serde(default = "yes")]
        pub wait: bool,
    }
}
