//! Counting: what the votes on a proposal weigh with the board as it is now.

use std::collections::BTreeMap;

use xln_primitives::{Board, Permissions, Principal, Weight};

use crate::{Proposal, Share};

/// Where the votes on a proposal stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Weight for it.
    pub approving: Weight,
    /// Weight against it.
    pub rejecting: Weight,
    /// Weight of members who may vote, those who have not yet included.
    pub votable: Weight,
    /// Weight that decides it.
    pub needed: Weight,
}

impl Tally {
    /// Whether the weight suffices.
    #[must_use]
    pub const fn is_approved(&self) -> bool {
        self.approving >= self.needed
    }

    /// Whether the weight can never suffice as things are.
    #[must_use]
    pub const fn is_rejected(&self) -> bool {
        self.votable.saturating_sub(self.rejecting) < self.needed
    }

    /// Weight that is missing.
    #[must_use]
    pub const fn missing(&self) -> Weight {
        self.needed.saturating_sub(self.approving)
    }
}

/// The weight that decides with this board: its threshold, or a larger share of all weight.
pub(crate) fn needed(board: &Board, share: Share) -> Weight {
    board.threshold.max(share.of(board.total_weight()))
}

/// Counts the votes on a proposal. A member's own vote counts first; if it has none, that of the member to whom `delegated` says
/// that it delegated, unless that one did not vote itself. Only members who may vote count, with the weights that the
/// board gives them now.
#[must_use]
pub fn tally(
    board: &Board,
    proposal: &Proposal,
    delegated: impl Fn(&Principal) -> Option<Principal>,
) -> Tally {
    let voters: BTreeMap<Principal, Weight> = board
        .members
        .iter()
        .filter(|member| member.permissions.allows(Permissions::VOTE))
        .map(|member| (member.principal(), member.weight))
        .collect();
    let own = |member: &Principal| {
        let ballot = proposal.ballot(member).filter(|_| voters.contains_key(member))?;
        Some(ballot.approves)
    };
    let (mut approving, mut rejecting, mut votable): (Weight, Weight, Weight) = (0, 0, 0);
    for (member, weight) in &voters {
        votable = votable.saturating_add(*weight);
        match own(member).or_else(|| own(&delegated(member)?)) {
            Some(true) => approving = approving.saturating_add(*weight),
            Some(false) => rejecting = rejecting.saturating_add(*weight),
            None => {}
        }
    }
    Tally { approving, rejecting, votable, needed: needed(board, proposal.share) }
}
