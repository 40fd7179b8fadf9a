//! Requests about how a board decides for its entity.

use serde_json::Value;
use xln_primitives::{Amount, Timestamp};

use super::{params, yes};
use crate::{
    AssetRef, Bytes, EntityRef, MemberRef, SignerRef, U64,
    view::{Choice, ListingKind},
};

/// Something that an entity can decide to do. In JSON an object with one member, its name:
/// `{"transfer": {"to": "bob", "amount": "50000"}}`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// Moves from its reserve to another's.
    Transfer {
        /// To whom.
        to: EntityRef,
        /// Which asset.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asset: Option<AssetRef>,
        /// How much, in smallest units.
        amount: Amount,
    },
    /// Takes a new member onto its board.
    AddMember {
        /// The member, as in a chain spec.
        member: Value,
    },
    /// Takes a member off its board.
    RemoveMember {
        /// Who.
        member: MemberRef,
    },
    /// Gives a member another key, delegate, weight or other permissions.
    ReplaceMember {
        /// Who.
        member: MemberRef,
        /// What it is from then on, as in a chain spec.
        with: Value,
    },
    /// Changes the weight that authorises its actions.
    SetThreshold {
        /// The weight.
        threshold: u32,
    },
    /// Replaces its board.
    SetBoard {
        /// The board, as in a chain spec.
        board: Value,
    },
    /// Replaces its policy.
    SetPolicy {
        /// The policy: a `preset`, or what differs from one or from the present one.
        policy: Value,
    },
    /// Puts an entity on the list of those that it does not deal with, or reports.
    SetListing {
        /// Who.
        party: EntityRef,
        /// How; off the list if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        listing: Option<ListingKind>,
    },
    /// Calls itself something.
    Rename {
        /// Its name.
        name: String,
        /// What it says of itself.
        #[serde(default)]
        description: String,
    },
    /// Votes, as a member of another entity's board, on a proposal there.
    Vote {
        /// The other entity.
        entity: EntityRef,
        /// Its proposal.
        proposal: U64,
        /// For it or against it.
        choice: Choice,
    },
    /// Proposes something, as a member of another entity's board.
    Propose {
        /// The other entity.
        entity: EntityRef,
        /// What it shall do.
        actions: Vec<Action>,
        /// How long it may be voted on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lifetime_ms: Option<u64>,
    },
    /// Any call, as SCALE.
    Call(Bytes),
}

params! {
    /// Puts something before the board of an entity.
    pub struct EntityPropose {
        /// Whose board.
        pub entity: Option<EntityRef>,
        /// What the entity shall do, in this order and all or nothing.
        pub actions: Vec<Action>,
        /// How long it may be voted on, in ms; the policy's time if absent.
        pub lifetime_ms: Option<u64>,
        /// Which member proposes, by its key; one whose key the node holds if absent.
        pub signer: Option<SignerRef>,
        /// Which member proposes, if it is an entity: it does so by its own policy, alone or by a vote of its own board.
        pub member: Option<EntityRef>,
        /// Answer when the outcome is durable.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Votes on a proposal, or changes a vote.
    pub struct EntityVote {
        /// Whose proposal.
        pub entity: Option<EntityRef>,
        /// Its number.
        pub proposal: U64,
        /// `approve` or `reject`.
        pub choice: Choice,
        /// Which member votes, by its key; may be absent if the node holds the key of one voter only.
        pub signer: Option<SignerRef>,
        /// Which member votes, if it is an entity: it does so by its own policy, alone or by a vote of its own board.
        pub member: Option<EntityRef>,
        /// Answer when the outcome is durable.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Takes an own proposal back.
    pub struct EntityWithdraw {
        /// Whose proposal.
        pub entity: Option<EntityRef>,
        /// Its number.
        pub proposal: U64,
        /// Which member takes it back, by its key; its proposer if absent.
        pub signer: Option<SignerRef>,
        /// Which member, if it is an entity.
        pub member: Option<EntityRef>,
        /// Answer when the outcome is durable.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Lets another member's votes count for one's own weight, or ends that.
    pub struct EntityDelegate {
        /// On whose board.
        pub entity: Option<EntityRef>,
        /// To which member; nobody if absent.
        pub to: Option<MemberRef>,
        /// Until when; needed with `to`.
        pub until: Option<Timestamp>,
        /// Which member delegates, by its key.
        pub signer: Option<SignerRef>,
        /// Which member delegates, if it is an entity.
        pub member: Option<EntityRef>,
        /// Answer when the outcome is durable.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Replaces what members may do alone.
    pub struct EntitySetPolicy {
        /// Whose policy.
        pub entity: Option<EntityRef>,
        /// A `preset` (`wallet`, `company`, `hub`, `consortium`), and `rules`, `otherwise`, `limits`, `reportFrom`, `proposalMs`
        /// where they differ from it, or from the present policy without one.
        pub policy: Value,
        /// Which member asks, by its key.
        pub signer: Option<SignerRef>,
        /// Answer when the outcome is durable.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// Puts an entity on the list of those that are not dealt with, or reported.
    pub struct EntitySetListing {
        /// Whose list.
        pub entity: Option<EntityRef>,
        /// Who is listed.
        pub party: EntityRef,
        /// `blocked` or `watched`; off the list if absent.
        pub listing: Option<ListingKind>,
        /// Which member asks, by its key.
        pub signer: Option<SignerRef>,
        /// Answer when the outcome is durable.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// One proposal.
    pub struct EntityGetProposal {
        /// Whose.
        pub entity: Option<EntityRef>,
        /// Its number.
        pub proposal: U64,
    }

    /// Proposals of an entity, by number.
    #[derive(Default)]
    pub struct EntityProposals {
        /// Whose.
        pub entity: Option<EntityRef>,
        /// Only those that can be voted on, or only others.
        pub open: Option<bool>,
        /// Go on after this one.
        pub after: Option<U64>,
        /// How many at most.
        pub limit: Option<u32>,
    }

    /// Registers a board with the depositary, which gives it a number: an entity that can change its board.
    pub struct EntityRegister {
        /// Who asks.
        pub entity: Option<EntityRef>,
        /// The board, as in a chain spec.
        pub board: Value,
        /// Answer when the depositary has answered.
        #[serde(default = "yes")]
        pub wait: bool,
    }
}
