//! Positions of the message streams between this entity and every other: exactly once, in order.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{ArithmeticError, Corrupt, EntityId, Sequence, Storage, StorageMap, StorageType};

use crate::Error;

/// Where both streams between this entity and another stand, in one row: who is answered in a frame was read in it.
pub(crate) const POSITIONS: StorageMap<EntityId, Positions> = StorageMap::new(StorageType::Inboxes, 1);

/// Sequences of the last messages; 0 if there was none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub(crate) struct Positions {
    /// From the other entity, executed here.
    pub(crate) inbox: Sequence,
    /// To the other entity.
    pub(crate) outbox: Sequence,
}

fn positions(storage: &(impl Storage + ?Sized), with: &EntityId) -> Result<Positions, Corrupt> {
    Ok(POSITIONS.get(storage, with)?.unwrap_or_default())
}

/// Sequence of the last message from `from` that was executed here; 0 if there was none.
pub fn inbox(storage: &(impl Storage + ?Sized), from: &EntityId) -> Result<Sequence, Error> {
    Ok(positions(storage, from)?.inbox)
}

/// Sequence of the last message that was sent to `to`; 0 if there was none.
pub fn outbox(storage: &(impl Storage + ?Sized), to: &EntityId) -> Result<Sequence, Error> {
    Ok(positions(storage, to)?.outbox)
}

/// Takes the sequence of a new message to `to`: 1, 2, 3, …
pub fn next_outgoing(storage: &mut (impl Storage + ?Sized), to: &EntityId) -> Result<Sequence, Error> {
    let positions = positions(storage, to)?;
    let outbox = following(positions.outbox)?;
    POSITIONS.put(storage, to, &Positions { outbox, ..positions });
    Ok(outbox)
}

/// Moves the inbox past message `found` from `from`, which must be exactly the next one. A message whose call
/// fails has been accepted all the same.
///
/// Errors: [`Error::Repeated`], [`Error::SequenceGap`]; both leave the inbox where it is.
pub fn accept_incoming(
    storage: &mut (impl Storage + ?Sized),
    from: &EntityId,
    found: Sequence,
) -> Result<(), Error> {
    let positions = positions(storage, from)?;
    let last = positions.inbox;
    if found <= last {
        return Err(Error::Repeated { from: *from, last, found });
    }
    let expected = following(last)?;
    if found != expected {
        return Err(Error::SequenceGap { from: *from, expected, found });
    }
    POSITIONS.put(storage, from, &Positions { inbox: found, ..positions });
    Ok(())
}

fn following(last: Sequence) -> Result<Sequence, ArithmeticError> {
    last.checked_add(1).ok_or(ArithmeticError)
}
