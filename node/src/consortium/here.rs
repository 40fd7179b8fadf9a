//! The environment of a machine that runs in a node.

use std::{
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
        mpsc::SyncSender,
    },
    time::{Duration, Instant},
};

use xln_consensus::{Evidence, Row, VoteHistory};
use xln_keystore::Keystore;
use xln_network::{Answer, Code, Network, Question, Responder, ServerId, Topic, delivery::Packet};
use xln_primitives::{Board, CallHash, EntityId, Height, Signature, SignerId, Timestamp, decode_exact};
use xln_runtime::{Adoption, Authentic, BoardProof, DecidedFrame, Inbound, Refusal, Server};
use xln_store::{Batch, Store, StoreError};

use super::{
    decided::DecidedFrames,
    driver::Told,
    environment::{Environment, Kept, StoredRow},
    halt_file::{HaltFile, HaltFileError},
    home::LearnedHome,
    line_file::{LineFile, LineFileError},
    machine::Input,
    serving::Serving,
    status::Shared,
    voting_server::VoterClaim,
};
use crate::{
    author::system_time,
    inbox::Inbox,
    retained::Retained,
    vote_marks::{VoteMarks, VoteMarksError},
};

/// How often it is looked whether states are still being taken.
const SWEEP: Duration = Duration::from_secs(10);

/// Why a machine in a node cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum HereError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Marks(#[from] VoteMarksError),
    #[error(transparent)]
    Boards(#[from] LineFileError),
    #[error(transparent)]
    Halts(#[from] HaltFileError),
    #[error("the operating system gives no randomness: {0}")]
    Randomness(getrandom::Error),
}

/// A running node.
pub(super) struct Here {
    pub(super) began: Instant,
    pub(super) server: Arc<RwLock<Server>>,
    pub(super) store: Store,
    pub(super) retained: Arc<Retained>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) decided: Arc<DecidedFrames>,
    pub(super) shared: Arc<Shared>,
    pub(super) network: Network,
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) tell: SyncSender<Told>,
    /// Boards of entities elsewhere that spoke to somebody here.
    pub(super) boards: LineFile<Board>,
    /// With which keys other servers said that they vote.
    pub(super) voters: LineFile<VoterClaim>,
    /// Where entities live that said so.
    pub(super) homes: LineFile<LearnedHome>,
    /// The keys of entities here.
    pub(super) keystore: Arc<Keystore>,
    /// Entities that are not followed any more.
    pub(super) halts: HaltFile,
    /// How far the voting key has voted, if there is one.
    pub(super) marks: Option<VoteMarks>,
    pub(super) serving: Arc<Mutex<Serving>>,
    /// Whether somebody looks after what is served.
    pub(super) sweeping: Arc<AtomicBool>,
}

impl Here {
    /// Gives another server a state or a part of it. It may take a while, so it happens elsewhere; one question at a time.
    pub(super) fn serve(&self, from: ServerId, question: Question, responder: Responder) {
        let (server, serving, began) = (Arc::clone(&self.server), Arc::clone(&self.serving), self.began);
        let (sweeping, runtime, store) =
            (Arc::clone(&self.sweeping), self.runtime.clone(), self.store.clone());
        self.runtime.spawn_blocking(move || {
            let Ok(mut states) = serving.try_lock() else {
                responder.answer(&Answer::Busy);
                return;
            };
            // A handle of its own: hashing a state must not keep the writer from the durable one.
            let server = server.read().unwrap_or_else(PoisonError::into_inner).clone();
            let handovers = |entity: &EntityId| kept_handovers(&store, entity);
            responder.answer(&states.answer((&server, handovers), began.elapsed(), from, &question));
            // Under the lock, as where it ends.
            if !sweeping.swap(true, Ordering::AcqRel) {
                runtime.spawn(sweep(began, Arc::clone(&serving), Arc::clone(&sweeping)));
            }
        });
    }
}

/// The changes of an entity's board that were seen here. Without them a state is of use to whoever knows its board.
fn kept_handovers(store: &Store, entity: &EntityId) -> Vec<BoardProof> {
    let read =
        |bytes: Vec<u8>| decode_exact::<BoardProof>(&bytes, bytes.len()).map_err(|error| error.to_string());
    let kept = store.handovers(entity).map(|row| row.map_err(|error| error.to_string()).and_then(read));
    kept.collect::<Result<_, _>>().unwrap_or_else(|error| {
        tracing::error!(%entity, error, "the changes of a board cannot be read");
        Vec::new()
    })
}

/// Drops states that nobody takes any more, until none is left.
async fn sweep(began: Instant, serving: Arc<Mutex<Serving>>, sweeping: Arc<AtomicBool>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        // While it is busy it is used.
        if let Ok(mut serving) = serving.try_lock() {
            serving.expire(began.elapsed());
            if serving.is_empty() {
                // Under the lock: whoever makes the next handle begins another sweep.
                sweeping.store(false, Ordering::Release);
                return;
            }
        }
    }
}

impl Environment for Here {
    type Error = HereError;

    fn time(&self) -> Timestamp {
        system_time()
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn entropy(&mut self) -> Result<[u8; 32], HereError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(HereError::Randomness)?;
        Ok(bytes)
    }

