//! What time asks for: an index of deadlines, for the server to act on.
//!
//! A key is `time ‖ kind ‖ channel ‖ slot`, integers big-endian, so the earliest comes first and looking costs as
//! much as there is to do.

use xln_primitives::{ChannelId, Height, Storage, StorageMap, Timestamp};

use crate::{
    Config, Error, PaymentHash,
    channel::Status,
    htlc::{Cause, FailReason, Failure, Htlc, HtlcRole, Slot},
    payment,
    queue::{self, Pending, Purpose},
    settlement::Settlement,
    storage::{CHANNELS, HTLCS, PENDING, map, row, slot_key, tag},
    transition::{MAX_PROOF_BYTES, Proof, Transition},
};

const EXPIRE: u8 = 0;
const SETTLEMENT: u8 = 1;
const REVEAL: u8 = 2;
const HELD: u8 = 3;

type Key = ([u8; 8], u8, ChannelId, [u8; 2]);

const DEADLINES: StorageMap<Key, (PaymentHash, Timestamp)> = map(tag::DEADLINE);

/// Something that the server should act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// An HTLC is past its deadline and its end unknown to this entity, which pays it or holds it without a
    /// published preimage: ask the depositary for the proof and call [`crate::expire`]; or, if it shows the
    /// preimage instead, [`crate::preimage_published`].
    Expire {
        /// The channel.
        channel: ChannelId,
        /// The slot.
        slot: Slot,
        /// The lock.
        hash: PaymentHash,
        /// The deadline.
        deadline: Timestamp,
    },
    /// The settlement of a closing channel is past its time: ask the depositary for the proof and call
    /// [`crate::settlement_expired`].
    Settlement {
        /// The channel.
        channel: ChannelId,
        /// The settlement.
        settlement: Settlement,
    },
    /// A preimage is known and the peer is silent close to the deadline: call [`crate::reveal`].
    Reveal {
        /// The channel.
        channel: ChannelId,
        /// The slot.
        slot: Slot,
        /// The lock.
        hash: PaymentHash,
        /// The deadline.
        deadline: Timestamp,
    },
}

/// At most `limit` things that are due at this depositary time, earliest first.
pub fn due(storage: &impl Storage, depositary_now: Timestamp, limit: usize) -> Vec<Due> {
    let Ok(entries) = DEADLINES.page(storage, None, limit) else { return Vec::new() };
    entries
        .into_iter()
        .take_while(|((time, ..), _)| u64::from_be_bytes(*time) <= depositary_now.as_millis())
        .filter_map(|((_, kind, channel, slot), (hash, deadline))| {
            let slot = Slot::from_be_bytes(slot);
            match kind {
                EXPIRE | HELD => Some(Due::Expire { channel, slot, hash, deadline }),
                REVEAL => Some(Due::Reveal { channel, slot, hash, deadline }),
                _ => match CHANNELS.get(storage, &row(&channel)).ok()??.status {
                    Status::Closing(settlement) => Some(Due::Settlement { channel, settlement }),
                    _ => None,
                },
            }
        })
        .collect()
}

/// The moment, in depositary time, from which on [`due`] has something to say; `None` if nothing is pending.
pub fn next_due(storage: &impl Storage) -> Option<Timestamp> {
    let earliest = DEADLINES.page(storage, None, 1).ok()?;
    let ((time, ..), _) = earliest.first()?;
    Some(Timestamp::from_millis(u64::from_be_bytes(*time)))
}

fn key(time: Timestamp, kind: u8, channel: ChannelId, slot: Slot) -> Key {
    (time.as_millis().to_be_bytes(), kind, channel, slot.to_be_bytes())
}

/// Notes when an HTLC that this entity pays may be taken back.
pub(crate) fn watch_expiry(
    storage: &mut impl Storage,
    channel: ChannelId,
    slot: Slot,
    hash: PaymentHash,
    deadline: Timestamp,
) {
    DEADLINES.put(storage, &key(deadline, EXPIRE, channel, slot), &(hash, deadline));
}

pub(crate) fn unwatch_expiry(
    storage: &mut impl Storage,
    channel: ChannelId,
    slot: Slot,
    deadline: Timestamp,
) {
    DEADLINES.remove(storage, &key(deadline, EXPIRE, channel, slot));
}

/// Notes when the depositary decides about an HTLC that waits for a preimage which this entity did not publish.
///
/// Apart from what this entity pays, since one frame may free a slot and take it again with the same deadline.
pub(crate) fn watch_held(
    storage: &mut impl Storage,
    channel: ChannelId,
    slot: Slot,
    hash: PaymentHash,
    deadline: Timestamp,
) {
    DEADLINES.put(storage, &key(deadline, HELD, channel, slot), &(hash, deadline));
}

pub(crate) fn unwatch_held(storage: &mut impl Storage, channel: ChannelId, slot: Slot, deadline: Timestamp) {
    DEADLINES.remove(storage, &key(deadline, HELD, channel, slot));
}

/// Whether the depositary still has to be asked what became of it.
pub(crate) fn is_held_watched(
    storage: &impl Storage,
    channel: ChannelId,
    slot: Slot,
    deadline: Timestamp,
) -> bool {
    DEADLINES.contains(storage, &key(deadline, HELD, channel, slot))
}

/// Half of the usual time between two deadlines of a route: the time that publishing may take.
const REVEAL_MARGIN_MS: u64 = 20_000;

/// Notes when a known preimage must be published if its payer is silent until then.
pub(crate) fn watch_reveal(storage: &mut impl Storage, channel: ChannelId, slot: Slot, htlc: &Htlc) {
    let deadline = htlc.terms.deadline;
    let time = deadline.saturating_sub(REVEAL_MARGIN_MS);
    DEADLINES.put(storage, &key(time, REVEAL, channel, slot), &(htlc.terms.hash, deadline));
}

