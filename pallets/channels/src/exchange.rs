//! Frames and acknowledgements of the peer.
//!
//! ```text
//!   left                                   right
//!    │  frame 5 ───────────────╮  ╭──────── frame 5     both propose: left's wins,
//!    │                         │  │                     right's moves go back to its queue
//!    │  (ignored) ◄────────────│──╯
//!    │                         ╰──────────► applied
//!    │  committed ◄──────────────── ack 5 + frame 6     left answers frame 6 before it proposes again
//!    │  ack 6 + frame 7 ──────────────────► committed
//! ```

use codec::Encode;
use xln_primitives::{ChannelId, EntityId, Side, keccak256};

use crate::{
    Config, Error, Event, FrameFault, TransitionError,
    apply::{Author, Working},
    channel::{Acknowledged, Channel, Status},
    deadlines,
    effect::{self, Step},
    frame::ChannelFrame,
    message::{Ack, PeerMessage},
    queue::{self, Pending, Queued},
    state_hash::Sections,
    storage::{CHANNELS, PENDING, row},
};

/// A frame of the peer: applied and acknowledged at the end of the entity's frame, or the channel freezes.
pub(crate) fn frame<T: Config>(env: &mut T, from: EntityId, frame: &ChannelFrame) -> Result<(), Error> {
    let (stored, sender) = channel_with(env, from, frame.channel)?;
    if frame.proposer != sender {
        return Err(Error::WrongProposer { proposer: frame.proposer });
    }
    let known = stored.is_some();
    let empty = || Channel::empty(env.entity(), from, 0, 0).ok_or(Error::OwnEntity);
    let channel = stored.map_or_else(empty, Ok)?;
    if channel.is_frozen() {
        return Err(Error::Frozen { height: channel.height });
    }
    if frame.epoch != channel.epoch {
        return Err(Error::OtherEpoch { current: channel.epoch, found: frame.epoch });
    }
    if frame.height <= channel.height {
        return repeated(env, channel, frame, sender);
    }
    let next_height = channel.height.saturating_add(1);
    if frame.height != next_height {
        return Err(Error::UnexpectedHeight { current: channel.height, found: frame.height });
    }
    if channel.acknowledged.as_ref().is_some_and(|acknowledged| acknowledged.owed) {
        return Err(Error::TwoFramesInFlight { height: frame.height });
    }
    let own_proposal = queue::pending(env, &frame.channel)?;
    if own_proposal.is_some() && sender == Side::Right {
        return Ok(()); // Both proposed: ours, left's, wins; right puts its own back when it sees ours.
    }
    match replay(env, &channel, frame) {
        Ok((working, outcomes)) => {
            if let Some(pending) = own_proposal {
                put_back(env, frame.channel, pending)?;
            }
            let acknowledged =
                Acknowledged { height: frame.height, state_hash: frame.state_hash, owed: true };
            let channel = commit(env, working, Some(acknowledged));
            let steps = frame
                .transitions
                .iter()
                .zip(outcomes)
                .map(|(transition, outcome)| Step { transition, outcome, purpose: None })
                .collect();
            effect::committed(env, &channel, sender, steps)
        }
        Err(Refusal::Fault(fault)) if known => {
            freeze(env, channel, fault, &PeerMessage::Frame(frame.clone()))
        }
        Err(Refusal::Fault(fault)) => Err(Error::InvalidFirstFrame(Box::new(fault))),
        Err(Refusal::Error(error)) => Err(error),
    }
}

