//! Allocation: reserve becomes collateral, by anyone, in favour of one side of any channel.

use xln_primitives::{Amount, AssetId, EntityId, Side};

use crate::{
    Config, Error, Event,
    asset::asset,
    channel,
    reserve::{self, require_positive},
};

/// [`crate::Call::Allocate`].
///
/// Left's claim is counted from zero, so what is added in favour of left also raises `ondelta`, and what is added
/// in favour of right raises the collateral only.
pub(crate) fn allocate<T: Config>(
    env: &mut T,
    from: EntityId,
    (left, right): (EntityId, EntityId),
    in_favour: Side,
    id: AssetId,
    amount: Amount,
) -> Result<(), Error> {
    asset(env, &id)?;
    require_positive(amount)?;
    let channel = channel::between(&left, &right)?;
    reserve::debit(env, &from, &id, amount)?;
    let mut account = channel::account(env, &channel, &id)?.unwrap_or_default();
    account.collateral = account.collateral.add(amount)?;
    if in_favour == Side::Left {
        account.ondelta = account.ondelta.raised(amount)?;
    }
    channel::set_account(env, &channel, &id, account)?;
    env.deposit_event(Event::Allocated { channel, from, in_favour, asset: id, amount });
    channel::advance(env, left, right)
}
