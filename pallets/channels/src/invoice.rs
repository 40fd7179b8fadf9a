//! Invoices of this entity: what it waits to be paid for.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{
    Amount, AssetId, BoundedVec, ChannelId, ConstU32, EntityId, StorageMap, StorageType, StorageValue,
    Timestamp,
};

use crate::{
    Config, Error, Event, PaymentHash, PeerMessage, Preimage,
    call::MAX_DESCRIPTION,
    deadlines,
    forward::{Knowledge, SKEW_MS, fail_inbound, fulfil_inbound},
    htlc::{FailReason, Failure, Htlc, HtlcRole, HtlcTerms, Progress, Slot},
    storage::{HTLCS, INVOICES, NumberKey, map, slot_key, tag},
};

/// Invoices that were issued on a payer's request, by number; the oldest make room.
const ISSUED: StorageMap<NumberKey, PaymentHash> = map(tag::ISSUED_INVOICE);
const ISSUED_COUNT: StorageValue<u64> = StorageValue::new(StorageType::Channels, tag::ISSUED_COUNT);

/// Most invoices that are remembered for payers who asked.
const MAX_ISSUED: u64 = 10_000;

/// How long an invoice is payable that a payer asked for, in ms.
const ISSUED_MS: u64 = 10 * 60 * 1_000;

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Invoice {
    /// Its lock.
    pub hash: PaymentHash,
    /// What opens it; `None` if the preimage is kept elsewhere. Not to be shown to anybody but the entity.
    pub preimage: Option<Preimage>,
    /// The asset.
    pub asset: AssetId,
    /// How much; `None` for any sum.
    pub amount: Option<Amount>,
    /// For the payer to read, UTF-8.
    pub description: BoundedVec<u8, ConstU32<MAX_DESCRIPTION>>,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it can be paid.
    pub expires: Timestamp,
    /// How it stands.
    pub status: InvoiceStatus,
}

/// How an invoice stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum InvoiceStatus {
    /// It can be paid until it expires.
    #[codec(index = 0)]
    Open,
    /// An HTLC for it is pending.
    #[codec(index = 1)]
    Accepted {
        /// In this channel.
        channel: ChannelId,
        /// At this place.
        slot: Slot,
        /// The sum.
        amount: Amount,
    },
    /// It was paid.
    #[codec(index = 2)]
    Paid {
        /// The sum.
        amount: Amount,
        /// When.
        at: Timestamp,
    },
    /// It was withdrawn.
    #[codec(index = 3)]
    Cancelled,
}

/// [`crate::Call::CreateInvoice`].
pub(crate) fn create<T: Config>(
    env: &mut T,
    asset: AssetId,
    amount: Option<Amount>,
    hash: Option<PaymentHash>,
    description: BoundedVec<u8, ConstU32<MAX_DESCRIPTION>>,
    expires: Timestamp,
) -> Result<PaymentHash, Error> {
    let created = env.now();
    if expires <= created {
        return Err(Error::TooLate { deadline: expires, now: created });
    }
    let preimage = match hash {
        Some(_) => None,
        None => Some(fresh_preimage(env)?),
    };
    let hash = hash.or(preimage.map(|preimage| preimage.hash())).unwrap_or_default();
    if INVOICES.contains(env, &hash) {
        return Err(Error::DuplicateInvoice { hash });
    }
    let status = InvoiceStatus::Open;
    let invoice = Invoice { hash, preimage, asset, amount, description, created, expires, status };
    INVOICES.put(env, &hash, &invoice);
    env.deposit_event(Event::InvoiceIssued { hash, asset, amount, expires });
    Ok(hash)
}

/// A preimage that nobody can know; each use of the counter gives another one.
fn fresh_preimage<T: Config>(env: &mut T) -> Result<Preimage, Error> {
    let number = ISSUED_COUNT.get(env)?.unwrap_or(0).saturating_add(1);
    ISSUED_COUNT.put(env, &number);
    let mut purpose = *b"invoice\0\0\0\0\0\0\0\0";
    purpose[7..].copy_from_slice(&number.to_be_bytes());
    Ok(Preimage::new(*env.secret(&purpose).as_bytes()))
}

/// A payer asks for a hash: it gets one, and the oldest such invoice makes room if there are too many.
pub(crate) fn requested<T: Config>(
    env: &mut T,
    from: EntityId,
    request: u64,
    asset: AssetId,
    amount: Amount,
) -> Result<(), Error> {
    let expires = env.now().saturating_add(ISSUED_MS);
    let hash = create(env, asset, Some(amount), None, BoundedVec::new(), expires)?;
    let number = ISSUED_COUNT.get(env)?.unwrap_or(0);
    ISSUED.put(env, &number.to_be_bytes(), &hash);
    if let Some(old) = number.checked_sub(MAX_ISSUED)
        && let Some(old_hash) = ISSUED.get(env, &old.to_be_bytes())?
    {
        ISSUED.remove(env, &old.to_be_bytes());
        let invoice = INVOICES.get(env, &old_hash)?;
        if invoice.is_some_and(|invoice| !matches!(invoice.status, InvoiceStatus::Accepted { .. })) {
            INVOICES.remove(env, &old_hash);
        }
    }
    env.send(from, PeerMessage::InvoiceIssued { request, hash, expires });
    Ok(())
}

/// [`crate::Call::CancelInvoice`].
pub(crate) fn cancel<T: Config>(env: &mut T, hash: PaymentHash) -> Result<(), Error> {
    let mut invoice = INVOICES
        .get(env, &hash)?
        .filter(|invoice| invoice.status == InvoiceStatus::Open)
        .ok_or(Error::UnknownPayment { hash })?;
    invoice.status = InvoiceStatus::Cancelled;
    INVOICES.put(env, &hash, &invoice);
    env.deposit_event(Event::InvoiceCancelled { hash });
    Ok(())
}

