//! What always holds in the state of this pallet.

use xln_primitives::{Corrupt, Storage};

use crate::{
    OPEN_MAX, OPEN_PER_MEMBER_MAX, PolicyError, ProposalId, Status, policy,
    proposal::{self, proposals},
};

/// Entries read at once.
const PAGE: usize = 64;

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// State that is damaged.
    #[error(transparent)]
    State(#[from] Corrupt),
    /// The list of open proposals says something else than the proposals.
    #[error("proposal {0} is on the list of open ones and is not open, or the other way round")]
    OpenList(ProposalId),
    /// A proposal has the number of one that was not made yet.
    #[error("proposal {found} exists, the next one is {next}")]
    Number {
        /// Its number.
        found: ProposalId,
        /// The next one's.
        next: ProposalId,
    },
    /// The votes are not in the order of members, or somebody voted twice.
    #[error("the votes on proposal {0} are not in the order of members, each once")]
    Ballots(ProposalId),
    /// More proposals are open than may be.
    #[error("{found} proposals are open, at most {OPEN_MAX} may be, {OPEN_PER_MEMBER_MAX} of a member")]
    TooManyOpen {
        /// How many.
        found: usize,
    },
    /// A policy that cannot be meant.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// Checks, by a full scan in pages, that the list of open proposals and the proposals say the same, that numbers and votes are in order,
/// that no more are open than may be, and that the policy is sound.
pub fn try_state(storage: &(impl Storage + ?Sized)) -> Result<(), Violation> {
    if let Some(policy) = policy::set_by_itself(storage)? {
        policy.validate()?;
    }
    let (open, next) = (proposal::open(storage)?, proposal::next_id(storage)?);
    let limit = |count: usize, max: u32| u32::try_from(count).is_ok_and(|count| count <= max);
    let most =
        open.iter().map(|one| open.iter().filter(|other| other.proposer == one.proposer).count()).max();
    if !limit(open.len(), OPEN_MAX) || !limit(most.unwrap_or(0), OPEN_PER_MEMBER_MAX) {
        return Err(Violation::TooManyOpen { found: open.len() });
    }
    let (mut after, mut pending) = (None, Vec::new());
    loop {
        let page = proposals(storage, after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        for (id, proposal) in page {
            if id >= next {
                return Err(Violation::Number { found: id, next });
            }
            if !proposal.ballots.is_sorted_by(|one, other| one.member < other.member) {
                return Err(Violation::Ballots(id));
            }
            if (proposal.status == Status::Pending) != proposal.decided.is_none() {
                return Err(Violation::OpenList(id));
            }
            if proposal.status == Status::Pending {
                pending.push((id, proposal.expires, proposal.proposer));
            }
        }
    }
    let listed: Vec<_> = open.iter().map(|open| (open.id, open.expires, open.proposer)).collect();
    if listed != pending {
        let different = listed.iter().zip(&pending).find(|(one, other)| one != other).map(|(one, _)| one.0);
        let longer = listed.iter().chain(&pending).map(|one| one.0).max();
        return Err(Violation::OpenList(different.or(longer).unwrap_or(0)));
    }
    Ok(())
}
