//! Requests for collateral, answered within the policy.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Amount, AssetId, EntityId, StorageMap};

use crate::{
    Config, Error, Event,
    channel::Channel,
    policy::Policy,
    storage::{RowKey, part, row_at, rows},
};

/// What was locked on request in the present life of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
struct Granted {
    epoch: u32,
    amount: Amount,
}

const GRANTED: StorageMap<RowKey<{ part::GRANT }, AssetId>, Granted> = rows();

/// A request is committed: the other side locks the sum if its policy allows so much without asking. What was
/// granted counts at once, so that many requests together get no more than one.
pub(crate) fn requested<T: Config>(
    env: &mut T,
    channel: &Channel,
    by: EntityId,
    asset: AssetId,
    amount: Amount,
) -> Result<(), Error> {
    let id = channel.id;
    let mut granted = false;
    if by != env.entity() {
        let before = GRANTED
            .get(env, &row_at(&id, asset))?
            .filter(|granted| granted.epoch == channel.epoch)
            .map_or(Amount::ZERO, |granted| granted.amount);
        if let Ok(total) = before.add(amount)
            && total <= Policy::load(env)?.auto_collateral
        {
            GRANTED.put(env, &row_at(&id, asset), &Granted { epoch: channel.epoch, amount: total });
            env.allocate(by, asset, amount);
            granted = true;
        }
    }
    env.deposit_event(Event::CollateralRequested { channel: id, asset, amount, by, granted });
    Ok(())
}
