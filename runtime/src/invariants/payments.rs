//! C4: a payment has one end.
//!
//! The payer's records and the payee's invoices tell the same story: who has the preimage has paid, once.

use std::collections::BTreeMap;

use pallet_channels::{InvoiceStatus, PaymentHash, PaymentStatus};
use xln_primitives::{EntityId, Storage};

use super::{PAGE, Violation, unreadable};
use crate::{Entity, Server};

/// What contradicts itself about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TwoEnds {
    /// The payer's proof of payment opens another lock.
    #[error("it succeeded with a preimage that does not open it")]
    WrongPreimage,
    /// More than one payment of one invoice succeeded.
    #[error("{0} payments of it succeeded")]
    PaidTwice(u32),
    /// Settled: the payer paid for an invoice that its payee does not see as paid.
    #[error("the payer paid, the payee's invoice is not paid")]
    NotReceived,
    /// Settled: the payee was paid, every payer has its money back.
    #[error("the payee was paid, yet no payment of it succeeded")]
    NotSent,
}

/// How the payments of one lock to one payee stand.
#[derive(Default)]
struct Ends {
    succeeded: u32,
    open: u32,
}

pub(super) fn check(server: &Server, settled: bool) -> Result<(), Violation> {
    let mut ends: BTreeMap<(PaymentHash, EntityId), Ends> = BTreeMap::new();
    for entity in server.entities() {
        collect(entity, &mut ends)?;
    }
    for ((hash, payee), ends) in ends {
        let fault = if ends.succeeded > 1 {
            Some(TwoEnds::PaidTwice(ends.succeeded))
        } else {
            match server.entity(&payee).filter(|_| settled) {
                Some(entity) => story_differs(&entity.state(), hash, &ends).map_err(unreadable(payee))?,
                None => None,
            }
        };
        if let Some(ends) = fault {
            return Err(Violation::Payment { hash, payee, ends });
        }
    }
    Ok(())
}

fn collect(entity: &Entity, all: &mut BTreeMap<(PaymentHash, EntityId), Ends>) -> Result<(), Violation> {
    let (state, id) = (entity.state(), entity.id());
    let mut after = None;
    loop {
        let page = pallet_channels::view::payments(&state, after, PAGE).map_err(unreadable(id))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.number);
        for payment in page {
            let Some(hash) = payment.hash else { continue };
            let ends = all.entry((hash, payment.to)).or_default();
            match payment.status {
                PaymentStatus::Requested | PaymentStatus::Pending => ends.open = ends.open.saturating_add(1),
                PaymentStatus::Succeeded { preimage } => {
                    if preimage.hash() != hash {
                        let ends = TwoEnds::WrongPreimage;
                        return Err(Violation::Payment { hash, payee: payment.to, ends });
                    }
                    ends.succeeded = ends.succeeded.saturating_add(1);
                }
                PaymentStatus::Failed { .. } => {}
            }
        }
    }
}

fn story_differs(
    payee: &impl Storage,
    hash: PaymentHash,
    ends: &Ends,
) -> Result<Option<TwoEnds>, pallet_channels::Error> {
    let invoice = pallet_channels::view::invoice(payee, hash)?;
    let paid = invoice.is_some_and(|invoice| matches!(invoice.status, InvoiceStatus::Paid { .. }));
    Ok(if ends.succeeded > 0 && !paid {
        Some(TwoEnds::NotReceived)
    } else if paid && ends.succeeded == 0 && ends.open == 0 {
        Some(TwoEnds::NotSent)
    } else {
        None
    })
}
