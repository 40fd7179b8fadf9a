//! Whom to dial, and when.
//!
//! ```text
//!   wanted ──► due ──► dialling ──► connected
//!                ▲        │ failed      │ lost
//!                └─ wait ◄┴─────────────┘        waits double while nothing succeeds
//! ```

use core::time::Duration;
use std::collections::BTreeMap;

use crate::{Limits, ServerId, backoff::Backoff};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be dialled at this time.
    Waiting(Duration),
    Dialling,
    Connected,
}

#[derive(Debug)]
struct Wanted {
    reserved: bool,
    state: State,
    backoff: Backoff,
}

/// The servers that this one wants to be connected to. It has no clock and no chance of its own.
#[derive(Debug)]
pub(crate) struct Dialer {
    wanted: BTreeMap<ServerId, Wanted>,
    first: Duration,
    longest: Duration,
    /// Most servers that are dialled or connected without being reserved.
    others: usize,
}

impl Dialer {
    pub(crate) fn new(limits: &Limits) -> Self {
        let others = usize::try_from(limits.outgoing).unwrap_or(usize::MAX);
        Self { wanted: BTreeMap::new(), first: limits.redial, longest: limits.redial_max, others }
    }

    /// Wants a server from now on. A reserved one is dialled whatever the others do.
    pub(crate) fn want(&mut self, server: ServerId, reserved: bool, now: Duration) {
        let wanted = self.wanted.entry(server).or_insert_with(|| Wanted {
            reserved,
            state: State::Waiting(now),
            backoff: Backoff::default(),
        });
        wanted.reserved |= reserved;
    }

    /// Wants it at once, because something new about it is known.
    pub(crate) fn hasten(&mut self, server: ServerId, now: Duration) {
        if let Some(wanted) = self.wanted.get_mut(&server)
            && let State::Waiting(at) = &mut wanted.state
        {
            *at = now.min(*at);
        }
    }

    /// Does not want it any more.
    pub(crate) fn forget(&mut self, server: ServerId) {
        self.wanted.remove(&server);
    }

    pub(crate) fn is_wanted(&self, server: ServerId) -> bool {
        self.wanted.contains_key(&server)
    }

    pub(crate) fn connected(&mut self, server: ServerId) {
        if let Some(wanted) = self.wanted.get_mut(&server) {
            wanted.state = State::Connected;
        }
    }

    /// It has proved to be of this network.
    pub(crate) fn succeeded(&mut self, server: ServerId) {
        if let Some(wanted) = self.wanted.get_mut(&server) {
            wanted.backoff.succeeded();
        }
    }

    /// A dial failed or a connection was lost.
    pub(crate) fn failed(&mut self, server: ServerId, now: Duration, chance: u64) {
        let (first, longest) = (self.first, self.longest);
        if let Some(wanted) = self.wanted.get_mut(&server)
            && !matches!(wanted.state, State::Waiting(_))
        {
            wanted.state = State::Waiting(now.saturating_add(wanted.backoff.failed(first, longest, chance)));
        }
    }

    /// How many more that are not reserved may be dialled.
    fn room(&self) -> usize {
        let busy = |wanted: &&Wanted| !wanted.reserved && !matches!(wanted.state, State::Waiting(_));
        self.others.saturating_sub(self.wanted.values().filter(busy).count())
    }

    /// Whom to dial now. They count as dialled.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<ServerId> {
        let mut room = self.room();
        let mut due = Vec::new();
        for (server, wanted) in &mut self.wanted {
            let State::Waiting(at) = wanted.state else { continue };
            if at > now || !wanted.reserved && room == 0 {
                continue;
            }
            if !wanted.reserved {
                room = room.saturating_sub(1);
            }
            wanted.state = State::Dialling;
            due.push(*server);
        }
        due
    }

    /// When somebody is due next.
    pub(crate) fn wake(&self) -> Option<Duration> {
        let room = self.room() > 0;
        let waiting = self.wanted.values().filter(|wanted| wanted.reserved || room);
        waiting.filter_map(|wanted| if let State::Waiting(at) = wanted.state { Some(at) } else { None }).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn server(number: u8) -> ServerId {
        ServerId::new([number; 32])
    }

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_server_that_does_not_answer_is_dialled_less_and_less_often() {
        let mut dialer = Dialer::new(&Limits::default());
        dialer.want(server(1), true, at(0));
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..10 {
            assert_eq!(dialer.due(now), [server(1)]);
            assert_eq!(dialer.due(now), [], "once");
            dialer.failed(server(1), now, 0);
            let next = dialer.wake().unwrap();
            waits.push(next - now);
            now = next;
        }
        assert!(waits.is_sorted() && waits[0] < at(1_000) && waits[9] == at(30_000), "{waits:?}");
        dialer.due(now);
        dialer.connected(server(1));
        dialer.succeeded(server(1));
        assert_eq!(dialer.wake(), None);
        dialer.failed(server(1), now, 0);
        assert!(dialer.wake().unwrap() - now < at(1_000), "after a success it begins anew");
        dialer.forget(server(1));
        assert_eq!(dialer.wake(), None);
    }

    #[test]
    fn reserved_servers_take_no_place_of_others() {
        let mut dialer = Dialer::new(&Limits { outgoing: 2, ..Limits::default() });
        for number in 1..=5 {
            dialer.want(server(number), number == 5, at(0));
        }
        assert_eq!(dialer.due(at(0)), [server(1), server(2), server(5)]);
        assert_eq!(dialer.wake(), None, "no place, so nobody is due");
        dialer.failed(server(1), at(0), 0);
        assert_eq!(dialer.due(at(0)), [server(3)]);
    }
}