/// An acknowledgement of the peer: commits our frame; a frame that it carries is answered before we propose again.
pub(crate) fn ack<T: Config>(env: &mut T, from: EntityId, ack: &Ack) -> Result<(), Error> {
    let (stored, sender) = channel_with(env, from, ack.channel)?;
    let channel = stored.ok_or(Error::NoSuchChannel { channel: ack.channel })?;
    if channel.is_frozen() {
        return Err(Error::Frozen { height: channel.height });
    }
    if ack.epoch != channel.epoch {
        return Err(Error::OtherEpoch { current: channel.epoch, found: ack.epoch });
    }
    match queue::pending(env, &ack.channel)? {
        Some(pending) if pending.frame.height == ack.height => {
            let expected = pending.frame.state_hash;
            if ack.state_hash != expected {
                let (height, found) = (ack.height, ack.state_hash);
                let fault = FrameFault::WrongAcknowledgement { height, expected, found };
                return freeze(env, channel, fault, &PeerMessage::Ack(ack.clone()));
            }
            commit_own(env, channel, sender.other(), pending)?;
        }
        // Repeated: it stands already.
        _ if ack.height == channel.height && ack.state_hash == channel.state_hash => {}
        _ => return Err(Error::UnexpectedAck { height: ack.height, state: ack.state_hash }),
    }
    env.mark(ack.channel);
    ack.next.as_ref().map_or(Ok(()), |next| frame(env, from, next))
}

/// The channel that a message of `from` is about, and the sender's side in it.
fn channel_with<T: Config>(
    env: &T,
    from: EntityId,
    channel: ChannelId,
) -> Result<(Option<Channel>, Side), Error> {
    let own = env.entity();
    let sender = Side::of(&from, &own).ok_or(Error::OwnEntity)?;
    let stored = CHANNELS.get(env, &row(&channel))?;
    // A stored channel names its sides, which its identifier follows from.
    let is_theirs = match &stored {
        Some(stored) => stored.entity(sender) == from,
        None => channel == ChannelId::between(&from, &own),
    };
    if is_theirs { Ok((stored, sender)) } else { Err(Error::ForeignChannel { channel, from }) }
}

/// A frame at a height that is decided: the same again, a late rival of ours, or a second commitment.
fn repeated<T: Config>(
    env: &mut T,
    channel: Channel,
    frame: &ChannelFrame,
    sender: Side,
) -> Result<(), Error> {
    let first = match &channel.acknowledged {
        Some(acknowledged) if acknowledged.height == frame.height => {
            if acknowledged.state_hash == frame.state_hash {
                return resend_ack(env, &channel);
            }
            acknowledged.state_hash
        }
        // Left acknowledged our frame at this height, so it cannot have proposed another one.
        _ if frame.height == channel.height && sender == Side::Left => channel.state_hash,
        _ => return Err(Error::UnexpectedHeight { current: channel.height, found: frame.height }),
    };
    let fault = FrameFault::TwoStatesAtOneHeight { height: frame.height, first, second: frame.state_hash };
    freeze(env, channel, fault, &PeerMessage::Frame(frame.clone()))
}

enum Refusal {
    /// The peer's.
    Fault(FrameFault),
    /// Ours.
    Error(Error),
}

fn replay<T: Config>(
    env: &T,
    channel: &Channel,
    frame: &ChannelFrame,
) -> Result<(Working, Vec<crate::apply::Outcome>), Refusal> {
    let height = frame.height;
    if frame.parent_state != channel.state_hash {
        return Err(Refusal::Fault(FrameFault::WrongParent {
            height,
            expected: channel.state_hash,
            found: frame.parent_state,
        }));
    }
    if frame.timestamp < channel.timestamp {
        return Err(Refusal::Fault(FrameFault::TimeRunsBackwards {
            height,
            parent: channel.timestamp,
            found: frame.timestamp,
        }));
    }
    let mut working = Working::new(channel.clone());
    let mut outcomes = Vec::with_capacity(frame.transitions.len());
    for (index, transition) in frame.transitions.iter().enumerate() {
        match working.apply(env, frame.proposer, Author::Peer, transition) {
            Ok(outcome) => outcomes.push(outcome),
            Err(TransitionError::Corrupt(corrupt)) => return Err(Refusal::Error(corrupt.into())),
            Err(error) => {
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                return Err(Refusal::Fault(FrameFault::InvalidTransition { height, index, error }));
            }
        }
    }
    let computed = working.finish(frame.timestamp).state;
    if computed != frame.state_hash {
        let claimed = frame.state_hash;
        return Err(Refusal::Fault(FrameFault::WrongState { height, computed, claimed }));
    }
    Ok((working, outcomes))
}

