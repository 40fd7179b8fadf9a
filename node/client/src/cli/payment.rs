//! `xln payment list|track`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use xln_primitives::Hash;
use xln_rpc::{
    Calls, U64,
    params::{PaymentGet, PaymentList},
    view::{Direction, PaymentStatus, PaymentView},
    words::readable,
};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table},
    progress,
};

/// Payments sent and received.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Payments, newest first.
    List(List),
    /// One payment, until it has succeeded or failed.
    Track(Track),
}

/// How far a payment is.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    Pending,
    Succeeded,
    Failed,
}

/// Lists payments.
#[derive(Debug, Args)]
#[command(after_help = "Example: for the books\n  xln --as bob payment list -o csv > payments.csv")]
pub(super) struct List {
    /// Only those in this state.
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// How many at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

/// Follows a payment.
#[derive(Debug, Args)]
pub(super) struct Track {
    /// Its payment hash, or its number (with --as).
    payment: String,
}

/// The word for a status.
pub(super) fn word(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Pending => "pending",
        PaymentStatus::Succeeded => "succeeded",
        PaymentStatus::Failed => "failed",
    }
}

/// One payment, property by property.
pub(super) fn properties(payment: &PaymentView) -> Table {
    let full = |hash: Hash| Cell::both(hash.to_string(), hash.to_string());
    let money = |amount| Cell::foreign(&format!("{} {}", readable(amount, payment.decimals), payment.symbol));
    let route: Vec<String> = payment.route.iter().map(xln_rpc::view::PartyView::label).collect();
    let mut rows = vec![
        ("hash", Cell::maybe(payment.hash, full)),
        ("number", Cell::maybe(payment.number, Cell::new)),
        ("from", Cell::maybe(payment.from.as_ref(), |party| Cell::foreign(&party.label()))),
        ("to", Cell::maybe(payment.to.as_ref(), |party| Cell::foreign(&party.label()))),
        ("route", Cell::foreign(&route.join(" → "))),
        ("amount", money(payment.amount)),
        ("fee", money(payment.fee)),
        ("status", Cell::new(word(payment.status))),
        ("for", Cell::maybe(payment.description.as_deref(), Cell::foreign)),
        ("created", Cell::moment(payment.created)),
        ("resolved", Cell::maybe(payment.resolved, Cell::moment)),
        ("preimage", Cell::maybe(payment.preimage, full)),
    ];
    if let Some(failure) = &payment.failure {
        rows.push(("failure", Cell::foreign(&failure.message)));
        rows.push(("failed at hop", Cell::maybe(failure.hop, Cell::new)));
    }
    Table::properties(rows)
}

fn table(payments: &[PaymentView]) -> Table {
    let mut table =
        Table::new(&["created", "entity", "way", "with", "amount", "fee", "asset", "status", "for", "hash"]);
    for payment in payments {
        let (way, other) = match payment.direction {
            Direction::In => ("received", &payment.from),
            Direction::Out => ("sent", &payment.to),
        };
        table.push(vec![
            Cell::moment(payment.created),
            Cell::foreign(&payment.entity.label()),
            Cell::new(way),
            Cell::maybe(other.as_ref(), |party| Cell::foreign(&party.label())),
            Cell::new(readable(payment.amount, payment.decimals)),
            Cell::new(readable(payment.fee, payment.decimals)),
            Cell::foreign(&payment.symbol),
            Cell::new(word(payment.status)),
            Cell::maybe(payment.description.as_deref(), Cell::foreign),
            Cell::maybe(payment.hash, Cell::id),
        ]);
    }
    table
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        match self {
            Self::List(List { status, limit }) => {
                let status = status.map(|status| match status {
                    Status::Pending => PaymentStatus::Pending,
                    Status::Succeeded => PaymentStatus::Succeeded,
                    Status::Failed => PaymentStatus::Failed,
                });
                let entity = context.entity.clone();
                let request = PaymentList { entity, status, before: None, limit: Some(limit) };
                let payments = context.ask("asking", context.client.payment_list(&request)).await?;
                Ok(Report::new(&payments, table(&payments))?
                    .or_if_empty("no payments yet: xln pay NAME AMOUNT makes one"))
            }
            Self::Track(track) => track.run(context).await,
        }
    }
}

impl Track {
    async fn run(self, context: &Context) -> Result<Report, Failure> {
        let hash = self.payment.parse::<Hash>().ok();
        let number = self.payment.parse::<U64>().ok();
        if hash.is_none() && number.is_none() {
            return Err(Failure::Usage {
                message: format!("{:?} is neither a payment hash nor a number", self.payment),
                hint: "xln payment list -o csv shows them".into(),
            });
        }
        let request = PaymentGet { entity: context.entity.clone(), hash, number };
        let payment = progress::shown("waiting for the outcome", async {
            loop {
                let payment = context.client.payment_get(&request).await?;
                if payment.status != PaymentStatus::Pending || !context.wait {
                    return Ok::<_, Failure>(payment);
                }
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        })
        .await?;
        Report::new(&payment, properties(&payment))
    }
}
