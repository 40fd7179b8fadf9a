//! `xln invoice create|show|list|cancel|decode`.

use clap::{Args, Subcommand, ValueEnum};
use xln_primitives::Hash;
use xln_rpc::{
    AssetRef, Calls,
    params::{InvoiceCancel, InvoiceCreate, InvoiceDecode, InvoiceGet, InvoiceList},
    view::{InvoiceStatus, InvoiceView},
    words::readable,
};

use super::{
    amount::Quantity,
    context::Context,
    duration,
    exit::Failure,
    output::{Cell, Report, Table},
};

/// Requests to be paid.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an invoice and print its text.
    #[command(visible_alias = "add")]
    Create(Create),
    /// An invoice by its payment hash.
    Show(Named),
    /// Invoices, newest first.
    List(List),
    /// Withdraw an open invoice.
    Cancel(Named),
    /// Read the text of an invoice and check its signature.
    Decode(Decode),
}

/// Makes an invoice.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  xln --as bob invoice create 12.50usd --description coffee --expires 10m
  xln --as bob invoice create            # the payer decides how much")]
pub(super) struct Create {
    /// How much; the payer decides if absent.
    amount: Option<Quantity>,
    /// Which asset, if the amount does not say it.
    #[arg(long)]
    asset: Option<AssetRef>,
    /// What for.
    #[arg(long, short)]
    description: Option<String>,
    /// For how long it can be paid, such as 10m.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    expires: Option<std::time::Duration>,
}

/// Names an invoice.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// Its payment hash.
    hash: Hash,
}

/// Lists invoices.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those in this state.
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// How many at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

/// The text of an invoice.
#[derive(Debug, Args)]
pub(super) struct Decode {
    /// The text, `xln…`.
    invoice: String,
}

/// How far an invoice is.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    Open,
    Accepted,
    Settled,
    Cancelled,
    Expired,
}

fn word(status: InvoiceStatus) -> &'static str {
    match status {
        InvoiceStatus::Open => "open",
        InvoiceStatus::Accepted => "accepted",
        InvoiceStatus::Settled => "paid",
        InvoiceStatus::Cancelled => "cancelled",
        InvoiceStatus::Expired => "expired",
    }
}

fn properties(invoice: &InvoiceView) -> Table {
    let money = |amount| Cell::foreign(&format!("{} {}", readable(amount, invoice.decimals), invoice.symbol));
    Table::properties(vec![
        ("invoice", Cell::foreign(&invoice.invoice)),
        ("hash", Cell::both(invoice.hash.to_string(), invoice.hash.to_string())),
        ("payee", Cell::foreign(&invoice.payee.label())),
        ("amount", Cell::maybe(invoice.amount, money)),
        ("received", money(invoice.received)),
        ("for", Cell::foreign(&invoice.description)),
        ("status", Cell::new(word(invoice.status))),
        ("expires", Cell::moment(invoice.expires)),
    ])
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        match self {
            Self::Create(create) => create.run(context).await,
            Self::Show(Named { hash }) => {
                let invoice = context.ask("asking", context.client.invoice_get(&InvoiceGet { hash })).await?;
                Report::new(&invoice, properties(&invoice))
            }
            Self::List(list) => list.run(context).await,
            Self::Cancel(Named { hash }) => {
                let request = InvoiceCancel { hash };
                let invoice = context.ask("withdrawing", context.client.invoice_cancel(&request)).await?;
                Report::new(&invoice, properties(&invoice))
            }
            Self::Decode(Decode { invoice }) => {
                let request = InvoiceDecode { invoice };
                let decoded = context.ask("asking", context.client.invoice_decode(&request)).await?;
                let symbol = decoded.symbol.clone().unwrap_or_else(|| decoded.asset.to_string());
                let money = |amount| {
                    let digits = readable(amount, decoded.decimals.unwrap_or(0));
                    let units = if decoded.decimals.is_none() { " smallest units of" } else { "" };
                    Cell::foreign(&format!("{digits}{units} {symbol}"))
                };
                let table = Table::properties(vec![
                    ("payee", Cell::foreign(&decoded.payee.label())),
                    ("amount", Cell::maybe(decoded.amount, money)),
                    ("for", Cell::foreign(&decoded.description)),
                    ("hash", Cell::both(decoded.hash.to_string(), decoded.hash.to_string())),
                    ("network", Cell::id(decoded.network)),
                    ("expires", Cell::moment(decoded.expires)),
                ]);
                Report::new(&decoded, table)
            }
        }
    }
}

impl Create {
    async fn run(self, context: &Context) -> Result<Report, Failure> {
        let (sum, asset) = context.maybe_sum(self.amount.as_ref(), self.asset).await?;
        let request = InvoiceCreate {
            entity: context.entity.clone(),
            asset,
            amount: sum.map(|sum| sum.amount),
            description: self.description,
            expires_in_ms: self.expires.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        };
        let invoice = context.ask("making the invoice", context.client.invoice_create(&request)).await?;
        Report::new(&invoice, properties(&invoice))
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<Report, Failure> {
        let status = self.status.map(|status| match status {
            Status::Open => InvoiceStatus::Open,
            Status::Accepted => InvoiceStatus::Accepted,
            Status::Settled => InvoiceStatus::Settled,
            Status::Cancelled => InvoiceStatus::Cancelled,
            Status::Expired => InvoiceStatus::Expired,
        });
        let request =
            InvoiceList { entity: context.entity.clone(), status, before: None, limit: Some(self.limit) };
        let invoices = context.ask("asking", context.client.invoice_list(&request)).await?;
        let mut table =
            Table::new(&["hash", "payee", "amount", "received", "asset", "status", "for", "expires"]);
        for invoice in &invoices {
            table.push(vec![
                Cell::id(invoice.hash),
                Cell::foreign(&invoice.payee.label()),
                Cell::maybe(invoice.amount, |amount| Cell::new(readable(amount, invoice.decimals))),
                Cell::new(readable(invoice.received, invoice.decimals)),
                Cell::foreign(&invoice.symbol),
                Cell::new(word(invoice.status)),
                Cell::foreign(&invoice.description),
                Cell::moment(invoice.expires),
            ]);
        }
        Ok(Report::new(&invoices, table)?.or_if_empty("no invoices yet: xln invoice create makes one"))
    }
}
