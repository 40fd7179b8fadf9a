//! Settlement: what both sides of a channel agree to move between their reserves and the collateral.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{
    Amount, ArithmeticError, AssetId, BoundedVec, ChannelId, ConstU32, Delta, EntityId, Side, Storage,
    StorageMap, StorageType, Timestamp,
};

use crate::{Config, Error, Event, MAX_ROWS, asset::asset, channel, reserve};

/// The half that each side has sent for the next nonce of a channel.
const HALVES: StorageMap<(ChannelId, Side), Settlement> = StorageMap::new(StorageType::Reserves, 7);

/// An agreement of both sides, which each of them sends as its own call.
///
/// Refused, each with the numbers, when: the sides are out of order or the channel is not theirs; the caller is not one of
/// them; epoch or nonce are not the channel's present epoch and next nonce; it has expired; a row does not add up,
/// stands twice or is of an unknown asset; a reserve or the collateral is too small (when it executes); a close
/// leaves something in the channel.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Settlement {
    /// The channel.
    pub channel: ChannelId,
    /// Its left side.
    pub left: EntityId,
    /// Its right side.
    pub right: EntityId,
    /// The channel's epoch.
    pub epoch: u32,
    /// The channel's next nonce.
    pub nonce: u64,
    /// The depositary's time from which on it is refused.
    pub expires: Timestamp,
    /// Whether it ends this life of the channel.
    pub close: bool,
    /// What moves, per asset. Assets that are not named stay as they are.
    pub rows: BoundedVec<SettlementRow, ConstU32<MAX_ROWS>>,
}

/// What moves in one asset. The first three add up to zero.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct SettlementRow {
    /// The asset.
    pub asset: AssetId,
    /// Change of left's reserve.
    pub left_reserve_diff: Delta,
    /// Change of right's reserve.
    pub right_reserve_diff: Delta,
    /// Change of the collateral.
    pub collateral_diff: Delta,
    /// Change of left's claim.
    pub ondelta_diff: Delta,
}

impl SettlementRow {
    /// Whether money is neither created nor destroyed.
    ///
    /// The smallest and the largest of numbers that add up to zero have opposite signs, so their sum fits: an
    /// overflow anywhere means that the sum is not zero.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let mut parts = [self.left_reserve_diff, self.right_reserve_diff, self.collateral_diff];
        parts.sort_unstable();
        let [least, middle, greatest] = parts;
        least.add(greatest).and_then(|sum| sum.add(middle)) == Ok(Delta::ZERO)
    }
}

/// The half that a side has sent and that still waits for the other's.
pub fn half(
    storage: &(impl Storage + ?Sized),
    channel: &ChannelId,
    side: Side,
) -> Result<Option<Settlement>, Error> {
    Ok(HALVES.get(storage, &(*channel, side))?)
}

/// Forgets the halves of a channel whose nonce has moved on.
pub(crate) fn drop_halves(storage: &mut (impl Storage + ?Sized), channel: &ChannelId) {
    for side in [Side::Left, Side::Right] {
        HALVES.remove(storage, &(*channel, side));
    }
}

/// [`crate::Call::Settle`].
pub(crate) fn settle<T: Config>(env: &mut T, origin: EntityId, body: Settlement) -> Result<(), Error> {
    let side = check(env, origin, &body)?;
    if half(env, &body.channel, side.other())?.as_ref() == Some(&body) {
        return execute(env, &body);
    }
    HALVES.put(env, &(body.channel, side), &body);
    let Settlement { channel, nonce, expires, .. } = body;
    env.deposit_event(Event::HalfSettled { channel, side, nonce, expires });
    Ok(())
}

/// Checks everything that does not depend on balances, which may still change until the second half arrives.
/// Returns the caller's side.
fn check<T: Config>(env: &T, origin: EntityId, body: &Settlement) -> Result<Side, Error> {
    let channel = channel::between(&body.left, &body.right)?;
    if body.channel != channel {
        return Err(Error::WrongChannel { expected: channel, found: body.channel });
    }
    let side = match origin {
        left if left == body.left => Side::Left,
        right if right == body.right => Side::Right,
        origin => return Err(Error::NotASide { channel, origin }),
    };
    let info = channel::channel(env, &channel)?;
    if body.epoch != info.epoch {
        return Err(Error::WrongEpoch { channel, expected: info.epoch, found: body.epoch });
    }
    let expected = info.nonce.checked_add(1).ok_or(ArithmeticError)?;
    if body.nonce != expected {
        return Err(Error::WrongNonce { channel, expected, found: body.nonce });
    }
    if env.now() >= body.expires {
        return Err(Error::Expired { expires: body.expires, now: env.now() });
    }
    for (position, row) in body.rows.iter().enumerate() {
        asset(env, &row.asset)?;
        if body.rows.iter().take(position).any(|earlier| earlier.asset == row.asset) {
            return Err(Error::DuplicateAsset { asset: row.asset });
        }
        if !row.is_balanced() {
            return Err(Error::Unbalanced {
                asset: row.asset,
                left: row.left_reserve_diff,
                right: row.right_reserve_diff,
                collateral: row.collateral_diff,
            });
        }
    }
    Ok(side)
}

fn execute<T: Config>(env: &mut T, body: &Settlement) -> Result<(), Error> {
    for row in &body.rows {
        apply(env, body, row)?;
    }
    if body.close {
        channel::close(env, body.left, body.right)
    } else {
        channel::advance(env, body.left, body.right)
    }
}

fn apply<T: Config>(env: &mut T, body: &Settlement, row: &SettlementRow) -> Result<(), Error> {
    let (channel, id) = (&body.channel, &row.asset);
    for (entity, diff) in [(&body.left, row.left_reserve_diff), (&body.right, row.right_reserve_diff)] {
        let (gain, loss) = split(diff);
        if !loss.is_zero() {
            reserve::debit(env, entity, id, loss)?;
        }
        if !gain.is_zero() {
            reserve::credit(env, entity, id, gain)?;
        }
    }
    let mut account = channel::account(env, channel, id)?.unwrap_or_default();
    let (gain, needs) = split(row.collateral_diff);
    let has = account.collateral;
    let Ok(rest) = has.sub(needs) else {
        return Err(Error::InsufficientCollateral { channel: *channel, asset: *id, needs, has });
    };
    account.collateral = rest.add(gain)?;
    account.ondelta = account.ondelta.add(row.ondelta_diff)?;
    channel::set_account(env, channel, id, account)
}

/// A change as what is gained and what is lost; one of them is zero.
fn split(diff: Delta) -> (Amount, Amount) {
    let gain = diff.positive_part();
    (gain, if gain.is_zero() { diff.magnitude() } else { Amount::ZERO })
}
