//! `xln pay`.

use std::time::{Duration, Instant};

use clap::Args;
use xln_primitives::Hash;
use xln_rpc::{
    AssetRef, Calls, ChannelRef, EntityRef,
    params::{ChannelList, ChannelPay, InvoiceDecode, PaymentSend, RouteQuery},
    view::{PaymentStatus, PaymentView},
    words::readable,
};

use super::{
    amount::Quantity,
    channel,
    context::Context,
    exit::Failure,
    output::{Report, Table},
    payment, route,
};

/// Pays an entity or an invoice.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  xln --as alice pay bob 120usd                 # the node finds the way
  xln --as alice pay bob 1.5eth --via hub --max-fee 0.01eth
  xln --as alice pay hub 5usd --direct          # over the channel with hub, unconditionally
  xln --as alice pay xln1...                    # an invoice that says how much
  xln --as alice pay bob 120usd --dry-run       # only show the way and what it costs")]
pub(super) struct Pay {
    /// Whom: a name, a 0x identifier or the text of an invoice.
    #[arg(value_name = "WHO|INVOICE")]
    who: String,
    /// How much shall arrive, such as 120usd; an invoice may say it itself.
    #[arg(num_args = 0..=2)]
    amount: Vec<String>,
    /// Which asset, if the amount does not say it.
    #[arg(long)]
    asset: Option<AssetRef>,
    /// Over the channel with WHO, without a condition: for sides that trust each other.
    #[arg(long, conflicts_with_all = ["via", "max_fee", "dry_run"])]
    direct: bool,
    /// The entities between, in order.
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    via: Option<Vec<EntityRef>>,
    /// Most that they may take together.
    #[arg(long, value_name = "AMOUNT")]
    max_fee: Option<Quantity>,
    /// What for.
    #[arg(long, short)]
    description: Option<String>,
    /// Only show the way and what it costs.
    #[arg(long)]
    dry_run: bool,
}

/// Whether a text is an invoice: bech32m, which starts with `xln`, has a `1` after that and is long. A name is at
/// most 64 bytes, an invoice never is as short.
fn is_invoice(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.len() > xln_rpc::MAX_NAME && lower.starts_with("xln") && lower.contains('1')
}

fn usage(message: &str, hint: &str) -> Failure {
    Failure::Usage { message: message.into(), hint: hint.into() }
}

impl Pay {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let quantity = match self.amount.as_slice() {
            [] => None,
            words => Some(words.join(" ").parse::<Quantity>()?),
        };
        let (sum, asset) = context.maybe_sum(quantity.as_ref(), self.asset.clone()).await?;
        let amount = sum.map(|sum| sum.amount);
        let max_fee = match &self.max_fee {
            Some(fee) => Some(context.sum(fee, asset.as_ref()).await?.amount),
            None => None,
        };
        let invoice = is_invoice(&self.who).then(|| self.who.clone());
        let to = match &invoice {
            Some(_) => None,
            None => Some(self.who.parse::<EntityRef>().map_err(|error| {
                usage(&error.to_string(), "pay a name (xln entity list), a 0x identifier or an invoice")
            })?),
        };
        if amount.is_none() && invoice.is_none() {
            return Err(usage("how much?", &format!("say it after the name: xln pay {} 120usd", self.who)));
        }
        if self.dry_run {
            let (to, amount, asset) = match (to, invoice) {
                (Some(to), _) => (to, amount, asset),
                (None, invoice) => {
                    let request = InvoiceDecode { invoice: invoice.unwrap_or_default() };
                    let decoded =
                        context.ask("reading the invoice", context.client.invoice_decode(&request)).await?;
                    (decoded.payee.id.into(), decoded.amount.or(amount), Some(decoded.asset.into()))
                }
            };
            let amount =
                amount.ok_or_else(|| usage("how much?", "this invoice leaves it to you: add an amount"))?;
            let request =
                RouteQuery { entity: context.entity.clone(), to, asset, amount, via: self.via, max_fee };
            let found = context.ask("looking for a way", context.client.route_query(&request)).await?;
            return route::report(&found);
        }
        let started = Instant::now();
        let (entity, wait) = (context.entity.clone(), context.wait);
        let payment = match (self.direct, to, amount) {
            (true, Some(peer), Some(amount)) => {
                let channel = match peer {
                    EntityRef::Id(id) => ChannelRef::Id(Hash::new(*id.as_bytes())),
                    EntityRef::Name(name) => ChannelRef::Name(name),
                };
                let description = self.description;
                let request = ChannelPay { entity, channel, asset, amount, description, wait };
                context.ask("paying", context.client.channel_pay(&request)).await?
            }
            (true, ..) => return Err(usage("an invoice is not paid directly", "leave out --direct")),
            (false, to, amount) => {
                let (via, description) = (self.via, self.description);
                let request =
                    PaymentSend { entity, to, invoice, asset, amount, via, max_fee, description, wait };
                context.ask("paying", context.client.payment_send(&request)).await?
            }
        };
        outcome(context, &payment, started.elapsed()).await
    }
}

/// What came of a payment, with the channels that it changed.
async fn outcome(context: &Context, payment: &PaymentView, took: Duration) -> Result<Report, Failure> {
    match payment.status {
        PaymentStatus::Failed => match payment.failure.clone() {
            Some(failure) => Err(Failure::Payment(Box::new(failure))),
            None => Err(Failure::Client(crate::Error::Answer("a failed payment without a reason".into()))),
        },
        PaymentStatus::Pending => {
            let report = Report::new(payment, payment::properties(payment))?;
            Ok(report.with_summary("on its way; follow it with xln payment track"))
        }
        PaymentStatus::Succeeded => {
            let channels = touched(context, payment).await?;
            let (symbol, decimals) = (&payment.symbol, payment.decimals);
            let to = payment.to.as_ref().map(|to| format!(" to {}", to.label())).unwrap_or_default();
            let amount = readable(payment.amount, decimals);
            let fee = readable(payment.fee, decimals);
            let summary =
                format!("paid {amount} {symbol}{to}, fee {fee} {symbol}, in {} ms", took.as_millis());
            Ok(Report::new(payment, channels)?.with_summary(super::output::harmless(&summary)))
        }
    }
}

/// The payer's channels with the first hop, for people only.
async fn touched(context: &Context, payment: &PaymentView) -> Result<Table, Failure> {
    let payer = EntityRef::Id(payment.entity.id);
    let request = ChannelList { entity: Some(payer), after: None, limit: None };
    let mut channels = context.ask("asking", context.client.channel_list(&request)).await?;
    if payment.route.len() > 1 {
        channels.retain(|channel| payment.route.iter().any(|party| party.id == channel.peer.id));
    }
    for channel in &mut channels {
        channel.assets.retain(|asset| asset.asset == payment.asset);
    }
    channels.retain(|channel| !channel.assets.is_empty());
    Ok(channel::table(&channels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_taken_for_an_invoice() {
        assert!(!is_invoice("xln1"));
        assert!(!is_invoice("xlnode1"));
        assert!(!is_invoice(&"0x12".repeat(20)));
        assert!(is_invoice(&format!("xln1{}", "q".repeat(100))));
        assert!(is_invoice(&format!("XLNDEV1{}", "Q".repeat(100))));
    }
}
