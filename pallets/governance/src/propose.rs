//! Making a proposal, and taking it back.

use codec::Encode;
use xln_primitives::{BoundedVec, MemberId, Permissions, Principal, Timestamp, keccak256};

use crate::{
    Actions, Ballot, Config, Error, Event, LIFETIME_MS_MAX, LIFETIME_MS_MIN, MemberLetter, Need, OPEN_MAX,
    OPEN_PER_MEMBER_MAX, PROPOSAL_BYTES_MAX, Proposal, ProposalId, Share, Status, decide, permit::member,
    policy, proposal, tally,
};

/// [`crate::Call::Propose`].
pub(crate) fn propose<T: Config>(
    env: &mut T,
    proposer: Principal,
    calls: Actions,
    lifetime_ms: Option<u64>,
) -> Result<ProposalId, Error> {
    let board = env.board()?;
    let permissions = member(&board, proposer)?.permissions;
    let bytes = calls.iter().fold(0_usize, |sum, call| sum.saturating_add(call.len()));
    let size = u32::try_from(bytes).unwrap_or(u32::MAX);
    if size > PROPOSAL_BYTES_MAX || calls.is_empty() {
        return Err(Error::TooLarge { size, size_max: PROPOSAL_BYTES_MAX });
    }
    let policy = policy::policy(env, &board)?;
    let mut share = Share::THRESHOLD;
    let mut may_propose = true;
    for (place, call) in (0_u32..).zip(calls.iter()) {
        let facts = env.facts(call).ok_or(Error::NotACall { place })?;
        if !facts.by_board {
            return Err(Error::NotByBoard { code: facts.code });
        }
        let special = facts.proposable_with.is_some_and(|special| permissions.allows(special));
        may_propose = may_propose && (special || permissions.allows(Permissions::PROPOSE));
        if let Need::Vote(needed) = policy.need(facts.code) {
            share = share.max(needed);
        }
    }
    if !may_propose {
        return Err(Error::NotPermitted { member: proposer, lacks: Permissions::PROPOSE });
    }
    let lifetime_ms = lifetime_ms.unwrap_or(policy.proposal_ms);
    if !(LIFETIME_MS_MIN..=LIFETIME_MS_MAX).contains(&lifetime_ms) {
        return Err(Error::Lifetime {
            found_ms: lifetime_ms,
            min_ms: LIFETIME_MS_MIN,
            max_ms: LIFETIME_MS_MAX,
        });
    }
    let open = proposal::open(env)?;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let (all, own) = (count(open.len()), count(open.iter().filter(|open| open.proposer == proposer).count()));
    if all >= OPEN_MAX || own >= OPEN_PER_MEMBER_MAX {
        return Err(Error::TooManyOpen { open: all, own, max: OPEN_MAX, own_max: OPEN_PER_MEMBER_MAX });
    }
    let now = env.now();
    let may_vote = permissions.allows(Permissions::VOTE);
    let ballot = may_vote.then_some(Ballot { member: proposer, approves: true, at: now });
    let new = Proposal {
        proposer,
        calls,
        share,
        created: now,
        expires: now.saturating_add(lifetime_ms),
        ballots: BoundedVec::truncate_from(ballot.into_iter().collect()),
        status: Status::Pending,
        decided: None,
    };
    let count = tally::tally(&board, &new, |_| None);
    if count.votable < count.needed {
        return Err(Error::OutOfReach { votable: count.votable, needed: count.needed });
    }
    let id = proposal::next_id(env)?;
    proposal::insert(env, id, &new)?;
    env.deposit_event(Event::Proposed { proposal: id, by: proposer, expires: new.expires });
    decide::settle(env)?;
    // Who is asked hears of it only if there is something left to decide.
    if proposal::open(env)?.iter().any(|open| open.id == id) {
        tell_members(env, &new, id);
    }
    Ok(id)
}

/// Tells members who are entities themselves that there is something to vote on.
fn tell_members<T: Config>(env: &mut T, new: &Proposal, id: ProposalId) {
    let Ok(board) = env.board() else { return };
    let (calls, expires): (_, Timestamp) = (new.calls.using_encoded(keccak256), new.expires);
    for member in &board.members {
        let is_asked = member.permissions.allows(Permissions::VOTE) && member.principal() != new.proposer;
        if let MemberId::Entity { entity, .. } = &member.id
            && is_asked
        {
            env.send(*entity, MemberLetter::Opened { proposal: id, calls, expires });
        }
    }
}

/// [`crate::Call::Withdraw`].
pub(crate) fn withdraw<T: Config>(env: &mut T, by: Principal, id: ProposalId) -> Result<(), Error> {
    let found = decide::pending(env, id)?;
    if found.proposer != by {
        return Err(Error::NotTheProposer { proposal: id, proposer: found.proposer });
    }
    decide::close(env, id, found, Status::Withdrawn)
}
