//! `entity.getProposal` and `entity.proposals`: what is before a board, how it stands, what would happen.

use std::collections::BTreeMap;

use pallet_governance::{Preset, Proposal, ProposalId, Status, Tally, tally};
use xln_primitives::{Member, Permissions, Principal, Timestamp};
use xln_rpc::{
    Bytes, RpcError, U64,
    params::{EntityGetProposal, EntityProposals, page_size},
    view::{
        ActionView, Choice, DelegationView, GovernanceView, PrincipalView, ProposalStatus, ProposalView,
        VoteView,
    },
};
use xln_runtime::Entity;

use super::{
    NodeBackend,
    codes::Refused,
    directory::Directory,
    labels::Labels,
    policies::{policy_json, preset_name, rule_views},
};
use crate::author::system_time;

/// Proposals that are looked at for one page of those that are asked for.
const LOOKED_AT_MAX: usize = 1_000;

/// Proposals as views, with the names that people know.
pub(super) struct Proposals<'a> {
    pub(super) directory: &'a Directory,
    pub(super) labels: &'a Labels,
    pub(super) now: Timestamp,
}

impl Proposals<'_> {
    /// A member of a board.
    pub(super) fn principal(&self, who: &Principal) -> PrincipalView {
        match who {
            Principal::Signer(signer) => {
                PrincipalView { signer: Some(*signer), entity: None, label: self.labels.get(signer) }
            }
            Principal::Entity(entity) => {
                PrincipalView { signer: None, entity: Some(*entity), label: self.directory.name(entity) }
            }
        }
    }

    /// A proposal of a hosted entity, if it is kept.
    pub(super) fn get(&self, entity: &Entity, number: ProposalId) -> Result<Option<ProposalView>, RpcError> {
        let found = pallet_governance::proposal(&entity.state(), number).refused()?;
        found.map(|found| self.view(entity, number, &found)).transpose()
    }

    /// The delegations of members of the board that hold now.
    fn delegations(&self, entity: &Entity) -> Result<BTreeMap<Principal, (Principal, Timestamp)>, RpcError> {
        let state = entity.state();
        let mut valid = BTreeMap::new();
        for by in entity.board().members.iter().map(Member::principal) {
            let found = pallet_governance::delegation(&state, &by).refused()?;
            if let Some(delegation) = found.filter(|delegation| delegation.until > self.now) {
                valid.insert(by, (delegation.to, delegation.until));
            }
        }
        Ok(valid)
    }

    fn view(
        &self,
        entity: &Entity,
        number: ProposalId,
        proposal: &Proposal,
    ) -> Result<ProposalView, RpcError> {
        let board = entity.board();
        let delegations = self.delegations(entity)?;
        let delegated = |by: &Principal| delegations.get(by).map(|(to, _)| *to);
        let count = tally(board, proposal, delegated);
        let Tally { approving, rejecting, votable, needed } = count;
        let reason = match &proposal.status {
            Status::Failed { reason } => {
                Some(self.directory.spelled(&reason.to_string(), "", &serde_json::Value::Null, None))
            }
            _ => None,
        };
        let actions = proposal.calls.iter().map(|call| ActionView {
            code: call.first().copied().unwrap_or_default(),
            text: self.directory.encoded_call_text(entity.id(), call),
            call: Bytes(call.to_vec()),
        });
        Ok(ProposalView {
            entity: self.directory.party(entity.id()),
            number: U64(number),
            status: status(&proposal.status),
            reason,
            proposer: self.principal(&proposal.proposer),
            actions: actions.collect(),
            created: proposal.created,
            expires: proposal.expires,
            decided: proposal.decided,
            approving,
            rejecting,
            votable,
            needed,
            missing: count.missing(),
            votes: board.members.iter().map(|member| self.vote(proposal, member, delegated)).collect(),
        })
    }

    fn vote(
        &self,
        proposal: &Proposal,
        member: &Member,
        delegated: impl Fn(&Principal) -> Option<Principal>,
    ) -> VoteView {
        let who = member.principal();
        let may_vote = member.permissions.allows(Permissions::VOTE);
        let own = proposal.ballot(&who).filter(|_| may_vote);
        let through = delegated(&who).filter(|_| may_vote && own.is_none());
        let through = through.and_then(|to| proposal.ballot(&to));
        let choice = own.or(through).map(|ballot| choice(ballot.approves));
        VoteView {
            member: self.principal(&who),
            weight: member.weight,
            may_vote,
            choice,
            at: own.map(|ballot| ballot.at),
            through: through.map(|ballot| self.principal(&ballot.member)),
        }
    }
}

