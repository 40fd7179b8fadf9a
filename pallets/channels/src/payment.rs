//! Payments of this entity.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{
    Amount, AssetId, BoundedVec, ChannelId, ConstU32, EntityId, StorageType, StorageValue, Timestamp,
};

use crate::{
    Config, Error, Event, PaymentHash, PeerMessage, Preimage, TransitionError,
    apply::require_capacity,
    call::RouteHop,
    forward,
    htlc::{Cause, FailReason, Failure, Hop, MAX_HOPS, Onward},
    queue::{self, Purpose},
    storage::{CHANNELS, PAYMENT_BY_HASH, PAYMENTS, row, tag},
    transition::Transition,
};

const COUNT: StorageValue<u64> = StorageValue::new(StorageType::Channels, tag::PAYMENT_COUNT);

/// How many decided payments, and how many forwards, are remembered.
pub(crate) const HISTORY: u64 = 10_000;

/// Shortest and longest time that a payee may be given, in ms.
pub(crate) const TIMEOUT_MS: core::ops::RangeInclusive<u64> = 1_000..=14 * 24 * 3_600 * 1_000;

/// A payment with a condition, made by this entity.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Payment {
    /// Its number; the first is 1.
    pub number: u64,
    /// The lock; `None` until the payee answered.
    pub hash: Option<PaymentHash>,
    /// The payee.
    pub to: EntityId,
    /// The asset.
    pub asset: AssetId,
    /// What the payee gets.
    pub amount: Amount,
    /// What the forwarders take.
    pub fee: Amount,
    /// The forwarders.
    pub route: BoundedVec<RouteHop, ConstU32<MAX_HOPS>>,
    /// How long the payee has, in ms.
    pub timeout_ms: u64,
    /// How it stands.
    pub status: PaymentStatus,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it succeeded or failed.
    pub resolved: Option<Timestamp>,
}

/// How a payment stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum PaymentStatus {
    /// It waits for the payee's hash; nothing is held.
    #[codec(index = 0)]
    Requested,
    /// Its HTLC is on the way.
    #[codec(index = 1)]
    Pending,
    /// The payee was paid.
    #[codec(index = 2)]
    Succeeded {
        /// The proof of payment.
        preimage: Preimage,
    },
    /// Nothing was paid.
    #[codec(index = 3)]
    Failed {
        /// Why and where.
        failure: Failure,
    },
}

/// What the call asks for.
pub(crate) struct Request {
    pub(crate) to: EntityId,
    pub(crate) asset: AssetId,
    pub(crate) amount: Amount,
    pub(crate) route: BoundedVec<RouteHop, ConstU32<MAX_HOPS>>,
    pub(crate) hash: Option<PaymentHash>,
    pub(crate) max_fee: Amount,
    pub(crate) timeout_ms: u64,
}

/// [`crate::Call::Pay`].
pub(crate) fn pay<T: Config>(env: &mut T, request: Request) -> Result<(), Error> {
    let Request { to, asset, amount, route, hash, max_fee, timeout_ms } = request;
    if to == env.entity() {
        return Err(Error::OwnEntity);
    }
    if !TIMEOUT_MS.contains(&timeout_ms) {
        let (min_ms, max_ms) = (*TIMEOUT_MS.start(), *TIMEOUT_MS.end());
        return Err(Error::TimeoutOutOfRange { found_ms: timeout_ms, min_ms, max_ms });
    }
    if let Some(hash) = hash {
        refuse_duplicate(env, hash)?;
    }
    let fee = route.iter().try_fold(Amount::ZERO, |sum, hop| sum.add(hop.fee))?;
    if fee > max_fee {
        return Err(Error::FeeAboveLimit { needed: fee, max_fee });
    }
    let number = COUNT.get(env)?.unwrap_or(0).saturating_add(1);
    COUNT.put(env, &number);
    let created = env.now();
    let status = PaymentStatus::Requested;
    let mut payment =
        Payment { number, hash, to, asset, amount, fee, route, timeout_ms, status, created, resolved: None };
    // Fail at once what cannot work.
    let peer = payment.route.first().map_or(to, |hop| hop.via);
    require_sendable(env, peer, asset, amount.add(fee)?)?;
    env.deposit_event(Event::PaymentStarted { payment: number, hash, to, asset, amount });
    match hash {
        Some(hash) => start(env, &mut payment, hash)?,
        None => env.send(to, PeerMessage::InvoiceRequest { request: number, asset, amount }),
    }
    PAYMENTS.put(env, &number.to_be_bytes(), &payment);
    forget_old(env, number)
}

