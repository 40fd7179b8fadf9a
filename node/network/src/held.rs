//! Bytes that count against a limit as long as somebody holds them.

use std::{ops::Deref, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that a permit stands for; a message takes at least one permit.
const UNIT: usize = 1_024;

/// Something whose bytes count against a limit until it is dropped or taken out.
#[derive(Debug)]
pub struct Held<T> {
    value: T,
    _room: OwnedSemaphorePermit,
}

impl<T> Held<T> {
    /// Takes it out. It does not count any more.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Room for so many bytes.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS))))
    }

    /// Holds something of so many bytes; `None` if there is no room.
    pub(crate) fn hold<T>(&self, bytes: usize, value: T) -> Option<Held<T>> {
        let permits = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).saturating_add(1);
        let room = Arc::clone(&self.0).try_acquire_many_owned(permits).ok()?;
        Some(Held { value, _room: room })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_comes_back_when_something_is_taken_out_or_dropped() {
        let room = Room::new(10 * UNIT);
        let first = room.hold(5 * UNIT, "first").unwrap();
        let second = room.hold(3 * UNIT, "second").unwrap();
        assert!(room.hold(1, "third").is_none());
        assert_eq!(first.into_inner(), "first");
        let third = room.hold(5 * UNIT, "third").unwrap();
        drop((second, third));
        assert!(room.hold(9 * UNIT, "fourth").is_some());
    }
}
