//! `xln channel open|list|show|credit|policy|request-collateral|close`.

use clap::{Args, Subcommand};
use xln_rpc::{
    AssetRef, Calls, ChannelRef, EntityRef,
    params::{
        ChannelGet, ChannelListHtlcs, ChannelOpen, ChannelSetCredit, ChannelSetPolicy, EntityGet,
        PolicyChange,
    },
    view::{ChannelStatus, ChannelView, Direction, PolicyView, SubchannelView},
    words::{readable, readable_delta},
};

use super::{
    amount::Quantity,
    closing, collateral,
    context::{Context, Sum},
    duration,
    exit::Failure,
    output::{Cell, Report, Table},
    submitted,
};

/// The bilateral accounts of entities.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Open a channel, or add an asset to one, and say what the peer may owe.
    Open(Open),
    /// Channels with their capacity bars.
    List(List),
    /// One channel with all its sums and what is in flight.
    Show(Named),
    /// What the peer may owe: set.
    #[command(subcommand)]
    Credit(Credit),
    /// What the entity asks of those whose payments it carries: set, show.
    #[command(subcommand)]
    Policy(Policy),
    /// Ask the peer to put collateral behind what it owes.
    RequestCollateral(collateral::Request),
    /// Close a channel in agreement; the depositary settles it.
    Close(closing::Close),
}

/// Opens a channel.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Be payable at once, without a deposit: let the hub owe bob up to 500 USD
    xln --as bob channel open --with hub --credit 500usd
  Only open it
    xln --as bob channel open --with hub --asset eth")]
pub(super) struct Open {
    /// With whom.
    #[arg(long = "with", value_name = "NAME")]
    peer: EntityRef,
    /// What the peer may owe: what you can receive from the first moment.
    #[arg(long, value_name = "AMOUNT")]
    credit: Option<Quantity>,
    /// Which asset, if the credit does not say it.
    #[arg(long)]
    asset: Option<AssetRef>,
}

/// Lists channels.
#[derive(Debug, Args)]
#[command(after_help = "\
The bar shows a channel to scale from the entity's side: '-' credit, '=' collateral, '.' the entity's zero,
'|' where it stands. What is left of '|' it can send, what is right of it it can receive:
  [----------.====|================--------------------]")]
pub(super) struct List {
    /// How many at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

/// Names a channel.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// Which channel: the name of the peer, or a 0x identifier.
    channel: ChannelRef,
}

/// What the peer may owe.
#[derive(Debug, Subcommand)]
pub(super) enum Credit {
    /// Set the most that the peer may owe. Below what it owes already, it can only pay back.
    Set(CreditSet),
}

/// Sets what the peer may owe.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  xln --as bob channel credit set hub 800usd")]
pub(super) struct CreditSet {
    /// Which channel: the name of the peer, or a 0x identifier.
    channel: ChannelRef,
    /// The most that the peer may owe.
    limit: Quantity,
    /// Which asset, if the limit does not say it.
    #[arg(long)]
    asset: Option<AssetRef>,
}

/// What an entity asks of those whose payments it carries.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Change it; what is not named stays.
    Set(Box<PolicySet>),
    /// Show it.
    Show,
}

/// Changes a policy.
#[derive(Debug, Args)]
#[command(after_help = "Example: ten cents and 0.05 % of each payment that is passed on\n  \
    xln --as hub channel policy set --fee-base 0.10usd --fee-ppm 500")]
pub(super) struct PolicySet {
    /// Charged per forwarded payment.
    #[arg(long, value_name = "AMOUNT")]
    fee_base: Option<Quantity>,
    /// Charged per million of the amount.
    #[arg(long, value_name = "PPM")]
    fee_ppm: Option<u32>,
    /// Smallest payment taken.
    #[arg(long, value_name = "AMOUNT")]
    min_htlc: Option<Quantity>,
    /// Largest payment taken.
    #[arg(long, value_name = "AMOUNT")]
    max_htlc: Option<Quantity>,
    /// Time between the deadlines of an incoming and an outgoing payment, such as 40s.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    timelock_delta: Option<std::time::Duration>,
    /// Most payments in flight per channel.
    #[arg(long, value_name = "COUNT")]
    max_pending: Option<u32>,
    /// Collateral that is locked on request without asking.
    #[arg(long, value_name = "AMOUNT")]
    auto_collateral: Option<Quantity>,
}

