//! Why this pallet refuses.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{
    Amount, ArithmeticError, AssetId, Corrupt, EntityId, Origin, Permissions, Principal, Timestamp, Weight,
};

use crate::{PolicyError, ProposalId, Status};

/// A refusal. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, thiserror::Error)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Error {
    /// The policy leaves this to the board.
    #[error("calls with code {code:#04x} need a vote of the board: propose it")]
    NeedsVote {
        /// Code of the call.
        code: u8,
    },
    /// A member without a permission.
    #[error("{member} lacks permissions {:#x} for this", lacks.bits())]
    NotPermitted {
        /// Who.
        member: Principal,
        /// What it would need.
        lacks: Permissions,
    },
    /// Somebody who is not on the board.
    #[error("{member} is not a member of the entity's board")]
    NoSuchMember {
        /// Who.
        member: Principal,
    },
    /// Somebody who may not ask for this.
    #[error("a call by {origin:?} cannot ask for this")]
    OriginNotAllowed {
        /// Who asked.
        origin: Origin,
    },
    /// More than the member may spend alone.
    #[error(
        "{asked} more than the {spent} already spent is above the limit of {limit} of {asset} until {until}: propose it"
    )]
    SpendingLimit {
        /// The asset.
        asset: AssetId,
        /// The member's limit in the period.
        limit: Amount,
        /// What it spent in it.
        spent: Amount,
        /// What it asked for.
        asked: Amount,
        /// End of the period.
        until: Timestamp,
    },
    /// The policy has limits, and none for this asset.
    #[error("the policy has no limit for {asset}, so it is spent by vote only: propose it")]
    NoLimit {
        /// The asset.
        asset: AssetId,
    },
    /// The entity's own list.
    #[error("the entity does not deal with {party}: it is on its list")]
    Screened {
        /// Who is on it.
        party: EntityId,
    },
    /// The list is full.
    #[error("{max} entities are listed, that is the most")]
    TooManyListed {
        /// Most.
        max: u32,
    },
    /// No such proposal, or one that was decided long ago.
    #[error("there is no proposal {proposal}")]
    UnknownProposal {
        /// Its number.
        proposal: ProposalId,
    },
    /// The proposal cannot be voted on any more.
    #[error("proposal {proposal} cannot be voted on: it is {}", describe(.status))]
    Decided {
        /// Its number.
        proposal: ProposalId,
        /// What became of it.
        status: Status,
    },
    /// Only who made it may take it back.
    #[error("proposal {proposal} was made by {proposer}: only they may withdraw it")]
    NotTheProposer {
        /// Its number.
        proposal: ProposalId,
        /// Who made it.
        proposer: Principal,
    },
    /// Too many proposals are open.
    #[error(
        "{open} proposals are open of at most {max}, {own} by this member of at most {own_max}: vote on them first"
    )]
    TooManyOpen {
        /// How many.
        open: u32,
        /// How many by this member.
        own: u32,
        /// Most.
        max: u32,
        /// Most by a member.
        own_max: u32,
    },
    /// No calls, or too many bytes.
    #[error("the proposal's calls have {size} bytes, it must be 1 to {size_max}")]
    TooLarge {
        /// How many.
        size: u32,
        /// Most.
        size_max: u32,
    },
    /// Bytes that are no call of this network, at this position.
    #[error("call {place} of the proposal is no call of this network")]
    NotACall {
        /// Its position.
        place: u32,
    },
    /// A call that only a member can make for itself.
    #[error("a call with code {code:#04x} is a member's own: the board as a whole cannot make it")]
    NotByBoard {
        /// Its code.
        code: u8,
    },
    /// Too short or too long to be voted on.
    #[error("a proposal can be voted on for {min_ms} to {max_ms} ms, not {found_ms}")]
    Lifetime {
        /// Asked for.
        found_ms: u64,
        /// Least.
        min_ms: u64,
        /// Most.
        max_ms: u64,
    },
    /// Even all votes would not decide it.
    #[error(
        "members who may vote have weight {votable}, it needs {needed}: give more of them the permission to vote"
    )]
    OutOfReach {
        /// Weight of those who may vote.
        votable: Weight,
        /// Weight needed.
        needed: Weight,
    },
    /// Nobody delegates to itself.
    #[error("a member cannot delegate to itself")]
    DelegatesToItself,
    /// A delegation that ends before it begins.
    #[error("the delegation would end at {until}, it is {now} already")]
    DelegationIsOver {
        /// Its end.
        until: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// No proposal's time is over.
    #[error("at {now} no proposal's time is over")]
    NothingExpired {
        /// Now.
        now: Timestamp,
    },
    /// A policy that cannot be meant.
    #[error(transparent)]
    UnsoundPolicy(#[from] PolicyError),
    /// A sum that does not fit.
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
    /// The state is damaged.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

const fn describe(status: &Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Executed => "executed",
        Status::Failed { .. } => "failed",
        Status::Rejected => "rejected",
        Status::Expired => "expired",
        Status::Withdrawn => "withdrawn",
    }
}
