//! The environment of a machine that runs in a node.

use std::{
    ops::Deref,
    sync::{Arc, PoisonError, RwLock, mpsc::SyncSender},
    time::{Duration, Instant},
};

use xln_consensus::{Evidence, Row};
use xln_network::{Code, Network, Question, ServerId, Topic, delivery::Packet};
use xln_primitives::{CallHash, EntityId, Height, Timestamp};
use xln_runtime::{Authentic, DecidedFrame, Inbound, Refusal, Server};
use xln_store::{Batch, Store, StoreError};

use super::{
    decided::DecidedFrames,
    driver::Told,
    environment::{Environment, Kept, StoredRow},
    machine::Input,
    status::Shared,
};
use crate::{author::system_time, inbox::Inbox, retained::Retained};

/// Why a machine in a node cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum HereError {
    #[error(transparent)]
    Store(#[from] StoreError),
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
        Ok(())
    }

    fn log(&self, entity: &EntityId) -> Result<Vec<StoredRow>, HereError> {
        Ok(self.store.consensus(entity).collect::<Result<_, _>>()?)
    }

    fn frame(&self, entity: &EntityId, height: Height) -> Result<Option<Vec<u8>>, HereError> {
        Ok(self.store.frame(entity, height)?)
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
