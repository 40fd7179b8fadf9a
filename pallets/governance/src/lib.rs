//! Proposals, votes, and what a member may do alone: how a board decides for its entity.
//!
//! A member of the board asks for something by a signed call. The entity's **policy** says, per code of a call, who may do
//! that alone:
//!
//! ```text
//!                       ┌────────────── Policy ──────────────┐
//!  call of a member ───►│ any member │ permission P │ a vote  │
//!                       └─────┬────────────┬────────────┬────┘
//!                             ▼            ▼            ▼
//!                         at once    within the     NeedsVote: propose it
//!                                  member's limits
//!                                                 Propose ─► Proposal ◄─ Vote, Delegate
//!                                                              │ after each vote and each change of the board:
//!                                                              ▼
//!                                         weight for ≥ needed: executed, or failed with the reason
//!                                         weight left < needed: rejected         time is over: expired
//! ```
//!
//! - A **proposal** is a list of encoded calls, executed all or nothing, in the name of the board, in the very frame in which
//!   the weight suffices. If they fail, nothing of them stays but the proposal's status.
//! - **Votes** belong to members, not to places in the board: if the board changes while a proposal is open, the votes of those
//!   who left count no more, and everybody's weight is the one that it has then. A vote may be changed until it is decided.
//! - A member that is an **entity** proposes and votes by what it says itself ([`MemberAct`], by a message): its own board
//!   decides that, by its own policy. No board reaches into another, so nesting cannot loop or run deep here.
//! - A **delegation** lets another member's vote count for one's own weight, until a time, as long as one does not vote oneself. It
//!   is not passed on: what B delegates to C is B's own weight alone.
//! - **Limits** bound what one member spends alone, per asset and period. **Screening** refuses or reports calls that deal with
//!   entities on the entity's own list, and keeps a record of it that survives the call's failure.
//!
//! The pallet does not know the calls of others: [`Config::facts`] says of an encoded call what the rules here look at.

mod call;
mod decide;
mod delegation;
mod error;
mod event;
mod expiry;
mod facts;
mod invariant;
mod permit;
mod policy;
mod proposal;
mod propose;
mod screening;
mod spending;
mod tally;
mod vote;

use xln_primitives::{Board, Corrupt, EntityId, Environment, Hash, Origin, Principal, Timestamp};

pub use call::{Call, MemberAct, MemberLetter};
pub use decide::settle;
pub use delegation::{Delegation, delegation, delegations};
pub use error::Error;
pub use event::Event;
pub use expiry::{expire, next_due};
pub use facts::{CallFacts, Spend};
pub use invariant::{Violation, try_state};
pub use permit::permit;
pub use policy::{
    LIMITS_MAX, Need, Policy, PolicyError, Preset, RULES_MAX, ReportFrom, Rule, Share, SpendingLimit,
    set_by_itself, set_policy,
};
pub use proposal::{
    Actions, Ballot, CALLS_MAX, EncodedCall, KEPT, LIFETIME_MS_MAX, LIFETIME_MS_MIN, OPEN_MAX,
    OPEN_PER_MEMBER_MAX, PROPOSAL_BYTES_MAX, Proposal, ProposalId, Reason, Status, open_proposals, proposal,
    proposals,
};
pub use screening::{AUDIT_MAX, AuditRecord, Listing, Verdict, audit, listing, listings, screen};
pub use spending::{Spent, spent};
pub use tally::{Tally, tally};

/// What the pallet needs of the machine that runs it.
pub trait Config: Environment {
    /// Reports what happened.
    fn deposit_event(&mut self, event: Event);
    /// Who speaks for the entity now.
    fn board(&self) -> Result<Board, Corrupt>;
    /// The terms of an entity that set none itself.
    fn default_policy(&self, board: &Board) -> Policy;
    /// What an encoded call is; none if it is no call of this network.
    fn facts(&self, call: &[u8]) -> Option<CallFacts>;
    /// Executes calls in the name of the board, all or nothing.
    ///
    /// Errors: why not, for people to read. Nothing was changed then.
    fn execute(&mut self, calls: &[EncodedCall]) -> Result<(), String>;
    /// Says something to another entity as a member of its board, or to a member.
    fn send(&mut self, to: EntityId, letter: MemberLetter);
}

/// Executes a call of this pallet, which [`permit`] or a vote let through. After an error the caller drops every change.
pub fn dispatch<T: Config>(env: &mut T, origin: Origin, call: Call) -> Result<(), Error> {
    match call {
        Call::Propose { calls, lifetime_ms } => {
            propose::propose(env, member_of(origin)?, calls, lifetime_ms).map(|_| ())
        }
        Call::Vote { proposal, approve } => vote::vote(env, member_of(origin)?, proposal, approve),
        Call::Withdraw { proposal } => propose::withdraw(env, member_of(origin)?, proposal),
        Call::Delegate { to, until } => delegation::delegate(env, member_of(origin)?, to, until),
        Call::SetPolicy(policy) => policy::dispatch(env, origin, &policy),
        Call::SetListing { entity, listing } => screening::set_listing(env, origin, entity, listing),
        Call::Instruct { entity, act } => {
            require_board(origin)?;
            env.send(entity, MemberLetter::Act(act));
            Ok(())
        }
    }
}

/// Takes what another entity says as a member of this one's board, or as one on whose board this one sits.
pub fn receive<T: Config>(env: &mut T, from: EntityId, letter: MemberLetter) -> Result<(), Error> {
    let member = Principal::Entity(from);
    match letter {
        MemberLetter::Act(MemberAct::Propose { calls, lifetime_ms }) => {
            propose::propose(env, member, calls, lifetime_ms).map(|_| ())
        }
        MemberLetter::Act(MemberAct::Vote { proposal, approve }) => {
            vote::vote(env, member, proposal, approve)
        }
        MemberLetter::Act(MemberAct::Withdraw { proposal }) => propose::withdraw(env, member, proposal),
        MemberLetter::Act(MemberAct::Delegate { to, until }) => delegation::delegate(env, member, to, until),
        MemberLetter::Opened { proposal, calls, expires } => {
            asked(env, from, (proposal, calls, expires));
            Ok(())
        }
    }
}

fn asked<T: Config>(env: &mut T, by: EntityId, (proposal, calls, expires): (ProposalId, Hash, Timestamp)) {
    env.deposit_event(Event::AskedToVote { by, proposal, calls, expires });
}

fn member_of(origin: Origin) -> Result<Principal, Error> {
    match origin {
        Origin::Signer(signer) => Ok(Principal::Signer(signer)),
        Origin::Entity(entity) => Ok(Principal::Entity(entity)),
        Origin::Board | Origin::Server => Err(Error::OriginNotAllowed { origin }),
    }
}

/// Lets through the board, and a member whom the policy let through.
fn require_board(origin: Origin) -> Result<(), Error> {
    match origin {
        Origin::Board | Origin::Signer(_) => Ok(()),
        Origin::Entity(_) | Origin::Server => Err(Error::OriginNotAllowed { origin }),
    }
}
