//! Entities that are there from the start.

use std::collections::BTreeMap;

use pallet_governance::{Policy, Preset};
use serde::{Deserialize, Serialize};
use xln_primitives::{Amount, EntityId};

use crate::{AssetRef, BoardSpec, unique_map};

/// An entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntitySpec {
    /// What it is called here and by people; 1–64 of `a–z 0–9 - _ .`.
    pub name: String,
    /// Its identifier. It follows from the rest and is checked if stated; the raw form always states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EntityId>,
    /// Whether it has a number in the depositary's registry. If not, its identifier is the hash of its board.
    #[serde(default)]
    pub registered: bool,
    /// Who speaks for it.
    pub board: BoardSpec,
    /// What it owns at the depositary, per asset.
    #[serde(default, deserialize_with = "unique_map::deserialize")]
    pub reserves: BTreeMap<AssetRef, Amount>,
    /// Its terms for forwarding payments; the defaults of the channel pallet if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicySpec>,
    /// What its members may do alone; what suits its board if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governance: Option<GovernanceSpec>,
}

/// What the members of an entity may do alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum GovernanceSpec {
    /// A preset by its name: `wallet`, `company`, `hub` or `consortium`.
    Preset(Preset),
    /// A policy of its own, in full.
    Own(Box<Policy>),
}

impl GovernanceSpec {
    /// The policy that is meant.
    #[must_use]
    pub fn policy(&self) -> Policy {
        match self {
            Self::Preset(preset) => preset.policy(),
            Self::Own(policy) => policy.as_ref().clone(),
        }
    }
}

/// Terms of an entity that forwards payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicySpec {
    /// Fee per forwarded payment, in the asset's smallest unit; nothing if left out.
    #[serde(default)]
    pub base_fee: Amount,
    /// Fee in proportion to the sum, in millionths, at most 1,000,000; nothing if left out.
    #[serde(default)]
    pub fee_ppm: u32,
    /// Least time between the deadlines of its two hops, in milliseconds; 40,000 if left out.
    #[serde(default = "PolicySpec::default_timelock_delta_ms")]
    pub timelock_delta_ms: u64,
    /// Smallest sum that it forwards; 1 if left out.
    #[serde(default = "PolicySpec::default_min_htlc")]
    pub min_htlc: Amount,
    /// Largest sum that it forwards; without limit if left out.
    #[serde(default = "PolicySpec::default_max_htlc")]
    pub max_htlc: Amount,
    /// Most pending conditions per channel; 10,000 if left out.
    #[serde(default = "PolicySpec::default_max_pending")]
    pub max_pending: u16,
}

impl PolicySpec {
    const fn default_timelock_delta_ms() -> u64 {
        40_000
    }

    const fn default_min_htlc() -> Amount {
        Amount::new(1)
    }

    const fn default_max_htlc() -> Amount {
        Amount::MAX
    }

    const fn default_max_pending() -> u16 {
        10_000
    }
}
