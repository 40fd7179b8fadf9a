//! `payment.get`, `payment.list` and `forward.list`: payments that hosted entities sent, received and passed on.
//!
//! What an entity received it knows by its invoices; direct payments, which have neither invoice nor number, are told
//! of by receipts and subscriptions only.

use pallet_channels::{
    Failure, Forward, ForwardStatus, Invoice, InvoiceStatus, Payment, PaymentStatus as Stored, view as read,
};
use xln_primitives::{Amount, AssetId, EntityId, Hash, Storage};
use xln_rpc::{
    RpcError, U64,
    params::{ForwardList, PaymentGet, PaymentList, page_size},
    view::{Direction, FailureView, ForwardView, PartyView, PaymentStatus, PaymentView},
};
use xln_runtime::Entity;

use super::{
    NodeBackend,
    codes::Refused,
    directory::Directory,
    invoices::{invoices, newest_first, payment_hash},
    json::{Json, text},
};

/// Payments and forwards that are read at once.
const PAGE: u64 = 256;

/// What to do about a failure.
fn hint(failure: &Failure) -> Option<&'static str> {
    use pallet_channels::FailReason as Reason;
    Some(match &failure.reason {
        Reason::FeeTooLow { .. } => "allow a higher fee",
        Reason::InsufficientCapacity { .. } => "try another route or a smaller amount",
        Reason::TooManyPending { .. } | Reason::ChannelUnavailable => "try again in a moment",
        Reason::UnknownInvoice | Reason::AlreadyPaid | Reason::InvoiceExpired { .. } => {
            "ask the payee for a new invoice"
        }
        Reason::WrongAmount { .. } | Reason::WrongAsset { .. } => "pay exactly what the invoice asks for",
        _ => return None,
    })
}

/// A failure of a payment of `asset` as the API shows it; `route` leads from the payer to the payee.
fn failure_view(
    directory: &Directory,
    asset: AssetId,
    failure: &Failure,
    route: &[PartyView],
) -> FailureView {
    let reason = failure.reason.json();
    let name = reason.get("name").and_then(|name| name.as_str()).unwrap_or_default();
    FailureView {
        name: name.to_owned(),
        message: directory.spelled(&failure.reason.to_string(), name, &reason, Some(asset)),
        hop: Some(failure.hop),
        at: route.get(usize::from(failure.hop)).cloned(),
        hint: hint(failure).map(str::to_owned),
    }
}

/// A payment that an entity sent.
pub(super) fn sent_view(directory: &Directory, entity: EntityId, payment: &Payment) -> PaymentView {
    let ends = [directory.party(entity)];
    let hops = payment.route.iter().map(|hop| directory.party(hop.via));
    let route: Vec<PartyView> = ends.into_iter().chain(hops).chain([directory.party(payment.to)]).collect();
    let (status, failure, preimage) = match &payment.status {
        Stored::Requested | Stored::Pending => (PaymentStatus::Pending, None, None),
        Stored::Succeeded { preimage } => {
            (PaymentStatus::Succeeded, None, Some((*preimage.as_bytes()).into()))
        }
        Stored::Failed { failure } => {
            (PaymentStatus::Failed, Some(failure_view(directory, payment.asset, failure, &route)), None)
        }
    };
    let (symbol, decimals) = directory.unit(&payment.asset);
    PaymentView {
        number: Some(U64(payment.number)),
        hash: payment.hash.map(|hash| (*hash.as_bytes()).into()),
        entity: directory.party(entity),
        direction: Direction::Out,
        direct: false,
        from: Some(directory.party(entity)),
        to: Some(directory.party(payment.to)),
        route,
        asset: payment.asset,
        symbol,
        decimals,
        amount: payment.amount,
        fee: payment.fee,
        status,
        failure,
        description: None,
        created: payment.created,
        resolved: payment.resolved,
        preimage,
    }
}