/// An HTLC for this payee is committed: takes it, holds it, or says why not.
pub(crate) fn arrived<T: Config>(
    env: &mut T,
    channel: ChannelId,
    slot: Slot,
    htlc: &Htlc,
) -> Result<Option<FailReason>, Error> {
    let (terms, now) = (&htlc.terms, env.now());
    let Some(mut invoice) = INVOICES.get(env, &terms.hash)? else {
        return Ok(Some(FailReason::UnknownInvoice));
    };
    if let Some(reason) = refusal(&invoice, htlc, now) {
        return Ok(Some(reason));
    }
    invoice.status = InvoiceStatus::Accepted { channel, slot, amount: terms.amount };
    INVOICES.put(env, &terms.hash, &invoice);
    match invoice.preimage {
        Some(preimage) => fulfil_inbound(env, channel, slot, htlc.added, own(preimage))?,
        None => {
            let HtlcTerms { hash, amount, deadline, .. } = *terms;
            // Whoever knows the preimage may publish it without telling this entity.
            deadlines::watch_held(env, channel, slot, hash, deadline);
            env.deposit_event(Event::PaymentHeld { channel, slot, hash, amount, deadline });
        }
    }
    Ok(None)
}

fn refusal(invoice: &Invoice, htlc: &Htlc, now: Timestamp) -> Option<FailReason> {
    let terms = &htlc.terms;
    match invoice.status {
        InvoiceStatus::Open => {}
        InvoiceStatus::Cancelled => return Some(FailReason::UnknownInvoice),
        InvoiceStatus::Accepted { .. } | InvoiceStatus::Paid { .. } => return Some(FailReason::AlreadyPaid),
    }
    if now > invoice.expires {
        return Some(FailReason::InvoiceExpired { expired: invoice.expires });
    }
    if invoice.asset != terms.asset {
        return Some(FailReason::WrongAsset { expected: invoice.asset });
    }
    if let Some(expected) = invoice.amount.filter(|amount| *amount != terms.amount) {
        return Some(FailReason::WrongAmount { expected, found: terms.amount });
    }
    let needed = now.saturating_add(SKEW_MS);
    (terms.deadline < needed).then_some(FailReason::DeadlineTooSoon { needed, found: terms.deadline })
}

/// The HTLC that waits for a decision about this invoice.
fn held<T: Config>(env: &T, hash: PaymentHash) -> Result<(ChannelId, Slot, Htlc), Error> {
    let unknown = Error::UnknownPayment { hash };
    let Some(InvoiceStatus::Accepted { channel, slot, .. }) =
        INVOICES.get(env, &hash)?.map(|invoice| invoice.status)
    else {
        return Err(unknown);
    };
    let htlc = HTLCS
        .get(env, &slot_key(&channel, slot))?
        .filter(|htlc| htlc.terms.hash == hash && htlc.role == HtlcRole::Inbound(Progress::Held));
    Ok((channel, slot, htlc.ok_or(unknown)?))
}

fn own(preimage: Preimage) -> Knowledge {
    Knowledge { preimage, published: false, forward: None }
}

/// [`crate::Call::Fulfil`].
pub(crate) fn fulfil<T: Config>(env: &mut T, preimage: Preimage) -> Result<(), Error> {
    let (channel, slot, htlc) = held(env, preimage.hash())?;
    let (deadline, now) = (htlc.terms.deadline, env.now());
    if now >= deadline {
        return Err(Error::TooLate { deadline, now });
    }
    fulfil_inbound(env, channel, slot, htlc.added, own(preimage))
}

/// [`crate::Call::Cancel`].
pub(crate) fn give_up<T: Config>(env: &mut T, hash: PaymentHash) -> Result<(), Error> {
    let (channel, slot, htlc) = held(env, hash)?;
    let (deadline, now) = (htlc.terms.deadline, env.now());
    // The preimage may have been published: then the payer counts the sum as paid.
    if now >= deadline && deadlines::is_held_watched(env, channel, slot, deadline) {
        return Err(Error::TooLate { deadline, now });
    }
    fail_inbound(env, channel, slot, htlc.added, Failure::here(FailReason::Cancelled))
}

/// The HTLC of an invoice was taken.
pub(crate) fn paid<T: Config>(env: &mut T, channel: ChannelId, htlc: &Htlc) -> Result<(), Error> {
    let hash = htlc.terms.hash;
    let Some(mut invoice) = INVOICES.get(env, &hash)? else { return Ok(()) };
    let amount = htlc.terms.amount;
    invoice.status = InvoiceStatus::Paid { amount, at: env.now() };
    INVOICES.put(env, &hash, &invoice);
    env.deposit_event(Event::PaymentReceived { channel, hash, asset: htlc.terms.asset, amount });
    Ok(())
}

/// The HTLC in this slot went back to its payer: an invoice that waited for it can be paid again.
pub(crate) fn released<T: Config>(
    env: &mut T,
    channel: ChannelId,
    slot: Slot,
    hash: PaymentHash,
) -> Result<(), Error> {
    let Some(mut invoice) = INVOICES.get(env, &hash)? else { return Ok(()) };
    if matches!(invoice.status, InvoiceStatus::Accepted { channel: c, slot: s, .. } if c == channel && s == slot)
    {
        invoice.status = InvoiceStatus::Open;
        INVOICES.put(env, &hash, &invoice);
    }
    Ok(())
}
