//! `xln entity vote|withdraw|delegate|policy|listing|register`: how members decide for an entity.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use xln_primitives::Timestamp;
use xln_rpc::{
    Calls, EntityRef, MemberRef, SignerRef, U64,
    params::{
        EntityDelegate, EntityGet, EntityRegister, EntitySetListing, EntitySetPolicy, EntityVote,
        EntityWithdraw,
    },
    view::{Choice, GovernanceView, LimitView, ListingKind},
    words::readable,
};

use super::{
    context::Context,
    exit::Failure,
    json_file::read_json,
    output::{Cell, Report, Table, harmless},
    proposal::decision,
    propose::listing,
};

/// Which member asks.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// Which member of the board, by the label or identifier of its key.
    #[arg(long, value_name = "KEY")]
    signer: Option<SignerRef>,
    /// Another entity, of whose board the one that acts is a member: there it takes effect.
    #[arg(long = "in", value_name = "ENTITY")]
    within: Option<EntityRef>,
}

impl Who {
    /// Whose board it is, which key asks, and which member entity.
    fn split(self, context: &Context) -> (Option<EntityRef>, Option<SignerRef>, Option<EntityRef>) {
        match self.within {
            Some(within) => (Some(within), self.signer, context.entity.clone()),
            None => (context.entity.clone(), self.signer, None),
        }
    }
}

/// Votes on a proposal, or changes a vote.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  xln --as acme entity vote 3
  xln --as acme entity vote 3 --reject --signer anna
  Acme, as a member of the DAO, votes there; if its policy asks for a vote of its own board, it is proposed there first:
    xln --as acme entity vote 7 --in dao")]
pub(super) struct Vote {
    /// The proposal.
    proposal: U64,
    /// Against it instead of for it.
    #[arg(long)]
    reject: bool,
    #[command(flatten)]
    who: Who,
}

/// Takes an own proposal back.
#[derive(Debug, Args)]
pub(super) struct Withdraw {
    /// The proposal.
    proposal: U64,
    #[command(flatten)]
    who: Who,
}

/// Lets another member's votes count for one's own weight.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  xln --as acme entity delegate anna --signer carl --for 30d
  xln --as acme entity delegate --signer carl       # ends it

Whoever votes itself counts by that; a delegation is not passed on.")]
pub(super) struct Delegate {
    /// To which member: the label or identifier of a key, or an entity; nobody if absent.
    to: Option<MemberRef>,
    /// For how long, such as 12h or 30d.
    #[arg(long = "for", value_parser = super::duration, value_name = "TIME", default_value = "30d")]
    time: Duration,
    #[command(flatten)]
    who: Who,
}

/// What members may do alone.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// The policy: what needs whom, limits, what is reported.
    Show,
    /// Replace it; where that needs a vote, it is proposed.
    #[command(after_help = "\
Examples:
  xln --as acme entity policy set company
  xln --as acme entity policy set policy.json

A file says what differs from a preset, or from the present policy:
  {\"preset\": \"company\",
   \"limits\": [{\"asset\": \"usd\", \"amount\": \"100000\", \"periodMs\": 86400000}],
   \"reportFrom\": [{\"asset\": \"usd\", \"amount\": \"1000000\"}],
   \"rules\": [{\"first\": 32, \"last\": 33, \"need\": {\"vote\": 5000}}], \"otherwise\": {\"permission\": 4}}
A rule is for the calls with codes `first` to `last`: they need \"member\", {\"permission\": bits} or {\"vote\": basis points
of all weight, 0 for the board's threshold}. Amounts are in smallest units.")]
    Set {
        /// wallet, company, hub, consortium, or a file.
        policy: String,
        /// Which member asks, by the label or identifier of its key.
        #[arg(long, value_name = "KEY")]
        signer: Option<SignerRef>,
    },
}

/// Deals no more with an entity, reports what it has to do with it, or takes it off the list.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  xln --as acme entity listing mallory blocked\n  xln --as acme entity listing mallory"
)]
pub(super) struct Listing {
    /// Who.
    party: EntityRef,
    /// How: blocked or watched; off the list if absent.
    #[arg(value_parser = listing)]
    listing: Option<ListingKind>,
    /// Which member asks, by the label or identifier of its key.
    #[arg(long, value_name = "KEY")]
    signer: Option<SignerRef>,
}

/// Registers a board with the depositary.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  xln --as hub-1 entity register --board acme.json

The depositary gives the board a number. Unlike an entity that is named by the hash of its board, a registered one can change it.")]
pub(super) struct Register {
    /// A file with the board, as in a chain spec.
    #[arg(long, value_name = "FILE")]
    board: PathBuf,
}

/// A policy by the name of a preset, or from a file.
pub(super) fn policy_of(text: &str) -> Result<Value, Failure> {
    match text {
        "wallet" | "company" | "hub" | "consortium" => Ok(json!({ "preset": text })),
        file if Path::new(file).exists() => read_json(Path::new(file)),
        other => Err(Failure::Usage {
            message: format!("{other:?} is neither a preset nor a file"),
            hint: "the presets are wallet, company, hub and consortium; xln entity show prints a policy"
                .to_owned(),
        }),
    }
}

fn sums(limits: &[LimitView]) -> impl Iterator<Item = (String, Option<u64>)> {
    limits.iter().map(|row| (format!("{} {}", readable(row.amount, row.decimals), row.symbol), row.period_ms))
}

