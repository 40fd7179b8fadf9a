//! What this pallet reports.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{EntityId, Hash, Principal, Timestamp};

use crate::{Listing, ProposalId, Reason, Verdict};

/// Something that the board of an entity did, or was asked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Event {
    /// There is something to vote on.
    Proposed {
        /// Its number.
        proposal: ProposalId,
        /// Who made it.
        by: Principal,
        /// Until when it can be voted on.
        expires: Timestamp,
    },
    /// A member voted, or changed its vote.
    Voted {
        /// On which.
        proposal: ProposalId,
        /// Who.
        by: Principal,
        /// For it, or against it.
        approves: bool,
    },
    /// A proposal took effect.
    ProposalExecuted {
        /// Which.
        proposal: ProposalId,
    },
    /// A proposal had the votes, and its calls had no effect.
    ProposalFailed {
        /// Which.
        proposal: ProposalId,
        /// Why.
        reason: Reason,
    },
    /// A proposal cannot get the votes any more.
    ProposalRejected {
        /// Which.
        proposal: ProposalId,
    },
    /// The time of a proposal was over.
    ProposalExpired {
        /// Which.
        proposal: ProposalId,
    },
    /// A proposal was taken back.
    ProposalWithdrawn {
        /// Which.
        proposal: ProposalId,
    },
    /// A member delegated its weight, or ended that.
    WeightDelegated {
        /// Who.
        by: Principal,
        /// To whom; to nobody if none.
        to: Option<Principal>,
        /// Until when.
        until: Timestamp,
    },
    /// The entity decided what its members may do alone.
    MemberPolicySet,
    /// An entity came on the list, or went off it.
    ListingSet {
        /// Who.
        entity: EntityId,
        /// How; off the list if none.
        listing: Option<Listing>,
    },
    /// A call was reported or refused.
    Screened {
        /// Number of the record.
        record: u64,
        /// With whom it deals, if that mattered.
        party: Option<EntityId>,
        /// What was done about it.
        verdict: Verdict,
    },
    /// Another entity, of whose board this one is a member, has something to vote on.
    AskedToVote {
        /// Who.
        by: EntityId,
        /// Its number there.
        proposal: ProposalId,
        /// keccak-256 of the encoded list of calls.
        calls: Hash,
        /// Until when.
        expires: Timestamp,
    },
}
