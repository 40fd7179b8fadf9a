//! Voting.

use xln_primitives::{Permissions, Principal};

use crate::{
    Ballot, Config, Error, Event, ProposalId, decide,
    permit::{member, require},
    proposal,
};

/// [`crate::Call::Vote`].
pub(crate) fn vote<T: Config>(
    env: &mut T,
    voter: Principal,
    id: ProposalId,
    approves: bool,
) -> Result<(), Error> {
    let board = env.board()?;
    require(member(&board, voter)?, Permissions::VOTE)?;
    let mut found = decide::pending(env, id)?;
    let at = env.now();
    // Those who left the board make room; those who are on it are no more than the list can hold.
    let is_member = |who: &Principal| board.members.iter().any(|member| member.principal() == *who);
    found.ballots.retain(|ballot| ballot.member != voter && is_member(&ballot.member));
    let place = found.ballots.partition_point(|ballot| ballot.member < voter);
    if found.ballots.try_insert(place, Ballot { member: voter, approves, at }).is_err() {
        return Err(Error::NoSuchMember { member: voter });
    }
    proposal::put(env, id, &found);
    env.deposit_event(Event::Voted { proposal: id, by: voter, approves });
    decide::settle(env)
}
