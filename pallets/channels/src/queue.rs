//! What waits for the peer: the queue of own moves, and the one frame that was proposed.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{BoundedVec, ChannelId, ConstU32, Hash, Height, Storage, Timestamp};

use crate::{
    Config, Error,
    frame::{ChannelFrame, MAX_TRANSITIONS},
    htlc::Slot,
    settlement::Settled,
    storage::{PENDING, QUEUE, QUEUE_ENDS, row, row_at},
    transition::{Proof, Transition},
};

/// Most moves that may wait in one channel.
pub const MAX_QUEUE: u64 = 10_000;

/// Where the first move of a queue is put; leaves room to put others before it.
const ORIGIN: u64 = 1 << 63;

/// Why a move was queued; known to this side only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub(crate) enum Purpose {
    /// Nothing beyond the move itself.
    #[codec(index = 0)]
    Plain,
    /// An HTLC for an own payment, by number.
    #[codec(index = 1)]
    Payment(u64),
    /// An HTLC that forwards, by number.
    #[codec(index = 2)]
    Forward(u64),
    /// The removal of the HTLC that was added at this height.
    #[codec(index = 3)]
    Removal(Height),
    /// An HTLC whose expiry was proven before its acknowledgement came; whoever waited was told.
    #[codec(index = 4)]
    Expired(Proof),
}

/// A move that waits.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub(crate) struct Queued {
    pub(crate) transition: Transition,
    pub(crate) purpose: Purpose,
}

/// Where a queue lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub(crate) struct Ends {
    /// First used position.
    first: u64,
    /// The position after the last.
    end: u64,
    /// The position of the depositary's notice, of which at most one waits.
    notice: Option<u64>,
}

impl Ends {
    fn len(self) -> u64 {
        self.end.saturating_sub(self.first)
    }
}

/// The frame that waits for its acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub(crate) struct Pending {
    pub(crate) frame: ChannelFrame,
    /// One per transition.
    pub(crate) purposes: BoundedVec<Purpose, ConstU32<MAX_TRANSITIONS>>,
    /// The HTLCs that it adds: position of the transition, slot and deadline.
    pub(crate) added: BoundedVec<AddedHtlc, ConstU32<MAX_TRANSITIONS>>,
    /// Hash of the agreement section of the state that it leads to.
    pub(crate) agreement: Hash,
}

/// An HTLC that a pending frame adds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub(crate) struct AddedHtlc {
    pub(crate) position: u32,
    pub(crate) slot: Slot,
    pub(crate) deadline: Timestamp,
}

fn ends(storage: &impl Storage, channel: &ChannelId) -> Result<Ends, Error> {
    Ok(QUEUE_ENDS.get(storage, &row(channel))?.unwrap_or(Ends { first: ORIGIN, end: ORIGIN, notice: None }))
}

fn put_ends(storage: &mut impl Storage, channel: &ChannelId, ends: Ends) {
    if ends.first == ends.end {
        QUEUE_ENDS.remove(storage, &row(channel));
    } else {
        QUEUE_ENDS.put(storage, &row(channel), &ends);
    }
}

/// How many moves wait.
pub(crate) fn len(storage: &impl Storage, channel: &ChannelId) -> Result<u64, Error> {
    Ok(ends(storage, channel)?.len())
}

/// Queues a move of the own entity and marks the channel; refused when the queue is full.
pub(crate) fn push<T: Config>(
    env: &mut T,
    channel: ChannelId,
    transition: Transition,
    purpose: Purpose,
) -> Result<(), Error> {
    let ends = ends(env, &channel)?;
    let queued = ends.len();
    if queued >= MAX_QUEUE {
        return Err(Error::QueueFull { queued, limit: MAX_QUEUE });
    }
    push_at(env, channel, ends, Queued { transition, purpose });
    Ok(())
}