/// Stores a step and keeps what proves it to the depositary.
fn commit<T: Config>(env: &mut T, mut working: Working, acknowledged: Option<Acknowledged>) -> Channel {
    if acknowledged.is_some() {
        working.channel.acknowledged = acknowledged;
    }
    let (channel, proof) = working.store(env);
    let id = channel.id;
    env.keep_proof(id, proof.encode());
    env.mark(id);
    channel
}

/// The peer committed to our frame: executes it on the committed state.
fn commit_own<T: Config>(env: &mut T, channel: Channel, own: Side, pending: Pending) -> Result<(), Error> {
    let Pending { frame, purposes, agreement, .. } = pending;
    let mut working = Working::new(channel);
    let mut steps = Vec::with_capacity(frame.transitions.len());
    for (transition, purpose) in frame.transitions.iter().zip(purposes.iter()) {
        let outcome = working.apply(env, own, Author::Own(purpose), transition)?;
        steps.push(Step { transition, outcome, purpose: Some(purpose) });
    }
    working.finish_known(frame.timestamp, Sections { agreement, state: frame.state_hash });
    let channel = commit(env, working, None);
    PENDING.remove(env, &row(&frame.channel));
    effect::committed(env, &channel, own, steps)
}

/// Left's frame won: our proposal never counted, its moves wait again, before all others.
fn put_back<T: Config>(env: &mut T, channel: ChannelId, pending: Pending) -> Result<(), Error> {
    PENDING.remove(env, &row(&channel));
    for added in &pending.added {
        deadlines::unwatch_expiry(env, channel, added.slot, added.deadline);
    }
    let moves = pending
        .frame
        .transitions
        .into_iter()
        .zip(pending.purposes)
        .map(|(transition, purpose)| Queued { transition, purpose })
        .collect();
    queue::put_back(env, &channel, moves)
}

/// Sends the stored acknowledgement again, with the frame that waits for its own.
fn resend_ack<T: Config>(env: &mut T, channel: &Channel) -> Result<(), Error> {
    let id = channel.id;
    let Some(acknowledged) = channel.acknowledged.as_ref().filter(|acknowledged| !acknowledged.owed) else {
        return Ok(()); // It is sent at the end of this entity frame.
    };
    let next = queue::pending(env, &id)?
        .map(|pending| pending.frame)
        .filter(|frame| frame.height == acknowledged.height.saturating_add(1));
    let (height, state_hash) = (acknowledged.height, acknowledged.state_hash);
    let peer = channel.entity(channel.side_of(&env.entity()).other());
    let ack = Ack { channel: id, epoch: channel.epoch, height, state_hash, next };
    env.send(peer, PeerMessage::Ack(ack));
    Ok(())
}

/// Sends the unacknowledged frame of a channel again, byte for byte. The peer answers a repeated frame with its
/// stored acknowledgement.
///
/// Errors: unknown channel.
pub fn resend<T: Config>(env: &mut T, channel: ChannelId) -> Result<(), Error> {
    let stored = CHANNELS.get(env, &row(&channel))?.ok_or(Error::NoSuchChannel { channel })?;
    if let Some(pending) = queue::pending(env, &channel)? {
        let peer = stored.entity(stored.side_of(&env.entity()).other());
        env.send(peer, PeerMessage::Frame(pending.frame));
    }
    Ok(())
}

/// Stops the channel and keeps the evidence.
fn freeze<T: Config>(
    env: &mut T,
    mut channel: Channel,
    fault: FrameFault,
    message: &PeerMessage,
) -> Result<(), Error> {
    let id = channel.id;
    let evidence = message.encode();
    let closing = match channel.status {
        Status::Closing(settlement) => {
            deadlines::unwatch_settlement(env, &settlement);
            Some(settlement)
        }
        Status::Open | Status::Frozen { .. } => None,
    };
    channel.status = Status::Frozen { fault: fault.clone(), evidence: keccak256(&evidence), closing };
    CHANNELS.put(env, &row(&id), &channel);
    env.keep_proof(id, evidence);
    env.deposit_event(Event::ChannelFrozen { channel: id, fault });
    Ok(())
}
