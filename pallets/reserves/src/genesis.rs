//! What the ledger holds before the first block.

use xln_primitives::{Amount, AssetId, EntityId, Storage};

use crate::{
    Account, AssetInfo, Error,
    asset::{ASSETS, asset},
    channel, deposit, reserve,
};

/// Defines an asset.
///
/// Errors: [`Error::AssetExists`], [`Error::NotText`].
pub fn genesis_asset(
    storage: &mut (impl Storage + ?Sized),
    id: AssetId,
    info: &AssetInfo,
) -> Result<(), Error> {
    if ASSETS.contains(storage, &id) {
        return Err(Error::AssetExists { asset: id });
    }
    if !info.is_text() {
        return Err(Error::NotText { asset: id });
    }
    ASSETS.put(storage, &id, info);
    Ok(())
}

/// Adds to a reserve; counts as deposited.
///
/// Errors: [`Error::UnknownAsset`], [`Error::SupplyTooLarge`].
pub fn genesis_reserve(
    storage: &mut (impl Storage + ?Sized),
    entity: &EntityId,
    id: &AssetId,
    amount: Amount,
) -> Result<(), Error> {
    let info = asset(storage, id)?;
    deposit::count(storage, &info, id, amount)?;
    reserve::credit(storage, entity, id, amount)
}

/// Gives a channel a row at nonce 0; its collateral counts as deposited. The row must not exist yet.
///
/// Errors: [`Error::SidesOutOfOrder`], [`Error::UnknownAsset`], [`Error::DuplicateAsset`],
/// [`Error::SupplyTooLarge`], [`Error::TooManyRows`].
pub fn genesis_account(
    storage: &mut (impl Storage + ?Sized),
    left: &EntityId,
    right: &EntityId,
    id: &AssetId,
    account: Account,
) -> Result<(), Error> {
    let channel = channel::between(left, right)?;
    let info = asset(storage, id)?;
    if channel::account(storage, &channel, id)?.is_some() {
        return Err(Error::DuplicateAsset { asset: *id });
    }
    deposit::count(storage, &info, id, account.collateral)?;
    channel::set_account(storage, &channel, id, account)?;
    channel::begin(storage, &channel)
}
