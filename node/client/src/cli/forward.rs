//! `xln forward list`.

use clap::{Args, Subcommand};
use xln_rpc::{Calls, params::ForwardList, words::readable};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table},
    payment::word,
};

/// Payments that were passed on.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Forwards, newest first.
    List(List),
}

/// Lists forwards.
#[derive(Debug, Args)]
#[command(after_help = "Example: what the hub earned, for the books\n  xln --as hub forward list -o csv")]
pub(super) struct List {
    /// How many at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self::List(List { limit }) = self;
        let entity = context.entity.clone();
        let request = ForwardList { entity, status: None, before: None, limit: Some(limit) };
        let forwards = context.ask("asking", context.client.forward_list(&request)).await?;
        let mut table =
            Table::new(&["created", "entity", "from", "to", "in", "out", "fee", "asset", "status", "hash"]);
        for forward in &forwards {
            let money = |amount| Cell::new(readable(amount, forward.decimals));
            table.push(vec![
                Cell::moment(forward.created),
                Cell::foreign(&forward.entity.label()),
                Cell::foreign(&forward.from.label()),
                Cell::foreign(&forward.to.label()),
                money(forward.amount_in),
                money(forward.amount_out),
                money(forward.fee),
                Cell::foreign(&forward.symbol),
                Cell::new(word(forward.status)),
                Cell::id(forward.hash),
            ]);
        }
        Ok(Report::new(&forwards, table)?.or_if_empty("nothing was passed on yet"))
    }
}
