//! Preimages at the depositary: published there before its deadline, one counts in every later dispute.

use xln_primitives::ChannelId;

use crate::{
    Config, Error, Event, Preimage, deadlines,
    htlc::{Cause, HtlcRole, Progress, Slot},
    payment, queue,
    storage::{HTLCS, slot_key},
};

/// Publishes the preimage of an HTLC whose payer is silent, so that it counts in every later dispute. Input of the
/// server.
///
/// Errors: no HTLC there whose preimage is known and unpublished.
pub fn reveal<T: Config>(env: &mut T, channel: ChannelId, slot: Slot) -> Result<(), Error> {
    let key = slot_key(channel, slot);
    let mut htlc = HTLCS.get(env, &key)?.ok_or(Error::UnknownSlot { slot })?;
    let HtlcRole::Inbound(Progress::Fulfilling { preimage, revealed: revealed @ false, .. }) = &mut htlc.role
    else {
        return Err(Error::UnknownSlot { slot });
    };
    let (preimage, deadline, hash) = (*preimage, htlc.terms.deadline, htlc.terms.hash);
    *revealed = env.now() < deadline;
    HTLCS.put(env, &key, &htlc);
    deadlines::unwatch_reveal(env, channel, slot, deadline);
    env.publish_preimage(preimage);
    env.deposit_event(Event::PreimagePublished { channel, slot, hash });
    Ok(())
}

/// Takes a preimage that the beneficiary of an own HTLC published at the depositary in time, where its expiry was
/// looked for: it goes on to whoever sent the payment. The peer's own fulfilment follows when it is back. Input of
/// the server, which checked that the depositary shows it.
///
/// Errors: no such HTLC of this entity, or the preimage opens another lock.
pub fn preimage_published<T: Config>(
    env: &mut T,
    channel: ChannelId,
    slot: Slot,
    preimage: Preimage,
) -> Result<(), Error> {
    let committed = HTLCS.get(env, &slot_key(channel, slot))?.and_then(|htlc| match htlc.role {
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
