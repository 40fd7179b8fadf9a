//! What members spent alone, against their limits.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{Amount, AssetId, Corrupt, Principal, Storage, StorageMap, StorageType, Timestamp};

use crate::{Config, Error, Policy, Spend};

/// What a member spent of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Spent {
    /// When the period began.
    pub since: Timestamp,
    /// How much since then.
    pub amount: Amount,
}

const SPENT: StorageMap<(Principal, AssetId), Spent> = StorageMap::new(StorageType::Proposals, 5);

/// What a member spent of an asset in the period that began last; none if it never spent under a limit.
pub fn spent(
    storage: &(impl Storage + ?Sized),
    by: &Principal,
    asset: &AssetId,
) -> Result<Option<Spent>, Corrupt> {
    SPENT.get(storage, &(*by, *asset))
}

/// Counts what a call spends.
pub(crate) fn spend<T: Config>(
    env: &mut T,
    by: Principal,
    policy: &Policy,
    spends: &[Spend],
) -> Result<(), Error> {
    if policy.limits.is_empty() {
        return Ok(());
    }
    let now = env.now();
    for Spend { asset, amount } in spends {
        let limit = policy.limit(asset).ok_or(Error::NoLimit { asset: *asset })?;
        let key = (by, *asset);
        let current = SPENT
            .get(env, &key)?
            .filter(|spent| spent.since.saturating_add(limit.period_ms) > now)
            .unwrap_or(Spent { since: now, amount: Amount::ZERO });
        let total = current.amount.add(*amount)?;
        if total > limit.amount {
            return Err(Error::SpendingLimit {
                asset: *asset,
                limit: limit.amount,
                spent: current.amount,
                asked: *amount,
                until: current.since.saturating_add(limit.period_ms),
            });
        }
        SPENT.put(env, &key, &Spent { amount: total, ..current });
    }
    Ok(())
}
