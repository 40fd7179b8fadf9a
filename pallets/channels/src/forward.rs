//! Forwarding: an HTLC from one channel goes on in another, and its end comes back.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{
    Amount, AssetId, ChannelId, EntityId, Height, Storage, StorageType, StorageValue, Timestamp,
};

use crate::{
    Config, Error, Event, PaymentHash, Preimage, deadlines,
    htlc::{FailReason, Failure, Hop, Htlc, HtlcRole, HtlcTerms, Onward, Progress, Slot},
    invoice, payment,
    payment::HISTORY,
    policy::Policy,
    queue::{self, Purpose},
    storage::{FORWARDS, HTLCS, slot_key, tag},
    transition::Transition,
};

const COUNT: StorageValue<u64> = StorageValue::new(StorageType::Channels, tag::FORWARD_COUNT);

/// How far two clocks may differ, in ms: a deadline closer than this is too close.
pub(crate) const SKEW_MS: u64 = 30_000;

/// Longest time for which a sum may be held, in ms.
const LONGEST_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// A payment that this entity carries from one channel to another.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Forward {
    /// Its number; the first is 1.
    pub number: u64,
    /// The lock.
    pub hash: PaymentHash,
    /// The asset.
    pub asset: AssetId,
    /// Where it comes from.
    pub inbound: ChannelId,
    /// Its place there.
    pub inbound_slot: Slot,
    /// Height of the frame that put it there.
    pub inbound_height: Height,
    /// Where it goes.
    pub outbound: ChannelId,
    /// What goes on.
    pub amount: Amount,
    /// What stays.
    pub fee: Amount,
    /// How it stands.
    pub status: ForwardStatus,
    /// When it arrived.
    pub created: Timestamp,
    /// When it was decided.
    pub resolved: Option<Timestamp>,
}

/// How a forward stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum ForwardStatus {
    /// It is on the way.
    #[codec(index = 0)]
    Pending,
    /// The preimage came back.
    #[codec(index = 1)]
    Succeeded,
    /// It failed.
    #[codec(index = 2)]
    Failed {
        /// Why and where.
        failure: Failure,
    },
}

/// An HTLC for this entity arrived and is committed: pays an invoice, goes on, or fails. Policies and clocks
/// decide here, never about the frame that brought it.
pub(crate) fn arrived<T: Config>(
    env: &mut T,
    channel: ChannelId,
    peer: EntityId,
    pending: u16,
    slot: Slot,
    onward: &Onward,
) -> Result<(), Error> {
    let Some(htlc) = HTLCS.get(env, &slot_key(&channel, slot))? else { return Ok(()) };
    let policy = Policy::load(env)?;
    let refused = match general_refusal(&policy, &htlc.terms, pending, env.now()) {
        Some(reason) => Some(reason),
        None => match onward.hops.split_first() {
            None => invoice::arrived(env, channel, slot, &htlc)?,
            Some((hop, rest)) => {
                let rest = Onward { hops: xln_primitives::BoundedVec::truncate_from(rest.to_vec()) };
                go_on(env, &policy, Inbound { channel, peer, slot, htlc: &htlc }, hop, rest)?
            }
        },
    };
    match refused {
        Some(reason) => fail_inbound(env, channel, slot, htlc.added, Failure::here(reason)),
        None => Ok(()),
    }
}

fn general_refusal(policy: &Policy, terms: &HtlcTerms, pending: u16, now: Timestamp) -> Option<FailReason> {
    let limit = now.saturating_add(LONGEST_MS);
    if pending > policy.max_pending {
        let (pending, limit) = (u32::from(pending), u32::from(policy.max_pending));
        Some(FailReason::TooManyPending { pending, limit })
    } else if terms.amount < policy.min_htlc || terms.amount > policy.max_htlc {
        Some(FailReason::OutsideLimits { min: policy.min_htlc, max: policy.max_htlc, found: terms.amount })
    } else if terms.deadline > limit {
        Some(FailReason::DeadlineTooFar { limit, found: terms.deadline })
    } else {
        None
    }
}

struct Inbound<'a> {
    channel: ChannelId,
    peer: EntityId,
    slot: Slot,
    htlc: &'a Htlc,
}

