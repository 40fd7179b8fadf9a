//! The end of an entity's frame: what is owed is acknowledged, what waits is proposed.

use xln_primitives::{BoundedVec, Side};

use codec::Encode;

use crate::{
    Config, Error, TransitionError,
    apply::{Author, Outcome, Working},
    channel::Channel,
    deadlines, effect,
    frame::{ChannelFrame, FRAME_BYTES_SOFT_MAX, MAX_TRANSITIONS},
    htlc::{HtlcRole, Progress},
    message::{Ack, PeerMessage},
    queue::{self, AddedHtlc, Pending, Purpose, Queued},
    state_hash::Sections,
    storage::{CHANNELS, PENDING, row},
    transition::Transition,
};

/// Ends the entity's frame: every marked channel sends the acknowledgement that it owes, and proposes everything
/// that waits, at most [`MAX_TRANSITIONS`] moves, if no own frame is unacknowledged. An acknowledgement carries the
/// next frame.
pub fn seal<T: Config>(env: &mut T) -> Result<(), Error> {
    // A move that is dropped may give work to another channel, so look again until nothing is marked. A channel
    // that proposed waits for its acknowledgement, so this ends.
    loop {
        let marked = env.take_marked();
        if marked.is_empty() {
            return Ok(());
        }
        for id in marked {
            if let Some(channel) = CHANNELS.get(env, &row(&id))? {
                seal_channel(env, channel)?;
            }
        }
    }
}

fn seal_channel<T: Config>(env: &mut T, mut channel: Channel) -> Result<(), Error> {
    let id = channel.id;
    let own = channel.side_of(&env.entity());
    let peer = channel.entity(own.other());
    let next = if channel.is_frozen() || PENDING.contains(env, &row(&id)) {
        None
    } else {
        propose(env, &channel, own)?
    };
    match &mut channel.acknowledged {
        Some(acknowledged) if acknowledged.owed => {
            acknowledged.owed = false;
            let (height, state_hash) = (acknowledged.height, acknowledged.state_hash);
            CHANNELS.put(env, &row(&id), &channel);
            let ack = Ack { channel: id, epoch: channel.epoch, height, state_hash, next };
            env.send(peer, PeerMessage::Ack(ack));
        }
        _ => {
            if let Some(frame) = next {
                env.send(peer, PeerMessage::Frame(frame));
            }
        }
    }
    Ok(())
}

/// Makes the next frame of what waits; moves that became impossible are dropped and never sent.
fn propose<T: Config>(env: &mut T, channel: &Channel, own: Side) -> Result<Option<ChannelFrame>, Error> {
    let id = channel.id;
    let timestamp = env.now().max(channel.timestamp);
    loop {
        let most = usize::try_from(MAX_TRANSITIONS).unwrap_or(usize::MAX);
        let waiting = queue::front(env, &id, most)?;
        if waiting.is_empty() {
            return Ok(None);
        }
        let mut working = Working::new(channel.clone());
        let (mut transitions, mut purposes) = (Vec::new(), Vec::new());
        let (mut added, mut dropped) = (Vec::new(), Vec::new());
        let (mut taken, mut bytes) = (0_usize, 0_usize);
        for Queued { transition, purpose } in waiting {
            let size = transition.encoded_size();
            if !transitions.is_empty() && bytes.saturating_add(size) > FRAME_BYTES_SOFT_MAX {
                break;
            }
            taken = taken.saturating_add(1);
            match try_own(env, &mut working, own, &transition, &purpose) {
                Ok(outcome) => {
                    if let (Outcome::Added(slot), Transition::HtlcAdd { hash, deadline, .. }) =
                        (outcome, &transition)
                    {
                        let position = u32::try_from(transitions.len()).unwrap_or(u32::MAX);
                        deadlines::watch_expiry(env, id, slot, *hash, *deadline);
                        added.push(AddedHtlc { position, slot, deadline: *deadline });
                    }
                    bytes = bytes.saturating_add(size);
                    transitions.push(transition);
                    purposes.push(purpose);
                }
                Err(TransitionError::Corrupt(corrupt)) => return Err(corrupt.into()),
                Err(error) => dropped.push((transition, purpose, error)),
            }
        }
        queue::drop_front(env, &id, taken)?;
        let frame = if transitions.is_empty() {
            None
        } else {
            let height = channel.height.saturating_add(1);
            let Sections { agreement, state } = working.finish(timestamp);
            let frame = ChannelFrame {
                channel: id,
                epoch: channel.epoch,
                height,
                parent_state: channel.state_hash,
                proposer: own,
                timestamp,
                transitions: BoundedVec::truncate_from(transitions),
                state_hash: state,
            };
            let purposes = BoundedVec::truncate_from(purposes);
            let added = BoundedVec::truncate_from(added);
            let pending = Pending { frame, purposes, added, agreement };
            PENDING.put(env, &row(&id), &pending);
            Some(pending.frame)
        };
        for (transition, purpose, error) in dropped {
            effect::dropped(env, channel, transition, purpose, error)?;
        }
        if frame.is_some() {
            return Ok(frame);
        }
    }
}

/// Applies an own move, unless it is one that only we know to be senseless.
fn try_own<T: Config>(
    env: &T,
    working: &mut Working,
    own: Side,
    transition: &Transition,
    purpose: &Purpose,
) -> Result<Outcome, TransitionError> {
    match (transition, purpose) {
        (Transition::HtlcAdd { .. }, Purpose::Expired(_)) => return Err(TransitionError::InvalidProof),
        (Transition::HtlcFulfil { slot, .. }, _) => {
            // After the deadline only a published preimage counts; the peer may hold proof of the expiry.
            if let Some(htlc) = working.htlc(env, *slot)? {
                let published =
                    matches!(htlc.role, HtlcRole::Inbound(Progress::Fulfilling { revealed: true, .. }));
                let (deadline, now) = (htlc.terms.deadline, env.now());
                if now >= deadline && !published {
                    return Err(TransitionError::TooLate { slot: *slot, deadline, now });
                }
            }
        }
        _ => {}
    }
    working.apply(env, own, Author::Own(purpose), transition)
}
