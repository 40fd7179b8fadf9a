//! Calls that wait to be executed.
//!
//! ```text
//!  bytes ─► decode ─► form, network, era, nonce ─► signature (batched) ─► queue of (signer, entity)
//!                                                                              │ heads, by tip, then by arrival
//!                                                                              ▼
//!                                                               slice ─► executed: waiters are told
//! ```
//!
//! A call takes memory here only after everything about it has been checked. Calls of one signer to one entity form a
//! queue without gaps, in nonce order; the heads of all queues compete by tip, then by arrival. Everything is bounded:
//! calls and bytes in total, calls per queue. What does not fit is refused as busy, with the numbers.

mod error;
mod queue;
mod verify;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

use tokio::sync::oneshot;
use xln_primitives::{Amount, CallHash, EntityId, Network, Nonce, SignerId, Timestamp};
use xln_runtime::{Authentic, Receipt, Refusal, Server, SignedCall};

pub use error::PoolError;
use queue::{Queue, Waiting};
use verify::{Candidate, verify};

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls in total.
    pub calls_max: usize,
    /// Encoded bytes in total.
    pub bytes_max: usize,
    /// Calls of one signer to one entity.
    pub calls_per_queue_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { calls_max: 100_000, bytes_max: 256 << 20, calls_per_queue_max: 4_096 }
    }
}

/// What became of a call.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was executed, and what it did is durable.
    Included {
        /// Its own receipt.
        receipt: Arc<Receipt>,
        /// Receipts of the same slice that answer it, such as the depositary's.
        answers: Vec<Arc<Receipt>>,
        /// Under which hashes answers will come in later slices.
        awaited: Vec<CallHash>,
    },
    /// It was not executed and left no trace.
    Refused(Refusal),
}

/// Place of a call's queue.
type QueueKey = (SignerId, EntityId);
/// Rank of a queue's head: higher tip first, then earlier arrival.
type Rank = (std::cmp::Reverse<Amount>, u64);

/// A call that waits, for display.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Its identity.
    pub hash: CallHash,
    /// What was asked.
    pub call: SignedCall,
    /// Encoded size in bytes.
    pub size: usize,
}

/// The pool. Shared between the RPC, which fills it, and the author, which empties it.
pub struct Pool {
    network: Network,
    limits: Limits,
    server: Arc<RwLock<Server>>,
    inner: Mutex<Inner>,
    arrived: Condvar,
}

#[derive(Default)]
struct Inner {
    queues: HashMap<QueueKey, Queue>,
    ready: BTreeSet<(Rank, QueueKey)>,
    waiters: HashMap<CallHash, Vec<oneshot::Sender<Outcome>>>,
    /// Calls that boards decide on, with their queues.
    diverted: HashMap<CallHash, QueueKey>,
    calls: usize,
    bytes: usize,
    arrivals: u64,
    /// Something other than a call wants the author's attention.
    woken: bool,
    /// Nothing will be executed any more.
    closed: bool,
}

