//! `channel.pay` and `payment.send`: paying, and waiting until it is decided.

use pallet_channels::{Call, Event, PaymentHash, PaymentStatus as Stored, view as read};
use tokio::time::{Instant, timeout_at};
use xln_primitives::{Amount, AssetId, ChannelId, EntityId, Timestamp};
use xln_rpc::{
    RpcError,
    params::{ChannelPay, PaymentSend},
    view::{Direction, FailureView, PaymentStatus, PaymentView},
};
use xln_runtime::RuntimeEvent;

use super::{
    NodeBackend,
    act::{Included, WAIT},
    channels::peer_of,
    codes::{Refused, error_of},
    payments::sent_view,
    recent::Decision,
    route::TIMEOUT_MS,
};
use crate::author::system_time;

/// How a direct payment ended: when, and why not if it failed.
type Ending = (Timestamp, Option<RpcError>);

impl NodeBackend {
    /// Answers what `look` finds, which is asked after every slice; `None` if it finds nothing for too long.
    async fn watch<T>(
        &self,
        mut look: impl FnMut() -> Result<Option<T>, RpcError>,
    ) -> Result<Option<T>, RpcError> {
        let deadline = Instant::now() + WAIT;
        let mut slices = self.recent.slices();
        loop {
            slices.mark_unchanged();
            if let Some(found) = look()? {
                return Ok(Some(found));
            }
            match timeout_at(deadline, slices.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Ok(None),
            }
        }
    }

    pub(super) async fn channel_pay(&self, params: ChannelPay) -> Result<PaymentView, RpcError> {
        let payer = self.acting(params.entity.as_ref())?;
        let stored = self.channel_of(&payer, &params.channel)?;
        let (own, peer) = (payer.id(), peer_of(&payer, &stored));
        let asset = self.directory.asset(params.asset.as_ref())?;
        let amount = params.amount;
        let created = system_time();
        let position = self.recent.position();
        let call = Call::PayDirect { to: peer, asset, amount };
        let sent = self.send(own, self.board_key(&payer)?, vec![call.into()])?;
        let worded = |error| self.directory.worded(error, Some(asset));
        let Included { hash, receipt, .. } = self.included(sent).await.map_err(worded)?;
        let ending_of = |decision: Decision| -> Option<Ending> {
            match decision.event {
                Event::PaidDirect { .. } => Some((decision.timestamp, None)),
                Event::DirectPaymentFailed { error, .. } => {
                    let error = self.directory.worded(error_of(&error), Some(asset));
                    Some((decision.timestamp, Some(error)))
                }
                _ => None,
            }
        };
        let look = || {
            let decision = self.recent.find(position, |decision| {
                let at_our_side = decision.entity == own && decision.height >= receipt.height;
                at_our_side && ends_direct(&decision.event, stored.id, own, asset, amount)
            });
            Ok(decision.and_then(ending_of))
        };
        let ending = if params.wait { self.watch(look).await? } else { None };
        let (symbol, decimals) = self.directory.unit(&asset);
        let (from, to) = (self.directory.party(own), self.directory.party(peer));
        let (status, failure, resolved) = match ending {
            None => (PaymentStatus::Pending, None, None),
            Some((at, None)) => (PaymentStatus::Succeeded, None, Some(at)),
            Some((at, Some(error))) => {
                let RpcError { name, message, hint, .. } = error;
                let failure = FailureView { name, message, hop: Some(0), at: Some(from.clone()), hint };
                (PaymentStatus::Failed, Some(failure), Some(at))
            }
        };
        Ok(PaymentView {
            number: None,
            hash: Some((*hash.as_bytes()).into()),
            entity: from.clone(),
            direction: Direction::Out,
            direct: true,
            from: Some(from.clone()),
            to: Some(to.clone()),
            route: vec![from, to],
            asset,
            symbol,
            decimals,
            amount,
            fee: Amount::ZERO,
            status,
            failure,
            description: params.description,
            created,
            resolved,
            preimage: None,
        })
    }

