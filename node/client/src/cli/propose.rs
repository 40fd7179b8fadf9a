//! `xln entity propose`: puts something before the board of an entity.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde_json::Value;
use xln_rpc::{
    AssetRef, Bytes, Calls, EntityRef, MemberRef, SignerRef, U64,
    params::{Action, EntityPropose},
    view::{Choice, ListingKind},
};

use super::{
    amount::Quantity,
    context::{Context, Sum},
    decide::policy_of,
    exit::Failure,
    json_file::read_json,
    output::Report,
    proposal::decision,
};

/// Puts something before the board of the entity that acts.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  xln --as acme entity propose transfer bob 500usd
  xln --as acme entity propose --for 2d add-member dora.json
  xln --as acme entity propose remove-member carl
  xln --as acme entity propose threshold 3
  xln --as acme entity propose policy company
  xln --as acme entity propose calls calls.json
  Acme, as a member of the DAO, proposes something there:
    xln --as acme entity propose --in dao transfer bob 500usd

The proposer's own vote for it is included, if the proposer may vote. It takes effect in the frame in which the weight
suffices; if it fails then, it changes nothing and says why. A vote is changed with xln entity vote.")]
pub(super) struct Propose {
    /// How long it may be voted on, such as 30min or 7d; the policy's time if absent.
    #[arg(long = "for", value_parser = super::duration, value_name = "TIME", global = true)]
    lifetime: Option<Duration>,
    /// Which member proposes, by the label or identifier of its key.
    #[arg(long, value_name = "KEY", global = true)]
    signer: Option<SignerRef>,
    /// Another entity, of whose board the one that acts is a member: there it is proposed.
    #[arg(long = "in", value_name = "ENTITY", global = true)]
    within: Option<EntityRef>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Move from its reserve to another's.
    Transfer {
        /// To whom.
        to: EntityRef,
        /// How much, such as 500usd.
        amount: Quantity,
        /// Which asset, if the amount does not say it.
        #[arg(long)]
        asset: Option<AssetRef>,
    },
    /// Take a new member onto its board.
    #[command(visible_alias = "add-validator")]
    AddMember {
        /// A file with the member, as in a chain spec: {"key": "bls:0x…", "proofOfPossession": "0x…", "weight": 1}.
        file: PathBuf,
    },
    /// Take a member off its board.
    #[command(visible_alias = "remove-validator")]
    RemoveMember {
        /// Who: the label or identifier of a key, or an entity.
        member: MemberRef,
    },
    /// Give a member another key, delegate, weight or other permissions.
    ReplaceMember {
        /// Who: the label or identifier of a key, or an entity.
        member: MemberRef,
        /// A file with what it is from then on, as in a chain spec.
        file: PathBuf,
    },
    /// Change the weight that authorises its actions.
    #[command(visible_alias = "change-threshold")]
    Threshold {
        /// The weight.
        threshold: u32,
    },
    /// Replace its board.
    Board {
        /// A file with the board, as in a chain spec.
        file: PathBuf,
    },
    /// Replace what members may do alone.
    Policy {
        /// wallet, company, hub, consortium, or a file with a policy.
        policy: String,
    },
    /// Deal no more with an entity, report what it has to do with it, or take it off the list.
    Listing {
        /// Who.
        party: EntityRef,
        /// How; off the list if absent.
        #[arg(value_parser = listing)]
        listing: Option<ListingKind>,
    },
    /// Call itself something.
    Rename {
        /// Its name.
        name: String,
    },
    /// Vote, as a member of another entity's board, on a proposal there.
    Vote {
        /// The other entity.
        entity: EntityRef,
        /// Its proposal.
        proposal: U64,
        /// Against it instead of for it.
        #[arg(long)]
        reject: bool,
    },
    /// Several actions or calls, in this order and all or nothing.
    Calls {
        /// A file with a list: actions as entity.propose takes them, or calls as 0x SCALE. Amounts are in smallest units.
        #[arg(
            long_help = "A file with a list: actions as entity.propose takes them, or calls as 0x SCALE. Amounts are in \
            smallest units.\n\n[{\"transfer\": {\"to\": \"bob\", \"amount\": \"50000\"}}, {\"setThreshold\": {\"threshold\": 3}}, \"0x43…\"]"
        )]
        file: PathBuf,
    },
}

pub(super) fn listing(text: &str) -> Result<ListingKind, String> {
    match text {
        "blocked" => Ok(ListingKind::Blocked),
        "watched" => Ok(ListingKind::Watched),
        _ => Err("expected blocked or watched".to_owned()),
    }
}

/// A list of actions, in which a text is a call as SCALE.
fn actions(json: Value, file: &std::path::Path) -> Result<Vec<Action>, Failure> {
    let wrong = |message: String| Failure::Usage {
        message: format!("{}: {message}", file.display()),
        hint: "a list such as [{\"transfer\": {\"to\": \"bob\", \"amount\": \"50000\"}}, \"0x43…\"]"
            .to_owned(),
    };
    let Value::Array(items) = json else { return Err(wrong("it is no list".to_owned())) };
    let action = |(place, item): (usize, Value)| {
        let parsed = match &item {
            Value::String(text) => text.parse::<Bytes>().map(Action::Call).map_err(|error| error.to_string()),
            _ => serde_json::from_value(item).map_err(|error| error.to_string()),
        };
        parsed.map_err(|error| wrong(format!("action {place}: {error}")))
    };
    items.into_iter().enumerate().map(action).collect()
}

impl What {
    async fn actions(self, context: &Context) -> Result<Vec<Action>, Failure> {
        Ok(vec![match self {
            Self::Transfer { to, amount, asset } => {
                let Sum { amount, asset, .. } = context.sum(&amount, asset.as_ref()).await?;
                Action::Transfer { to, asset: Some(asset), amount }
            }
            Self::AddMember { file } => Action::AddMember { member: read_json(&file)? },
            Self::RemoveMember { member } => Action::RemoveMember { member },
            Self::ReplaceMember { member, file } => Action::ReplaceMember { member, with: read_json(&file)? },
            Self::Threshold { threshold } => Action::SetThreshold { threshold },
            Self::Board { file } => Action::SetBoard { board: read_json(&file)? },
            Self::Policy { policy } => Action::SetPolicy { policy: policy_of(&policy)? },
            Self::Listing { party, listing } => Action::SetListing { party, listing },
            Self::Rename { name } => Action::Rename { name, description: String::new() },
            Self::Vote { entity, proposal, reject } => {
                let choice = if reject { Choice::Reject } else { Choice::Approve };
                Action::Vote { entity, proposal, choice }
            }
            Self::Calls { file } => return actions(read_json(&file)?, &file),
        }])
    }
}

impl Propose {
    /// Proposes it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self { lifetime, signer, within, what } = self;
        let actions = what.actions(context).await?;
        // In another entity the one that acts is the member who proposes.
        let (entity, member) = match within {
            Some(within) => (Some(within), context.entity.clone()),
            None => (context.entity.clone(), None),
        };
        let lifetime_ms = lifetime.and_then(|time| u64::try_from(time.as_millis()).ok());
        let request = EntityPropose { entity, actions, lifetime_ms, signer, member, wait: context.wait };
        let answer = context.ask("proposing", context.client.entity_propose(&request)).await?;
        decision(&format!("{} has proposed it", answer.entity.label()), &answer, context.wait)
    }
}