/// Sends an HTLC on, or says why not.
fn go_on<T: Config>(
    env: &mut T,
    policy: &Policy,
    inbound: Inbound<'_>,
    hop: &Hop,
    onward: Onward,
) -> Result<Option<FailReason>, Error> {
    let terms = &inbound.htlc.terms;
    let now = env.now();
    if hop.to == inbound.peer {
        return Ok(Some(FailReason::UnknownNextHop { to: hop.to }));
    }
    let offered = terms.amount.saturating_sub(hop.amount);
    let needed = policy.fee(hop.amount)?;
    if terms.amount < hop.amount || offered < needed {
        return Ok(Some(FailReason::FeeTooLow { needed, offered }));
    }
    let needed = hop.deadline.saturating_add(policy.timelock_delta_ms.max(1));
    if terms.deadline < needed {
        return Ok(Some(FailReason::DeadlineTooSoon { needed, found: terms.deadline }));
    }
    let needed = now.saturating_add(SKEW_MS);
    if hop.deadline < needed {
        return Ok(Some(FailReason::DeadlineTooSoon { needed, found: hop.deadline }));
    }
    let outbound = match payment::require_sendable(env, hop.to, terms.asset, hop.amount) {
        Ok(outbound) => outbound,
        Err(Error::Corrupt(corrupt)) => return Err(corrupt.into()),
        Err(Error::OwnEntity | Error::Transition(crate::TransitionError::UnknownAsset { .. })) => {
            return Ok(Some(FailReason::UnknownNextHop { to: hop.to }));
        }
        Err(error) => return Ok(Some(payment::fail_reason(&error))),
    };
    let number = COUNT.get(env)?.unwrap_or(0).saturating_add(1);
    let add = Transition::HtlcAdd {
        asset: terms.asset,
        amount: hop.amount,
        hash: terms.hash,
        deadline: hop.deadline,
        onward,
    };
    match queue::push(env, outbound, add, Purpose::Forward(number)) {
        Ok(()) => {}
        Err(Error::QueueFull { .. }) => return Ok(Some(FailReason::ChannelUnavailable)),
        Err(error) => return Err(error),
    }
    COUNT.put(env, &number);
    let forward = Forward {
        number,
        hash: terms.hash,
        asset: terms.asset,
        inbound: inbound.channel,
        inbound_slot: inbound.slot,
        inbound_height: inbound.htlc.added,
        outbound,
        amount: hop.amount,
        fee: offered,
        status: ForwardStatus::Pending,
        created: now,
        resolved: None,
    };
    FORWARDS.put(env, &number.to_be_bytes(), &forward);
    let role = HtlcRole::Inbound(Progress::Forwarded(number));
    HTLCS.put(env, &slot_key(&inbound.channel, inbound.slot), &Htlc { role, ..inbound.htlc.clone() });
    if let Some(old) = number.checked_sub(HISTORY) {
        let key = old.to_be_bytes();
        if FORWARDS.get(env, &key)?.is_some_and(|forward| forward.resolved.is_some()) {
            FORWARDS.remove(env, &key);
        }
    }
    Ok(None)
}

/// The preimage came back: it goes on to whoever sent the payment.
pub(crate) fn succeeded<T: Config>(
    env: &mut T,
    number: u64,
    preimage: Preimage,
    published: bool,
) -> Result<(), Error> {
    let Some(mut forward) = pending(env, number)? else { return Ok(()) };
    forward.status = ForwardStatus::Succeeded;
    forward.resolved = Some(env.now());
    FORWARDS.put(env, &number.to_be_bytes(), &forward);
    let Forward { inbound, inbound_slot, inbound_height, .. } = forward;
    let knowledge = Knowledge { preimage, published, forward: Some(number) };
    fulfil_inbound(env, inbound, inbound_slot, inbound_height, knowledge)
}

/// A forward whose end is not known yet.
fn pending<T: Config>(env: &T, number: u64) -> Result<Option<Forward>, Error> {
    Ok(FORWARDS.get(env, &number.to_be_bytes())?.filter(|forward| forward.status == ForwardStatus::Pending))
}

