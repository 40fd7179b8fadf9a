//! What waits to be sent to one server: so much is under way, the rest waits its turn, and what has no room is dropped.

use std::collections::VecDeque;

use crate::Limits;

/// A first-in, first-out queue in front of the streams of one protocol to one server.
#[derive(Debug)]
pub(crate) struct Outbound<T> {
    waiting: VecDeque<(usize, T)>,
    waiting_bytes: usize,
    under_way: usize,
}

impl<T> Default for Outbound<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), waiting_bytes: 0, under_way: 0 }
    }
}

impl<T> Outbound<T> {
    /// Adds a message of so many bytes; gives it back if there is no room.
    pub(crate) fn push(&mut self, bytes: usize, message: T, limits: &Limits) -> Result<(), T> {
        let total = self.waiting_bytes.saturating_add(bytes);
        if self.waiting.len() >= limits.backlog || total > limits.backlog_bytes {
            return Err(message);
        }
        self.waiting.push_back((bytes, message));
        self.waiting_bytes = total;
        Ok(())
    }

    /// The next message that may be sent, which is under way then.
    pub(crate) fn next(&mut self, limits: &Limits) -> Option<T> {
        if self.under_way >= limits.streams {
            return None;
        }
        let (bytes, message) = self.waiting.pop_front()?;
        self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes);
        self.under_way = self.under_way.saturating_add(1);
        Some(message)
    }

    /// One that was under way has arrived, or never will.
    pub(crate) fn ended(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_both_limits_hold() {
        let limits = Limits { streams: 2, backlog: 3, backlog_bytes: 10, ..Limits::default() };
        let mut outbound = Outbound::default();
        assert_eq!(outbound.push(11, 0, &limits), Err(0));
        for number in 1..=3 {
            assert_eq!(outbound.push(3, number, &limits), Ok(()));
        }
        assert_eq!(outbound.push(1, 4, &limits), Err(4), "too many");
        assert_eq!(
            [outbound.next(&limits), outbound.next(&limits), outbound.next(&limits)],
            [Some(1), Some(2), None]
        );
        assert_eq!(outbound.push(7, 4, &limits), Ok(()));
        assert_eq!(outbound.push(1, 5, &limits), Err(5), "too large");
        outbound.ended();
        assert_eq!(outbound.next(&limits), Some(3));
        outbound.ended();
        outbound.ended();
        assert_eq!([outbound.next(&limits), outbound.next(&limits)], [Some(4), None]);
    }
}
