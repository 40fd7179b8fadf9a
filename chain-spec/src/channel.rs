//! Channels that are open from the start.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xln_primitives::Amount;

use crate::{AssetRef, EntityRef, unique_map};

/// A channel, written from either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelSpec {
    /// One side. In the raw form the one with the smaller identifier.
    pub left: EntityRef,
    /// The other side.
    pub right: EntityRef,
    /// The assets of the channel.
    #[serde(deserialize_with = "unique_map::deserialize")]
    pub assets: BTreeMap<AssetRef, RowSpec>,
}

/// One asset of a channel. What is left out is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RowSpec {
    /// Locked at the depositary for the channel.
    pub collateral: Amount,
    /// How much of the collateral is left's; the rest is right's.
    pub left_share: Amount,
    /// Most that left may owe right.
    pub left_credit: Amount,
    /// Most that right may owe left.
    pub right_credit: Amount,
}
