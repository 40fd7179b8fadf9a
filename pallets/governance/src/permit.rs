//! Whether a member may make a call alone.

use xln_primitives::{Board, Member, Permissions, Principal};

use crate::{CallFacts, Config, Error, Need, policy, spending};

/// Lets a call of a member through, and counts what it spends against the member's limits.
///
/// What a member says for itself (a vote, say) is not judged here, but where it is taken.
///
/// Errors: [`Error::NoSuchMember`], [`Error::NotPermitted`], [`Error::NeedsVote`], [`Error::SpendingLimit`],
/// [`Error::NoLimit`].
pub fn permit<T: Config>(env: &mut T, by: Principal, facts: &CallFacts) -> Result<(), Error> {
    if !facts.by_board {
        return Ok(());
    }
    let board = env.board()?;
    let member = member(&board, by)?;
    let policy = policy::policy(env, &board)?;
    match policy.need(facts.code) {
        Need::Member => {}
        Need::Permission(needed) => require(member, needed)?,
        Need::Vote(_) => return Err(Error::NeedsVote { code: facts.code }),
    }
    spending::spend(env, by, &policy, &facts.spends)
}

/// The member that somebody is.
pub(crate) fn member(board: &Board, who: Principal) -> Result<&Member, Error> {
    let found = board.members.iter().find(|member| member.principal() == who);
    found.ok_or(Error::NoSuchMember { member: who })
}

pub(crate) fn require(member: &Member, needed: Permissions) -> Result<(), Error> {
    if member.permissions.allows(needed) {
        return Ok(());
    }
    Err(Error::NotPermitted { member: member.principal(), lacks: needed })
}