/// Refuses what the channel with `peer` cannot carry now.
pub(crate) fn require_sendable<T: Config>(
    env: &T,
    peer: EntityId,
    asset: AssetId,
    amount: Amount,
) -> Result<ChannelId, Error> {
    let own = env.entity();
    if peer == own {
        return Err(Error::OwnEntity);
    }
    let id = ChannelId::between(&own, &peer);
    let channel = CHANNELS.get(env, &row(&id))?.ok_or(Error::UnknownChannel { peer })?;
    channel.require_open()?;
    let row = channel.subchannel(&asset).ok_or(TransitionError::UnknownAsset { asset })?;
    require_capacity(row, channel.side_of(&own), amount)?;
    Ok(id)
}

fn refuse_duplicate<T: Config>(env: &T, hash: PaymentHash) -> Result<(), Error> {
    let Some(number) = PAYMENT_BY_HASH.get(env, &hash)? else { return Ok(()) };
    match PAYMENTS.get(env, &number.to_be_bytes())?.map(|payment| payment.status) {
        Some(PaymentStatus::Pending | PaymentStatus::Succeeded { .. }) => {
            Err(Error::DuplicatePayment { hash })
        }
        _ => Ok(()),
    }
}

/// Queues the HTLC of the first hop. Amounts grow and deadlines rise from the payee backwards.
fn start<T: Config>(env: &mut T, payment: &mut Payment, hash: PaymentHash) -> Result<(), Error> {
    refuse_duplicate(env, hash)?;
    let mut to = payment.to;
    let mut amount = payment.amount;
    let mut deadline = env.now().saturating_add(payment.timeout_ms);
    let mut hops = Vec::with_capacity(payment.route.len());
    for hop in payment.route.iter().rev() {
        hops.push(Hop { to, amount, deadline });
        to = hop.via;
        amount = amount.add(hop.fee)?;
        deadline = deadline.saturating_add(hop.timelock_delta_ms);
    }
    hops.reverse();
    let onward = Onward { hops: BoundedVec::truncate_from(hops) };
    let channel = require_sendable(env, to, payment.asset, amount)?;
    let add = Transition::HtlcAdd { asset: payment.asset, amount, hash, deadline, onward };
    queue::push(env, channel, add, Purpose::Payment(payment.number))?;
    payment.hash = Some(hash);
    payment.status = PaymentStatus::Pending;
    PAYMENT_BY_HASH.put(env, &hash, &payment.number);
    Ok(())
}

/// The payee's answer to a request.
pub(crate) fn invoice_issued<T: Config>(
    env: &mut T,
    from: EntityId,
    request: u64,
    hash: PaymentHash,
) -> Result<(), Error> {
    let mut payment = PAYMENTS
        .get(env, &request.to_be_bytes())?
        .filter(|payment| payment.to == from)
        .ok_or(Error::UnknownRequest { request })?;
    if payment.status != PaymentStatus::Requested {
        return Ok(()); // Cancelled meanwhile.
    }
    match start(env, &mut payment, hash) {
        Ok(()) => {
            PAYMENTS.put(env, &request.to_be_bytes(), &payment);
            Ok(())
        }
        Err(Error::Corrupt(corrupt)) => Err(corrupt.into()),
        Err(error) => failed(env, request, Failure::here(fail_reason(&error))),
    }
}

