//! Changing the board of an entity: who speaks for it from the next frame on.
//!
//! A lazy entity is the hash of its board and never changes it. A registered entity does, and so does the depositary, whose
//! identifier the chain spec gives. The change takes effect at once in the entity's own state, so later calls of the same
//! frame are authorised by the new board; the frame itself is certified by the board that was there when it began.
//!
//! **The entity must go on.** If the board before votes, those of its voters that stay have to be a quorum of the new one,
//! and one of them has to be able to propose. Then the next frame comes even if nobody new ever shows up. Of each the smaller
//! weight of before and after counts: nobody becomes indispensable in one step. A voter who was alone is so already, and its
//! new weight counts: with three times the weight of a newcomer it can take one in.

use std::collections::BTreeMap;

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Board, Member, Origin, Principal, Profile, Weight};

use crate::{
    Config, Error, Event,
    board::{self, BOARD, check_hostable, require_own_board},
    history::{Era, History},
};

/// What changes in a board.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum BoardChange {
    /// A new member, behind the others.
    #[codec(index = 0)]
    Add(Member),
    /// A member leaves.
    #[codec(index = 1)]
    Remove(Principal),
    /// A member becomes another at the same place: another key, delegate, weight or other permissions.
    #[codec(index = 2)]
    Replace {
        /// Who.
        who: Principal,
        /// What it is from now on.
        with: Member,
    },
    /// Another weight authorises actions.
    #[codec(index = 3)]
    SetThreshold(Weight),
    /// Another profile.
    #[codec(index = 4)]
    SetProfile(Profile),
    /// Another board altogether.
    #[codec(index = 5)]
    SetBoard(Board),
}

impl BoardChange {
    /// The board that `board` becomes. Whether it is sound is not checked here.
    ///
    /// Errors: [`Error::NoSuchMember`], [`Error::BoardIsFull`].
    pub fn apply(&self, board: &Board) -> Result<Board, Error> {
        let mut new = board.clone();
        let place = |who: &Principal| {
            let place = board.members.iter().position(|member| member.principal() == *who);
            place.ok_or(Error::NoSuchMember { who: *who })
        };
        match self {
            Self::Add(member) => new.members.try_push(member.clone()).map_err(|_| Error::BoardIsFull)?,
            Self::Remove(who) => {
                new.members.remove(place(who)?);
            }
            Self::Replace { who, with } => {
                let place = place(who)?;
                if let Some(member) = new.members.get_mut(place) {
                    *member = with.clone();
                }
            }
            Self::SetThreshold(threshold) => new.threshold = *threshold,
            Self::SetProfile(profile) => new.profile = *profile,
            Self::SetBoard(board) => new = board.clone(),
        }
        Ok(new)
    }
}

/// [`crate::Call::ChangeBoard`].
pub(crate) fn dispatch<T: Config>(env: &mut T, origin: Origin, change: &BoardChange) -> Result<(), Error> {
    require_own_board(origin)?;
    let entity = env.entity();
    if entity.registry_number().is_none() && entity != env.depositary() {
        return Err(Error::LazyBoard { entity });
    }
    let old = board::board(env)?.ok_or(Error::NotFounded)?;
    let new = change.apply(&old)?;
    if new == old {
        return Err(Error::NothingChanges);
    }
    if new.members.iter().any(|member| member.principal() == Principal::Entity(entity)) {
        return Err(Error::Cycle { entity });
    }
    check_hostable(&new)?;
    let height = env.height();
    // The one that certifies this frame, if it was another than `old`.
    match History::OWN.at(env, height)? {
        Era::Former(certifying) => keeps_going(&certifying, &new)?,
        Era::Present | Era::Forgotten => keeps_going(&old, &new)?,
    }
    History::OWN.push(env, height, &old)?;
    BOARD.put(env, &new);
    env.deposit_event(Event::BoardChanged { board_hash: new.hash(), last_height: height });
    Ok(())
}

/// Checks that those who vote on `old` and stay can decide alone what `new` decides.
fn keeps_going(old: &Board, new: &Board) -> Result<(), Error> {
    if !old.votes() {
        return Ok(());
    }
    let before: BTreeMap<[u8; 48], Weight> =
        old.voters().into_iter().flatten().map(|voter| (voter.key, voter.weight)).collect();
    let (mut staying, mut proposes): (Weight, bool) = (0, false);
    for voter in new.voters().into_iter().flatten() {
        if let Some(weight) = before.get(&voter.key) {
            let weight = if before.len() == 1 { voter.weight } else { voter.weight.min(*weight) };
            staying = staying.saturating_add(weight);
            proposes |= voter.proposing > 0;
        }
    }
    let quorum = new.quorum();
    if staying < quorum {
        return Err(Error::LosesQuorum { staying, quorum });
    }
    if proposes { Ok(()) } else { Err(Error::NobodyProposes) }
}
