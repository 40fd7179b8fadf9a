//! Messages of other servers that wait to be executed.
//!
//! ```text
//!   (message, board of its sender) ─► queue ─► batches, on all cores: path, board, signature ─► verified, in order ─► slice
//! ```
//!
//! Everything about a message is checked before the author sees it, ahead of time and on every core, so that executing it
//! costs execution alone. What comes first is handed out first, whichever batch was checked first; a message that proves
//! nothing is dropped and counted. The inbox holds a bounded number of messages: who brings more is told to come again,
//! which every sender does, since it keeps what was not executed.

mod checking;

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use xln_primitives::{AuthenticationError, Board, CertifiedMessage, Network};
use xln_runtime::{Authentic, Inbound, RuntimeMessage};

use checking::{BATCH, BATCH_MIN, Checked};

/// A message as another server brings it: with the board of its sender, if the sender is a lazy entity.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The message.
    pub message: Arc<CertifiedMessage<RuntimeMessage>>,
    /// Who stands behind its sender.
    pub board: Board,
}

/// More messages wait than may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{waiting} messages wait to be executed, {max} may: bring it again later")]
pub struct InboxFull {
    /// How many wait.
    pub waiting: usize,
    /// How many may.
    pub max: usize,
}

/// Messages that wait, shared between those who bring them and the author.
pub struct Inbox {
    network: Network,
    messages_max: usize,
    state: Mutex<State>,
    /// Something was checked, or the inbox was woken.
    progress: Condvar,
    /// Told whenever a message can be taken.
    notify: Box<dyn Fn() + Send + Sync>,
    /// Threads of its own: what they are busy with must not keep the author's frames waiting.
    threads: rayon::ThreadPool,
}

#[derive(Default)]
struct State {
    /// Not checked yet, first come first.
    arrived: VecDeque<Arrival>,
    /// Handed to a core; its place is kept.
    checking: VecDeque<Option<Checked>>,
    /// How many batches were taken out of `checking` so far: the number of its first place.
    first_batch: u64,
    verified: VecDeque<Authentic<Inbound>>,
    /// Messages in `arrived` and `checking`.
    unverified: usize,
    /// Batches that are being checked.
    busy: usize,
    rejected: u64,
    last_rejection: Option<AuthenticationError>,
}

impl Inbox {
    /// An empty inbox for messages of this network. `notify` is called whenever there is something to take.
    ///
    /// # Errors
    /// If the operating system gives no threads.
    pub fn new(
        network: Network,
        messages_max: usize,
        notify: impl Fn() + Send + Sync + 'static,
    ) -> Result<Arc<Self>, rayon::ThreadPoolBuildError> {
        let threads =
            rayon::ThreadPoolBuilder::new().thread_name(|number| format!("verify-{number}")).build()?;
        Ok(Arc::new(Self {
            network,
            messages_max,
            state: Mutex::default(),
            progress: Condvar::new(),
            notify: Box::new(notify),
            threads,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each critical section leaves the queues consistent at every step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues messages, all or none of them. They are checked in the background.
    ///
    /// # Errors
    /// If they do not all fit; none is kept then.
    pub fn submit(self: &Arc<Self>, arrivals: Vec<Arrival>) -> Result<(), InboxFull> {
        let mut state = self.lock();
        let waiting = state.unverified.saturating_add(state.verified.len());
        if waiting.saturating_add(arrivals.len()) > self.messages_max {
            return Err(InboxFull { waiting, max: self.messages_max });
        }
        state.unverified = state.unverified.saturating_add(arrivals.len());
        state.arrived.extend(arrivals);
        self.check_more(&mut state);
        Ok(())
    }

    /// Hands batches to idle cores. A small batch goes at once where a core is idle; while all are busy, what arrives
    /// makes larger batches.
    fn check_more(self: &Arc<Self>, state: &mut State) {
        let cores = self.threads.current_num_threads();
        while state.busy < cores && !state.arrived.is_empty() {
            let waiting = state.arrived.len();
            let size = waiting.div_ceil(cores).clamp(BATCH_MIN, BATCH).min(waiting);
            let batch: Vec<Arrival> = state.arrived.drain(..size).collect();
            let number = state.first_batch.wrapping_add(state.checking.len() as u64);
            state.checking.push_back(None);
            state.busy = state.busy.saturating_add(1);
            let inbox = Arc::clone(self);
            self.threads.spawn(move || inbox.check(number, batch));
        }
    }

    /// Checks one batch and puts the outcome into its place.
    fn check(self: Arc<Self>, number: u64, batch: Vec<Arrival>) {
        let checked = Checked::of(batch, self.network);
        let mut state = self.lock();
        let place = usize::try_from(number.wrapping_sub(state.first_batch)).unwrap_or(usize::MAX);
        if let Some(place) = state.checking.get_mut(place) {
            *place = Some(checked);
        }
        state.busy = state.busy.saturating_sub(1);
        while let Some(Some(_)) = state.checking.front() {
            let Some(Some(checked)) = state.checking.pop_front() else { break };
            state.first_batch = state.first_batch.wrapping_add(1);
            state.unverified = state.unverified.saturating_sub(checked.messages);
            state.rejected = state.rejected.saturating_add(checked.rejected);
            if let Some(error) = checked.last_rejection {
                tracing::warn!(%error, messages = checked.rejected, "messages that prove nothing were dropped");
                state.last_rejection = Some(error);
            }
            state.verified.extend(checked.authentic);
        }
        self.check_more(&mut state);
        drop(state);
        self.progress.notify_all();
        (self.notify)();
    }

    /// Puts messages before the author that were authenticated elsewhere, whatever room there is: they waited before.
    pub fn requeue(&self, messages: Vec<Authentic<Inbound>>) {
        if messages.is_empty() {
            return;
        }
        self.lock().verified.extend(messages);
        self.progress.notify_all();
        (self.notify)();
    }

    /// Takes up to `messages_max` messages for a slice, first come first.
    pub fn take(&self, messages_max: usize) -> Vec<Authentic<Inbound>> {
        let mut state = self.lock();
        let count = messages_max.min(state.verified.len());
        state.verified.drain(..count).collect()
    }

    /// Takes exactly `count` messages, and waits until so many are checked. Fewer only if some of the last that were
    /// submitted proved nothing.
    pub fn take_exactly(&self, count: usize) -> Vec<Authentic<Inbound>> {
        let waiting = |state: &mut State| state.verified.len() < count && state.unverified > 0;
        let mut state =
            self.progress.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner);
        let count = count.min(state.verified.len());
        state.verified.drain(..count).collect()
    }

    /// Whether a message can be taken.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.lock().verified.is_empty()
    }

    /// How many messages wait, checked or not.
    #[must_use]
    pub fn len(&self) -> usize {
        let state = self.lock();
        state.unverified.saturating_add(state.verified.len())
    }

    /// Whether no message waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many messages proved nothing so far, and why the last of them did not.
    #[must_use]
    pub fn rejected(&self) -> (u64, Option<AuthenticationError>) {
        let state = self.lock();
        (state.rejected, state.last_rejection.clone())
    }
}