impl Pool {
    /// An empty pool over a server's committed state.
    #[must_use]
    pub fn new(server: Arc<RwLock<Server>>, limits: Limits) -> Self {
        let network = server.read().unwrap_or_else(PoisonError::into_inner).facts().network;
        Self { network, limits, server, inner: Mutex::default(), arrived: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each critical section keeps the pool consistent at every step.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Server> {
        self.server.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks calls, their signatures in batches on all cores, and queues those that pass. One result for each, in
    /// order; the receiver tells what became of the call.
    pub fn submit(
        &self,
        calls: Vec<SignedCall>,
        now: Timestamp,
        blinding: [u8; 32],
    ) -> Vec<Result<oneshot::Receiver<Outcome>, PoolError>> {
        // What cannot be queued anyway does not deserve the cost of a signature check.
        let verdicts = self.precheck(&calls, now);
        let worth = calls.into_iter().zip(&verdicts).filter_map(|(call, verdict)| {
            let key = *verdict.as_ref().ok()?;
            Some(Candidate { key, call })
        });
        let mut checked = verify(worth.collect(), self.network, now, blinding).into_iter();
        let (mut inner, server) = (self.lock(), self.read());
        let mut queue = |verdict: Result<QueueKey, PoolError>| {
            verdict?;
            let waiting = checked.next().ok_or(PoolError::Stopped)?;
            self.insert(&mut inner, &server, waiting.map_err(Refusal::Form)?)
        };
        let results = verdicts.into_iter().map(&mut queue).collect();
        drop((inner, server));
        self.arrived.notify_one();
        results
    }

    /// Makes a call with the next nonce and queues it, without anybody else getting in between.
    pub fn submit_next<E: From<PoolError>>(
        &self,
        signer: SignerId,
        entity: EntityId,
        now: Timestamp,
        make: impl FnOnce(Nonce) -> Result<SignedCall, E>,
    ) -> Result<(CallHash, oneshot::Receiver<Outcome>), E> {
        let mut inner = self.lock();
        let nonce = next_nonce(&inner, &self.read(), (signer, entity))?;
        let call = make(nonce)?;
        let key = (call.signer(), call.body.entity);
        // A single signature needs no blinding.
        let checked = verify(vec![Candidate { key, call }], self.network, now, [0; 32]).pop();
        let waiting =
            checked.ok_or(PoolError::Stopped)?.map_err(|error| PoolError::Refused(Refusal::Form(error)))?;
        let hash = waiting.hash;
        let outcome = self.insert(&mut inner, &self.read(), waiting)?;
        drop(inner);
        self.arrived.notify_one();
        Ok((hash, outcome))
    }

    /// The nonce that the next call of this signer to this entity needs, those that wait included.
    pub fn next_nonce(&self, signer: SignerId, entity: EntityId) -> Result<Nonce, PoolError> {
        next_nonce(&self.lock(), &self.read(), (signer, entity))
    }

    /// Everything about calls that costs less than their signatures: the queue of each, or why it is refused.
    fn precheck(&self, calls: &[SignedCall], now: Timestamp) -> Vec<Result<QueueKey, PoolError>> {
        let (inner, server) = (self.lock(), self.read());
        let check = |call: &SignedCall| {
            call.check_form(self.network, now).map_err(|error| PoolError::Refused(Refusal::Form(error)))?;
            let (body, hosted) = (&call.body, server.entity(&call.body.entity));
            let signer = hosted.map_or_else(|| call.signer(), |entity| entity.id_of(&body.signer));
            let key = (signer, body.entity);
            self.check_room(&inner, &key, 0)?;
            self.check_nonce(&inner, &server, key, body.nonce)?;
            Ok(key)
        };
        calls.iter().map(check).collect()
    }

    fn check_nonce(
        &self,
        inner: &Inner,
        server: &Server,
        key: QueueKey,
        found: Nonce,
    ) -> Result<(), PoolError> {
        let expected = next_nonce(inner, server, key)?;
        let error = match found.cmp(&expected) {
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Less => pallet_entities::Error::NonceTooLow { expected, found },
            // Later calls of one submission follow each other; a real gap shows when they are queued.
            std::cmp::Ordering::Greater
                if found < expected.saturating_add(self.limits.calls_per_queue_max as u64) =>
            {
                return Ok(());
            }
            std::cmp::Ordering::Greater => pallet_entities::Error::NonceGap { expected, found },
        };
        Err(PoolError::Refused(Refusal::Unauthorised(error)))
    }

    fn check_room(&self, inner: &Inner, key: &QueueKey, size: usize) -> Result<(), PoolError> {
        if inner.closed {
            return Err(PoolError::Stopped);
        }
        let busy = |what, used, limit| Err(PoolError::Busy { what, used, limit });
        if inner.calls >= self.limits.calls_max {
            return busy("calls", inner.calls, self.limits.calls_max);
        }
        if inner.bytes.saturating_add(size) > self.limits.bytes_max {
            return busy("bytes", inner.bytes, self.limits.bytes_max);
        }
        let queued = inner.queues.get(key).map_or(0, Queue::len);
        if queued >= self.limits.calls_per_queue_max {
            return busy("calls of this signer", queued, self.limits.calls_per_queue_max);
        }
        Ok(())
    }

    fn insert(
        &self,
        inner: &mut Inner,
        server: &Server,
        mut waiting: Waiting,
    ) -> Result<oneshot::Receiver<Outcome>, PoolError> {
        let key = waiting.key;
        self.check_room(inner, &key, waiting.size)?;
        let expected = next_nonce(inner, server, key)?;
        let found = waiting.nonce();
        if found != expected {
            let error = if found < expected {
                pallet_entities::Error::NonceTooLow { expected, found }
            } else {
                pallet_entities::Error::NonceGap { expected, found }
            };
            return Err(PoolError::Refused(Refusal::Unauthorised(error)));
        }
        waiting.arrival = inner.arrivals;
        inner.arrivals += 1;
        inner.calls += 1;
        inner.bytes += waiting.size;
        let (sender, receiver) = oneshot::channel();
        inner.waiters.entry(waiting.hash).or_default().push(sender);
        let rank = waiting.rank();
        let queue = inner.queues.entry(key).or_insert_with(|| Queue::new(expected));
        queue.next_nonce = found.saturating_add(1);
        if queue.is_idle() {
            inner.ready.insert((rank, key));
        }
        queue.push(waiting);
        Ok(receiver)
    }

    /// Waits for what became of a call that waits or runs already.
    pub fn watch(&self, hash: CallHash) -> Option<oneshot::Receiver<Outcome>> {
        let mut inner = self.lock();
        let waiters = inner.waiters.get_mut(&hash)?;
        let (sender, receiver) = oneshot::channel();
        waiters.push(sender);
        Some(receiver)
    }

    /// Takes up to `calls_max` calls for a slice, in the order in which they are to be executed. They stay known until
    /// [`Pool::conclude`].
    pub fn take(&self, calls_max: usize) -> Vec<Authentic<SignedCall>> {
        let mut inner = self.lock();
        let mut taken = Vec::new();
        while taken.len() < calls_max {
            let Some((_, key)) = inner.ready.pop_first() else { break };
            let Some(queue) = inner.queues.get_mut(&key) else { continue };
            let Some(waiting) = queue.pop() else { continue };
            if let Some(next) = queue.head_rank() {
                inner.ready.insert((next, key));
            }
            inner.bytes = inner.bytes.saturating_sub(waiting.size);
            taken.push(waiting.call);
        }
        taken
    }

    /// Tells those who wait what became of the calls of a slice.
    pub fn conclude(
        &self,
        slice_calls: &[(CallHash, QueueKey)],
        mut outcome: impl FnMut(&CallHash) -> Option<Outcome>,
    ) {
        let mut inner = self.lock();
        for (hash, key) in slice_calls {
            inner.calls = inner.calls.saturating_sub(1);
            let result = outcome(hash);
            let refused = matches!(result, Some(Outcome::Refused(_)));
            inner.settle(key);
            if let (Some(result), Some(waiters)) = (result, inner.waiters.remove(hash)) {
                for waiter in waiters {
                    // Somebody who no longer waits need not be told.
                    let _ = waiter.send(result.clone());
                }
            }
            if refused {
                inner.drop_queue(key);
            }
        }
    }

    /// Tells those who wait what became of calls that boards decided on. Most of them were submitted to other servers.
    pub fn conclude_elsewhere(
        &self,
        calls: &[CallHash],
        mut outcome: impl FnMut(&CallHash) -> Option<Outcome>,
    ) {
        if calls.is_empty() {
            return;
        }
        let mut inner = self.lock();
        for hash in calls {
            let Some(key) = inner.diverted.remove(hash) else { continue };
            inner.calls = inner.calls.saturating_sub(1);
            inner.settle(&key);
            let waiters = inner.waiters.remove(hash).unwrap_or_default();
            if let Some(result) = outcome(hash) {
                for waiter in waiters {
                    let _ = waiter.send(result.clone());
                }
            }
        }
    }

    /// Calls that were taken are decided on by a board, which takes its time.
    pub fn divert(&self, calls: impl Iterator<Item = (CallHash, QueueKey)>) {
        self.lock().diverted.extend(calls);
    }

    /// How many calls wait or run.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().calls
    }

    /// Whether no call waits or runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// At most `limit` calls that wait.
    #[must_use]
    pub fn pending(&self, limit: usize) -> Vec<Pending> {
        let inner = self.lock();
        let waiting = inner.queues.values().flat_map(Queue::iter);
        waiting
            .take(limit)
            .map(|waiting| Pending {
                hash: waiting.hash,
                call: waiting.call.get().clone(),
                size: waiting.size,
            })
            .collect()
    }

    /// Blocks until a call waits, [`Pool::wake`] is called, or `timeout` has passed.
    pub fn wait(&self, timeout: Duration) {
        let inner = self.lock();
        let idle = |inner: &mut Inner| inner.ready.is_empty() && !inner.woken;
        let (mut inner, _) =
            self.arrived.wait_timeout_while(inner, timeout, idle).unwrap_or_else(PoisonError::into_inner);
        inner.woken = false;
    }

    /// Refuses every call from now on, and lets nobody wait any longer: what became of calls that were taken is on the
    /// disk, or nowhere.
    pub fn close(&self) {
        let mut inner = self.lock();
        *inner = Inner { closed: true, ..Inner::default() };
    }

    /// Makes the author look around.
    pub fn wake(&self) {
        self.lock().woken = true;
        self.arrived.notify_one();
    }
}

/// The nonce that the next call of a queue needs: after those that wait, or as the committed state says.
fn next_nonce(inner: &Inner, server: &Server, key: QueueKey) -> Result<Nonce, PoolError> {
    if let Some(queue) = inner.queues.get(&key) {
        return Ok(queue.next_nonce);
    }
    let (signer, entity) = key;
    let Some(entity) = server.entity(&entity) else { return Ok(0) };
    pallet_entities::nonce(&entity.state(), &signer)
        .map_err(|error| PoolError::Refused(Refusal::Unauthorised(error)))
}

impl Inner {
    /// One call of a queue has been executed or refused.
    fn settle(&mut self, key: &QueueKey) {
        if let Some(queue) = self.queues.get_mut(key) {
            queue.settle();
            if queue.is_done() {
                self.queues.remove(key);
            }
        }
    }

    /// After a refusal the calls behind it have a gap before them: they are refused too.
    fn drop_queue(&mut self, key: &QueueKey) {
        let Some(queue) = self.queues.get_mut(key) else { return };
        if let Some(rank) = queue.head_rank() {
            self.ready.remove(&(rank, *key));
        }
        let (expected, dropped) = queue.abandon();
        if queue.is_done() {
            self.queues.remove(key);
        }
        for waiting in dropped {
            self.calls = self.calls.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(waiting.size);
            let error = pallet_entities::Error::NonceGap { expected, found: waiting.nonce() };
            for waiter in self.waiters.remove(&waiting.hash).unwrap_or_default() {
                let _ = waiter.send(Outcome::Refused(Refusal::Unauthorised(error.clone())));
            }
        }
    }
}
