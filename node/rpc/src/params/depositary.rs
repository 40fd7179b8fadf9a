//! Requests to the depositary.

use xln_primitives::{Amount, AssetId};

use super::{params, yes};
use crate::{AssetRef, Bytes, ChannelRef, EntityRef};

params! {
    /// Adds to a reserve what arrived outside; on a development network anybody may, from the faucet.
    pub struct Deposit {
        /// Whose reserve.
        pub entity: Option<EntityRef>,
        /// Which asset.
        pub asset: Option<AssetRef>,
        /// How much.
        pub amount: Amount,
        /// Whether to wait for the outcome.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Takes out of a reserve what shall leave the network.
    pub struct Withdraw {
        /// Whose reserve.
        pub entity: Option<EntityRef>,
        /// Which asset.
        pub asset: Option<AssetRef>,
        /// How much.
        pub amount: Amount,
        /// Where to outside, in the form of the asset's bridge.
        pub to: Option<Bytes>,
        /// Whether to wait for the outcome.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Moves from one reserve to another.
    pub struct Transfer {
        /// Who pays.
        pub entity: Option<EntityRef>,
        /// Who is paid.
        pub to: EntityRef,
        /// Which asset.
        pub asset: Option<AssetRef>,
        /// How much.
        pub amount: Amount,
        /// Whether to wait for the outcome.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Locks part of a reserve as collateral of a channel.
    pub struct Allocate {
        /// Whose reserve.
        pub entity: Option<EntityRef>,
        /// Which channel of it.
        pub channel: ChannelRef,
        /// Which asset.
        pub asset: Option<AssetRef>,
        /// How much.
        pub amount: Amount,
        /// Which of the two sides may claim it; by default the acting entity.
        pub favour: Option<EntityRef>,
        /// Whether to wait for the outcome.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Holdings by asset: those of `entity`, or without it of every hosted entity.
    #[derive(Default)]
    pub struct ListReserves {
        /// Whose.
        pub entity: Option<EntityRef>,
        /// Only of this asset.
        pub asset: Option<AssetId>,
    }
}
