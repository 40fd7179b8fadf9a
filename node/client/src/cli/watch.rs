//! `xln watch`: what happens, live, one line each.

use clap::Args;
use xln_rpc::{
    Calls, EntityRef, Topic, U64,
    params::{EntityGet, Subscribe},
    view::{Body, CallStatus, Notification},
    words::readable,
};

use super::{
    context::Context,
    exit::Failure,
    output::{self, Format, harmless},
    payment::word,
};

/// Follows what happens.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  xln watch                        # payments, forwards and invoices
  xln watch blocks payments
  xln watch bob                    # frames, receipts and channels of bob
  xln -o json watch events         # one JSON object per line
  xln watch --from 1234            # go on after a cursor, without a gap")]
pub(super) struct Watch {
    /// blocks, payments, proposals, events, channel:0x…, or an entity by name or 0x identifier.
    #[arg(value_name = "WHAT", default_value = "payments")]
    topics: Vec<String>,
    /// Deliver first what came after this cursor.
    #[arg(long, value_name = "CURSOR")]
    from: Option<U64>,
    /// Stop after this many.
    #[arg(long, value_name = "COUNT")]
    count: Option<u64>,
}

async fn topic(context: &Context, text: &str) -> Result<Topic, Failure> {
    if let Ok(topic) = text.parse() {
        return Ok(topic);
    }
    let entity: EntityRef = text.parse().map_err(|_| Failure::Usage {
        message: format!("{text:?} cannot be watched"),
        hint: "watch blocks, payments, proposals, events, channel:0x… or an entity".into(),
    })?;
    let entity = context.ask("asking", context.client.entity_get_state(&EntityGet { entity })).await?;
    Ok(Topic::Entity(entity.id))
}

/// One line for people.
fn line(notification: &Notification) -> String {
    let text = match &notification.body {
        Body::Block(block) => {
            format!(
                "block {} with {} calls, state root {}",
                block.number,
                block.calls.len(),
                block.state_root
            )
        }
        Body::Frame(frame) => format!("frame {} of {}", frame.height, frame.entity.label()),
        Body::Receipt(receipt) => {
            let outcome = match (receipt.status, &receipt.error) {
                (CallStatus::Succeeded, _) => "succeeded".to_owned(),
                (CallStatus::Failed, Some(error)) => format!("failed: {}", error.message),
                (CallStatus::Failed, None) => "failed".to_owned(),
            };
            format!("call {} of {} {outcome}", receipt.hash, receipt.entity.label())
        }
        Body::Channel(channel) => {
            let bars: Vec<String> =
                channel.assets.iter().map(|asset| format!("{} {}", asset.symbol, asset.bar)).collect();
            format!("channel {} – {} {}", channel.entity.label(), channel.peer.label(), bars.join(" "))
        }
        Body::Payment(payment) => {
            let party = |party: &Option<xln_rpc::view::PartyView>| {
                party.as_ref().map_or_else(|| "?".to_owned(), xln_rpc::view::PartyView::label)
            };
            format!(
                "payment {} {} {} → {} {}",
                readable(payment.amount, payment.decimals),
                payment.symbol,
                party(&payment.from),
                party(&payment.to),
                word(payment.status)
            )
        }
        Body::Forward(forward) => format!(
            "forward {} {} {} → {} → {}, fee {}, {}",
            readable(forward.amount_out, forward.decimals),
            forward.symbol,
            forward.from.label(),
            forward.entity.label(),
            forward.to.label(),
            readable(forward.fee, forward.decimals),
            word(forward.status)
        ),
        Body::Invoice(invoice) => {
            let amount = invoice.amount.map_or_else(|| "any".into(), |sum| readable(sum, invoice.decimals));
            format!("invoice of {} over {amount} {}", invoice.payee.label(), invoice.symbol)
        }
        Body::Proposal(proposal) => super::proposal::line(proposal),
        Body::Lagged => "too slow: some were not delivered; going on from the last one".to_owned(),
    };
    format!("{} {}\n", notification.cursor, harmless(&text))
}

impl Watch {
    /// Prints until the count is reached or the node ends the connection. After `lagged` it subscribes again from
    /// the last cursor, so that nothing is left out.
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut channels = Vec::new();
        for text in &self.topics {
            channels.push(topic(context, text).await?);
        }
        let mut request = Subscribe { channels, from: self.from };
        let mut left = self.count.unwrap_or(u64::MAX);
        'subscribed: loop {
            let mut notifications = context.client.notifications(&request).await?;
            while left > 0 {
                let Some(notification) = notifications.next().await else {
                    return Err(crate::Error::Broken("the subscription ended".into()).into());
                };
                let notification = notification?;
                request.from = Some(notification.cursor);
                if notification.body == Body::Lagged {
                    continue 'subscribed;
                }
                output::print(&match context.format {
                    Format::Table => line(&notification),
                    Format::Json => serde_json::to_string(&notification)? + "\n",
                    Format::Csv => {
                        let text = line(&notification);
                        let (cursor, text) = text.trim_end().split_once(' ').unwrap_or_default();
                        format!("{cursor},{}\r\n", output::quoted(text))
                    }
                })?;
                left -= 1;
            }
            return Ok(());
        }
    }
}
