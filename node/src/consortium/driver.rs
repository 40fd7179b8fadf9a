//! The thread that drives the machines: events in, effects out, time from the clock.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::{Duration, Instant},
};

use xln_consensus::{Event, Host, TimerId};
use xln_network::{Network, ServerId, delivery};
use xln_primitives::{BlockHeader, Board, EntityId, FrameHash, Height, Round};
use xln_runtime::{BodyError, DecidedFrame, Delivery as Message, Executed, Server};
use xln_store::{Store, StoreError};

use super::{decided::DecidedFrames, directory::Directory, post::Post, status::Shared, waiting::Waiting};
use crate::{author::Observer, inbox::Inbox, retained::Retained};

/// Inputs that are taken in one turn.
const TURN_MAX: usize = 1_024;
/// How often the driver looks for what the clock makes due.
const TICK: Duration = Duration::from_millis(100);
/// How often messages that wait for a board are told again, and others are asked for frames.
const REPEAT: Duration = Duration::from_secs(2);

/// What the driver is told.
pub(super) enum Told {
    /// By the network.
    Network(xln_network::Event),
    /// By the author.
    Slice(Notice),
    /// An answer to a question for frames.
    Frames { entity: EntityId, from: ServerId, frames: Vec<Vec<u8>> },
    /// The node stops.
    Stop,
}

/// What a durable slice means for the network.
#[derive(Debug)]
pub struct Notice {
    slice: u64,
    outbox: Vec<Message>,
    frames: Vec<DecidedFrame>,
    unfit: Vec<(EntityId, BodyError)>,
}

/// Tells the driver of durable slices, and then whoever else observes.
pub struct Slices<O> {
    pub(super) driver: SyncSender<Told>,
    pub(super) next: O,
}

impl<O: Observer> Observer for Slices<O> {
    fn slice(&self, executed: &Executed) {
        let notice = Notice {
            slice: executed.slice.number,
            outbox: executed.outbox.clone(),
            frames: executed.slice.frames.clone(),
            unfit: executed.unfit.clone(),
        };
        // The driver ends before the author only when it has failed, which it has said.
        let _ = self.driver.send(Told::Slice(notice));
        self.next.slice(executed);
    }

    fn block(&self, header: &BlockHeader) {
        self.next.block(header);
    }
}

/// Why the driver stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum DriverError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the operating system gives no randomness: {0}")]
    Randomness(getrandom::Error),
}

/// Where an entity stands that is followed here.
#[derive(Debug)]
pub(super) struct Followed {
    /// The next height that the author has not been given.
    pub(super) next: Height,
    /// Whether a frame diverged: then nothing of it is believed any more.
    pub(super) halted: bool,
    /// When somebody was asked for frames last.
    pub(super) asked: Option<Instant>,
}

/// Everything that the driver works with.
pub(super) struct Driver {
    pub(super) told: Receiver<Told>,
    pub(super) tell: SyncSender<Told>,
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) server: Arc<RwLock<Server>>,
    pub(super) store: Store,
    pub(super) retained: Arc<Retained>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) decided: Arc<DecidedFrames>,
    pub(super) network: Network,
    pub(super) directory: Directory,
    pub(super) shared: Arc<Shared>,
    /// None on a server without a voting key.
    pub(super) host: Option<Host>,
    pub(super) events: VecDeque<Event>,
    pub(super) timers: BTreeMap<TimerId, Instant>,
    pub(super) waiting: BTreeMap<EntityId, Waiting>,
    pub(super) followed: BTreeMap<EntityId, Followed>,
    /// Frames that are still to be built: when it was our turn, nothing waited here yet.
    pub(super) unbuilt: BTreeMap<EntityId, (Height, Round)>,
    /// Frames that this server built: it tells everybody when they are decided.
    pub(super) built: BTreeSet<FrameHash>,
    pub(super) post: Post,
    pub(super) delivery: delivery::Delivery,
    pub(super) began: Instant,
    pub(super) connected: BTreeSet<ServerId>,
}

impl Driver {
    pub(super) fn server(&self) -> RwLockReadGuard<'_, Server> {
        self.server.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The durable state, as a handle of its own.
    pub(super) fn state(&self) -> Server {
        self.server().clone()
    }

    pub(super) fn board(&self, entity: &EntityId) -> Option<Board> {
        self.server().entity(entity).map(|entity| entity.board().clone())
    }

    pub(super) fn run(mut self) -> Result<(), DriverError> {
        self.resume()?;
        let (mut tick, mut repeat) = (Instant::now(), Instant::now());
        loop {
            self.step()?;
            self.deliver();
            let now = Instant::now();
            if now >= tick {
                self.due();
                tick = now + TICK;
            }
            if now >= repeat {
                self.repeat();
                repeat = now + REPEAT;
            }
            let mut wait = tick.saturating_duration_since(now);
            if let Some(timer) = self.timers.values().min() {
                wait = wait.min(timer.saturating_duration_since(now));
            }
            if let Some(wake) = self.delivery.wake() {
                wait = wait.min(wake.saturating_sub(self.began.elapsed()));
            }
            match self.told.recv_timeout(wait) {
                Ok(Told::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(told) => {
                    self.take(told)?;
                    for _ in 1..TURN_MAX {
                        match self.told.try_recv() {
                            Ok(Told::Stop) => return Ok(()),
                            Ok(told) => self.take(told)?,
                            Err(_) => break,
                        }
                    }
                }
            }
            let elapsed: Vec<TimerId> = self
                .timers
                .iter()
                .filter(|(_, at)| **at <= Instant::now())
                .map(|(timer, _)| *timer)
                .collect();
            for timer in elapsed {
                self.timers.remove(&timer);
                self.events.push_back(Event::Elapsed(timer));
            }
        }
    }

    fn take(&mut self, told: Told) -> Result<(), DriverError> {
        match told {
            Told::Network(event) => self.heard(event),
            Told::Slice(notice) => self.durable(notice)?,
            Told::Frames { entity, from, frames } => self.caught_up(entity, from, &frames),
            Told::Stop => {}
        }
        Ok(())
    }

    /// A slice is durable.
    fn durable(&mut self, notice: Notice) -> Result<(), DriverError> {
        for frame in &notice.frames {
            self.applied(frame);
        }
        for (entity, error) in notice.unfit {
            self.unfit(entity, &error);
        }
        self.send_out(notice.slice, &notice.outbox)?;
        self.acknowledge();
        if !notice.frames.is_empty() {
            self.settle_outbox()?;
        }
        Ok(())
    }

    /// Inputs of the clock for entities whose boards vote.
    fn due(&mut self) {
        let due: Vec<EntityId> = {
            let server = self.server();
            let inputs = server.due(crate::author::system_time(), 16);
            let voting =
                |entity: &EntityId| server.entity(entity).is_some_and(xln_runtime::Entity::is_decided);
            inputs.iter().map(xln_runtime::ServerInput::entity).filter(voting).collect()
        };
        for entity in due {
            self.events.push_back(Event::Work { entity });
        }
        self.report();
    }

    fn repeat(&mut self) {
        self.tell_boards_again();
        self.ask_for_frames();
    }
}
