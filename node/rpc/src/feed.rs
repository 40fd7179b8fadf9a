//! The feed: what happened, in order, for subscribers.
//!
//! ```text
//!  author ── publish(topics, body) ──► ring of the last N, each with a cursor
//!                                        │ matching topics
//!                                        ├──► bounded queue of subscriber 1 ──► socket
//!                                        └──► bounded queue of subscriber 2 (full: told `lagged`, dropped)
//! ```
//!
//! Publishing never waits for a reader. A subscriber that resumes from a cursor gets what the ring still holds
//! after it and then what follows, without a gap or repetition; a cursor that the ring no longer reaches is
//! refused instead of skipping something.

use std::{
    collections::VecDeque,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::mpsc;

use crate::{
    RpcError, Topic, U64,
    view::{Body, Notification},
};

/// Most topics of one subscription.
pub const MAX_TOPICS: usize = 32;

/// Makes a body when somebody wants to read it; `None` if there is nothing to show after all.
pub type Render = Box<dyn FnOnce() -> Option<Body> + Send>;

struct Event {
    cursor: u64,
    topics: Vec<Topic>,
    body: LazyLock<Option<Body>, Render>,
}

impl Event {
    /// As seen by a subscriber of `wanted`; `None` if it is not for them.
    fn notification(&self, wanted: &[Topic]) -> Option<Notification> {
        let channel = self.topics.iter().find(|topic| wanted.contains(topic))?;
        let body = self.body.as_ref()?.clone();
        Some(Notification { cursor: U64(self.cursor), channel: Some(*channel), body })
    }

    fn concerns(&self, wanted: &[Topic]) -> bool {
        self.topics.iter().any(|topic| wanted.contains(topic))
    }
}

struct Subscriber {
    topics: Arc<[Topic]>,
    queue: mpsc::Sender<Arc<Event>>,
    lagged: Arc<AtomicBool>,
}

struct Ring {
    /// Cursor of the next event.
    next: u64,
    /// Cursor before the oldest event kept.
    forgotten: u64,
    events: VecDeque<Arc<Event>>,
    subscribers: Vec<Subscriber>,
}

/// Distributes what happened to subscribers.
pub struct Feed {
    ring: Mutex<Ring>,
    capacity: usize,
    queue: usize,
}

impl Feed {
    /// A feed whose first event has the cursor `first` (at least 1), keeps the last `capacity` events for those
    /// who resume and lets a subscriber be `queue` events behind.
    ///
    /// Cursors must not repeat over restarts of a node: it starts at a number that only grows, such as its last
    /// slice shifted left by 20 bits.
    #[must_use]
    pub fn new(first: u64, capacity: usize, queue: usize) -> Arc<Self> {
        let first = first.max(1);
        let ring =
            Ring { next: first, forgotten: first - 1, events: VecDeque::new(), subscribers: Vec::new() };
        Arc::new(Self { ring: Mutex::new(ring), capacity, queue: queue.max(1) })
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        // Every critical section leaves the ring consistent at each step, so a panic elsewhere spoils nothing.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Announces something under its topics and answers its cursor. Never waits.
    pub fn publish(&self, topics: Vec<Topic>, body: Body) -> u64 {
        self.publish_at(0, topics, Box::new(move || Some(body)))
    }

    /// Announces something under a cursor of the publisher's choice, which is raised to the next free one if it is not
    /// beyond it, and answers the cursor. The body is made by the first who reads it. Never waits.
    pub fn publish_at(&self, cursor: u64, topics: Vec<Topic>, render: Render) -> u64 {
        let mut ring = self.lock();
        let cursor = cursor.max(ring.next);
        ring.next = cursor.saturating_add(1);
        let event = Arc::new(Event { cursor, topics, body: LazyLock::new(render) });
        ring.subscribers.retain(|subscriber| {
            if !event.concerns(&subscriber.topics) {
                return !subscriber.queue.is_closed();
            }
            match subscriber.queue.try_send(Arc::clone(&event)) {
                Ok(()) => true,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    subscriber.lagged.store(true, Ordering::Release);
                    false
                }
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            }
        });
        ring.events.push_back(event);
        while ring.events.len() > self.capacity {
            if let Some(oldest) = ring.events.pop_front() {
                ring.forgotten = oldest.cursor;
            }
        }
        cursor
    }

    /// Whether anybody reads; nothing needs to be rendered for nobody, except what shall be resumable.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.lock().subscribers.len()
    }

    /// Subscribes to `topics`, first to what came after the cursor `from`.
    pub fn subscribe(&self, topics: Vec<Topic>, from: Option<u64>) -> Result<Subscription, RpcError> {
        if topics.is_empty() || topics.len() > MAX_TOPICS {
            let message = format!("a subscription has 1 to {MAX_TOPICS} channels, found {}", topics.len());
            return Err(RpcError::invalid_params(message));
        }
        let topics: Arc<[Topic]> = topics.into();
        let mut ring = self.lock();
        let from = from.unwrap_or(ring.next - 1);
        if from < ring.forgotten || from >= ring.next {
            let message = format!(
                "cursor {from} is out of reach: kept are those after {} up to {}",
                ring.forgotten,
                ring.next - 1
            );
            return Err(RpcError::not_found("cursor", from)
                .with_hint("read the current state once, then subscribe without a cursor")
                .with_message(message));
        }
        let missed = ring.events.iter().filter(|event| event.cursor > from && event.concerns(&topics));
        let missed = missed.cloned().collect();
        let (queue, events) = mpsc::channel(self.queue);
        let lagged = Arc::new(AtomicBool::new(false));
        ring.subscribers.push(Subscriber { topics: Arc::clone(&topics), queue, lagged: Arc::clone(&lagged) });
        Ok(Subscription { topics, missed, events, lagged, cursor: from, ended: false })
    }
}

/// The reading end of a subscription.
pub struct Subscription {
    topics: Arc<[Topic]>,
    missed: VecDeque<Arc<Event>>,
    events: mpsc::Receiver<Arc<Event>>,
    lagged: Arc<AtomicBool>,
    cursor: u64,
    ended: bool,
}

impl Subscription {
    /// The next notification; `lagged` is the last one, `None` the end.
    pub async fn next(&mut self) -> Option<Notification> {
        loop {
            let event = match self.missed.pop_front() {
                Some(event) => Some(event),
                None => self.events.recv().await,
            };
            let Some(event) = event else { break };
            self.cursor = event.cursor;
            if let Some(notification) = event.notification(&self.topics) {
                return Some(notification);
            }
        }
        if self.ended || !self.lagged.load(Ordering::Acquire) {
            return None;
        }
        self.ended = true;
        Some(Notification { cursor: U64(self.cursor), channel: None, body: Body::Lagged })
    }
}
