//! Proposals, votes, and what members may do alone.

use xln_primitives::{Amount, AssetId, CallHash, EntityId, SignerId, Timestamp};

use super::{EntityView, PartyView, views};
use crate::{Bytes, U64};

views! {
    /// A member of a board as another view names it.
    pub struct PrincipalView {
        /// The key, unless the member is an entity.
        pub signer: Option<SignerId>,
        /// The entity, unless the member is a key.
        pub entity: Option<EntityId>,
        /// The label of a key that the node holds, or the name of the entity.
        pub label: Option<String>,
    }

    /// How a member votes.
    #[derive(Copy)]
    pub enum Choice {
        /// For the proposal.
        Approve,
        /// Against it.
        Reject,
    }

    /// How an entity is listed.
    #[derive(Copy)]
    pub enum ListingKind {
        /// Calls that deal with it are refused.
        Blocked,
        /// Calls that deal with it are reported.
        Watched,
    }

    /// What became of a proposal.
    #[derive(Copy)]
    pub enum ProposalStatus {
        /// It can be voted on.
        Pending,
        /// The weight sufficed, and it took effect.
        Executed,
        /// The weight sufficed, and it changed nothing.
        Failed,
        /// The weight cannot suffice any more.
        Rejected,
        /// Its time was over.
        Expired,
        /// Its proposer took it back.
        Withdrawn,
    }

    /// A call of a proposal.
    pub struct ActionView {
        /// Its code on the wire.
        pub code: u8,
        /// What it does, for people.
        pub text: String,
        /// The call, SCALE.
        pub call: Bytes,
    }

    /// Where a member stands on a proposal.
    pub struct VoteView {
        /// Who.
        pub member: PrincipalView,
        /// Its weight on the board as it is now.
        pub weight: u32,
        /// Whether it may vote.
        pub may_vote: bool,
        /// What counts for its weight; absent if nothing does yet.
        pub choice: Option<Choice>,
        /// When it voted itself, or changed that.
        pub at: Option<Timestamp>,
        /// Whose vote counts for its weight, if it delegated and has not voted itself.
        pub through: Option<PrincipalView>,
    }

    /// A proposal, and how the board stands on it as it is now.
    pub struct ProposalView {
        /// Whose board.
        pub entity: PartyView,
        /// Its number among the entity's.
        pub number: U64,
        /// What became of it.
        pub status: ProposalStatus,
        /// Why it failed.
        pub reason: Option<String>,
        /// Who made it.
        pub proposer: PrincipalView,
        /// What happens if it is approved, in this order and all or nothing.
        pub actions: Vec<ActionView>,
        /// When it was made.
        pub created: Timestamp,
        /// From when on it cannot be voted on.
        pub expires: Timestamp,
        /// When it was decided.
        pub decided: Option<Timestamp>,
        /// Weight for it.
        pub approving: u32,
        /// Weight against it.
        pub rejecting: u32,
        /// Weight of members who may vote.
        pub votable: u32,
        /// Weight that decides it.
        pub needed: u32,
        /// Weight that is missing.
        pub missing: u32,
        /// The members of the board, in its order.
        pub votes: Vec<VoteView>,
    }

    /// What a member asked for, and the proposal that it concerns or became.
    pub struct DecisionView {
        /// The call, by which to ask for its receipt.
        pub call: CallHash,
        /// The entity that executes it.
        pub entity: PartyView,
        /// The proposal as it stands after the call, if the request waited for that; absent if the call took effect without one.
        pub proposal: Option<ProposalView>,
    }

    /// What some calls need.
    pub struct RuleView {
        /// First code on the wire.
        pub first: u8,
        /// Last code.
        pub last: u8,
        /// The calls, for people.
        pub calls: String,
        /// What they need, for people.
        pub need: String,
    }

    /// A sum of an asset in a policy.
    pub struct LimitView {
        /// The asset.
        pub asset: AssetId,
        /// Its symbol.
        pub symbol: String,
        /// Its decimal places.
        pub decimals: u8,
        /// The sum.
        pub amount: Amount,
        /// The period of a limit, in ms; absent for a sum from which on calls are reported.
        pub period_ms: Option<u64>,
    }

    /// Whose vote counts for a member's weight.
    pub struct DelegationView {
        /// Who delegated.
        pub by: PrincipalView,
        /// To whom.
        pub to: PrincipalView,
        /// Until when.
        pub until: Timestamp,
    }

    /// How an entity decides.
    pub struct GovernanceView {
        /// The preset that its rules are, if they are one: `wallet`, `company`, `hub` or `consortium`.
        pub preset: Option<String>,
        /// Whether the entity decided its policy itself; otherwise it is the one that suits its board.
        pub decided: bool,
        /// What calls need: the first rule that fits counts, the last fits all.
        pub rules: Vec<RuleView>,
        /// Most that one member spends alone per period.
        pub limits: Vec<LimitView>,
        /// Sums from which on calls are reported.
        pub report_from: Vec<LimitView>,
        /// How long proposals can be voted on, in ms, if they do not say so.
        pub proposal_ms: u64,
        /// Proposals that can be voted on.
        pub open: Vec<U64>,
        /// Delegations that hold.
        pub delegations: Vec<DelegationView>,
        /// The policy as `entity.setPolicy` takes it.
        pub policy: serde_json::Value,
    }

    /// A board that the depositary registered.
    pub struct RegisteredView {
        /// The request.
        pub call: CallHash,
        /// The new entity, if the request waited for the depositary's answer.
        pub entity: Option<EntityView>,
    }
}

impl PrincipalView {
    /// The label, or the identifier shortened to `0x12345678…`.
    #[must_use]
    pub fn label(&self) -> String {
        let id = || {
            let id = self.signer.map(|id| id.to_string()).or_else(|| self.entity.map(|id| id.to_string()));
            let id = id.unwrap_or_default();
            format!("{}…", id.get(..10).unwrap_or(&id))
        };
        self.label.clone().unwrap_or_else(id)
    }
}
