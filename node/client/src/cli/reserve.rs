//! `xln reserve deposit|withdraw|transfer|allocate|list`.

use clap::{Args, Subcommand};
use xln_rpc::{
    AssetRef, Bytes, Calls, ChannelRef, EntityRef,
    params::{Allocate, Deposit, ListReserves, Transfer, Withdraw},
    words::readable,
};

use super::{
    amount::Quantity,
    context::{Context, Sum},
    exit::Failure,
    output::{Cell, Report, Table},
    submitted,
};

/// What the depositary holds for entities.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add what arrived outside; on a development network, from the faucet.
    Deposit(Plain),
    /// Take out what shall leave the network.
    Withdraw(Out),
    /// Move to the reserve of another entity.
    Transfer(To),
    /// Lock as collateral of a channel.
    Allocate(Lock),
    /// Holdings by entity and asset.
    List,
}

/// An amount.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  xln --as alice reserve deposit 1000usd")]
pub(super) struct Plain {
    /// How much, such as 1000usd.
    amount: Quantity,
    /// Which asset, if the amount does not say it.
    #[arg(long)]
    asset: Option<AssetRef>,
}

/// An amount that leaves.
#[derive(Debug, Args)]
pub(super) struct Out {
    #[command(flatten)]
    what: Plain,
    /// Where to outside, as 0x bytes in the form of the asset's bridge.
    #[arg(long)]
    to: Option<Bytes>,
}

/// An amount for somebody.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  xln --as alice reserve transfer bob 50usd")]
pub(super) struct To {
    /// To whom.
    to: EntityRef,
    #[command(flatten)]
    what: Plain,
}

/// An amount for a channel.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Back what the hub owes bob: what it owes turns into collateral that he can claim without it
    xln --as hub reserve allocate bob 100usd
  Give bob 100 USD: collateral in favour of the other side is a gift, and what the hub owes him stays owed
    xln --as hub reserve allocate bob 100usd --favour bob")]
pub(super) struct Lock {
    /// Which channel: the name of the peer, or a 0x identifier.
    channel: ChannelRef,
    #[command(flatten)]
    what: Plain,
    /// Whose it is; by default that of the one that acts. In favour of the other side it is a gift.
    #[arg(long)]
    favour: Option<EntityRef>,
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let entity = context.entity.clone();
        let wait = context.wait;
        match self {
            Self::Deposit(Plain { amount: quantity, asset }) => {
                let Sum { amount, asset, text } = context.sum(&quantity, asset.as_ref()).await?;
                let request = Deposit { entity, asset: Some(asset), amount, wait };
                let done = context.ask("depositing", context.client.depositary_deposit(&request)).await?;
                submitted::report(&format!("deposited {text} for {}", context.actor()), &done)
            }
            Self::Withdraw(Out { what: Plain { amount: quantity, asset }, to }) => {
                let Sum { amount, asset, text } = context.sum(&quantity, asset.as_ref()).await?;
                let request = Withdraw { entity, asset: Some(asset), amount, to, wait };
                let done = context.ask("withdrawing", context.client.depositary_withdraw(&request)).await?;
                submitted::report(&format!("{text} of {} shall leave", context.actor()), &done)
            }
            Self::Transfer(To { to, what: Plain { amount: quantity, asset } }) => {
                let Sum { amount, asset, text } = context.sum(&quantity, asset.as_ref()).await?;
                let what = format!("moved {text} from {} to {to}", context.actor());
                let request = Transfer { entity, to, asset: Some(asset), amount, wait };
                let done = context.ask("transferring", context.client.depositary_transfer(&request)).await?;
                submitted::report(&what, &done)
            }
            Self::Allocate(Lock { channel, what: Plain { amount: quantity, asset }, favour }) => {
                let Sum { amount, asset, text } = context.sum(&quantity, asset.as_ref()).await?;
                let what = format!("locked {text} as collateral of the channel with {channel}");
                let request = Allocate { entity, channel, asset: Some(asset), amount, favour, wait };
                let done = context.ask("locking", context.client.depositary_allocate(&request)).await?;
                submitted::report(&what, &done)
            }
            Self::List => list(context).await,
        }
    }
}

async fn list(context: &Context) -> Result<Report, Failure> {
    let request = ListReserves { entity: context.entity.clone(), asset: None };
    let reserves = context.ask("asking", context.client.depositary_list_reserves(&request)).await?;
    let mut table = Table::new(&["entity", "asset", "reserve", "in channels", "debt"]);
    for row in &reserves {
        let money = |amount| Cell::new(readable(amount, row.decimals));
        table.push(vec![
            Cell::foreign(&row.entity.label()),
            Cell::foreign(&row.symbol),
            money(row.reserve),
            money(row.collateral),
            money(row.debt),
        ]);
    }
    Ok(Report::new(&reserves, table)?.or_if_empty("no reserves yet: xln reserve deposit adds one"))
}
