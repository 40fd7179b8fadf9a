//! What happens when.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use crate::wire::Wire;

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// A message arrives.
    Arrive {
        from: usize,
        to: usize,
        wire: Wire,
    },
    /// A server's machine asked to be woken.
    Wake {
        server: usize,
        life: u32,
    },
    /// What a server executed so far is on disk.
    Synced {
        server: usize,
        life: u32,
    },
    /// Two servers find each other, if they can.
    Link {
        one: usize,
        other: usize,
    },
    /// A server notices that another is gone.
    Unlink {
        server: usize,
        other: usize,
    },
    /// A user may do something.
    Act {
        user: usize,
    },
    Crash {
        server: usize,
    },
    /// It crashes, and everything on its disk is lost.
    Wipe {
        server: usize,
    },
    /// What is on its disk is copied.
    Backup {
        server: usize,
    },
    /// It crashes, and the last copy takes the place of its disk.
    Restore {
        server: usize,
    },
    Start {
        server: usize,
    },
    /// The next write of votes but `after` fails.
    FailDisk {
        server: usize,
        after: u64,
        written: bool,
    },
    Pause {
        server: usize,
        until: Duration,
    },
    /// Nothing passes between the parts; one way only: nothing leaves the first part.
    Partition {
        part: Vec<usize>,
        one_way: bool,
    },
    Heal,
}

#[derive(Debug)]
struct Scheduled {
    at: Duration,
    number: u64,
    happening: Happening,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// What will happen, in order; of things at one time, in the order in which they were scheduled.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    queue: BinaryHeap<Reverse<Scheduled>>,
    number: u64,
}

impl Schedule {
    pub(crate) fn at(&mut self, at: Duration, happening: Happening) {
        self.number += 1;
        self.queue.push(Reverse(Scheduled { at, number: self.number, happening }));
    }

    /// The next thing that happens not after `end`.
    pub(crate) fn next(&mut self, end: Duration) -> Option<(Duration, Happening)> {
        if self.queue.peek().is_none_or(|Reverse(next)| next.at > end) {
            return None;
        }
        self.queue.pop().map(|Reverse(next)| (next.at, next.happening))
    }
}