    pub(super) async fn payment_send(&self, params: PaymentSend) -> Result<PaymentView, RpcError> {
        let payer = self.acting(params.entity.as_ref())?;
        let wish = self.wish(&params)?;
        let Wish { payee, asset, amount, hash } = wish;
        let route = self.route(&payer, payee, asset, amount, params.via.as_deref(), params.max_fee)?;
        let max_fee = route.fee()?;
        let call =
            Call::Pay { to: payee, asset, amount, route: route.hops, hash, max_fee, timeout_ms: TIMEOUT_MS };
        let sent = self.send(payer.id(), self.board_key(&payer)?, vec![call.into()])?;
        let included =
            self.included(sent).await.map_err(|error| self.directory.worded(error, Some(asset)))?;
        let number = included.receipt.events.iter().find_map(|event| match event {
            RuntimeEvent::Channels(Event::PaymentStarted { payment, .. }) => Some(*payment),
            _ => None,
        });
        let number = number.ok_or_else(|| RpcError::internal("the call started no payment"))?;
        let id = payer.id();
        let current = || {
            let payment = read::payment(&self.entity(&id)?.state(), number).refused()?;
            payment.ok_or_else(|| RpcError::not_found("payment", number))
        };
        if params.wait {
            self.watch(|| Ok(Some(current()?).filter(|payment| is_decided(&payment.status)))).await?;
        }
        let view = sent_view(&self.directory, id, &current()?);
        Ok(PaymentView { description: params.description, ..view })
    }

    /// What is to be paid: what the request says, and what its invoice says, which must not contradict each other.
    fn wish(&self, params: &PaymentSend) -> Result<Wish, RpcError> {
        let to = params.to.as_ref().map(|to| self.directory.entity(to)).transpose()?;
        let Some(text) = &params.invoice else {
            return Ok(Wish {
                payee: to.ok_or_else(|| {
                    RpcError::invalid_params("the request names nobody to be paid")
                        .with_hint("name a payee or an invoice")
                })?,
                asset: self.directory.asset(params.asset.as_ref())?,
                amount: params
                    .amount
                    .ok_or_else(|| RpcError::invalid_params("the request names no amount"))?,
                hash: None,
            });
        };
        let invoice = self.invoice_content(text)?;
        let network = self.read().facts().network;
        if invoice.network != network {
            let message = format!("the invoice is for network {}, this is {network}", invoice.network);
            return Err(RpcError::invalid_params(message));
        }
        let now = system_time();
        if now > invoice.expires {
            return Err(error_of(&pallet_channels::Error::TooLate { deadline: invoice.expires, now })
                .with_hint("ask the payee for a new invoice"));
        }
        let conflict = |what: &str| {
            RpcError::invalid_params(format!("the request and its invoice name different {what}"))
        };
        if to.is_some_and(|to| to != invoice.payee) {
            return Err(conflict("payees"));
        }
        if params.asset.is_some() && self.directory.asset(params.asset.as_ref())? != invoice.asset {
            return Err(conflict("assets"));
        }
        let amount = match (invoice.amount, params.amount) {
            (Some(asked), Some(given)) if asked != given => return Err(conflict("amounts")),
            (asked, given) => asked.or(given).ok_or_else(|| {
                RpcError::invalid_params("the invoice leaves the amount to the payer")
                    .with_hint("name an amount")
            })?,
        };
        Ok(Wish { payee: invoice.payee, asset: invoice.asset, amount, hash: Some(invoice.hash) })
    }
}

/// What is to be paid.
struct Wish {
    payee: EntityId,
    asset: AssetId,
    amount: Amount,
    hash: Option<PaymentHash>,
}

fn is_decided(status: &Stored) -> bool {
    matches!(status, Stored::Succeeded { .. } | Stored::Failed { .. })
}

/// Whether an event ends a direct payment of this sum.
fn ends_direct(event: &Event, channel: ChannelId, payer: EntityId, asset: AssetId, amount: Amount) -> bool {
    match event {
        Event::PaidDirect { channel: found, asset: of, amount: sum, from, .. } => {
            (*found, *of, *sum, *from) == (channel, asset, amount, payer)
        }
        Event::DirectPaymentFailed { channel: found, asset: of, amount: sum, .. } => {
            (*found, *of, *sum) == (channel, asset, amount)
        }
        _ => false,
    }
}