/// The payment came back: so does the sum, to whoever sent it.
pub(crate) fn failed<T: Config>(env: &mut T, number: u64, failure: Failure) -> Result<(), Error> {
    let Some(mut forward) = pending(env, number)? else { return Ok(()) };
    forward.status = ForwardStatus::Failed { failure: failure.clone() };
    forward.resolved = Some(env.now());
    FORWARDS.put(env, &number.to_be_bytes(), &forward);
    let Forward { hash, inbound, inbound_slot, inbound_height, .. } = forward;
    env.deposit_event(Event::ForwardFailed { forward: number, hash, failure: failure.clone() });
    fail_inbound(env, inbound, inbound_slot, inbound_height, failure)
}

/// The inbound side of a forward was paid.
pub(crate) fn completed<T: Config>(env: &mut T, number: u64) -> Result<(), Error> {
    if let Some(forward) = FORWARDS.get(env, &number.to_be_bytes())? {
        let Forward { inbound, outbound, asset, amount, fee, .. } = forward;
        env.deposit_event(Event::PaymentForwarded { forward: number, inbound, outbound, asset, amount, fee });
    }
    Ok(())
}

/// The HTLC that was meant, if it still waits for a decision.
fn undecided<T: Config>(
    env: &T,
    channel: ChannelId,
    slot: Slot,
    added: Height,
) -> Result<Option<Htlc>, Error> {
    Ok(HTLCS.get(env, &slot_key(&channel, slot))?.filter(|htlc| {
        htlc.added == added && matches!(htlc.role, HtlcRole::Inbound(Progress::Held | Progress::Forwarded(_)))
    }))
}

/// A preimage, and how it came to be known.
pub(crate) struct Knowledge {
    pub(crate) preimage: Preimage,
    /// Whether it stands at the depositary, in time.
    pub(crate) published: bool,
    /// The forward whose other end showed it.
    pub(crate) forward: Option<u64>,
}

/// Queues the fulfilment of an HTLC whose beneficiary this entity is.
pub(crate) fn fulfil_inbound<T: Config>(
    env: &mut T,
    channel: ChannelId,
    slot: Slot,
    added: Height,
    knowledge: Knowledge,
) -> Result<(), Error> {
    match undecided(env, channel, slot, added)? {
        Some(htlc) => fulfil(env, channel, slot, htlc, knowledge),
        None => Ok(()),
    }
}

/// Queues the fulfilment of this HTLC, whatever was decided about it before.
pub(crate) fn fulfil<T: Config>(
    env: &mut T,
    channel: ChannelId,
    slot: Slot,
    mut htlc: Htlc,
    knowledge: Knowledge,
) -> Result<(), Error> {
    let Knowledge { preimage, published, forward } = knowledge;
    unwatch_held(env, channel, slot, &htlc);
    // After the deadline nothing can be published any more. A preimage that comes back so late was published by the
    // next hop: an honest one shows it late only then, and for another its expiry would have been proven by now.
    let revealed = published || (forward.is_some() && env.now() >= htlc.terms.deadline);
    htlc.role = HtlcRole::Inbound(Progress::Fulfilling { preimage, revealed, forward });
    HTLCS.put(env, &slot_key(&channel, slot), &htlc);
    if !revealed {
        deadlines::watch_reveal(env, channel, slot, &htlc);
    }
    queue::push_always(env, channel, Transition::HtlcFulfil { slot, preimage }, Purpose::Removal(htlc.added))
}

/// What becomes of it is decided: the depositary need not be asked.
fn unwatch_held(storage: &mut impl Storage, channel: ChannelId, slot: Slot, htlc: &Htlc) {
    if htlc.role == HtlcRole::Inbound(Progress::Held) {
        deadlines::unwatch_held(storage, channel, slot, htlc.terms.deadline);
    }
}

/// Queues the failure of an HTLC whose beneficiary this entity is.
pub(crate) fn fail_inbound<T: Config>(
    env: &mut T,
    channel: ChannelId,
    slot: Slot,
    added: Height,
    failure: Failure,
) -> Result<(), Error> {
    let Some(mut htlc) = undecided(env, channel, slot, added)? else { return Ok(()) };
    unwatch_held(env, channel, slot, &htlc);
    htlc.role = HtlcRole::Inbound(Progress::Failing);
    HTLCS.put(env, &slot_key(&channel, slot), &htlc);
    queue::push_always(env, channel, Transition::HtlcFail { slot, failure }, Purpose::Removal(added))
}
