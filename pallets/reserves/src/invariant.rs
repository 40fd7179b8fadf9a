//! What always holds in the ledger.

use std::collections::BTreeMap;

use xln_primitives::{Amount, ArithmeticError, AssetId, ChannelId, Corrupt, EntityId, Storage};

use crate::{
    Error, Totals,
    asset::assets,
    channel::{ACCOUNTS, MAX_ROWS},
    reserve::RESERVES,
    totals::TOTALS,
    withdrawal::{self, withdrawals},
};

/// Entries read at once.
const PAGE: usize = 256;

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// State that is damaged.
    #[error(transparent)]
    State(#[from] Error),
    /// A sum over entries does not fit.
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
    /// C1: the depositary does not hold what it must.
    #[error("asset {asset}: deposits − withdrawals are {supply}, reserves + collateral + pending are {held}")]
    Conservation {
        /// The asset.
        asset: AssetId,
        /// Deposits − withdrawals.
        supply: Amount,
        /// Reserves + collateral + pending withdrawals.
        held: Amount,
    },
    /// A total differs from the sum of its entries.
    #[error("asset {asset}: the totals are {kept:?}, the entries add up to {counted:?}")]
    Totals {
        /// The asset.
        asset: AssetId,
        /// As kept.
        kept: Box<Totals>,
        /// With reserves, collateral and pending withdrawals as counted.
        counted: Box<Totals>,
    },
    /// There is more of an asset than there may be.
    #[error("asset {asset}: supply {supply} exceeds the most that may exist, {limit}")]
    Supply {
        /// The asset.
        asset: AssetId,
        /// Deposits − withdrawals.
        supply: Amount,
        /// Most that may exist.
        limit: Amount,
    },
    /// Something is held of an asset that is not defined.
    #[error("asset {asset} is not defined, yet something is held of it")]
    UndefinedAsset {
        /// The asset.
        asset: AssetId,
    },
    /// A reserve of zero takes space.
    #[error("the reserve of {entity} in asset {asset} is stored at zero")]
    EmptyReserve {
        /// Whose reserve.
        entity: EntityId,
        /// The asset.
        asset: AssetId,
    },
    /// A channel has more rows than fit into a notice.
    #[error("channel {channel} has more than {MAX_ROWS} assets")]
    TooManyRows {
        /// The channel.
        channel: ChannelId,
    },
    /// A pending withdrawal has a number that was never given.
    #[error("withdrawal {id} is pending, the last one was {last}")]
    UnknownWithdrawal {
        /// Its number.
        id: u64,
        /// The last number given.
        last: u64,
    },
}

impl From<Corrupt> for Violation {
    fn from(corrupt: Corrupt) -> Self {
        Self::State(Error::Corrupt(corrupt))
    }
}

/// Checks C1 and the form of every entry by a full scan in pages.
pub fn try_state(storage: &(impl Storage + ?Sized)) -> Result<(), Violation> {
    let mut counted: BTreeMap<AssetId, Totals> = BTreeMap::new();
    count_reserves(storage, &mut counted)?;
    count_collateral(storage, &mut counted)?;
    count_withdrawals(storage, &mut counted)?;
    compare(storage, counted)
}

type Counted = BTreeMap<AssetId, Totals>;

fn count_reserves(storage: &(impl Storage + ?Sized), counted: &mut Counted) -> Result<(), Violation> {
    let mut after = None;
    loop {
        let page = RESERVES.page(storage, after.as_ref(), PAGE)?;
        for ((entity, asset), amount) in &page {
            if amount.is_zero() {
                return Err(Violation::EmptyReserve { entity: *entity, asset: *asset });
            }
            let totals = counted.entry(*asset).or_default();
            totals.reserves = totals.reserves.add(*amount)?;
        }
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
    }
}

fn count_collateral(storage: &(impl Storage + ?Sized), counted: &mut Counted) -> Result<(), Violation> {
    let mut after = None;
    let mut current = (ChannelId::ZERO, 0_u32);
    loop {
        let page = ACCOUNTS.page(storage, after.as_ref(), PAGE)?;
        for ((channel, asset), account) in &page {
            current =
                if current.0 == *channel { (*channel, current.1.saturating_add(1)) } else { (*channel, 1) };
            if current.1 > MAX_ROWS {
                return Err(Violation::TooManyRows { channel: *channel });
            }
            let totals = counted.entry(*asset).or_default();
            totals.collateral = totals.collateral.add(account.collateral)?;
        }
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
    }
}

fn count_withdrawals(storage: &(impl Storage + ?Sized), counted: &mut Counted) -> Result<(), Violation> {
    let newest = withdrawal::last(storage)?;
    let mut after = None;
    loop {
        let page = withdrawals(storage, after, PAGE)?;
        for (id, withdrawal) in &page {
            if *id > newest {
                return Err(Violation::UnknownWithdrawal { id: *id, last: newest });
            }
            let totals = counted.entry(withdrawal.asset).or_default();
            totals.pending = totals.pending.add(withdrawal.amount)?;
        }
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
    }
}

/// Compares what was counted with what is kept, per asset that is defined, and finds no other asset.
fn compare(storage: &(impl Storage + ?Sized), mut counted: Counted) -> Result<(), Violation> {
    let mut kept_totals = BTreeMap::new();
    let mut after = None;
    loop {
        let page = TOTALS.page(storage, after.as_ref(), PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        kept_totals.extend(page);
    }
    let mut after = None;
    loop {
        let page = assets(storage, after.as_ref(), PAGE)?;
        for (asset, info) in &page {
            let kept: Totals = kept_totals.remove(asset).unwrap_or_default();
            let counted = Totals {
                deposited: kept.deposited,
                withdrawn: kept.withdrawn,
                ..counted.remove(asset).unwrap_or_default()
            };
            let (supply, held, limit) = (kept.supply()?, counted.held()?, info.supply_max());
            if supply != held {
                return Err(Violation::Conservation { asset: *asset, supply, held });
            }
            if kept != counted {
                let (kept, counted) = (Box::new(kept), Box::new(counted));
                return Err(Violation::Totals { asset: *asset, kept, counted });
            }
            if supply > limit {
                return Err(Violation::Supply { asset: *asset, supply, limit });
            }
        }
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
    }
    match counted.into_keys().chain(kept_totals.into_keys()).next() {
        Some(asset) => Err(Violation::UndefinedAsset { asset }),
        None => Ok(()),
    }
}