/// Queues a move that must not be refused: the removal of an HTLC, of which there is at most one per HTLC, or the end
/// of a settlement.
pub(crate) fn push_always<T: Config>(
    env: &mut T,
    channel: ChannelId,
    transition: Transition,
    purpose: Purpose,
) -> Result<(), Error> {
    let ends = ends(env, &channel)?;
    push_at(env, channel, ends, Queued { transition, purpose });
    Ok(())
}

fn push_at<T: Config>(env: &mut T, channel: ChannelId, mut ends: Ends, queued: Queued) {
    append(env, &channel, &mut ends, &queued);
    put_ends(env, &channel, ends);
    env.mark(channel);
}

fn append(storage: &mut impl Storage, channel: &ChannelId, ends: &mut Ends, queued: &Queued) {
    QUEUE.put(storage, &row_at(channel, ends.end.to_be_bytes()), queued);
    ends.end = ends.end.saturating_add(1);
}

/// Queues a notice of the depositary. Each carries all values, so the newest takes the place of one that still waits:
/// whoever makes many of them while the peer is silent does not fill the queue.
pub(crate) fn push_notice<T: Config>(
    env: &mut T,
    channel: ChannelId,
    settled: Settled,
    proof: Proof,
) -> Result<(), Error> {
    let nonce = settled.nonce;
    let queued =
        Queued { transition: Transition::SettlementApplied { settled, proof }, purpose: Purpose::Plain };
    let mut ends = ends(env, &channel)?;
    if let Some(position) = ends.notice {
        let key = row_at(&channel, position.to_be_bytes());
        let waiting = QUEUE.get(env, &key)?.map(|waiting| waiting.transition);
        if !matches!(waiting, Some(Transition::SettlementApplied { settled, .. }) if settled.nonce > nonce) {
            QUEUE.put(env, &key, &queued);
        }
    } else {
        ends.notice = Some(ends.end);
        append(env, &channel, &mut ends, &queued);
        put_ends(env, &channel, ends);
    }
    env.mark(channel);
    Ok(())
}

/// At most `limit` moves from the front, with their positions; they stay in the queue.
pub(crate) fn front(storage: &impl Storage, channel: &ChannelId, limit: usize) -> Result<Vec<Queued>, Error> {
    let ends = ends(storage, channel)?;
    (ends.first..ends.end)
        .take(limit)
        .filter_map(|position| QUEUE.get(storage, &row_at(channel, position.to_be_bytes())).transpose())
        .map(|queued| Ok(queued?))
        .collect()
}

/// Takes the first `count` moves out.
pub(crate) fn drop_front(storage: &mut impl Storage, channel: &ChannelId, count: usize) -> Result<(), Error> {
    let mut ends = ends(storage, channel)?;
    for _ in 0..count {
        if ends.first == ends.end {
            break;
        }
        QUEUE.remove(storage, &row_at(channel, ends.first.to_be_bytes()));
        ends.first = ends.first.saturating_add(1);
    }
    ends.notice = ends.notice.filter(|position| *position >= ends.first);
    put_ends(storage, channel, ends);
    Ok(())
}

/// Puts moves back before all others, in their order. A notice of the depositary that a waiting one outdates is
/// forgotten.
pub(crate) fn put_back(
    storage: &mut impl Storage,
    channel: &ChannelId,
    moves: Vec<Queued>,
) -> Result<(), Error> {
    let mut ends = ends(storage, channel)?;
    for queued in moves.into_iter().rev() {
        let is_notice = matches!(queued.transition, Transition::SettlementApplied { .. });
        if is_notice && ends.notice.is_some() {
            continue;
        }
        ends.first = ends.first.saturating_sub(1);
        if is_notice {
            ends.notice = Some(ends.first);
        }
        QUEUE.put(storage, &row_at(channel, ends.first.to_be_bytes()), &queued);
    }
    put_ends(storage, channel, ends);
    Ok(())
}

/// The frame that waits for its acknowledgement.
pub(crate) fn pending(storage: &impl Storage, channel: &ChannelId) -> Result<Option<Pending>, Error> {
    Ok(PENDING.get(storage, &row(channel))?)
}