fn status(status: ChannelStatus) -> &'static str {
    match status {
        ChannelStatus::Opening => "opening",
        ChannelStatus::Open => "open",
        ChannelStatus::Closing => "closing",
        ChannelStatus::Frozen => "frozen",
    }
}

/// One row per channel and asset, with the capacity bar.
pub(super) fn table(channels: &[ChannelView]) -> Table {
    let mut table =
        Table::new(&["entity", "peer", "channel", "asset", "status", "can send", "can receive", "capacity"]);
    for channel in channels {
        let mut push = |asset: Option<&SubchannelView>| {
            let money = |of: fn(&SubchannelView) -> xln_primitives::Amount| {
                Cell::maybe(asset, |asset| Cell::new(readable(of(asset), asset.decimals)))
            };
            table.push(vec![
                Cell::foreign(&channel.entity.label()),
                Cell::foreign(&channel.peer.label()),
                Cell::id(channel.id),
                Cell::maybe(asset, |asset| Cell::foreign(&asset.symbol)),
                Cell::new(status(channel.status)),
                money(|asset| asset.out_capacity),
                money(|asset| asset.in_capacity),
                Cell::maybe(asset, |asset| Cell::foreign(&asset.bar)),
            ]);
        };
        if channel.assets.is_empty() {
            push(None);
        }
        channel.assets.iter().for_each(|asset| push(Some(asset)));
    }
    table
}

fn policy_table(policy: &PolicyView) -> Table {
    // A policy holds for every asset, so its sums are in smallest units.
    Table::properties(vec![
        ("fee base", Cell::new(format!("{} smallest units", policy.fee_base))),
        ("fee", Cell::new(format!("{} ppm", policy.fee_ppm))),
        ("smallest payment", Cell::new(format!("{} smallest units", policy.min_htlc))),
        ("largest payment", Cell::new(format!("{} smallest units", policy.max_htlc))),
        ("timelock delta", Cell::new(format!("{} ms", policy.timelock_delta_ms))),
        ("most in flight", Cell::new(policy.max_pending)),
        ("collateral on request", Cell::new(format!("{} smallest units", policy.auto_collateral))),
    ])
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        match self {
            Self::Open(open) => open.run(context).await,
            Self::List(List { limit }) => {
                let channels = context.channels(usize::try_from(limit).unwrap_or(usize::MAX)).await?;
                Ok(Report::new(&channels, table(&channels))?
                    .or_if_empty("no open channels: xln channel open --with NAME --credit AMOUNT opens one"))
            }
            Self::Show(Named { channel }) => show(context, channel).await,
            Self::Credit(Credit::Set(set)) => set.run(context).await,
            Self::Policy(Policy::Set(set)) => set.run(context).await,
            Self::Policy(Policy::Show) => show_policy(context).await,
            Self::RequestCollateral(request) => request.run(context).await,
            Self::Close(close) => close.run(context).await,
        }
    }
}

impl Open {
    async fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self { peer, credit, asset } = self;
        let (credit, asset) = context.maybe_sum(credit.as_ref(), asset).await?;
        let what = match &credit {
            Some(Sum { text, .. }) => format!("the channel with {peer} is open; {peer} may owe up to {text}"),
            None => format!("the channel with {peer} is open"),
        };
        let amount = credit.map(|credit| credit.amount);
        let (entity, wait) = (context.entity.clone(), context.wait);
        let request = ChannelOpen { entity: entity.clone(), peer: peer.clone(), asset, credit: amount, wait };
        let done = context.ask("opening", context.client.channel_open(&request)).await?;
        if !wait {
            return submitted::report(&what, &done);
        }
        let channel = match peer {
            EntityRef::Id(id) => ChannelRef::Id(xln_primitives::Hash::new(*id.as_bytes())),
            EntityRef::Name(name) => ChannelRef::Name(name),
        };
        let request = ChannelGet { entity, channel };
        let channel = context.ask("asking", context.client.channel_get(&request)).await?;
        let answer = serde_json::json!({ "submitted": done, "channel": channel });
        Ok(Report::new(&answer, table(core::slice::from_ref(&channel)))?.with_summary(what))
    }
}

impl CreditSet {
    async fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self { channel, limit: quantity, asset } = self;
        let Sum { amount: limit, asset, text } = context.sum(&quantity, asset.as_ref()).await?;
        let what = format!("{channel} may owe up to {text}");
        let (entity, wait) = (context.entity.clone(), context.wait);
        let request = ChannelSetCredit { entity, channel, asset: Some(asset), limit, wait };
        let done = context.ask("setting the limit", context.client.channel_set_credit(&request)).await?;
        submitted::report(&what, &done)
    }
}

