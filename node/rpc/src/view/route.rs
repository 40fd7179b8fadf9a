//! The way of a payment before it is sent.

use xln_primitives::{Amount, AssetId, ChannelId};

use super::{PartyView, views};

views! {
    /// One channel on the way.
    pub struct HopView {
        /// The channel.
        pub channel: ChannelId,
        /// Who sends over it.
        pub from: PartyView,
        /// Who receives over it.
        pub to: PartyView,
        /// What the channel carries: what arrives plus the fees of the hops after.
        pub amount: Amount,
        /// What `from` keeps for forwarding; nothing at the sender.
        pub fee: Amount,
        /// What `from` can send over it now, if known here.
        pub capacity: Option<Amount>,
    }

    /// A way that could carry a payment now.
    pub struct RouteView {
        /// Who pays.
        pub from: PartyView,
        /// Who is paid.
        pub to: PartyView,
        /// Which asset.
        pub asset: AssetId,
        /// Its symbol.
        pub symbol: String,
        /// Digits after the decimal point of one unit.
        pub decimals: u8,
        /// What arrives.
        pub amount: Amount,
        /// What the hops take on top.
        pub fee: Amount,
        /// What leaves the payer.
        pub total: Amount,
        /// Longest time that the payer's money can be held.
        pub lock_ms: u64,
        /// The channels in order.
        pub hops: Vec<HopView>,
    }
}
