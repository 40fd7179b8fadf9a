//! `xln route query`.

use clap::{Args, Subcommand};
use xln_rpc::{AssetRef, Calls, EntityRef, params::RouteQuery, view::RouteView, words::readable};

use super::{
    amount::Quantity,
    context::{Context, Sum},
    exit::Failure,
    output::{Cell, Report, Table, harmless},
};

/// Ways for payments.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Find a way without paying.
    Query(Query),
}

/// Finds a way.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  xln --as alice route query bob 120usd")]
pub(super) struct Query {
    /// To whom.
    to: EntityRef,
    /// How much shall arrive.
    amount: Quantity,
    /// Which asset, if the amount does not say it.
    #[arg(long)]
    asset: Option<AssetRef>,
    /// The entities between, in order.
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    via: Option<Vec<EntityRef>>,
}

/// A way, hop by hop.
pub(super) fn report(route: &RouteView) -> Result<Report, Failure> {
    let mut table = Table::new(&["from", "to", "channel", "carries", "fee", "can send"]);
    for hop in &route.hops {
        let money = |amount| Cell::new(readable(amount, route.decimals));
        table.push(vec![
            Cell::foreign(&hop.from.label()),
            Cell::foreign(&hop.to.label()),
            Cell::id(hop.channel),
            money(hop.amount),
            money(hop.fee),
            Cell::maybe(hop.capacity, money),
        ]);
    }
    let money = |amount| format!("{} {}", readable(amount, route.decimals), route.symbol);
    let summary = format!(
        "{} to {} costs a fee of {}: {} leaves, locked for at most {} s",
        money(route.amount),
        route.to.label(),
        money(route.fee),
        money(route.total),
        route.lock_ms / 1_000
    );
    Ok(Report::new(route, table)?.with_summary(harmless(&summary)))
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self::Query(Query { to, amount: quantity, asset, via }) = self;
        let Sum { amount, asset, .. } = context.sum(&quantity, asset.as_ref()).await?;
        let entity = context.entity.clone();
        let request = RouteQuery { entity, to, asset: Some(asset), amount, via, max_fee: None };
        report(&context.ask("looking for a way", context.client.route_query(&request)).await?)
    }
}
