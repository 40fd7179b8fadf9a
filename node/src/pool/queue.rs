//! The calls of one signer to one entity, in nonce order.

use std::{cmp::Reverse, collections::VecDeque};

use xln_primitives::{CallHash, Nonce};
use xln_runtime::{Authentic, SignedCall};

use super::{QueueKey, Rank};

/// A call that waits.
pub(super) struct Waiting {
    pub(super) hash: CallHash,
    pub(super) key: QueueKey,
    pub(super) call: Authentic<SignedCall>,
    /// Encoded, in bytes.
    pub(super) size: usize,
    /// Its number among all arrivals; set when it is queued.
    pub(super) arrival: u64,
}

impl Waiting {
    pub(super) fn nonce(&self) -> Nonce {
        self.call.get().body.nonce
    }

    pub(super) fn rank(&self) -> Rank {
        (Reverse(self.call.get().body.tip), self.arrival)
    }
}

/// A queue without gaps. Calls that a slice has taken still count until it is concluded.
pub(super) struct Queue {
    /// The nonce that the next call to be queued needs.
    pub(super) next_nonce: Nonce,
    waiting: VecDeque<Waiting>,
    running: usize,
}

impl Queue {
    pub(super) const fn new(next_nonce: Nonce) -> Self {
        Self { next_nonce, waiting: VecDeque::new(), running: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.running
    }

    /// Whether no call waits to be taken.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether nothing of it is left.
    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.running == 0
    }

    pub(super) fn push(&mut self, waiting: Waiting) {
        self.waiting.push_back(waiting);
    }

    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        self.running += 1;
        Some(waiting)
    }

    pub(super) fn head_rank(&self) -> Option<Rank> {
        self.waiting.front().map(Waiting::rank)
    }

    pub(super) fn settle(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter()
    }

    /// Empties it; returns the nonce that its first call had, and the calls.
    pub(super) fn abandon(&mut self) -> (Nonce, Vec<Waiting>) {
        let first = self.waiting.front().map_or(self.next_nonce, Waiting::nonce);
        self.next_nonce = first.saturating_sub(1);
        (self.next_nonce, core::mem::take(&mut self.waiting).into())
    }
}
