//! One slice: execute, write, swap in, tell.

use std::{collections::HashMap, sync::Arc, time::Instant};

use codec::{Decode, Encode};
use xln_primitives::{CallHash, CertifiedMessage, EntityId, Hash, SignerId};
use xln_runtime::{Certifier, Entity, Executed, Receipt, Refusal, SliceInputs, authenticate_message};
use xln_store::{Batch, PeerId, SignedMark};

use super::{Author, AuthorError, clock::system_time};
use crate::pool::Outcome;

/// Most calls in one slice: small enough that a slice fits well into a block.
const CALLS_MAX: usize = 2_000;
/// Most inputs from the clock in one slice.
const DUE_MAX: usize = 256;
/// Bits of an outbox number that count the messages of one slice.
const OUTBOX_BITS: u32 = 24;

impl Author {
    /// Executes what waits, if anything does.
    pub(super) fn slice(&mut self) -> Result<(), AuthorError> {
        let now = system_time();
        let (due, carried) = {
            let server = self.read();
            (server.due(now, DUE_MAX), server.has_carried())
        };
        let calls = self.pool.take(CALLS_MAX);
        let inputs = SliceInputs { server: due, messages: Vec::new(), calls };
        if inputs.is_empty() && !carried {
            return Ok(());
        }
        self.execute(inputs)
    }

    fn execute(&mut self, inputs: SliceInputs) -> Result<(), AuthorError> {
        let taken: Vec<(CallHash, (SignerId, EntityId))> = inputs
            .calls
            .iter()
            .map(|call| {
                let body = &call.get().body;
                (call.get().hash(), (body.signer.signer_id(), body.entity))
            })
            .collect();
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy).map_err(|error| AuthorError::Randomness(error.to_string()))?;
        let start = Instant::now();
        let mut executed =
            self.read().execute(system_time(), Hash::new(entropy), inputs, self.certifier.as_ref())?;
        // Without a frame nothing has changed: the inputs were refused or came too late.
        if executed.frames > 0 {
            let written = self.store.commit(batch(&executed))?;
            self.write().commit(&mut executed);
            self.metrics.slice_written(start.elapsed(), written.duration, written.bytes, executed.frames);
        }
        let receipts: Vec<Arc<Receipt>> =
            core::mem::take(&mut executed.receipts).into_iter().map(Arc::new).collect();
        if executed.frames > 0 {
            self.metrics.receipts(&receipts);
            self.metrics.events(&executed.events);
            self.observer.slice(executed.slice.number, &executed.events, &receipts);
        }
        let outcomes = Outcomes::new(&executed, &receipts);
        self.pool.conclude(&taken, |hash| outcomes.of(hash));
        self.redeliver(&executed.founded)
    }

    /// Hands entities what others have said to them while they were not here or had no key here.
    pub(super) fn redeliver(&mut self, entities: &[EntityId]) -> Result<(), AuthorError> {
        for entity in entities {
            let peer = PeerId::new(*entity.as_bytes());
            let mut batch = Batch::new();
            let mut messages = Vec::new();
            for row in self.store.outbox(&peer, 0) {
                let (number, bytes) = row?;
                batch.remove_outbox(&peer, number);
                let Ok(message) = CertifiedMessage::decode(&mut bytes.as_slice()) else { continue };
                let server = self.read();
                let Some(sender) = server.entity(&message.message.from) else { continue };
                messages.extend(authenticate_message(message, server.facts().network, sender.board()).ok());
            }
            if !messages.is_empty() {
                tracing::info!(%entity, messages = messages.len(), "delivering what had to wait");
                self.execute(SliceInputs { messages, ..SliceInputs::default() })?;
                // After a crash in between they are delivered again, and have no effect the second time.
                self.store.commit(batch)?;
            }
        }
        Ok(())
    }

    /// The hosted entities whose key is here.
    pub(super) fn present(&self) -> Vec<EntityId> {
        let can_act = |entity: &&Entity| self.certifier.can_certify(entity.id(), entity.board());
        self.read().entities().filter(can_act).map(Entity::id).collect()
    }
}

/// Everything that a slice implies, as one write.
pub(crate) fn batch(executed: &Executed) -> Batch {
    let mut batch = Batch::new();
    let number = executed.slice.number;
    batch.put_slice(number, &executed.slice.encode());
    for receipt in &executed.receipts {
        batch.put_receipt(number, &receipt.call, &receipt.encode());
    }
    for header in executed.heads() {
        batch.put_signed(&header.entity, SignedMark { height: header.height, frame: header.hash() });
    }
    if !executed.events.is_empty() {
        batch.put_events(number, &executed.events.encode());
    }
    for proof in &executed.proofs {
        batch.put_proof(&proof.entity, &proof.channel, &proof.bytes);
    }
    for (index, message) in (0_u64..).zip(&executed.outbox) {
        let peer = PeerId::new(*message.message.to.as_bytes());
        batch.put_outbox(&peer, number << OUTBOX_BITS | index, &message.encode());
    }
    batch
}

/// What became of each call of a slice.
struct Outcomes<'a> {
    refused: HashMap<CallHash, &'a Refusal>,
    receipts: HashMap<CallHash, &'a Arc<Receipt>>,
    answers: HashMap<CallHash, Vec<CallHash>>,
}

impl<'a> Outcomes<'a> {
    fn new(executed: &'a Executed, receipts: &'a [Arc<Receipt>]) -> Self {
        let mut answers: HashMap<CallHash, Vec<CallHash>> = HashMap::new();
        for (call, answer) in &executed.requests {
            answers.entry(*call).or_default().push(*answer);
        }
        Self {
            refused: executed.refused.iter().map(|(hash, refusal)| (*hash, refusal)).collect(),
            receipts: receipts.iter().map(|receipt| (receipt.call, receipt)).collect(),
            answers,
        }
    }

    fn of(&self, hash: &CallHash) -> Option<Outcome> {
        if let Some(refusal) = self.refused.get(hash) {
            return Some(Outcome::Refused((*refusal).clone()));
        }
        let own = Arc::clone(self.receipts.get(hash)?);
        let answers = self.answers.get(hash).into_iter().flatten();
        let answers =
            answers.filter_map(|answer| self.receipts.get(answer)).map(|receipt| Arc::clone(receipt));
        Some(Outcome::Included(own, answers.collect()))
    }
}