    fn server(&self) -> impl Deref<Target = Server> + '_ {
        self.server.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&mut self, rows: &[Row]) -> Result<(), HereError> {
        let mut batch = Batch::new();
        for row in rows {
            batch.put_consensus(&row.entity, row.height, row.sequence, &row.value());
        }
        self.store.commit(batch)?;
        if let Some(marks) = &mut self.marks {
            marks.raise(rows)?;
        }
        Ok(())
    }

    fn vote_history(
        &mut self,
        entity: &EntityId,
        next: Height,
        last: Option<(Height, u64)>,
        enters: bool,
    ) -> Result<VoteHistory, HereError> {
        match &mut self.marks {
            Some(marks) => Ok(marks.history(entity, next, last, enters)?),
            // Without a key there is nothing to vote with.
            None => Ok(VoteHistory::Whole),
        }
    }

    fn log(&self, entity: &EntityId) -> Result<Vec<StoredRow>, HereError> {
        Ok(self.store.consensus(entity).collect::<Result<_, _>>()?)
    }

    fn frame(&self, entity: &EntityId, height: Height) -> Result<Option<Vec<u8>>, HereError> {
        Ok(self.store.frame(entity, height)?)
    }

    fn learned(&self) -> Result<Vec<Board>, HereError> {
        Ok(self.boards.read()?)
    }

    fn learn(&mut self, board: &Board) -> Result<(), HereError> {
        Ok(self.boards.append(board)?)
    }

    fn halts(&self) -> Result<Vec<(EntityId, String)>, HereError> {
        Ok(self.halts.read()?)
    }

    fn halt(&mut self, entity: &EntityId, reason: &str) -> Result<(), HereError> {
        Ok(self.halts.append(entity, reason)?)
    }

    fn learned_voters(&self) -> Result<Vec<VoterClaim>, HereError> {
        Ok(self.voters.read()?)
    }

    fn learn_voter(&mut self, claim: &VoterClaim) -> Result<(), HereError> {
        Ok(self.voters.append(claim)?)
    }

    fn learned_homes(&self) -> Result<Vec<LearnedHome>, HereError> {
        Ok(self.homes.read()?)
    }

    fn learn_homes(&mut self, homes: &[LearnedHome]) -> Result<(), HereError> {
        Ok(self.homes.append_all(homes)?)
    }

    fn sign(&self, signer: &SignerId, message: &[u8]) -> Option<Signature> {
        self.keystore.signer(signer)?.sign(message).ok()
    }

    fn outbox(&self, to: EntityId) -> Result<Vec<Kept>, HereError> {
        Ok(self.retained.waiting(to)?)
    }

    fn delivered(&mut self, to: EntityId, number: u64) {
        self.retained.delivered(to, number);
    }

    fn keep_evidence(&mut self, evidence: Evidence) -> Result<(), HereError> {
        self.shared.evidence().keep(evidence)?;
        Ok(())
    }

    fn execute_frame(&mut self, frame: DecidedFrame) -> bool {
        self.decided.push(frame)
    }

    fn refuse(&mut self, call: CallHash, refusal: Refusal) {
        self.decided.refuse(call, &refusal);
    }

    fn keep_chunk(
        &mut self,
        entity: &EntityId,
        height: Height,
        index: u32,
        chunk: &[u8],
    ) -> Result<(), HereError> {
        let mut batch = Batch::new();
        batch.put_chunk(entity, height, index, chunk);
        self.store.commit(batch)?;
        Ok(())
    }

    fn forget_chunks(&mut self, entity: &EntityId, height: Height) -> Result<(), HereError> {
        Ok(self.store.forget_adopted(entity, height)?)
    }

    fn adopt(&mut self, adoption: Adoption) {
        self.decided.adopt(adoption);
    }

    fn execute_messages(&mut self, messages: Vec<Authentic<Inbound>>) {
        self.inbox.requeue(messages);
    }

    fn send(&mut self, to: Vec<ServerId>, code: Code, bytes: Vec<u8>) {
        if let Err(error) = self.network.consensus(to, code, bytes) {
            tracing::debug!(%error, "a message for a board is lost; it is said again");
        }
    }

    fn deliver(&mut self, to: ServerId, packet: Packet) {
        if let Err(error) = self.network.deliver(to, &packet) {
            tracing::debug!(%to, %error, "a packet is lost; it is sent again");
        }
    }

    fn publish(&mut self, topic: Topic, code: Code, bytes: Vec<u8>) {
        if let Err(error) = self.network.publish(topic, code, bytes) {
            tracing::debug!(%error, "not everybody is told; they ask for it");
        }
    }

    fn ask(&mut self, server: ServerId, question: Question) {
        let (network, tell) = (self.network.clone(), self.tell.clone());
        self.runtime.spawn(async move {
            match network.ask(server, &question).await {
                // While the driver is busy the answer may be lost: it asks again.
                Ok(answer) => {
                    drop(tell.try_send(Told::Input(Input::Answer { from: server, question, answer })));
                }
                Err(error) => tracing::debug!(%server, %error, "no answer to a question"),
            }
        });
    }
}
