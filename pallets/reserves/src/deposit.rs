//! Deposits: what arrived outside becomes a reserve.

use xln_primitives::{Amount, AssetId, EntityId, Storage};

use crate::{
    AssetInfo, Config, Error, Event, Notice, Reference,
    asset::asset,
    reserve::{self, require_positive},
    totals::{self, totals},
};

/// [`crate::Call::Deposit`].
pub(crate) fn deposit<T: Config>(
    env: &mut T,
    origin: EntityId,
    id: AssetId,
    to: EntityId,
    amount: Amount,
    reference: Reference,
) -> Result<(), Error> {
    let info = asset(env, &id)?;
    require_positive(amount)?;
    permit(&info, id, origin, amount)?;
    count(env, &info, &id, amount)?;
    reserve::credit(env, &to, &id, amount)?;
    env.deposit_event(Event::Deposited { asset: id, by: origin, to, amount, reference: reference.clone() });
    env.notify(to, Notice::Deposited { asset: id, amount, reference });
    Ok(())
}

/// The bridge deposits without limit, anybody else as much as the faucet gives.
fn permit(info: &AssetInfo, asset: AssetId, origin: EntityId, asked: Amount) -> Result<(), Error> {
    if origin == info.bridge {
        return Ok(());
    }
    match info.faucet_max {
        None => Err(Error::NotTheBridge { asset, bridge: info.bridge, origin }),
        Some(limit) if asked > limit => Err(Error::FaucetLimit { asset, asked, limit }),
        Some(_) => Ok(()),
    }
}

/// Counts an amount as deposited; its place in a reserve or in collateral is the caller's to give.
pub(crate) fn count(
    storage: &mut (impl Storage + ?Sized),
    info: &AssetInfo,
    asset: &AssetId,
    amount: Amount,
) -> Result<(), Error> {
    let supply = totals(storage, asset)?.supply()?;
    let limit = info.supply_max();
    if !supply.add(amount).is_ok_and(|after| after <= limit) {
        return Err(Error::SupplyTooLarge { asset: *asset, supply, amount, limit });
    }
    totals::update(storage, asset, |totals| {
        totals.deposited = totals.deposited.add(amount)?;
        Ok(())
    })
}
