//! What the depositary did: collateral moves into the channel, a settlement ends its life or lapses.

use xln_primitives::{ChannelId, EntityId};

use crate::{
    Config, Error, Event, PeerMessage,
    channel::{Channel, Status},
    deadlines, effect,
    queue::{self, Purpose},
    settlement::{Settled, Settlement},
    storage::{CHANNELS, PENDING, row},
    transition::{Proof, Transition},
};

/// Takes a notice of the depositary about a channel of this entity.
///
/// New collateral is queued as a move: it counts once both sides have it, whoever is first. The end of a life needs
/// no agreement: both sides start the next one from the same empty state, and the peer is told before it hears
/// anything of the next life.
///
/// Errors: not a channel of this entity, another life, HTLCs pending in a closed channel.
pub fn on_settled<T: Config>(env: &mut T, settled: Settled, proof: Vec<u8>) -> Result<(), Error> {
    let own = env.entity();
    let peer = match own {
        own if own == settled.left => settled.right,
        own if own == settled.right => settled.left,
        _ => return Err(Error::ForeignChannel { channel: settled.channel, from: settled.left }),
    };
    let proof = deadlines::bounded(proof)?;
    let Some(channel) = relevant(env, peer, &settled)? else { return Ok(()) };
    if settled.closed {
        env.send(peer, PeerMessage::Closed { settled: settled.clone(), proof });
        return end(env, channel, &settled);
    }
    if channel.is_frozen() {
        return Ok(()); // Only the end of this life can follow.
    }
    CHANNELS.put(env, &row(&settled.channel), &channel);
    let id = settled.channel;
    queue::push_notice(env, id, settled, proof)
}

/// The peer heard first that the channel's life ended.
pub(crate) fn told_by_peer<T: Config>(
    env: &mut T,
    from: EntityId,
    settled: Settled,
    proof: Proof,
) -> Result<(), Error> {
    let Some(channel) = relevant(env, from, &settled)? else { return Ok(()) };
    if !settled.closed || !env.verify_settled(&settled, &proof) {
        return Err(Error::InvalidProof);
    }
    end(env, channel, &settled)
}

/// The channel that a notice is about; `None` if it is known already.
fn relevant<T: Config>(env: &T, peer: EntityId, settled: &Settled) -> Result<Option<Channel>, Error> {
    let own = env.entity();
    let channel = settled.channel;
    if channel != ChannelId::between(&own, &peer) {
        return Err(Error::ForeignChannel { channel, from: peer });
    }
    let stored = match CHANNELS.get(env, &row(&channel))? {
        Some(stored) => stored,
        None => Channel::empty(own, peer, 0, 0).ok_or(Error::OwnEntity)?,
    };
    if settled.nonce <= stored.settled_nonce {
        return Ok(None);
    }
    if settled.epoch != stored.epoch {
        return Err(Error::OtherEpoch { current: stored.epoch, found: settled.epoch });
    }
    Ok(Some(stored))
}

/// Ends the life of a channel; the next one starts empty.
fn end<T: Config>(env: &mut T, channel: Channel, settled: &Settled) -> Result<(), Error> {
    if channel.pending_htlcs > 0 {
        return Err(Error::ClosedWithConditions { pending: u32::from(channel.pending_htlcs) });
    }
    let id = settled.channel;
    let (left, right, epoch) = (channel.left, channel.right, channel.epoch);
    if let Status::Closing(settlement) | Status::Frozen { closing: Some(settlement), .. } = &channel.status {
        deadlines::unwatch_settlement(env, settlement);
    }
    // What waited for the peer belonged to the life that ended.
    let mut waiting = Vec::new();
    if let Some(pending) = queue::pending(env, &id)? {
        PENDING.remove(env, &row(&id));
        for added in &pending.added {
            deadlines::unwatch_expiry(env, id, added.slot, added.deadline);
        }
        waiting.extend(pending.frame.transitions.into_iter().zip(pending.purposes));
    }
    let queued = usize::try_from(queue::len(env, &id)?).unwrap_or(usize::MAX);
    waiting.extend(queue::front(env, &id, queued)?.into_iter().map(|q| (q.transition, q.purpose)));
    queue::drop_front(env, &id, queued)?;
    let next = Channel::empty(left, right, epoch.saturating_add(1), settled.nonce).ok_or(Error::OwnEntity)?;
    CHANNELS.put(env, &row(&id), &next);
    for (transition, purpose) in waiting {
        let error = crate::TransitionError::ForeignSettlement;
        effect::dropped(env, &next, transition, purpose, error)?;
    }
    env.deposit_event(Event::ChannelClosed { channel: id, epoch });
    Ok(())
}

/// Reopens a closing channel, with proof that its settlement expired unexecuted. Input of the server.
///
/// Errors: the channel is not closing, or the proof is invalid.
pub fn settlement_expired<T: Config>(env: &mut T, channel: ChannelId, proof: Vec<u8>) -> Result<(), Error> {
    let proof = deadlines::bounded(proof)?;
    let stored = CHANNELS.get(env, &row(&channel))?.ok_or(Error::NoSuchChannel { channel })?;
    let Status::Closing(settlement) = &stored.status else {
        return Err(crate::TransitionError::NotClosing.into());
    };
    if !env.verify_settlement_expired(settlement, &proof) {
        return Err(Error::InvalidProof);
    }
    deadlines::unwatch_settlement(env, settlement);
    queue::push_always(env, channel, Transition::SettlementLapsed { proof }, Purpose::Plain)
}

/// A closing channel works again.
pub(crate) fn reopened<T: Config>(env: &mut T, settlement: &Settlement) {
    deadlines::unwatch_settlement(env, settlement);
    env.deposit_event(Event::ChannelReopened { channel: settlement.channel });
}
