//! Channels as the depositary sees them: an epoch and a nonce, and per asset the collateral and `ondelta`.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{
    Amount, ArithmeticError, AssetId, ChannelId, Delta, EntityId, Storage, StorageKey, StorageMap,
    StorageType,
};

use crate::{Config, Error, Event, Notice, Settled, SettledRow, settlement, totals};

pub(crate) const ACCOUNTS: StorageMap<(ChannelId, AssetId), Account> =
    StorageMap::new(StorageType::Reserves, 3);
const CHANNELS: StorageMap<ChannelId, ChannelInfo> = StorageMap::new(StorageType::Reserves, 4);

/// Most assets in one channel, so that all of its rows fit into one notice.
pub const MAX_ROWS: u32 = 64;
/// [`MAX_ROWS`] as a number of entries to read.
const ROWS: usize = 64;

/// One asset of a channel at the depositary. A row stays until the channel is closed, also at zero.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen,
)]
pub struct Account {
    /// What is locked.
    pub collateral: Amount,
    /// Left's claim as far as settlement moved it.
    pub ondelta: Delta,
}

/// How far a channel has come. A channel that the depositary never saw is at epoch 0 and nonce 0.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen,
)]
pub struct ChannelInfo {
    /// Which life of the channel it is; raised when it is closed.
    pub epoch: u32,
    /// How often its rows have changed, over all epochs.
    pub nonce: u64,
}

/// How far a channel has come.
pub fn channel(storage: &(impl Storage + ?Sized), id: &ChannelId) -> Result<ChannelInfo, Error> {
    Ok(CHANNELS.get(storage, id)?.unwrap_or_default())
}

/// Where the [`ChannelInfo`] of a channel stands in the depositary's state, for proofs. Its absence proves the
/// default.
#[must_use]
pub fn channel_key(id: &ChannelId) -> StorageKey {
    CHANNELS.key(id)
}

/// One asset of a channel; `None` if the channel has no row of it.
pub fn account(
    storage: &(impl Storage + ?Sized),
    channel: &ChannelId,
    asset: &AssetId,
) -> Result<Option<Account>, Error> {
    Ok(ACCOUNTS.get(storage, &(*channel, *asset))?)
}

/// All rows of a channel by asset; at most [`MAX_ROWS`].
pub fn accounts(
    storage: &(impl Storage + ?Sized),
    channel: &ChannelId,
) -> Result<Vec<(AssetId, Account)>, Error> {
    let page = ACCOUNTS.page_under(storage, channel, None, ROWS)?;
    Ok(page.into_iter().map(|((_, asset), account)| (asset, account)).collect())
}

/// The channel of two sides that are given in order.
///
/// Errors: [`Error::SidesOutOfOrder`].
pub(crate) fn between(left: &EntityId, right: &EntityId) -> Result<ChannelId, Error> {
    if left >= right {
        return Err(Error::SidesOutOfOrder { left: *left, right: *right });
    }
    Ok(ChannelId::between(left, right))
}

/// Replaces one row of a channel and keeps the collateral total in step.
///
/// Errors: [`Error::TooManyRows`] for a new row in a full channel.
pub(crate) fn set_account(
    storage: &mut (impl Storage + ?Sized),
    channel: &ChannelId,
    asset: &AssetId,
    after: Account,
) -> Result<(), Error> {
    let before = account(storage, channel, asset)?;
    if before.is_none() && accounts(storage, channel)?.len() >= ROWS {
        return Err(Error::TooManyRows { channel: *channel });
    }
    let before = before.unwrap_or_default().collateral;
    ACCOUNTS.put(storage, &(*channel, *asset), &after);
    totals::update(storage, asset, |totals| {
        totals.collateral = totals.collateral.sub(before)?.add(after.collateral)?;
        Ok(())
    })
}

/// Makes the channel known, at epoch and nonce 0.
pub(crate) fn begin(storage: &mut (impl Storage + ?Sized), id: &ChannelId) -> Result<(), Error> {
    let info = channel(storage, id)?;
    CHANNELS.put(storage, id, &info);
    Ok(())
}

/// Takes the next nonce after the rows have changed, drops halves that it outdates, and tells both sides.
pub(crate) fn advance<T: Config>(env: &mut T, left: EntityId, right: EntityId) -> Result<(), Error> {
    finish(env, left, right, false)
}

/// As [`advance`], and ends the epoch: the rows go.
///
/// Errors: [`Error::CloseLeaves`] unless all rows are at zero.
pub(crate) fn close<T: Config>(env: &mut T, left: EntityId, right: EntityId) -> Result<(), Error> {
    finish(env, left, right, true)
}

fn finish<T: Config>(env: &mut T, left: EntityId, right: EntityId, closed: bool) -> Result<(), Error> {
    let id = between(&left, &right)?;
    let mut info = channel(env, &id)?;
    let epoch = info.epoch;
    info.nonce = info.nonce.checked_add(1).ok_or(ArithmeticError)?;
    let rows = accounts(env, &id)?;
    if closed {
        info.epoch = epoch.checked_add(1).ok_or(ArithmeticError)?;
        for (asset, account) in &rows {
            let Account { collateral, ondelta } = *account;
            if *account != Account::default() {
                return Err(Error::CloseLeaves { asset: *asset, collateral, ondelta });
            }
            ACCOUNTS.remove(env, &(id, *asset));
        }
    }
    CHANNELS.put(env, &id, &info);
    settlement::drop_halves(env, &id);

    let rows = rows.into_iter().map(|(asset, Account { collateral, ondelta })| SettledRow {
        asset,
        collateral,
        ondelta,
    });
    let rows = rows.collect::<Vec<_>>().try_into().map_err(|_| Error::TooManyRows { channel: id })?;
    let settled = Settled { channel: id, left, right, epoch, nonce: info.nonce, closed, rows };
    env.deposit_event(Event::Settled(settled.clone()));
    env.notify(left, Notice::Settled(settled.clone()));
    env.notify(right, Notice::Settled(settled));
    Ok(())
}