/// Rows that say how an entity decides.
pub(super) fn rows(governance: &GovernanceView) -> Vec<(&'static str, Cell)> {
    let preset = governance.preset.as_deref().unwrap_or("its own");
    let why = if governance.decided { "decided by its board" } else { "by default" };
    let mut rows = vec![("policy", Cell::new(format!("{preset}, {why}")))];
    for rule in &governance.rules {
        rows.push(("rule", Cell::foreign(&format!("{}: {}", rule.calls, rule.need))));
    }
    for (sum, period) in sums(&governance.limits) {
        let hours = period.unwrap_or_default() / 3_600_000;
        rows.push(("limit", Cell::foreign(&format!("{sum} per member and {hours} h; more by vote"))));
    }
    for (sum, _) in sums(&governance.report_from) {
        rows.push(("report", Cell::foreign(&format!("calls that spend {sum} or more"))));
    }
    for delegation in &governance.delegations {
        let text = format!("{} to {}", delegation.by.label(), delegation.to.label());
        rows.push(("delegation", Cell::foreign(&text)));
    }
    if !governance.open.is_empty() {
        let numbers: Vec<String> = governance.open.iter().map(ToString::to_string).collect();
        rows.push(("open proposals", Cell::new(numbers.join(", "))));
    }
    rows
}

impl Vote {
    /// Votes.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self { proposal, reject, who } = self;
        let choice = if reject { Choice::Reject } else { Choice::Approve };
        let (entity, signer, member) = who.split(context);
        let request = EntityVote { entity, proposal, choice, signer, member, wait: context.wait };
        let answer = context.ask("voting", context.client.entity_vote(&request)).await?;
        decision(
            &format!("{} has voted; its vote is under way", answer.entity.label()),
            &answer,
            context.wait,
        )
    }
}

impl Withdraw {
    /// Takes it back.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let (entity, signer, member) = self.who.split(context);
        let request = EntityWithdraw { entity, proposal: self.proposal, signer, member, wait: context.wait };
        let answer = context.ask("taking it back", context.client.entity_withdraw(&request)).await?;
        decision(&format!("{} has said so", answer.entity.label()), &answer, context.wait)
    }
}

impl Delegate {
    /// Delegates.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self { to, time, who } = self;
        let (entity, signer, member) = who.split(context);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let until = u64::try_from(now.saturating_add(time).as_millis()).unwrap_or(u64::MAX);
        let until = to.is_some().then(|| Timestamp::from_millis(until));
        let done = match &to {
            Some(to) => format!("the votes of {to} count until then, where there is no own vote"),
            None => "the delegation has ended".to_owned(),
        };
        let request = EntityDelegate { entity, to, until, signer, member, wait: context.wait };
        let answer = context.ask("delegating", context.client.entity_delegate(&request)).await?;
        decision(&done, &answer, context.wait)
    }
}

impl Policy {
    /// Shows or replaces it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        match self {
            Self::Show => {
                let entity = context.entity.clone().ok_or_else(|| Failure::Usage {
                    message: "whose policy?".to_owned(),
                    hint: "use --as NAME or XLN_AS".to_owned(),
                })?;
                let request = EntityGet { entity };
                let entity = context.ask("asking", context.client.entity_get_state(&request)).await?;
                let governance = entity.governance.ok_or_else(|| Failure::Usage {
                    message: "the entity does not live on this node, so its policy is not known here"
                        .to_owned(),
                    hint: "ask the node on which it lives".to_owned(),
                })?;
                Report::new(&governance, Table::properties(rows(&governance)))
            }
            Self::Set { policy, signer } => {
                let (entity, policy, wait) = (context.entity.clone(), policy_of(&policy)?, context.wait);
                let request = EntitySetPolicy { entity, policy, signer, wait };
                let answer = context.ask("setting", context.client.entity_set_policy(&request)).await?;
                decision(&format!("{} has a new policy", answer.entity.label()), &answer, wait)
            }
        }
    }
}

impl Listing {
    /// Lists it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self { party, listing, signer } = self;
        let done = match listing {
            Some(ListingKind::Blocked) => format!("calls that deal with {party} are refused"),
            Some(ListingKind::Watched) => format!("calls that deal with {party} are reported"),
            None => format!("{party} is not listed"),
        };
        let (entity, wait) = (context.entity.clone(), context.wait);
        let request = EntitySetListing { entity, party, listing, signer, wait };
        let answer = context.ask("listing", context.client.entity_set_listing(&request)).await?;
        decision(&done, &answer, wait)
    }
}

impl Register {
    /// Registers it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let (entity, board, wait) = (context.entity.clone(), read_json(&self.board)?, context.wait);
        let request = EntityRegister { entity, board, wait };
        let answer = context.ask("registering", context.client.entity_register(&request)).await?;
        let mut table = Table::new(&["number", "id", "board"]);
        let summary = match &answer.entity {
            Some(entity) => {
                table.push(vec![
                    Cell::maybe(entity.registry_number, Cell::new),
                    Cell::both(entity.id.to_string(), entity.id.to_string()),
                    Cell::maybe(entity.board.as_ref(), |board| Cell::id(board.hash)),
                ]);
                harmless(&format!("the board is entity {}", entity.id))
            }
            None => format!("accepted; follow it with xln receipt {}", answer.call),
        };
        Ok(Report::new(&answer, table)?.with_summary(summary))
    }
}
