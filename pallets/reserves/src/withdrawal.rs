//! Withdrawals: assets leave the reserve at once and the depositary when the bridge confirms.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{
    Amount, ArithmeticError, AssetId, EntityId, Storage, StorageMap, StorageType, StorageValue,
};

use crate::{
    Config, Destination, Error, Event, Notice,
    asset::asset,
    reserve::{self, require_positive},
    totals,
};

/// Number of a withdrawal; the first is 1.
pub type WithdrawalId = u64;

/// Pending withdrawals by number, big-endian so that pages are in the order of requests.
const WITHDRAWALS: StorageMap<[u8; 8], Withdrawal> = StorageMap::new(StorageType::Reserves, 5);
/// Number of the last withdrawal.
const LAST_WITHDRAWAL: StorageValue<WithdrawalId> = StorageValue::new(StorageType::Reserves, 6);

/// A withdrawal that waits for the bridge.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Withdrawal {
    /// Whose reserve it left, and to which it returns if it is rejected.
    pub owner: EntityId,
    /// The asset.
    pub asset: AssetId,
    /// How much.
    pub amount: Amount,
    /// Where it shall go.
    pub destination: Destination,
}

/// A pending withdrawal.
pub fn withdrawal(storage: &(impl Storage + ?Sized), id: WithdrawalId) -> Result<Option<Withdrawal>, Error> {
    Ok(WITHDRAWALS.get(storage, &id.to_be_bytes())?)
}

/// At most `limit` pending withdrawals after `after`, oldest first.
pub fn withdrawals(
    storage: &(impl Storage + ?Sized),
    after: Option<WithdrawalId>,
    limit: usize,
) -> Result<Vec<(WithdrawalId, Withdrawal)>, Error> {
    let page = WITHDRAWALS.page(storage, after.map(u64::to_be_bytes).as_ref(), limit)?;
    Ok(page.into_iter().map(|(id, withdrawal)| (u64::from_be_bytes(id), withdrawal)).collect())
}

/// Number of the last withdrawal that was asked for; 0 if none was.
pub(crate) fn last(storage: &(impl Storage + ?Sized)) -> Result<WithdrawalId, Error> {
    Ok(LAST_WITHDRAWAL.get(storage)?.unwrap_or(0))
}

/// [`crate::Call::Withdraw`].
pub(crate) fn request<T: Config>(
    env: &mut T,
    owner: EntityId,
    id: AssetId,
    amount: Amount,
    destination: Destination,
) -> Result<(), Error> {
    asset(env, &id)?;
    require_positive(amount)?;
    reserve::debit(env, &owner, &id, amount)?;
    totals::update(env, &id, |totals| {
        totals.pending = totals.pending.add(amount)?;
        Ok(())
    })?;
    let number = last(env)?.checked_add(1).ok_or(ArithmeticError)?;
    LAST_WITHDRAWAL.put(env, &number);
    let withdrawal = Withdrawal { owner, asset: id, amount, destination };
    WITHDRAWALS.put(env, &number.to_be_bytes(), &withdrawal);
    let Withdrawal { destination, .. } = withdrawal;
    env.deposit_event(Event::WithdrawalRequested { id: number, owner, asset: id, amount, destination });
    Ok(())
}

/// [`crate::Call::ConfirmWithdrawal`].
pub(crate) fn confirm<T: Config>(env: &mut T, origin: EntityId, id: WithdrawalId) -> Result<(), Error> {
    let Withdrawal { owner, asset, amount, .. } = take(env, origin, id)?;
    totals::update(env, &asset, |totals| {
        totals.withdrawn = totals.withdrawn.add(amount)?;
        Ok(())
    })?;
    env.deposit_event(Event::WithdrawalConfirmed { id });
    env.notify(owner, Notice::WithdrawalFinal { id, asset, amount });
    Ok(())
}

/// [`crate::Call::RejectWithdrawal`].
pub(crate) fn reject<T: Config>(env: &mut T, origin: EntityId, id: WithdrawalId) -> Result<(), Error> {
    let Withdrawal { owner, asset, amount, .. } = take(env, origin, id)?;
    reserve::credit(env, &owner, &asset, amount)?;
    env.deposit_event(Event::WithdrawalRejected { id });
    env.notify(owner, Notice::WithdrawalReturned { id, asset, amount });
    Ok(())
}

/// Takes a withdrawal out of the pending ones, on behalf of the bridge.
fn take<T: Config>(env: &mut T, origin: EntityId, id: WithdrawalId) -> Result<Withdrawal, Error> {
    let withdrawal = withdrawal(env, id)?.ok_or(Error::UnknownWithdrawal { id })?;
    let bridge = asset(env, &withdrawal.asset)?.bridge;
    if origin != bridge {
        return Err(Error::NotTheBridge { asset: withdrawal.asset, bridge, origin });
    }
    WITHDRAWALS.remove(env, &id.to_be_bytes());
    totals::update(env, &withdrawal.asset, |totals| {
        totals.pending = totals.pending.sub(withdrawal.amount)?;
        Ok(())
    })?;
    Ok(withdrawal)
}
