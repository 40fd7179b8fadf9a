//! `entity.propose`, `entity.vote` and the other ways in which members decide for an entity.
//!
//! A member that is a person signs with its key. A member that is an entity says what it wants by a message, which is a call of
//! its own: it makes that by its own policy, at once or by a proposal to its own board.

use pallet_governance::{Call, MemberAct, Need, ProposalId};
use xln_primitives::{Member, Permissions, Principal, PublicKey};
use xln_rpc::{
    EntityRef, RpcError, SignerRef,
    params::{
        EntityDelegate, EntityPropose, EntityRegister, EntitySetListing, EntitySetPolicy, EntityVote,
        EntityWithdraw,
    },
    view::{Choice, DecisionView, RegisteredView},
};
use xln_runtime::{Entity, Receipt, RuntimeCall, RuntimeEvent};

use super::{
    NodeBackend,
    act::{Included, Sent},
    actions::encoded,
};

/// Which member asks: a person by key, or an entity.
#[derive(Clone, Copy)]
struct Asking<'a> {
    signer: Option<&'a SignerRef>,
    member: Option<&'a EntityRef>,
}

impl NodeBackend {
    pub(super) async fn entity_propose(&self, params: EntityPropose) -> Result<DecisionView, RpcError> {
        let EntityPropose { entity, actions, lifetime_ms, signer, member, wait } = params;
        let entity = self.acting(entity.as_ref())?;
        let calls = self.proposed(entity.id(), &actions)?;
        let asking = Asking { signer: signer.as_ref(), member: member.as_ref() };
        self.say(&entity, asking, Permissions::PROPOSE, MemberAct::Propose { calls, lifetime_ms }, wait).await
    }

    pub(super) async fn entity_vote(&self, params: EntityVote) -> Result<DecisionView, RpcError> {
        let EntityVote { entity, proposal, choice, signer, member, wait } = params;
        let entity = self.acting(entity.as_ref())?;
        let act = MemberAct::Vote { proposal: proposal.0, approve: choice == Choice::Approve };
        let asking = Asking { signer: signer.as_ref(), member: member.as_ref() };
        self.say(&entity, asking, Permissions::VOTE, act, wait).await
    }

    pub(super) async fn entity_withdraw(&self, params: EntityWithdraw) -> Result<DecisionView, RpcError> {
        let EntityWithdraw { entity, proposal, signer, member, wait } = params;
        let entity = self.acting(entity.as_ref())?;
        // Whoever made it may take it back, if the node holds its key.
        let proposer = self.proposal_view(&entity, proposal.0)?.proposer;
        let signer = signer.or(proposer.signer.map(SignerRef::Id));
        let asking = Asking { signer: signer.as_ref(), member: member.as_ref() };
        let act = MemberAct::Withdraw { proposal: proposal.0 };
        self.say(&entity, asking, Permissions::NONE, act, wait).await
    }

    pub(super) async fn entity_delegate(&self, params: EntityDelegate) -> Result<DecisionView, RpcError> {
        let EntityDelegate { entity, to, until, signer, member, wait } = params;
        let entity = self.acting(entity.as_ref())?;
        let to = to.map(|to| self.member_of(entity.board(), &to)).transpose()?;
        if to.is_some() && until.is_none() {
            return Err(RpcError::invalid_params("a delegation ends: say until when")
                .with_hint("`until` is in milliseconds since 1970"));
        }
        let act = MemberAct::Delegate { to, until: until.unwrap_or_default() };
        let asking = Asking { signer: signer.as_ref(), member: member.as_ref() };
        self.say(&entity, asking, Permissions::VOTE, act, wait).await
    }

    pub(super) async fn entity_set_policy(&self, params: EntitySetPolicy) -> Result<DecisionView, RpcError> {
        let entity = self.acting(params.entity.as_ref())?;
        let policy = self.policy_from(self.policy_of(&entity)?.0, &params.policy)?;
        self.decide(&entity, params.signer.as_ref(), Call::SetPolicy(policy).into(), params.wait).await
    }

    pub(super) async fn entity_set_listing(
        &self,
        params: EntitySetListing,
    ) -> Result<DecisionView, RpcError> {
        let entity = self.acting(params.entity.as_ref())?;
        let call = self.listing_call(self.directory.entity(&params.party)?, params.listing);
        self.decide(&entity, params.signer.as_ref(), call, params.wait).await
    }

    pub(super) async fn entity_register(&self, params: EntityRegister) -> Result<RegisteredView, RpcError> {
        let EntityRegister { entity, board, wait } = params;
        let entity = self.acting(entity.as_ref())?;
        let board = self.described_board(&board)?;
        if board.entity() == entity.id() {
            return Err(RpcError::invalid_params("this is the board of the entity that asks").with_hint(
                "let another entity ask, or change something: an entity cannot register its own board",
            ));
        }
        let call = pallet_entities::Call::Create { board };
        let sent = self.send(entity.id(), self.board_key(&entity)?, vec![call.into()])?;
        if !wait {
            return Ok(RegisteredView { call: sent.hash, entity: None });
        }
        let Included { hash, receipt, answers } = self.included(sent).await?;
        let said = std::iter::once(&receipt).chain(&answers).flat_map(|receipt| &receipt.events);
        let registered = said.into_iter().find_map(|event| match event {
            RuntimeEvent::Entities(pallet_entities::Event::Registered { entity, .. }) => Some(*entity),
            _ => None,
        });
        let view = |id| self.entity_get_state(xln_rpc::params::EntityGet { entity: EntityRef::Id(id) });
        Ok(RegisteredView { call: hash, entity: registered.map(view).transpose()? })
    }

