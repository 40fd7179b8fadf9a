//! What members ask for.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{EntityId, Hash, Principal, Timestamp};

use crate::{Actions, Listing, Policy, ProposalId};

/// A call of this pallet. The codes are those of the wire.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Call {
    /// Puts calls before the board. The proposer's own vote for them is included if it may vote. Emits
    /// [`crate::Event::Proposed`], and whatever follows if that vote decides.
    ///
    /// Errors: [`crate::Error::NotPermitted`], [`crate::Error::TooManyOpen`], [`crate::Error::TooLarge`],
    /// [`crate::Error::NotACall`], [`crate::Error::NotByBoard`], [`crate::Error::Lifetime`],
    /// [`crate::Error::OutOfReach`].
    #[codec(index = 0x30)]
    Propose {
        /// Encoded calls, in the order in which they are executed.
        calls: Actions,
        /// How long it may be voted on; the policy's time if none.
        lifetime_ms: Option<u64>,
    },
    /// Votes on a proposal, or changes the vote. What the weight decides with it happens at once.
    ///
    /// Errors: [`crate::Error::UnknownProposal`], [`crate::Error::Decided`], [`crate::Error::NotPermitted`].
    #[codec(index = 0x31)]
    Vote {
        /// Which.
        proposal: ProposalId,
        /// For it, or against it.
        approve: bool,
    },
    /// Takes an own proposal back.
    ///
    /// Errors: [`crate::Error::UnknownProposal`], [`crate::Error::Decided`], [`crate::Error::NotTheProposer`].
    #[codec(index = 0x32)]
    Withdraw {
        /// Which.
        proposal: ProposalId,
    },
    /// Lets another member's votes count for the caller's weight wherever the caller does not vote; ends that if there is
    /// nobody.
    ///
    /// Errors: [`crate::Error::NotPermitted`], [`crate::Error::NoSuchMember`], [`crate::Error::DelegatesToItself`],
    /// [`crate::Error::DelegationIsOver`].
    #[codec(index = 0x33)]
    Delegate {
        /// To whom.
        to: Option<Principal>,
        /// Until when.
        until: Timestamp,
    },
    /// Replaces what the entity's members may do alone.
    ///
    /// Errors: [`crate::Error::UnsoundPolicy`].
    #[codec(index = 0x34)]
    SetPolicy(Policy),
    /// Puts an entity on the list of those that are not dealt with, or reported; takes it off if there is no listing.
    #[codec(index = 0x35)]
    SetListing {
        /// Who.
        entity: EntityId,
        /// How it is listed.
        listing: Option<Listing>,
    },
    /// Proposes or votes in another entity, of whose board this one is a member.
    #[codec(index = 0x36)]
    Instruct {
        /// Which.
        entity: EntityId,
        /// What to do there.
        act: MemberAct,
    },
}

/// What a member entity does in the entity on whose board it sits.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum MemberAct {
    /// As [`Call::Propose`].
    #[codec(index = 0x30)]
    Propose {
        /// Encoded calls.
        calls: Actions,
        /// How long it may be voted on.
        lifetime_ms: Option<u64>,
    },
    /// As [`Call::Vote`].
    #[codec(index = 0x31)]
    Vote {
        /// Which.
        proposal: ProposalId,
        /// For it, or against it.
        approve: bool,
    },
    /// As [`Call::Withdraw`].
    #[codec(index = 0x32)]
    Withdraw {
        /// Which.
        proposal: ProposalId,
    },
    /// As [`Call::Delegate`].
    #[codec(index = 0x33)]
    Delegate {
        /// To whom.
        to: Option<Principal>,
        /// Until when.
        until: Timestamp,
    },
}

/// What an entity and its member entities say to each other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum MemberLetter {
    /// From a member: what it wants.
    #[codec(index = 0)]
    Act(MemberAct),
    /// To a member: there is something to vote on.
    #[codec(index = 1)]
    Opened {
        /// Which.
        proposal: ProposalId,
        /// keccak-256 of the encoded list of calls.
        calls: Hash,
        /// Until when.
        expires: Timestamp,
    },
}