/// A payment that an entity received for an invoice; `None` as long as nothing arrived for it.
pub(super) fn received_view(
    directory: &Directory,
    entity: EntityId,
    invoice: &Invoice,
) -> Option<PaymentView> {
    let (status, amount, resolved) = match &invoice.status {
        InvoiceStatus::Accepted { amount, .. } => (PaymentStatus::Pending, *amount, None),
        InvoiceStatus::Paid { amount, at } => (PaymentStatus::Succeeded, *amount, Some(*at)),
        InvoiceStatus::Open | InvoiceStatus::Cancelled => return None,
    };
    let (symbol, decimals) = directory.unit(&invoice.asset);
    let preimage = invoice.preimage.filter(|_| resolved.is_some());
    Some(PaymentView {
        number: None,
        hash: Some((*invoice.hash.as_bytes()).into()),
        entity: directory.party(entity),
        direction: Direction::In,
        direct: false,
        from: None,
        to: Some(directory.party(entity)),
        route: Vec::new(),
        asset: invoice.asset,
        symbol,
        decimals,
        amount,
        fee: Amount::ZERO,
        status,
        failure: None,
        description: Some(text(&invoice.description)).filter(|text| !text.is_empty()),
        created: invoice.created,
        resolved,
        preimage: preimage.map(|preimage| (*preimage.as_bytes()).into()),
    })
}

/// A payment that an entity passed on.
pub(super) fn forward_view(
    directory: &Directory,
    entity: &Entity,
    forward: &Forward,
) -> Result<ForwardView, RpcError> {
    let (id, state) = (entity.id(), entity.state());
    let peer = |channel| {
        let stored = read::channel(&state, channel).refused()?;
        let peer = stored.map(|stored| stored.channel.entity(stored.channel.side_of(&id).other()));
        Ok::<_, RpcError>(directory.party(peer.unwrap_or(EntityId::ZERO)))
    };
    let (status, failure) = match &forward.status {
        ForwardStatus::Pending => (PaymentStatus::Pending, None),
        ForwardStatus::Succeeded => (PaymentStatus::Succeeded, None),
        // Hops are counted from the forwarder here, who knows nobody but the next one.
        ForwardStatus::Failed { failure } => {
            (PaymentStatus::Failed, Some(failure_view(directory, forward.asset, failure, &[])))
        }
    };
    let (symbol, decimals) = directory.unit(&forward.asset);
    Ok(ForwardView {
        number: U64(forward.number),
        hash: (*forward.hash.as_bytes()).into(),
        entity: directory.party(id),
        from: peer(forward.inbound)?,
        to: peer(forward.outbound)?,
        channel_in: forward.inbound,
        channel_out: forward.outbound,
        asset: forward.asset,
        symbol,
        decimals,
        amount_in: forward.amount.add(forward.fee).refused()?,
        amount_out: forward.amount,
        fee: forward.fee,
        status,
        failure,
        created: forward.created,
        resolved: forward.resolved,
    })
}

/// Items in descending order of their numbers, which grow with time, for as long as they are needed. `page` answers
/// those after a number, in ascending order.
fn newest<T>(
    page: impl Fn(Option<u64>, usize) -> Result<Vec<T>, RpcError>,
    number: impl Fn(&T) -> u64,
    mut take: impl FnMut(T) -> bool,
) -> Result<(), RpcError> {
    // The largest number: whether there is anything after a number can be asked for.
    let (mut low, mut high) = (0_u64, 1_u64);
    while !page(Some(high), 1)?.is_empty() {
        low = high;
        high = high.saturating_mul(2);
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if page(Some(middle), 1)?.is_empty() { high = middle } else { low = middle + 1 }
    }
    let mut end = low;
    while end > 0 {
        let start = end.saturating_sub(PAGE);
        let size = usize::try_from(end - start).unwrap_or(usize::MAX);
        let items = page(Some(start), size)?;
        for item in items.into_iter().rev().filter(|item| (start + 1..=end).contains(&number(item))) {
            if !take(item) {
                return Ok(());
            }
        }
        end = start;
    }
    Ok(())
}

/// The newest payments that an entity sent and that are wanted.
fn sent(
    state: &impl Storage,
    limit: usize,
    is_wanted: impl Fn(&Payment) -> bool,
) -> Result<Vec<Payment>, RpcError> {
    let mut found = Vec::new();
    newest(
        |after, size| read::payments(state, after, size).refused(),
        |payment| payment.number,
        |payment| {
            if is_wanted(&payment) {
                found.push(payment);
            }
            found.len() < limit
        },
    )?;
    Ok(found)
}

impl NodeBackend {
    pub(super) fn payment_get(&self, params: PaymentGet) -> Result<PaymentView, RpcError> {
        match (params.hash, params.number) {
            (None, Some(U64(number))) => {
                let entity = self.acting(params.entity.as_ref())?;
                let payment = read::payment(&entity.state(), number).refused()?;
                payment.map(|payment| sent_view(&self.directory, entity.id(), &payment)).ok_or_else(|| {
                    let label = self.directory.party(entity.id()).label();
                    RpcError::not_found("payment", format!("{number} of {label}"))
                })
            }
            (Some(hash), None) => self.payment_by_hash(params.entity.as_ref(), hash),
            _ => {
                Err(RpcError::invalid_params("a payment is named by its hash or by its number, one of them"))
            }
        }
    }

