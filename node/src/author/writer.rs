//! The writer: makes what the author executed durable, and only then part of what the node says.
//!
//! It takes everything that waits for it in one batch with one fsync, so while the disk is slow the batches grow: group
//! commit without a timer. What the author hands over later is written later, so the durable state is always a state that
//! the author had.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, mpsc::Receiver},
    time::Instant,
};

use codec::Encode;
use xln_primitives::{CallHash, EntityId, Height, SignerId};
use xln_runtime::{Executed, Receipt, Refusal, Sealed, Server};
use xln_store::{Batch, SignedMark, Store};

use super::{AuthorError, Observer, snapshot::Snapshots, snapshot::marker};
use crate::{
    inbox::Inbox,
    metrics::Metrics,
    pool::{Outcome, Pool},
    retained::Retained,
};

/// Most slices and blocks in one batch.
const STEPS_MAX: usize = 64;

/// What the author has done, in order.
pub(super) enum Step {
    /// It executed a slice.
    Slice {
        /// The outcome.
        executed: Box<Executed>,
        /// The calls that it took from the pool for it.
        calls: Vec<(CallHash, (SignerId, EntityId))>,
        /// When it began.
        began: Instant,
    },
    /// It sealed a block.
    Block(Box<Sealed>),
}

/// The second half of the author, on a thread of its own.
pub(super) struct Writer {
    /// The durable state, which everybody reads.
    pub(super) server: Arc<RwLock<Server>>,
    pub(super) pool: Arc<Pool>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) store: Store,
    pub(super) retained: Arc<Retained>,
    pub(super) observer: Box<dyn Observer>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) snapshots: Snapshots,
}

impl Writer {
    /// Writes until the author has gone; then the state is written as it is.
    pub(super) fn run(mut self, steps: &Receiver<Step>) -> Result<(), AuthorError> {
        while let Ok(first) = steps.recv() {
            let rest = steps.try_iter().take(STEPS_MAX.saturating_sub(1));
            self.write(core::iter::once(first).chain(rest).collect())?;
        }
        self.snapshots.wait()?;
        self.snapshot()?;
        Ok(self.snapshots.wait()?)
    }

    fn write(&mut self, steps: Vec<Step>) -> Result<(), AuthorError> {
        let mut batch = Batch::new();
        for step in &steps {
            match step {
                Step::Slice { executed, .. } => {
                    put_slice(&mut batch, executed);
                    self.put_frames(&mut batch, executed)?;
                }
                Step::Block(sealed) => batch.put_block(&sealed.header),
            }
        }
        let written = self.store.commit(batch)?;
        self.metrics.written(written.duration, written.bytes);
        for step in steps {
            match step {
                Step::Slice { executed, calls, began } => self.conclude(&executed, &calls, began)?,
                Step::Block(sealed) => self.conclude_block(*sealed)?,
            }
        }
        Ok(())
    }

    /// Frames that boards decided and changes of boards, for those who follow, and states after such frames; with each frame and
    /// state the consensus log ends up to its height.
    fn put_frames(&self, batch: &mut Batch, executed: &Executed) -> Result<(), AuthorError> {
        for frame in &executed.slice.frames {
            let (entity, height) = (frame.body.entity, frame.body.height);
            batch.put_frame(&entity, height, &frame.encode());
            self.end_log(batch, &entity, height)?;
        }
        // The rows of a state that is taken over were written as they came.
        for adopted in &executed.slice.adopted {
            let (entity, height) = (adopted.header.entity, adopted.header.height);
            batch.put_adopted(&entity, height, executed.slice.number);
            self.end_log(batch, &entity, height)?;
        }
        for handover in &executed.handovers {
            batch.put_handover(&handover.entity, handover.header.height, &handover.encode());
        }
        Ok(())
    }

    /// Removes the log of an entity's consensus up to this height.
    fn end_log(&self, batch: &mut Batch, entity: &EntityId, height: Height) -> Result<(), AuthorError> {
        for row in self.store.consensus(entity) {
            let (of, sequence, _) = row?;
            if of > height {
                break;
            }
            batch.remove_consensus(entity, of, sequence);
        }
        Ok(())
    }

