//! Positions of the message streams between this entity and every other: exactly once, in order.

use xln_primitives::{ArithmeticError, EntityId, Sequence, Storage, StorageMap, StorageType};

use crate::Error;

/// Sequence of the last message from each sender that was executed.
pub(crate) const INBOX: StorageMap<EntityId, Sequence> = StorageMap::new(StorageType::Inboxes, 1);
/// Sequence of the last message sent to each entity.
pub(crate) const OUTBOX: StorageMap<EntityId, Sequence> = StorageMap::new(StorageType::Inboxes, 2);

/// Sequence of the last message from `from` that was executed here; 0 if there was none.
pub fn inbox(storage: &(impl Storage + ?Sized), from: &EntityId) -> Result<Sequence, Error> {
    Ok(INBOX.get(storage, from)?.unwrap_or(0))
}

/// Sequence of the last message that was sent to `to`; 0 if there was none.
pub fn outbox(storage: &(impl Storage + ?Sized), to: &EntityId) -> Result<Sequence, Error> {
    Ok(OUTBOX.get(storage, to)?.unwrap_or(0))
}

/// Takes the sequence of a new message to `to`: 1, 2, 3, …
pub fn next_outgoing(storage: &mut (impl Storage + ?Sized), to: &EntityId) -> Result<Sequence, Error> {
    let next = following(outbox(storage, to)?)?;
    OUTBOX.put(storage, to, &next);
    Ok(next)
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
    let last = inbox(storage, from)?;
    if found <= last {
        return Err(Error::Repeated { from: *from, last, found });
    }
    let expected = following(last)?;
    if found != expected {
        return Err(Error::SequenceGap { from: *from, expected, found });
    }
    INBOX.put(storage, from, &found);
    Ok(())
}

fn following(last: Sequence) -> Result<Sequence, ArithmeticError> {
    last.checked_add(1).ok_or(ArithmeticError)
}