    fn payment_by_hash(
        &self,
        entity: Option<&xln_rpc::EntityRef>,
        hash: Hash,
    ) -> Result<PaymentView, RpcError> {
        let entities = self.selected(entity)?;
        for entity in &entities {
            if let Some(payment) = read::payment_by_hash(&entity.state(), payment_hash(hash)).refused()? {
                return Ok(sent_view(&self.directory, entity.id(), &payment));
            }
        }
        for entity in &entities {
            let invoice = read::invoice(&entity.state(), payment_hash(hash)).refused()?;
            let view = invoice.and_then(|invoice| received_view(&self.directory, entity.id(), &invoice));
            if let Some(view) = view {
                return Ok(view);
            }
        }
        Err(RpcError::not_found("payment", hash).with_hint("payment.list names those of hosted entities"))
    }

    pub(super) fn payment_list(&self, params: PaymentList) -> Result<Vec<PaymentView>, RpcError> {
        let limit = page_size(params.limit);
        let is_in_time = |created| params.before.is_none_or(|before| created < before);
        let is_wanted = |view: &PaymentView| {
            is_in_time(view.created) && params.status.is_none_or(|status| view.status == status)
        };
        let mut views = Vec::new();
        for entity in self.selected(params.entity.as_ref())? {
            let id = entity.id();
            let wanted = |payment: &Payment| is_wanted(&sent_view(&self.directory, id, payment));
            let payments = sent(&entity.state(), limit, wanted)?;
            views.extend(payments.iter().map(|payment| sent_view(&self.directory, id, payment)));
            let paid = invoices(&entity, |invoice| is_in_time(invoice.created))?;
            let received = paid.iter().filter_map(|invoice| received_view(&self.directory, id, invoice));
            views.extend(received.filter(is_wanted));
            newest_first(&mut views, limit, |view| view.created);
        }
        Ok(views)
    }

    pub(super) fn forward_list(&self, params: ForwardList) -> Result<Vec<ForwardView>, RpcError> {
        let limit = page_size(params.limit);
        let mut views = Vec::new();
        for entity in self.selected(params.entity.as_ref())? {
            let state = entity.state();
            let mut found = Vec::new();
            newest(
                |after, size| read::forwards(&state, after, size).refused(),
                |forward| forward.number,
                |forward| {
                    let in_time = params.before.is_none_or(|before| forward.created < before);
                    if in_time && params.status.is_none_or(|status| status_of(&forward) == status) {
                        found.push(forward);
                    }
                    found.len() < limit
                },
            )?;
            for forward in &found {
                views.push(forward_view(&self.directory, &entity, forward)?);
            }
            newest_first(&mut views, limit, |view| view.created);
        }
        Ok(views)
    }
}

fn status_of(forward: &Forward) -> PaymentStatus {
    match forward.status {
        ForwardStatus::Pending => PaymentStatus::Pending,
        ForwardStatus::Succeeded => PaymentStatus::Succeeded,
        ForwardStatus::Failed { .. } => PaymentStatus::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(numbers: &[u64], limit: usize) -> Vec<u64> {
        let mut found = Vec::new();
        let page = |after: Option<u64>, size| {
            let later = numbers.iter().copied().filter(|number| after.is_none_or(|after| *number > after));
            Ok(later.take(size).collect())
        };
        let take = |number| {
            found.push(number);
            found.len() < limit
        };
        newest(page, |number| *number, take).unwrap();
        found
    }

    #[test]
    fn the_newest_come_first_however_many_there_are() {
        assert_eq!(collect(&[], 5), [0; 0]);
        assert_eq!(collect(&[1], 5), [1]);
        assert_eq!(collect(&[1, 2, 3], 2), [3, 2]);
        let many: Vec<u64> = (1..=1_000).collect();
        assert_eq!(collect(&many, 2_000), many.iter().rev().copied().collect::<Vec<_>>());
    }

    #[test]
    fn numbers_whose_payments_were_forgotten_are_passed_over() {
        assert_eq!(collect(&[500, 900, 901], 5), [901, 900, 500]);
    }
}
