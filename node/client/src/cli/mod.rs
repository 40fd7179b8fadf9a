//! The command line `xln`: the verbs of a Lightning client over the API of a node.
//!
//! Data goes to stdout, everything else to stderr; exit codes are those of `sysexits.h`. Each verb has its file.

pub mod amount;
mod balance;
mod block;
mod boards;
mod channel;
mod closing;
mod collateral;
mod commands;
mod completions;
mod consensus;
mod context;
mod decide;
mod entity;
pub mod exit;
mod forward;
mod info;
mod invoice;
mod json_file;
pub mod output;
mod pay;
mod payment;
mod peer;
mod progress;
mod proposal;
mod propose;
mod receipt;
mod reserve;
mod route;
mod signer;
mod state;
mod submitted;
mod watch;

use std::{ffi::OsString, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use xln_rpc::EntityRef;

use self::{
    context::Context,
    exit::{Failure, sysexits},
    output::{Format, Report},
};

const EXAMPLES: &str = "\
Examples:
  Let bob be paid up to 500 USD through the hub, without any deposit:
    xln --as bob channel open --with hub --credit 500usd
  Pay him, and see what the channels can carry now:
    xln --as alice pay bob 120usd
    xln channel list
  Ask to be paid, and pay what was asked:
    xln --as bob invoice create 12.50usd --description coffee
    xln --as alice pay xln1...

Amounts are exact: 120usd, 1.5eth, 0.01. Without a symbol they are of the network's first asset.
Who and with whom are names (xln entity list) or 0x identifiers.
Exit codes: 0 done, 64 usage, 65 not possible as asked, 69 no node, 70 defect, 75 try again, 77 not allowed.";

/// Channels, payments and reserves from the command line.
#[derive(Debug, Parser)]
#[command(name = "xln", version, after_help = EXAMPLES, max_term_width = 110, propagate_version = true)]
pub struct Arguments {
    /// Address of the node, ws:// or http://.
    #[arg(long, env = "XLN_URL", default_value = "ws://127.0.0.1:9944", global = true)]
    url: String,
    /// The entity that acts, by name or 0x identifier; by default the node decides.
    #[arg(long = "as", env = "XLN_AS", value_name = "NAME", global = true)]
    entity: Option<EntityRef>,
    /// In which form the answer is written.
    #[arg(short, long = "output", value_enum, default_value_t, value_name = "FORMAT", global = true)]
    output: Format,
    /// How long to wait for the node, such as 500ms, 30s or 2m.
    #[arg(long, value_parser = duration, default_value = "60s", value_name = "TIME", global = true)]
    timeout: Duration,
    /// Return once the node has accepted the request, without waiting for the outcome.
    #[arg(long, global = true)]
    no_wait: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What the node is and where it stands.
    #[command(alias = "getinfo")]
    Info,
    /// What entities have, can send and can receive.
    #[command(visible_alias = "walletbalance", alias = "channelbalance")]
    Balance,
    /// Entities: create, show, list; and how their boards decide: propose, vote, proposals, policy, …
    #[command(subcommand)]
    Entity(entity::Command),
    /// Keys that the node holds: create, list.
    #[command(subcommand)]
    Signer(signer::Command),
    /// Reserves at the depositary: deposit, withdraw, transfer, allocate, list.
    #[command(subcommand)]
    Reserve(reserve::Command),
    /// Channels: open, list, show, credit, policy, request-collateral, close.
    #[command(subcommand)]
    Channel(channel::Command),
    /// Invoices: create, show, list, cancel, decode.
    #[command(subcommand)]
    Invoice(invoice::Command),
    /// Pay an entity or an invoice.
    #[command(aliases = ["sendpayment", "payinvoice"])]
    Pay(pay::Pay),
    /// Payments: list, track.
    #[command(subcommand)]
    Payment(payment::Command),
    /// Ways for payments: query.
    #[command(subcommand)]
    Route(route::Command),
    /// Payments that were passed on: list.
    #[command(subcommand)]
    Forward(forward::Command),
    /// What became of a call.
    Receipt(receipt::Receipt),
    /// A sealed block; the last one if none is named.
    Block(block::Block),
    /// The state tree: tree, get.
    #[command(subcommand)]
    State(state::Command),
    /// Other servers: list, allow, disallow, add, remove, refused.
    #[command(subcommand)]
    Peer(peer::Command),
    /// Boards that vote: status, evidence.
    #[command(subcommand)]
    Consensus(consensus::Command),
    /// What happens, live.
    Watch(watch::Watch),
    /// The completion script of a shell.
    Completions(completions::Completions),

    // Lightning's words for verbs that are two words here.
    #[command(name = "openchannel", hide = true)]
    OpenChannel(channel::Open),
    #[command(name = "listchannels", hide = true)]
    ListChannels(channel::List),
    #[command(name = "closechannel", hide = true)]
    CloseChannel(closing::Close),
    #[command(name = "updatechanpolicy", hide = true)]
    UpdatePolicy(Box<channel::PolicySet>),
    #[command(name = "addinvoice", hide = true)]
    AddInvoice(invoice::Create),
    #[command(name = "lookupinvoice", hide = true)]
    LookupInvoice(invoice::Named),
    #[command(name = "listinvoices", hide = true)]
    ListInvoices(invoice::List),
    #[command(name = "cancelinvoice", hide = true)]
    CancelInvoice(invoice::Named),
    #[command(name = "decodepayreq", hide = true)]
    DecodeInvoice(invoice::Decode),
    #[command(name = "listpayments", hide = true)]
    ListPayments(payment::List),
    #[command(name = "trackpayment", hide = true)]
    TrackPayment(payment::Track),
    #[command(name = "queryroutes", hide = true)]
    QueryRoutes(route::Query),
    #[command(name = "fwdinghistory", hide = true)]
    ListForwards(forward::List),
}

impl Command {
    /// The verb that a Lightning word stands for.
    fn spelled_out(self) -> Self {
        match self {
            Self::OpenChannel(open) => Self::Channel(channel::Command::Open(open)),
            Self::ListChannels(list) => Self::Channel(channel::Command::List(list)),
            Self::CloseChannel(close) => Self::Channel(channel::Command::Close(close)),
            Self::UpdatePolicy(set) => Self::Channel(channel::Command::Policy(channel::Policy::Set(set))),
            Self::AddInvoice(create) => Self::Invoice(invoice::Command::Create(create)),
            Self::LookupInvoice(named) => Self::Invoice(invoice::Command::Show(named)),
            Self::ListInvoices(list) => Self::Invoice(invoice::Command::List(list)),
            Self::CancelInvoice(named) => Self::Invoice(invoice::Command::Cancel(named)),
            Self::DecodeInvoice(decode) => Self::Invoice(invoice::Command::Decode(decode)),
            Self::ListPayments(list) => Self::Payment(payment::Command::List(list)),
            Self::TrackPayment(track) => Self::Payment(payment::Command::Track(track)),
            Self::QueryRoutes(query) => Self::Route(route::Command::Query(query)),
            Self::ListForwards(list) => Self::Forward(forward::Command::List(list)),
            plain => plain,
        }
    }
}

/// A time such as `500ms`, `30s` or `2m`; a bare number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().map_err(|_| format!("expected a time such as 30s, found {text:?}"))?;
    let millis = match unit {
        "ms" => Some(number),
        "s" | "" => number.checked_mul(1_000),
        "m" | "min" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "d" => number.checked_mul(86_400_000),
        _ => return Err(format!("unknown unit {unit:?}: ms, s, m, h and d are known")),
    };
    let millis = millis.filter(|millis| *millis <= 366 * 86_400_000);
    millis.map(Duration::from_millis).ok_or_else(|| "more than a year".into())
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { url, entity, output, timeout, no_wait, command } = arguments;
    let command = match command.spelled_out() {
        Command::Completions(completions) => return completions.print(),
        command => command,
    };
    let context = Context::connect(&url, timeout, entity, output, !no_wait).await?;
    let report: Report = match command {
        Command::Info => info::run(&context).await?,
        Command::Balance => balance::run(&context).await?,
        Command::Entity(command) => command.run(&context).await?,
        Command::Signer(command) => command.run(&context).await?,
        Command::Reserve(command) => command.run(&context).await?,
        Command::Channel(command) => command.run(&context).await?,
        Command::Invoice(command) => command.run(&context).await?,
        Command::Pay(pay) => pay.run(&context).await?,
        Command::Payment(command) => command.run(&context).await?,
        Command::Route(command) => command.run(&context).await?,
        Command::Forward(command) => command.run(&context).await?,
        Command::Receipt(receipt) => receipt.run(&context).await?,
        Command::Block(block) => block.run(&context).await?,
        Command::State(command) => command.run(&context).await?,
        Command::Peer(command) => command.run(&context).await?,
        Command::Consensus(command) => command.run(&context).await?,
        Command::Watch(watch) => return watch.run(&context).await,
        // Spelled out above.
        _ => return Ok(()),
    };
    output::print(&report.render(output)?)
}

/// Runs the command line and answers its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // If the terminal is gone there is nobody left to tell.
            let _ = error.print();
            return if error.use_stderr() { sysexits::USAGE.into() } else { ExitCode::SUCCESS };
        }
    };
    let as_json = arguments.output == Format::Json;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Failure::Output).and_then(|runtime| runtime.block_on(run(arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.report(as_json));
            failure.code().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "s", "-1s", "1.5s", "3y", "99999999999999999999s", "18446744073709551615h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lightnings_words_are_understood() {
        for line in [
            "xln openchannel --with hub --credit 5usd",
            "xln listchannels",
            "xln closechannel hub",
            "xln addinvoice 5usd",
            "xln listinvoices",
            "xln sendpayment bob 5usd",
            "xln listpayments",
            "xln queryroutes bob 5usd",
            "xln fwdinghistory",
            "xln getinfo",
            "xln walletbalance",
        ] {
            assert!(Arguments::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
    }
}