    /// Lets a member say something in an entity.
    async fn say(
        &self,
        entity: &Entity,
        asking: Asking<'_>,
        needed: Permissions,
        act: MemberAct,
        wait: bool,
    ) -> Result<DecisionView, RpcError> {
        if let Some(member) = asking.member {
            let member = self.member_entity(member)?;
            self.require_member(entity, &member)?;
            let call = Call::Instruct { entity: entity.id(), act }.into();
            return self.decide(&member, asking.signer, call, wait).await;
        }
        let voted_on = match &act {
            MemberAct::Vote { proposal, .. } | MemberAct::Withdraw { proposal } => Some(*proposal),
            MemberAct::Propose { .. } | MemberAct::Delegate { .. } => None,
        };
        let key = self.asking_key(entity, asking.signer, needed, voted_on.is_some())?;
        let call = match act {
            MemberAct::Propose { calls, lifetime_ms } => Call::Propose { calls, lifetime_ms },
            MemberAct::Vote { proposal, approve } => Call::Vote { proposal, approve },
            MemberAct::Withdraw { proposal } => Call::Withdraw { proposal },
            MemberAct::Delegate { to, until } => Call::Delegate { to, until },
        };
        let sent = self.send(entity.id(), key, vec![call.into()])?;
        self.decided(entity, sent, voted_on, wait).await
    }

    /// Lets an entity make a call: at once if its policy leaves that to the member who asks, by a proposal otherwise.
    async fn decide(
        &self,
        entity: &Entity,
        signer: Option<&SignerRef>,
        call: RuntimeCall,
        wait: bool,
    ) -> Result<DecisionView, RpcError> {
        let need = self.policy_of(entity)?.0.need(call.code());
        let (needed, call) = match need {
            Need::Member => (Permissions::NONE, call),
            Need::Permission(permissions) => (permissions, call),
            Need::Vote(_) => {
                let calls = [encoded(&call)].to_vec().try_into().unwrap_or_default();
                (Permissions::PROPOSE, Call::Propose { calls, lifetime_ms: None }.into())
            }
        };
        let key = self.asking_key(entity, signer, needed, false)?;
        let sent = self.send(entity.id(), key, vec![call])?;
        self.decided(entity, sent, None, wait).await
    }

    /// What became of a call, and of the proposal that it made or that it is about.
    async fn decided(
        &self,
        entity: &Entity,
        sent: Sent,
        proposal: Option<ProposalId>,
        wait: bool,
    ) -> Result<DecisionView, RpcError> {
        let party = self.directory.party(entity.id());
        if !wait {
            return Ok(DecisionView { call: sent.hash, entity: party, proposal: None });
        }
        let Included { hash, receipt, .. } = self.included(sent).await?;
        let proposal = proposal.or_else(|| proposed(&receipt));
        let after = self.entity(&entity.id())?;
        let proposal = proposal.map(|number| self.proposal_view(&after, number)).transpose()?;
        Ok(DecisionView { call: hash, entity: party, proposal })
    }

    /// The key of the member who asks: the one that is named, or one that the node holds of a member who may. A vote is
    /// nobody's but the voter's, so `only` asks for a name if there are several.
    fn asking_key(
        &self,
        entity: &Entity,
        signer: Option<&SignerRef>,
        needed: Permissions,
        only: bool,
    ) -> Result<PublicKey, RpcError> {
        let members = entity.board().members.iter();
        let keys: Vec<&PublicKey> = members
            .filter(|member| member.permissions.allows(needed))
            .filter_map(Member::signer)
            .filter(|key| self.keystore.has(&key.signer_id()))
            .collect();
        let label = self.directory.party(entity.id()).label();
        if let Some(signer) = signer {
            let id = self.labels.resolve(signer)?;
            let found =
                entity.board().members.iter().filter_map(Member::signer).find(|key| key.signer_id() == id);
            return found.copied().ok_or_else(|| {
                RpcError::not_found("member", format!("{signer} of the board of {label}"))
                    .with_hint("entity.getState names its members")
            });
        }
        match keys.as_slice() {
            [] => Err(RpcError::forbidden(format!(
                "the node holds no key of a member of the board of {label} that may do this"
            ))
            .with_hint("ask the server of such a member; a member that is an entity is named as `member`")),
            [_, _, ..] if only => {
                let name = |key: &&PublicKey| {
                    let id = key.signer_id();
                    self.labels.get(&id).unwrap_or_else(|| id.to_string())
                };
                let names: Vec<String> = keys.iter().map(name).collect();
                Err(RpcError::invalid_params(format!(
                    "the node holds the keys of {} members of the board of {label}: {}",
                    keys.len(),
                    names.join(", ")
                ))
                .with_hint("say by `signer` who votes"))
            }
            [key, ..] => Ok(**key),
        }
    }

    fn require_member(&self, entity: &Entity, member: &Entity) -> Result<(), RpcError> {
        let who = Principal::Entity(member.id());
        if entity.board().members.iter().any(|member| member.principal() == who) {
            return Ok(());
        }
        let label = |entity: &Entity| self.directory.party(entity.id()).label();
        Err(RpcError::not_found("member", format!("{} of the board of {}", label(member), label(entity)))
            .with_hint("entity.getState names its members"))
    }
}

/// The proposal that a call made.
fn proposed(receipt: &Receipt) -> Option<ProposalId> {
    receipt.events.iter().find_map(|event| match event {
        RuntimeEvent::Governance(pallet_governance::Event::Proposed { proposal, .. }) => Some(*proposal),
        _ => None,
    })
}
