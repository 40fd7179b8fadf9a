//! `xln entity proposals|proposal`: what is before a board, who voted, what is missing, what would happen.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use xln_primitives::Timestamp;
use xln_rpc::{
    Calls, U64,
    params::{EntityGetProposal, EntityProposals},
    view::{Choice, DecisionView, ProposalStatus, ProposalView, VoteView},
    words::moment,
};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table, harmless},
};

/// Lists proposals.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  xln --as acme entity proposals\n  xln --as acme entity proposals --all")]
pub(super) struct Proposals {
    /// Also those that are decided.
    #[arg(long)]
    all: bool,
    /// Only those after this number.
    #[arg(long, value_name = "NUMBER")]
    after: Option<U64>,
    /// How many at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

/// Shows a proposal.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  xln --as acme entity proposal 3")]
pub(super) struct Shown {
    /// Its number.
    proposal: U64,
}

const fn word(status: ProposalStatus) -> &'static str {
    match status {
        ProposalStatus::Pending => "pending",
        ProposalStatus::Executed => "executed",
        ProposalStatus::Failed => "failed",
        ProposalStatus::Rejected => "rejected",
        ProposalStatus::Expired => "expired",
        ProposalStatus::Withdrawn => "withdrawn",
    }
}

/// A time as the two largest of its parts.
fn span(ms: u64) -> String {
    let (days, hours, minutes) = (ms / 86_400_000, ms / 3_600_000 % 24, ms / 60_000 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{} s", ms / 1_000),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

fn left_until(expires: Timestamp) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let left = u128::from(expires.as_millis()).saturating_sub(now);
    match u64::try_from(left) {
        Ok(0) => ", which is over".to_owned(),
        Ok(left) => format!(", {} left", span(left)),
        Err(_) => String::new(),
    }
}

/// What a proposal is, in a line.
pub(super) fn line(proposal: &ProposalView) -> String {
    let actions: Vec<&str> = proposal.actions.iter().map(|action| action.text.as_str()).collect();
    let weight = format!("{} of {} needed", proposal.approving, proposal.needed);
    let state = match (proposal.status, &proposal.reason) {
        (ProposalStatus::Pending, _) => format!("pending, {weight}"),
        (ProposalStatus::Failed, Some(reason)) => format!("failed: {reason}"),
        (status, _) => word(status).to_owned(),
    };
    harmless(&format!(
        "proposal {} of {}: {} ({state})",
        proposal.number,
        proposal.entity.label(),
        actions.join("; then ")
    ))
}

/// Everything but the votes, in sentences.
fn sentences(proposal: &ProposalView) -> String {
    let entity = proposal.entity.label();
    let mut lines = vec![format!("proposal {} of {entity}: {}", proposal.number, word(proposal.status))];
    if let Some(reason) = &proposal.reason {
        lines.push(format!("  because   {reason}"));
    }
    let verb = if proposal.status == ProposalStatus::Executed { "  did       " } else { "  would     " };
    lines.extend(proposal.actions.iter().map(|action| format!("{verb}{}", action.text)));
    lines.push(format!("  made      by {}, {}", proposal.proposer.label(), moment(proposal.created)));
    match proposal.decided {
        Some(decided) => lines.push(format!("  decided   {}", moment(decided))),
        None => {
            lines.push(format!(
                "  open      until {}{}",
                moment(proposal.expires),
                left_until(proposal.expires)
            ));
            let ProposalView { approving, rejecting, votable, needed, missing, .. } = proposal;
            lines.push(format!(
                "  weight    {approving} for it, {rejecting} against it, {needed} needed of {votable} that may vote: {missing} missing"
            ));
        }
    }
    lines.iter().map(|line| harmless(line)).collect::<Vec<_>>().join("\n")
}

fn vote_row(vote: &VoteView) -> Vec<Cell> {
    let choice = match (vote.choice, vote.may_vote) {
        (Some(Choice::Approve), _) => "approves",
        (Some(Choice::Reject), _) => "rejects",
        (None, true) => "not yet",
        (None, false) => "may not vote",
    };
    let id = vote.member.signer.map(|id| id.to_string());
    let id = id.or_else(|| vote.member.entity.map(|id| id.to_string())).unwrap_or_default();
    vec![
        Cell::both(harmless(&vote.member.label()), id),
        Cell::new(vote.weight),
        Cell::new(choice),
        Cell::maybe(vote.at, Cell::moment),
        Cell::maybe(vote.through.as_ref(), |through| Cell::foreign(&through.label())),
    ]
}

/// A proposal with its votes.
pub(super) fn report(proposal: &ProposalView) -> Result<Report, Failure> {
    let mut table = Table::new(&["member", "weight", "vote", "when", "through"]);
    for vote in &proposal.votes {
        table.push(vote_row(vote));
    }
    Ok(Report::new(proposal, table)?.with_summary(sentences(proposal)))
}

/// What became of what a member asked for: `done` says it for a call that took effect without a proposal.
pub(super) fn decision(done: &str, decision: &DecisionView, wait: bool) -> Result<Report, Failure> {
    let summary = match &decision.proposal {
        Some(proposal) => sentences(proposal),
        None if wait => harmless(done),
        None => format!("accepted, not yet executed; follow it with xln receipt {}", decision.call),
    };
    let mut table = Table::new(&["member", "weight", "vote", "when", "through"]);
    for vote in decision.proposal.iter().flat_map(|proposal| &proposal.votes) {
        table.push(vote_row(vote));
    }
    Ok(Report::new(decision, table)?.with_summary(summary))
}

impl Proposals {
    /// Lists them.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let open = (!self.all).then_some(true);
        let (entity, after, limit) = (context.entity.clone(), self.after, Some(self.limit));
        let request = EntityProposals { entity, open, after, limit };
        let proposals = context.ask("asking", context.client.entity_proposals(&request)).await?;
        let mut table = Table::new(&["number", "status", "for", "against", "needed", "until", "would"]);
        for proposal in &proposals {
            let texts: Vec<&str> = proposal.actions.iter().map(|action| action.text.as_str()).collect();
            table.push(vec![
                Cell::new(proposal.number),
                Cell::new(word(proposal.status)),
                Cell::new(proposal.approving),
                Cell::new(proposal.rejecting),
                Cell::new(proposal.needed),
                Cell::moment(proposal.expires),
                Cell::foreign(&texts.join("; then ")),
            ]);
        }
        let empty = if self.all {
            "no proposals yet: xln entity propose makes one"
        } else {
            "no open proposals; --all shows decided ones"
        };
        Ok(Report::new(&proposals, table)?.or_if_empty(empty))
    }
}

impl Shown {
    /// Shows it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let request = EntityGetProposal { entity: context.entity.clone(), proposal: self.proposal };
        let proposal = context.ask("asking", context.client.entity_get_proposal(&request)).await?;
        report(&proposal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_left_has_two_parts() {
        assert_eq!(span(999), "0 s");
        assert_eq!(span(59_000), "59 s");
        assert_eq!(span(61 * 60_000), "1 h 1 min");
        assert_eq!(span(7 * 86_400_000 - 1), "6 d 23 h");
    }
}