const fn choice(approves: bool) -> Choice {
    if approves { Choice::Approve } else { Choice::Reject }
}

const fn status(status: &Status) -> ProposalStatus {
    match status {
        Status::Pending => ProposalStatus::Pending,
        Status::Executed => ProposalStatus::Executed,
        Status::Failed { .. } => ProposalStatus::Failed,
        Status::Rejected => ProposalStatus::Rejected,
        Status::Expired => ProposalStatus::Expired,
        Status::Withdrawn => ProposalStatus::Withdrawn,
    }
}

impl NodeBackend {
    pub(super) fn proposals_now(&self) -> Proposals<'_> {
        Proposals { directory: &self.directory, labels: &self.labels, now: system_time() }
    }

    /// How a hosted entity decides.
    pub(super) fn governance_view(&self, entity: &Entity) -> Result<GovernanceView, RpcError> {
        let (policy, decided) = self.policy_of(entity)?;
        let (limits, report_from) = self.directory.limit_views(&policy);
        let proposals = self.proposals_now();
        let delegations = proposals.delegations(entity)?;
        let delegation = |(by, (to, until)): (&Principal, &(Principal, Timestamp))| DelegationView {
            by: proposals.principal(by),
            to: proposals.principal(to),
            until: *until,
        };
        Ok(GovernanceView {
            preset: Preset::named(&policy).map(|preset| preset_name(preset).to_owned()),
            decided,
            rules: rule_views(&policy),
            limits,
            report_from,
            proposal_ms: policy.proposal_ms,
            open: pallet_governance::open_proposals(&entity.state())
                .refused()?
                .into_iter()
                .map(U64)
                .collect(),
            delegations: delegations.iter().map(delegation).collect(),
            policy: policy_json(&policy),
        })
    }

    pub(super) fn entity_get_proposal(&self, params: EntityGetProposal) -> Result<ProposalView, RpcError> {
        let entity = self.acting(params.entity.as_ref())?;
        self.proposal_view(&entity, params.proposal.0)
    }

    /// A proposal of a hosted entity.
    pub(super) fn proposal_view(
        &self,
        entity: &Entity,
        number: ProposalId,
    ) -> Result<ProposalView, RpcError> {
        self.proposals_now().get(entity, number)?.ok_or_else(|| {
            let label = self.directory.party(entity.id()).label();
            RpcError::not_found("proposal", format!("{number} of {label}"))
                .with_hint("entity.proposals lists those that are kept")
        })
    }

    pub(super) fn entity_proposals(&self, params: EntityProposals) -> Result<Vec<ProposalView>, RpcError> {
        let EntityProposals { entity, open, after, limit } = params;
        let entity = self.acting(entity.as_ref())?;
        let state = entity.state();
        let proposals = self.proposals_now();
        let stored =
            pallet_governance::proposals(&state, after.map(|after| after.0), LOOKED_AT_MAX).refused()?;
        let wanted =
            |proposal: &Proposal| open.is_none_or(|open| open == (proposal.status == Status::Pending));
        let wanted = stored.iter().filter(|(_, proposal)| wanted(proposal)).take(page_size(limit));
        wanted.map(|(number, proposal)| proposals.view(&entity, *number, proposal)).collect()
    }
}
