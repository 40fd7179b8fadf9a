//! Preimages at the depositary: published there before its deadline, one counts in every later dispute.

use xln_primitives::ChannelId;

use crate::{
    Config, Error, Event, Preimage, deadlines,
    forward::{self, Knowledge},
    htlc::{Cause, Htlc, HtlcRole, HtlcTerms, Progress, Slot},
    payment, queue,
    storage::{HTLCS, slot_key},
};

/// Publishes the preimage of an HTLC whose payer is silent, so that it counts in every later dispute. Input of the
/// server.
///
/// After the deadline it is too late for that; the depositary is asked whether somebody else was in time.
///
/// Errors: no HTLC there whose preimage is known and unpublished.
pub fn reveal<T: Config>(env: &mut T, channel: ChannelId, slot: Slot) -> Result<(), Error> {
    let key = slot_key(&channel, slot);
    let mut htlc = HTLCS.get(env, &key)?.ok_or(Error::UnknownSlot { slot })?;
    let HtlcRole::Inbound(Progress::Fulfilling { preimage, revealed: revealed @ false, .. }) = &mut htlc.role
    else {
        return Err(Error::UnknownSlot { slot });
    };
    let (preimage, deadline, hash) = (*preimage, htlc.terms.deadline, htlc.terms.hash);
    *revealed = env.now() < deadline;
    let late = !*revealed;
    HTLCS.put(env, &key, &htlc);
    deadlines::unwatch_reveal(env, channel, slot, deadline);
    if late {
        deadlines::watch_held(env, channel, slot, hash, deadline);
    }
    env.publish_preimage(preimage);
    env.deposit_event(Event::PreimagePublished { channel, slot, hash });
    Ok(())
}

/// Takes a preimage that somebody published at the depositary in time, where the expiry of an HTLC was looked for.
/// The payer passes it on to whoever sent the payment; the peer's own fulfilment follows when it is back. The
/// beneficiary, who held the HTLC, takes the sum. Input of the server, which checked that the depositary shows it.
///
/// Errors: no such HTLC of this entity, or the preimage opens another lock.
pub fn preimage_published<T: Config>(
    env: &mut T,
    channel: ChannelId,
    slot: Slot,
    preimage: Preimage,
) -> Result<(), Error> {
    let stored = HTLCS.get(env, &slot_key(&channel, slot))?;
    if let Some(htlc) = stored.as_ref().filter(|htlc| matches!(htlc.role, HtlcRole::Inbound(_)))
        && deadlines::is_held_watched(env, channel, slot, htlc.terms.deadline)
    {
        return take(env, channel, slot, htlc, preimage);
    }
    let committed = stored.and_then(|htlc| match htlc.role {
        HtlcRole::Outbound(cause @ (Cause::Payment(_) | Cause::Forward(_))) => Some((cause, htlc.terms)),
        _ => None,
    });
    let (cause, hash, deadline) = match committed {
        Some((cause, terms)) => (cause, terms.hash, terms.deadline),
        None => {
            let mut pending = queue::pending(env, &channel)?.ok_or(Error::UnknownSlot { slot })?;
            let (cause, hash, deadline, _) = deadlines::unacknowledged(&mut pending, slot)?;
            (cause, hash, deadline)
        }
    };
    if preimage.hash() != hash {
        return Err(Error::UnknownPayment { hash: preimage.hash() });
    }
    deadlines::unwatch_expiry(env, channel, slot, deadline);
    payment::outbound_fulfilled(env, &cause, preimage, true)
}

/// Queues the fulfilment of an HTLC of which this entity is the beneficiary and somebody else published the preimage.
/// One that was queued before and dropped, since it came too late without the publication, is queued again.
fn take<T: Config>(
    env: &mut T,
    channel: ChannelId,
    slot: Slot,
    htlc: &Htlc,
    preimage: Preimage,
) -> Result<(), Error> {
    let HtlcTerms { hash, deadline, .. } = htlc.terms;
    if preimage.hash() != hash {
        return Err(Error::UnknownPayment { hash: preimage.hash() });
    }
    deadlines::unwatch_held(env, channel, slot, deadline);
    let forward = match htlc.role {
        HtlcRole::Inbound(Progress::Fulfilling { forward, .. }) => forward,
        _ => None,
    };
    let knowledge = Knowledge { preimage, published: true, forward };
    forward::fulfil(env, channel, slot, htlc.clone(), knowledge)
}