    /// A slice is durable: it becomes the state, and whoever waits is told.
    fn conclude(
        &self,
        executed: &Executed,
        calls: &[(CallHash, (SignerId, EntityId))],
        began: Instant,
    ) -> Result<(), AuthorError> {
        // Without a frame nothing has changed: the inputs were refused or came too late.
        if executed.frames > 0 {
            let before = {
                let mut server = self.server.write().unwrap_or_else(PoisonError::into_inner);
                server.commit(executed)
            };
            self.retained.keep(executed);
            self.metrics.slice_durable(began.elapsed(), executed.frames);
            self.metrics.receipts(&executed.receipts);
            self.metrics.events(&executed.events);
            self.observer.slice(executed);
            // Not under the lock: freeing what only the old state had takes longer than swapping.
            drop(before);
        } else if executed.gives_back() {
            self.observer.given_back(executed);
        }
        let outcomes = Outcomes::new(executed);
        self.pool.conclude(calls, |hash| outcomes.of(hash));
        let decided = executed.slice.frames.iter().flat_map(|frame| &frame.body.calls);
        let decided: Vec<CallHash> = decided.map(xln_runtime::SignedCall::hash).collect();
        self.pool.conclude_elsewhere(&decided, |hash| outcomes.of(hash));
        if !executed.founded.is_empty() {
            let server = self.server.read().unwrap_or_else(PoisonError::into_inner);
            self.inbox.requeue(self.retained.redeliver(&server, &executed.founded)?);
        }
        Ok(())
    }

    fn conclude_block(&mut self, sealed: Sealed) -> Result<(), AuthorError> {
        let header = sealed.header.clone();
        self.server.write().unwrap_or_else(PoisonError::into_inner).commit_block(sealed);
        self.observer.block(&header);
        self.metrics.pool(self.pool.len());
        if self.snapshots.due(header.number)? {
            self.snapshot()?;
        }
        Ok(())
    }

    /// Takes handles of what changed since the last snapshot, and lets it be written.
    fn snapshot(&mut self) -> Result<(), AuthorError> {
        let (changes, marker) = {
            let mut server = self.server.write().unwrap_or_else(PoisonError::into_inner);
            if server.has_carried() || server.has_open_block() {
                // Waiting messages are no part of the state: the next block will do.
                return Ok(());
            }
            (server.take_changes(), marker(&server))
        };
        let (retained, metrics) = (Arc::clone(&self.retained), Arc::clone(&self.metrics));
        Ok(self.snapshots.begin(self.store.clone(), retained, metrics, changes, marker)?)
    }
}

/// Everything that a slice implies and that cannot be had by executing it again.
fn put_slice(batch: &mut Batch, executed: &Executed) {
    // Refused calls and pointless inputs leave no trace.
    if executed.frames == 0 {
        return;
    }
    let number = executed.slice.number;
    batch.put_slice(number, &executed.log);
    for receipt in &executed.receipts {
        batch.put_receipt(number, &receipt.call, &receipt.encode());
    }
    for header in executed.heads() {
        batch.put_signed(&header.entity, SignedMark { height: header.height, frame: header.hash() });
    }
}

/// What became of each call of a slice.
struct Outcomes<'a> {
    refused: HashMap<CallHash, &'a Refusal>,
    receipts: HashMap<CallHash, &'a Arc<Receipt>>,
    answers: HashMap<CallHash, Vec<CallHash>>,
}

impl<'a> Outcomes<'a> {
    fn new(executed: &'a Executed) -> Self {
        let mut answers: HashMap<CallHash, Vec<CallHash>> = HashMap::new();
        for (call, answer) in &executed.requests {
            answers.entry(*call).or_default().push(*answer);
        }
        Self {
            refused: executed.refused.iter().map(|(hash, refusal)| (*hash, refusal)).collect(),
            receipts: executed.receipts.iter().map(|receipt| (receipt.call, receipt)).collect(),
            answers,
        }
    }

    fn of(&self, hash: &CallHash) -> Option<Outcome> {
        if let Some(refusal) = self.refused.get(hash) {
            return Some(Outcome::Refused((*refusal).clone()));
        }
        let own = Arc::clone(self.receipts.get(hash)?);
        let (mut answers, mut awaited) = (Vec::new(), Vec::new());
        for answer in self.answers.get(hash).into_iter().flatten() {
            match self.receipts.get(answer) {
                Some(receipt) => answers.push(Arc::clone(receipt)),
                None => awaited.push(*answer),
            }
        }
        Some(Outcome::Included { receipt: own, answers, awaited })
    }
}