/// [`crate::Call::CancelPayment`].
pub(crate) fn cancel<T: Config>(env: &mut T, number: u64) -> Result<(), Error> {
    PAYMENTS
        .get(env, &number.to_be_bytes())?
        .filter(|payment| payment.status == PaymentStatus::Requested)
        .ok_or(Error::UnknownRequest { request: number })?;
    failed(env, number, Failure::here(FailReason::Cancelled))
}

/// What a failure of our own channel means to whoever waits for the payment.
pub(crate) fn fail_reason(error: &Error) -> FailReason {
    match error {
        Error::Transition(TransitionError::InsufficientCapacity { needed, available, .. }) => {
            FailReason::InsufficientCapacity { needed: *needed, available: *available }
        }
        Error::UnknownChannel { peer } => FailReason::UnknownNextHop { to: *peer },
        Error::DuplicatePayment { .. } => FailReason::AlreadyPaid,
        _ => FailReason::ChannelUnavailable,
    }
}

/// An HTLC that this entity pays was fulfilled, or its preimage was `published` at the depositary in time.
pub(crate) fn outbound_fulfilled<T: Config>(
    env: &mut T,
    cause: &Cause,
    preimage: Preimage,
    published: bool,
) -> Result<(), Error> {
    match cause {
        Cause::Payment(number) => succeeded(env, *number, preimage),
        Cause::Forward(number) => forward::succeeded(env, *number, preimage, published),
        Cause::ExpiryProven => Ok(()),
    }
}

/// An HTLC that this entity wanted to pay, or paid, came to nothing.
pub(crate) fn outbound_failed<T: Config>(env: &mut T, cause: &Cause, failure: Failure) -> Result<(), Error> {
    match cause {
        Cause::Payment(number) => failed(env, *number, failure),
        Cause::Forward(number) => forward::failed(env, *number, failure),
        Cause::ExpiryProven => Ok(()),
    }
}

/// A payment whose end is not known yet.
fn undecided<T: Config>(env: &T, number: u64) -> Result<Option<Payment>, Error> {
    Ok(PAYMENTS.get(env, &number.to_be_bytes())?.filter(|payment| payment.resolved.is_none()))
}

fn succeeded<T: Config>(env: &mut T, number: u64, preimage: Preimage) -> Result<(), Error> {
    let Some(mut payment) = undecided(env, number)? else { return Ok(()) };
    payment.status = PaymentStatus::Succeeded { preimage };
    payment.resolved = Some(env.now());
    PAYMENTS.put(env, &number.to_be_bytes(), &payment);
    let Payment { to, asset, amount, fee, .. } = payment;
    let hash = preimage.hash();
    env.deposit_event(Event::PaymentSent { payment: number, hash, preimage, to, asset, amount, fee });
    Ok(())
}

fn failed<T: Config>(env: &mut T, number: u64, failure: Failure) -> Result<(), Error> {
    let Some(mut payment) = undecided(env, number)? else { return Ok(()) };
    payment.status = PaymentStatus::Failed { failure: failure.clone() };
    payment.resolved = Some(env.now());
    PAYMENTS.put(env, &number.to_be_bytes(), &payment);
    env.deposit_event(Event::PaymentFailed { payment: number, hash: payment.hash, failure });
    Ok(())
}

/// Forgets the payment that became too old with this one, if it is decided.
fn forget_old<T: Config>(env: &mut T, newest: u64) -> Result<(), Error> {
    let Some(old) = newest.checked_sub(HISTORY) else { return Ok(()) };
    let key = old.to_be_bytes();
    let Some(payment) = PAYMENTS.get(env, &key)?.filter(|payment| payment.resolved.is_some()) else {
        return Ok(());
    };
    PAYMENTS.remove(env, &key);
    if let Some(hash) = payment.hash
        && PAYMENT_BY_HASH.get(env, &hash)? == Some(old)
    {
        PAYMENT_BY_HASH.remove(env, &hash);
    }
    Ok(())
}
