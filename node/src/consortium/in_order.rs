//! What waits of many senders, each of whom numbers what it says: number after number is executed, none twice.
//!
//! ```text
//!   sender A │ executed … 6 │ 7 8 9 · 11        7, 8, 9 are ready, 11 waits for 10
//!   sender B │ executed … 2 │ · 4               nothing is ready
//!                           └──── window ────►  what is further ahead is not kept
//! ```
//!
//! Whoever leaves gaps cannot keep others out: what comes next of a sender has room of its own, which only what can be executed
//! fills.

use std::collections::BTreeMap;

/// What is kept at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How far ahead of what was executed a number of one sender may be.
    pub(super) window: u64,
    /// How many of all senders may be there before only the next of each sender is taken.
    pub(super) usual: usize,
    /// How many may be there at all.
    pub(super) most: usize,
}

/// Values of many senders, by sender and number.
#[derive(Debug)]
pub(super) struct InOrder<K, V> {
    senders: BTreeMap<K, BTreeMap<u64, V>>,
    len: usize,
    limits: Limits,
}

impl<K: Ord + Copy, V> InOrder<K, V> {
    pub(super) const fn new(limits: Limits) -> Self {
        Self { senders: BTreeMap::new(), len: 0, limits }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, sender: &K, number: u64) -> Option<&V> {
        self.senders.get(sender)?.get(&number)
    }

    pub(super) fn get_mut(&mut self, sender: &K, number: u64) -> Option<&mut V> {
        self.senders.get_mut(sender)?.get_mut(&number)
    }

    /// Whether there is room for a number of a sender whose next one is `next`, which was not executed before.
    pub(super) const fn has_room(&self, number: u64, next: u64) -> bool {
        let most = if number == next { self.limits.most } else { self.limits.usual };
        number >= next && number.saturating_sub(next) < self.limits.window && self.len < most
    }

    /// Adds what is not there. What is there stays: of two with one number the first counts.
    pub(super) fn add(&mut self, sender: K, number: u64, value: V) {
        self.senders.entry(sender).or_default().entry(number).or_insert_with(|| {
            self.len = self.len.saturating_add(1);
            value
        });
    }

    pub(super) fn remove(&mut self, sender: &K, number: u64) -> Option<V> {
        let queue = self.senders.get_mut(sender)?;
        let value = queue.remove(&number)?;
        if queue.is_empty() {
            self.senders.remove(sender);
        }
        self.len = self.len.saturating_sub(1);
        Some(value)
    }

    /// Keeps what is wanted.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&K, u64, &mut V) -> bool) {
        let mut len = 0_usize;
        self.senders.retain(|sender, queue| {
            queue.retain(|number, value| keep(sender, *number, value));
            len = len.saturating_add(queue.len());
            !queue.is_empty()
        });
        self.len = len;
    }

    /// Forgets what comes before the next number of each sender, unless `keep` says otherwise. A sender without a next number is
    /// forgotten.
    pub(super) fn forget(&mut self, next: impl Fn(&K) -> Option<u64>, keep: impl Fn(&V) -> bool) {
        let mut len = 0_usize;
        self.senders.retain(|sender, queue| {
            match next(sender) {
                // Mostly there is nothing before it.
                Some(next) if queue.first_key_value().is_some_and(|(first, _)| *first < next) => {
                    queue.retain(|number, value| *number >= next || keep(value));
                }
                Some(_) => {}
                None => queue.clear(),
            }
            len = len.saturating_add(queue.len());
            !queue.is_empty()
        });
        self.len = len;
    }

    /// Whether the next number of any sender is there.
    pub(super) fn is_ready(&self, next: impl Fn(&K) -> Option<u64>) -> bool {
        let mut senders = self.senders.iter();
        senders.any(|(sender, queue)| next(sender).is_some_and(|next| queue.contains_key(&next)))
    }

    /// What can be executed now, sender after sender, number after number.
    pub(super) fn ready(&self, next: impl Fn(&K) -> Option<u64>) -> impl Iterator<Item = (&K, &V)> {
        self.senders.iter().flat_map(move |(sender, queue)| {
            let run = next(sender).into_iter().flat_map(|next| (next..).zip(queue.range(next..)));
            run.take_while(|(expected, (number, _))| expected == *number)
                .map(move |(_, (_, value))| (sender, value))
        })
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.senders.values_mut().flat_map(BTreeMap::values_mut)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.senders.values().flat_map(BTreeMap::values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { window: 4, usual: 5, most: 7 };

    /// Sender 1 has executed up to 6, every other one nothing.
    #[allow(clippy::unnecessary_wraps, reason = "it stands for what may not be known")]
    fn next(sender: &u8) -> Option<u64> {
        Some(if *sender == 1 { 7 } else { 1 })
    }

    fn offer(waiting: &mut InOrder<u8, u64>, sender: u8, number: u64) -> bool {
        let room = waiting.has_room(number, next(&sender).unwrap());
        if room {
            waiting.add(sender, number, number * 10);
        }
        room
    }

    fn ready(waiting: &InOrder<u8, u64>) -> Vec<(u8, u64)> {
        waiting.ready(next).map(|(sender, value)| (*sender, *value)).collect()
    }

    #[test]
    fn only_what_follows_on_what_was_executed_is_ready() {
        let mut waiting = InOrder::new(LIMITS);
        assert!(offer(&mut waiting, 1, 8) && offer(&mut waiting, 2, 2));
        assert!(!waiting.is_ready(next));
        assert_eq!(ready(&waiting), []);
        assert!(offer(&mut waiting, 1, 7) && offer(&mut waiting, 1, 10));
        assert!(waiting.is_ready(next));
        assert_eq!(ready(&waiting), [(1, 70), (1, 80)], "10 waits for 9");
    }

    #[test]
    fn what_was_executed_and_what_is_far_ahead_has_no_room() {
        let mut waiting = InOrder::new(LIMITS);
        assert!(!offer(&mut waiting, 1, 6) && !offer(&mut waiting, 1, 11));
        assert!(offer(&mut waiting, 1, 10));
        assert!(!waiting.has_room(u64::MAX, 1));
    }

    #[test]
    fn gaps_cannot_keep_the_next_of_another_sender_out() {
        let mut waiting = InOrder::new(LIMITS);
        let gaps = (2..=4).flat_map(|number| [(2, number), (3, number)]);
        assert_eq!(gaps.filter(|(sender, number)| offer(&mut waiting, *sender, *number)).count(), 5);
        assert!(!offer(&mut waiting, 1, 8), "it is full for what comes later");
        assert!(offer(&mut waiting, 1, 7) && offer(&mut waiting, 2, 1));
        assert!(!offer(&mut waiting, 3, 1), "it is full");
    }

    #[test]
    fn what_is_executed_is_forgotten_and_counted() {
        let mut waiting = InOrder::new(LIMITS);
        for number in 7..=9 {
            offer(&mut waiting, 1, number);
        }
        offer(&mut waiting, 2, 1);
        waiting.add(1, 8, 1);
        assert_eq!((waiting.len(), waiting.get(&1, 8)), (4, Some(&80)), "the first counts");
        waiting.forget(|sender| Some(if *sender == 1 { 9 } else { 2 }), |value| *value == 70);
        assert_eq!(waiting.values().copied().collect::<Vec<_>>(), [70, 90]);
        assert_eq!((waiting.len(), waiting.remove(&1, 9), waiting.remove(&1, 9)), (2, Some(90), None));
        waiting.retain(|_, _, value| *value > 70);
        assert_eq!((waiting.len(), waiting.values().count()), (0, 0));
    }
}
