//! Delegation: another member's vote counts for one's own weight, for a time.

use std::collections::BTreeMap;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{Board, Corrupt, Permissions, Principal, Storage, StorageMap, StorageType, Timestamp};

use crate::{
    Config, Error, Event, decide,
    permit::{member, require},
};

/// To whom a member delegated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Delegation {
    /// Whose votes count.
    pub to: Principal,
    /// From when on they do not any more.
    pub until: Timestamp,
}

const DELEGATIONS: StorageMap<Principal, Delegation> = StorageMap::new(StorageType::Proposals, 3);

/// To whom a member delegated, also if that is over.
pub fn delegation(storage: &(impl Storage + ?Sized), by: &Principal) -> Result<Option<Delegation>, Corrupt> {
    DELEGATIONS.get(storage, by)
}

/// At most `limit` delegations after that of `after`.
pub fn delegations(
    storage: &(impl Storage + ?Sized),
    after: Option<&Principal>,
    limit: usize,
) -> Result<Vec<(Principal, Delegation)>, Corrupt> {
    DELEGATIONS.page(storage, after, limit)
}

/// The delegations of members of a board that are valid at `now`.
pub(crate) fn valid(
    storage: &(impl Storage + ?Sized),
    board: &Board,
    now: Timestamp,
) -> Result<BTreeMap<Principal, Principal>, Corrupt> {
    let mut valid = BTreeMap::new();
    for member in &board.members {
        let by = member.principal();
        if let Some(delegation) = DELEGATIONS.get(storage, &by)?.filter(|delegation| delegation.until > now) {
            valid.insert(by, delegation.to);
        }
    }
    Ok(valid)
}

/// [`crate::Call::Delegate`].
pub(crate) fn delegate<T: Config>(
    env: &mut T,
    by: Principal,
    to: Option<Principal>,
    until: Timestamp,
) -> Result<(), Error> {
    let (board, now) = (env.board()?, env.now());
    require(member(&board, by)?, Permissions::VOTE)?;
    match to {
        Some(to) => {
            if to == by {
                return Err(Error::DelegatesToItself);
            }
            require(member(&board, to)?, Permissions::VOTE)?;
            if until <= now {
                return Err(Error::DelegationIsOver { until, now });
            }
            DELEGATIONS.put(env, &by, &Delegation { to, until });
        }
        None => DELEGATIONS.remove(env, &by),
    }
    // Rows of members who left are of no use to anybody.
    for (stale, _) in DELEGATIONS.page(env, None, SWEPT)? {
        if member(&board, stale).is_err() {
            DELEGATIONS.remove(env, &stale);
        }
    }
    env.deposit_event(Event::WeightDelegated { by, to, until });
    decide::settle(env)
}

/// As many rows as a board can have members, twice: those of the members, and those that are swept.
const SWEPT: usize = 512;
