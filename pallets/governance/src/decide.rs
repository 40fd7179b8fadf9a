//! Deciding: what follows from the votes as soon as it does.

use xln_primitives::Principal;

use crate::{
    Config, Error, Event, OPEN_MAX, Proposal, ProposalId, Reason, Status, Verdict, delegation, proposal,
    screening, tally::tally,
};

/// An open proposal whose time is not over.
pub(crate) fn pending<T: Config>(env: &T, id: ProposalId) -> Result<Proposal, Error> {
    let found = proposal::proposal(env, id)?.ok_or(Error::UnknownProposal { proposal: id })?;
    let now = env.now();
    if found.status != Status::Pending {
        return Err(Error::Decided { proposal: id, status: found.status });
    }
    if found.expires <= now {
        return Err(Error::Decided { proposal: id, status: Status::Expired });
    }
    Ok(found)
}

/// Executes what is approved and closes what is rejected, until nothing more follows. To be called after the votes, the
/// delegations or the board have changed.
///
/// An executed proposal may change the board, and so what becomes of others: the earliest is looked at first, and again from
/// the first after each one that is closed. So it ends after as many as are open.
pub fn settle<T: Config>(env: &mut T) -> Result<(), Error> {
    for _ in 0..OPEN_MAX {
        let Some((id, found, approved)) = next_decided(env)? else { return Ok(()) };
        if approved {
            execute(env, id, found)?;
        } else {
            close(env, id, found, Status::Rejected)?;
        }
    }
    Ok(())
}

/// The first open proposal that the votes decide, and how.
fn next_decided<T: Config>(env: &T) -> Result<Option<(ProposalId, Proposal, bool)>, Error> {
    let open = proposal::open(env)?;
    if open.is_empty() {
        return Ok(None);
    }
    let (board, now) = (env.board()?, env.now());
    let delegations = delegation::valid(env, &board, now)?;
    for open in open {
        let Some(found) = proposal::proposal(env, open.id)? else { continue };
        if found.expires <= now {
            continue;
        }
        let count = tally(&board, &found, |member: &Principal| delegations.get(member).copied());
        if count.is_approved() {
            return Ok(Some((open.id, found, true)));
        }
        if count.is_rejected() {
            return Ok(Some((open.id, found, false)));
        }
    }
    Ok(None)
}

/// Executes an approved proposal, once: it is closed before its calls run, so that nothing they do can run it again.
fn execute<T: Config>(env: &mut T, id: ProposalId, found: Proposal) -> Result<(), Error> {
    let calls = found.calls.clone();
    close(env, id, found.clone(), Status::Executed)?;
    let refused = screened(env, &calls)?;
    let result = match refused {
        Some(reason) => Err(reason),
        None => env.execute(&calls),
    };
    if let Err(reason) = result {
        let reason = Reason::new(&reason);
        let failed =
            Proposal { status: Status::Failed { reason: reason.clone() }, decided: Some(env.now()), ..found };
        if proposal::proposal(env, id)?.is_some() {
            proposal::put(env, id, &failed);
        }
        env.deposit_event(Event::ProposalFailed { proposal: id, reason });
    } else {
        env.deposit_event(Event::ProposalExecuted { proposal: id });
    }
    Ok(())
}

/// Why the entity's own lists refuse one of the calls, if they do.
fn screened<T: Config>(env: &mut T, calls: &[crate::EncodedCall]) -> Result<Option<String>, Error> {
    for call in calls {
        let Some(facts) = env.facts(call) else { continue };
        if let Verdict::Refuse { party } = screening::screen(env, None, &facts)? {
            return Ok(Some(Error::Screened { party }.to_string()));
        }
    }
    Ok(None)
}

/// Ends a proposal.
pub(crate) fn close<T: Config>(
    env: &mut T,
    id: ProposalId,
    found: Proposal,
    status: Status,
) -> Result<(), Error> {
    let closed = Proposal { status, decided: Some(env.now()), ..found };
    proposal::close(env, id, &closed)?;
    let event = match closed.status {
        Status::Rejected => Event::ProposalRejected { proposal: id },
        Status::Expired => Event::ProposalExpired { proposal: id },
        Status::Withdrawn => Event::ProposalWithdrawn { proposal: id },
        // What its execution leads to is said then.
        Status::Pending | Status::Executed | Status::Failed { .. } => return Ok(()),
    };
    env.deposit_event(event);
    Ok(())
}
