//! What was decided a moment ago, for requests that wait for it.
//!
//! Most outcomes can be read from the state. Those of moves without a number of their own, such as direct payments, are
//! known from events only; the latest of them are kept here.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use pallet_channels::Event;
use tokio::sync::watch;
use xln_primitives::{CallHash, EntityId, Height, Timestamp};
use xln_runtime::{EntityEvents, Receipt, RuntimeEvent};

/// Most decisions and most receipts that are remembered.
const KEPT_MAX: usize = 16_384;
/// Most block intervals that are remembered.
const INTERVALS_MAX: usize = 1_024;

/// How a move without a number ended.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    pub(super) entity: EntityId,
    pub(super) height: Height,
    pub(super) timestamp: Timestamp,
    pub(super) event: Event,
}

/// Counts since the start of the process.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) blocks: AtomicU64,
    pub(super) calls_succeeded: AtomicU64,
    pub(super) calls_failed: AtomicU64,
    pub(super) payments_succeeded: AtomicU64,
    pub(super) payments_failed: AtomicU64,
}

/// The latest outcomes.
pub(super) struct Recent {
    inner: Mutex<Inner>,
    slice: watch::Sender<u64>,
    pub(super) counters: Counters,
}

#[derive(Default)]
struct Inner {
    decisions: VecDeque<Decision>,
    /// How many decisions came before those that are kept.
    forgotten: u64,
    slices: HashMap<CallHash, u64>,
    order: VecDeque<CallHash>,
    last_block: Option<Instant>,
    intervals_ms: VecDeque<u64>,
}

impl Recent {
    /// Nothing yet; `slice` is the last durable one.
    pub(super) fn new(slice: u64) -> Self {
        let (slice, _) = watch::channel(slice);
        Self { inner: Mutex::default(), slice, counters: Counters::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each critical section keeps what is kept consistent at every step.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a slice and wakes those who wait.
    pub(super) fn note<'a>(
        &self,
        slice: u64,
        events: &[EntityEvents],
        receipts: impl Iterator<Item = &'a Receipt>,
    ) {
        let mut inner = self.lock();
        for frame in events {
            for event in &frame.events {
                let RuntimeEvent::Channels(event) = event else { continue };
                self.count(frame.entity, event);
                if is_decision(event) {
                    inner.decisions.push_back(Decision {
                        entity: frame.entity,
                        height: frame.height,
                        timestamp: frame.timestamp,
                        event: event.clone(),
                    });
                }
            }
        }
        while inner.decisions.len() > KEPT_MAX {
            inner.decisions.pop_front();
            inner.forgotten = inner.forgotten.saturating_add(1);
        }
        for receipt in receipts {
            let counter = match receipt.result {
                Ok(()) => &self.counters.calls_succeeded,
                Err(_) => &self.counters.calls_failed,
            };
            counter.fetch_add(1, Ordering::Relaxed);
            inner.slices.insert(receipt.call, slice);
            inner.order.push_back(receipt.call);
        }
        while inner.order.len() > KEPT_MAX {
            if let Some(oldest) = inner.order.pop_front() {
                inner.slices.remove(&oldest);
            }
        }
        drop(inner);
        self.slice.send_replace(slice);
    }

    fn count(&self, entity: EntityId, event: &Event) {
        let counter = match event {
            Event::PaymentSent { .. } => &self.counters.payments_succeeded,
            // Both sides report it; it is the payer's.
            Event::PaidDirect { from, .. } if *from == entity => &self.counters.payments_succeeded,
            Event::PaymentFailed { .. } | Event::DirectPaymentFailed { .. } => &self.counters.payments_failed,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes note of a block.
    pub(super) fn note_block(&self) {
        self.counters.blocks.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        let mut inner = self.lock();
        if let Some(before) = inner.last_block.replace(now) {
            let interval = now.duration_since(before).as_millis();
            inner.intervals_ms.push_back(u64::try_from(interval).unwrap_or(u64::MAX));
            if inner.intervals_ms.len() > INTERVALS_MAX {
                inner.intervals_ms.pop_front();
            }
        }
    }

    /// The block interval that `percent` of the latest do not exceed; 0 before the second block.
    pub(super) fn interval_ms(&self, percent: usize) -> u64 {
        let mut sorted: Vec<u64> = self.lock().intervals_ms.iter().copied().collect();
        sorted.sort_unstable();
        let place = sorted.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
        sorted.get(place).copied().unwrap_or(0)
    }

    /// The slice in which a call was executed, if that is not long ago.
    pub(super) fn slice_of(&self, call: &CallHash) -> Option<u64> {
        self.lock().slices.get(call).copied()
    }

    /// Where the next decision will stand.
    pub(super) fn position(&self) -> u64 {
        let inner = self.lock();
        inner.forgotten.saturating_add(u64::try_from(inner.decisions.len()).unwrap_or(u64::MAX))
    }

    /// The first decision from `position` on that `is_it` accepts.
    pub(super) fn find(&self, position: u64, is_it: impl Fn(&Decision) -> bool) -> Option<Decision> {
        let inner = self.lock();
        let skip = usize::try_from(position.saturating_sub(inner.forgotten)).unwrap_or(usize::MAX);
        inner.decisions.iter().skip(skip).find(|decision| is_it(decision)).cloned()
    }

    /// Wakes at every slice.
    pub(super) fn slices(&self) -> watch::Receiver<u64> {
        self.slice.subscribe()
    }
}

fn is_decision(event: &Event) -> bool {
    matches!(
        event,
        Event::PaidDirect { .. } | Event::DirectPaymentFailed { .. } | Event::TransitionDropped { .. }
    )
}