pub(crate) fn unwatch_reveal(
    storage: &mut impl Storage,
    channel: ChannelId,
    slot: Slot,
    deadline: Timestamp,
) {
    let time = deadline.saturating_sub(REVEAL_MARGIN_MS);
    DEADLINES.remove(storage, &key(time, REVEAL, channel, slot));
}

/// Forgets all that is watched of an HTLC whose beneficiary this entity is.
pub(crate) fn unwatch_inbound(
    storage: &mut impl Storage,
    channel: ChannelId,
    slot: Slot,
    deadline: Timestamp,
) {
    unwatch_held(storage, channel, slot, deadline);
    unwatch_reveal(storage, channel, slot, deadline);
}

pub(crate) fn watch_settlement(storage: &mut impl Storage, settlement: &Settlement) {
    let entry = (PaymentHash::default(), settlement.expires);
    DEADLINES.put(storage, &key(settlement.expires, SETTLEMENT, settlement.channel, 0), &entry);
}

pub(crate) fn unwatch_settlement(storage: &mut impl Storage, settlement: &Settlement) {
    DEADLINES.remove(storage, &key(settlement.expires, SETTLEMENT, settlement.channel, 0));
}

pub(crate) fn bounded(proof: Vec<u8>) -> Result<Proof, Error> {
    let size = u32::try_from(proof.len()).unwrap_or(u32::MAX);
    proof.try_into().map_err(|_| Error::ProofTooLarge { size, size_max: MAX_PROOF_BYTES })
}

/// Takes back an HTLC that this entity pays, with proof of its expiry: whoever waits upstream is told at once, the
/// peer with the next frame. It works also while the frame that adds the HTLC was never acknowledged; what was
/// sent binds until then.
///
/// To the beneficiary of an HTLC whose preimage it did not publish, the proof says only that nobody else did: the
/// payer takes the sum back, and there is nothing to look for any more. Input of the server.
///
/// Errors: no such HTLC, expiry proven already, invalid proof.
pub fn expire<T: Config>(env: &mut T, channel: ChannelId, slot: Slot, proof: Vec<u8>) -> Result<(), Error> {
    let proof = bounded(proof)?;
    let stored = HTLCS.get(env, &slot_key(&channel, slot))?;
    if let Some(Htlc { terms, role: HtlcRole::Inbound(_), .. }) = &stored
        && is_held_watched(env, channel, slot, terms.deadline)
    {
        if !env.verify_expired(&terms.hash, terms.deadline, &proof) {
            return Err(Error::InvalidProof);
        }
        unwatch_held(env, channel, slot, terms.deadline);
        return Ok(());
    }
    if let Some(mut htlc) = stored
        && let HtlcRole::Outbound(cause @ (Cause::Payment(_) | Cause::Forward(_))) = &htlc.role
    {
        let cause = cause.clone();
        let (hash, deadline, added) = (htlc.terms.hash, htlc.terms.deadline, htlc.added);
        if !env.verify_expired(&hash, deadline, &proof) {
            return Err(Error::InvalidProof);
        }
        htlc.role = HtlcRole::Outbound(Cause::ExpiryProven);
        HTLCS.put(env, &slot_key(&channel, slot), &htlc);
        unwatch_expiry(env, channel, slot, deadline);
        tell(env, &cause, deadline)?;
        return remove_expired(env, channel, slot, added, proof);
    }
    let mut pending = queue::pending(env, &channel)?.ok_or(Error::UnknownSlot { slot })?;
    let (cause, hash, deadline, purpose) = unacknowledged(&mut pending, slot)?;
    if !env.verify_expired(&hash, deadline, &proof) {
        return Err(Error::InvalidProof);
    }
    *purpose = Purpose::Expired(proof);
    PENDING.put(env, &row(&channel), &pending);
    unwatch_expiry(env, channel, slot, deadline);
    tell(env, &cause, deadline)
}

/// The HTLC that a pending frame adds in a slot: why, its lock and deadline, and where its purpose is kept.
pub(crate) fn unacknowledged(
    pending: &mut Pending,
    slot: Slot,
) -> Result<(Cause, PaymentHash, Timestamp, &mut Purpose), Error> {
    let unknown = Error::UnknownSlot { slot };
    let position = pending
        .added
        .iter()
        .find(|added| added.slot == slot)
        .and_then(|added| usize::try_from(added.position).ok())
        .ok_or_else(|| unknown.clone())?;
    let (Some(Transition::HtlcAdd { hash, deadline, .. }), Some(purpose)) =
        (pending.frame.transitions.get(position), pending.purposes.get_mut(position))
    else {
        return Err(unknown);
    };
    let cause = match purpose {
        Purpose::Payment(number) => Cause::Payment(*number),
        Purpose::Forward(number) => Cause::Forward(*number),
        _ => return Err(unknown),
    };
    Ok((cause, *hash, *deadline, purpose))
}

fn tell<T: Config>(env: &mut T, cause: &Cause, deadline: Timestamp) -> Result<(), Error> {
    payment::outbound_failed(env, cause, Failure::here(FailReason::Expired { deadline }))
}

/// Queues the removal of an HTLC whose expiry is proven.
pub(crate) fn remove_expired<T: Config>(
    env: &mut T,
    channel: ChannelId,
    slot: Slot,
    added: Height,
    proof: Proof,
) -> Result<(), Error> {
    queue::push_always(env, channel, Transition::HtlcExpire { slot, proof }, Purpose::Removal(added))
}
