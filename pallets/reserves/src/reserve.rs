//! Reserves: what an entity owns at the depositary outside of its channels.
//!
//! `credit` is the only way into a reserve and `debit` the only way out. Debts belong exactly here: every
//! increase first pays the oldest of them, and no outflow happens while one is open (C5).

use xln_primitives::{Amount, AssetId, EntityId, Storage, StorageMap, StorageType};

use crate::{Config, Error, Event, Notice, asset::asset, totals};

pub(crate) const RESERVES: StorageMap<(EntityId, AssetId), Amount> =
    StorageMap::new(StorageType::Reserves, 2);

/// What `entity` has in reserve of an asset.
pub fn reserve(
    storage: &(impl Storage + ?Sized),
    entity: &EntityId,
    asset: &AssetId,
) -> Result<Amount, Error> {
    Ok(RESERVES.get(storage, &(*entity, *asset))?.unwrap_or_default())
}

/// At most `limit` reserves of `entity` that are above zero, with an asset after `after`, by asset.
pub fn reserves(
    storage: &(impl Storage + ?Sized),
    entity: &EntityId,
    after: Option<&AssetId>,
    limit: usize,
) -> Result<Vec<(AssetId, Amount)>, Error> {
    let after = after.map(|asset| (*entity, *asset));
    let page = RESERVES.page_under(storage, entity, after.as_ref(), limit)?;
    Ok(page.into_iter().map(|((_, asset), amount)| (asset, amount)).collect())
}

/// Increases a reserve.
pub(crate) fn credit(
    storage: &mut (impl Storage + ?Sized),
    entity: &EntityId,
    asset: &AssetId,
    amount: Amount,
) -> Result<(), Error> {
    let after = reserve(storage, entity, asset)?.add(amount)?;
    set(storage, entity, asset, after);
    totals::update(storage, asset, |totals| {
        totals.reserves = totals.reserves.add(amount)?;
        Ok(())
    })
}

/// Decreases a reserve.
///
/// Errors: [`Error::InsufficientReserve`].
pub(crate) fn debit(
    storage: &mut (impl Storage + ?Sized),
    entity: &EntityId,
    asset: &AssetId,
    needs: Amount,
) -> Result<(), Error> {
    let has = reserve(storage, entity, asset)?;
    let Ok(after) = has.sub(needs) else {
        return Err(Error::InsufficientReserve { entity: *entity, asset: *asset, needs, has });
    };
    set(storage, entity, asset, after);
    totals::update(storage, asset, |totals| {
        totals.reserves = totals.reserves.sub(needs)?;
        Ok(())
    })
}

/// A reserve of zero is no state.
fn set(storage: &mut (impl Storage + ?Sized), entity: &EntityId, asset: &AssetId, amount: Amount) {
    if amount.is_zero() {
        RESERVES.remove(storage, &(*entity, *asset));
    } else {
        RESERVES.put(storage, &(*entity, *asset), &amount);
    }
}

/// Lets an amount through that moves something.
pub(crate) fn require_positive(amount: Amount) -> Result<(), Error> {
    if amount.is_zero() { Err(Error::ZeroAmount) } else { Ok(()) }
}

/// [`crate::Call::Transfer`].
pub(crate) fn transfer<T: Config>(
    env: &mut T,
    from: EntityId,
    to: EntityId,
    id: AssetId,
    amount: Amount,
) -> Result<(), Error> {
    asset(env, &id)?;
    require_positive(amount)?;
    debit(env, &from, &id, amount)?;
    credit(env, &to, &id, amount)?;
    env.deposit_event(Event::Transferred { asset: id, from, to, amount });
    env.notify(to, Notice::Received { from, asset: id, amount });
    Ok(())
}