impl PolicySet {
    async fn run(self, context: &Context) -> Result<Report, Failure> {
        let units = async |quantity: Option<Quantity>| match quantity {
            Some(quantity) => Ok::<_, Failure>(Some(context.sum(&quantity, None).await?.amount)),
            None => Ok(None),
        };
        let delta = self.timelock_delta.map(|delta| u64::try_from(delta.as_millis()).unwrap_or(u64::MAX));
        let policy = PolicyChange {
            fee_base: units(self.fee_base).await?,
            fee_ppm: self.fee_ppm,
            min_htlc: units(self.min_htlc).await?,
            max_htlc: units(self.max_htlc).await?,
            timelock_delta_ms: delta,
            max_pending: self.max_pending,
            auto_collateral: units(self.auto_collateral).await?,
        };
        if policy == PolicyChange::default() {
            return Err(Failure::Usage {
                message: "nothing to change".into(),
                hint: "name at least one, such as --fee-ppm 500".into(),
            });
        }
        let request = ChannelSetPolicy { entity: context.entity.clone(), policy, wait: context.wait };
        let done = context.ask("setting the policy", context.client.channel_set_policy(&request)).await?;
        submitted::report(&format!("the policy of {} is changed", context.actor()), &done)
    }
}

async fn show_policy(context: &Context) -> Result<Report, Failure> {
    let Some(entity) = context.entity.clone() else {
        return Err(Failure::Usage {
            message: "whose policy?".into(),
            hint: "name the entity: xln --as hub channel policy show".into(),
        });
    };
    let entity = context.ask("asking", context.client.entity_get_state(&EntityGet { entity })).await?;
    match &entity.policy {
        Some(policy) => Report::new(policy, policy_table(policy)),
        None => {
            let table = Table::new(&["property", "value"]);
            Ok(Report::new(&entity.policy, table)?.or_if_empty("its policy is not known to this node"))
        }
    }
}

async fn show(context: &Context, channel: ChannelRef) -> Result<Report, Failure> {
    let entity = context.entity.clone();
    let request = ChannelGet { entity: entity.clone(), channel: channel.clone() };
    let view = context.ask("asking", context.client.channel_get(&request)).await?;
    let request = ChannelListHtlcs { entity, channel, after: None, limit: None };
    let htlcs = context.ask("asking", context.client.channel_list_htlcs(&request)).await?;
    let mut rows = vec![
        ("channel", Cell::both(view.id.to_string(), view.id.to_string())),
        ("entity", Cell::foreign(&view.entity.label())),
        ("peer", Cell::foreign(&view.peer.label())),
        ("status", Cell::new(status(view.status))),
        ("height", Cell::new(view.height)),
        ("epoch", Cell::new(view.epoch)),
        ("waiting", Cell::new(format!("{} moves", view.queued))),
    ];
    for asset in &view.assets {
        let money = |amount| Cell::new(readable(amount, asset.decimals));
        rows.extend([
            ("asset", Cell::foreign(&asset.symbol)),
            ("capacity", Cell::foreign(&asset.bar)),
            ("can send", money(asset.out_capacity)),
            ("can receive", money(asset.in_capacity)),
            ("total", money(asset.total)),
            ("collateral", money(asset.collateral)),
            ("delta", Cell::new(readable_delta(asset.delta, asset.decimals))),
            ("owes", money(asset.in_own_credit)),
            ("may still owe", money(asset.out_own_credit)),
            ("is owed", money(asset.out_peer_credit)),
            ("peer may still owe", money(asset.in_peer_credit)),
            ("held (left, right)", {
                let hold = |amount| readable(amount, asset.decimals);
                Cell::new(format!("{}, {}", hold(asset.left_hold), hold(asset.right_hold)))
            }),
        ]);
    }
    for htlc in &htlcs {
        let way = match htlc.direction {
            Direction::In => "incoming",
            Direction::Out => "outgoing",
        };
        let amount = readable(htlc.amount, htlc.decimals);
        rows.push((way, Cell::foreign(&format!("{amount} {} on {}", htlc.symbol, htlc.hash))));
    }
    let answer = serde_json::json!({ "channel": view, "htlcs": htlcs });
    Report::new(&answer, Table::properties(rows))
}
