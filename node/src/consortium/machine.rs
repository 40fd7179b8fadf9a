//! The machine: what arrives goes in, the environment is told what to do. It has no clock, no thread and no disk of its own.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use xln_consensus::{BlsKey, Event, Host, Settings, TimerId, Timing};
use xln_keystore::Signer;
use xln_network::{
    Answer, Code, Question, ServerId,
    delivery::{Delivery, DeliveryLimits, Packet, Stream},
};
use xln_primitives::{Board, EntityId, FrameHash, Height, PublicKey, Round, Timestamp};
use xln_runtime::{
    AdoptError, Adopted, Authentic, BodyError, DecidedFrame, Delivery as Message, DueBoards, Executed,
    Inbound, Server, SignedCall, SliceNumber,
};

use super::{
    directory::Directory, environment::Environment, fetch::Fetch, heights::PERIOD, home::Homes, post::Post,
    status::Shared, telling::REPEAT, unproven::Unproven, voting_server::VoterClaim, waiting::Waiting,
};

/// How often the machine looks for what the clock makes due.
const TICK: Duration = Duration::from_millis(100);
/// Entities of which a deadline has passed that are looked at at once.
const DUE_MAX: usize = 16;

/// What happens to a machine.
#[derive(Debug)]
pub enum Input {
    /// A server is connected.
    Connected(ServerId),
    /// It is not connected any more.
    Disconnected(ServerId),
    /// A message for a board.
    Consensus {
        /// Who sent it.
        from: ServerId,
        /// What it is.
        code: Code,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Messages between entities, or their acknowledgement.
    Packet {
        /// Who sent it.
        from: ServerId,
        /// The packet.
        packet: Packet,
    },
    /// A server answered.
    Answer {
        /// Who.
        from: ServerId,
        /// What was asked.
        question: Question,
        /// What it said.
        answer: Answer,
    },
    /// A call of a member to an entity whose board votes, submitted here.
    Call(Authentic<SignedCall>),
    /// A slice is durable.
    Slice(Notice),
    /// Messages, frames or states had no effect, and nothing else of their slice had any.
    GivenBack(Notice),
}

/// What a durable slice means for the network.
#[derive(Debug)]
pub struct Notice {
    slice: SliceNumber,
    /// Whether there is such a slice: if only frames came that did not fit, another one will have its number.
    is_kept: bool,
    outbox: Vec<Message>,
    frames: Vec<DecidedFrame>,
    unfit: Vec<(EntityId, BodyError)>,
    adopted: Vec<Adopted>,
    unadopted: Vec<(EntityId, AdoptError)>,
    early: Vec<Authentic<Inbound>>,
}

impl From<&Executed> for Notice {
    fn from(executed: &Executed) -> Self {
        Self {
            slice: executed.slice.number,
            is_kept: executed.frames > 0,
            outbox: executed.outbox.clone(),
            frames: executed.slice.frames.clone(),
            unfit: executed.unfit.clone(),
            adopted: executed.slice.adopted.clone(),
            unadopted: executed.unadopted.clone(),
            early: executed.early.clone(),
        }
    }
}

/// Where an entity stands that is followed here.
#[derive(Debug)]
pub(super) struct Followed {
    /// The next height that the author has not been given.
    pub(super) next: Height,
    /// Whether a frame diverged: then nothing of it is believed any more.
    pub(super) halted: bool,
    /// When somebody was asked for frames last.
    pub(super) asked: Option<Duration>,
    /// Certified frames that the author had no room for yet, in order.
    pub(super) backlog: VecDeque<DecidedFrame>,
    /// Connected servers that say that they have later frames, with the height of their last.
    pub(super) ahead: BTreeMap<ServerId, Height>,
    /// Those of them that did not give the next frame.
    pub(super) lacking: BTreeSet<ServerId>,
    /// Those of them that did not give their state.
    pub(super) stateless: BTreeSet<ServerId>,
    /// Whether a state of others cannot take the place of the one here, so that only frames help.
    pub(super) frames_only: bool,
}

impl Followed {
    pub(super) const fn new(next: Height) -> Self {
        Self {
            next,
            halted: false,
            asked: None,
            backlog: VecDeque::new(),
            ahead: BTreeMap::new(),
            lacking: BTreeSet::new(),
            stateless: BTreeSet::new(),
            frames_only: false,
        }
    }
}

/// Who a server is.
pub struct Identity {
    /// The key of its connections.
    pub server: ServerId,
    /// The key with which it votes, if it does.
    pub voter: Option<Arc<dyn Signer>>,
    /// Tells what it sends from what it sent before it was started: larger each time.
    pub stream: u64,
    /// Whoever is behind by more frames takes a state instead, if nobody lives here who would miss what the frames say. Usually
    /// [`SNAPSHOT_GAP`].
    pub snapshot_gap: Height,
}

/// More frames than these take longer to execute than a state takes to come.
pub const SNAPSHOT_GAP: Height = 1_000;

/// What a server does for the network of boards: decides, follows, delivers.
pub struct Machine<E> {
    pub(super) env: E,
    pub(super) own: ServerId,
    /// The key with which it votes.
    pub(super) own_key: Option<BlsKey>,
    pub(super) directory: Directory,
    pub(super) shared: Arc<Shared>,
    /// None on a server without a voting key.
    pub(super) host: Option<Host>,
    pub(super) events: VecDeque<Event>,
    pub(super) timers: BTreeMap<TimerId, Duration>,
    pub(super) waiting: BTreeMap<EntityId, Waiting>,
    pub(super) followed: BTreeMap<EntityId, Followed>,
    /// Frames that are still to be built: when it was our turn, nothing waited here yet.
    pub(super) unbuilt: BTreeMap<EntityId, (Height, Round)>,
    /// Servers of entities that are not in the chain spec and spoke to somebody here.
    pub(super) learned: BTreeMap<EntityId, Vec<ServerId>>,
    /// Boards of entities whose first frame is not decided yet.
    pub(super) founding: BTreeMap<EntityId, Board>,
    /// Entities of which the first frame names a board without this server.
    pub(super) foreign: BTreeSet<EntityId>,
    /// Until when the time of an entity has to move, since something here or elsewhere waits for it.
    pub(super) wanted: BTreeMap<EntityId, Timestamp>,
    /// Frames that this server built: it tells everybody when they are decided.
    pub(super) built: BTreeSet<FrameHash>,
    /// Entities on whose boards this server's key is.
    pub(super) seats: BTreeSet<EntityId>,
    /// What it says of its key to others.
    pub(super) claim: Option<VoterClaim>,
    pub(super) post: Post,
    /// Where entities live that the chain spec does not place.
    pub(super) homes: Homes,
    /// What cannot be judged yet.
    pub(super) unproven: Unproven,
    pub(super) delivery: Delivery,
    pub(super) connected: BTreeSet<ServerId>,
    /// States that are on their way here.
    pub(super) fetches: BTreeMap<EntityId, Fetch>,
    /// Servers that gave wrong states, and until when they are not asked for others.
    pub(super) refused: BTreeMap<ServerId, Duration>,
    pub(super) snapshot_gap: Height,
    /// The last slice that was looked at. The durable state may be ahead of it.
    pub(super) seen: SliceNumber,
    /// The last entity of the last digest, if there are more than fit into one.
    pub(super) digest_after: Option<EntityId>,
    heights: Duration,
    tick: Duration,
    repeat: Duration,
}

impl<E: Environment> Machine<E> {
    /// Takes up what the disk holds.
    pub fn start(
        env: E,
        identity: Identity,
        directory: Directory,
        shared: Arc<Shared>,
    ) -> Result<Self, E::Error> {
        let Identity { server: own, voter, stream, snapshot_gap } = identity;
        let network = env.server().facts().network;
        let settings = |signer| Settings { network, timing: Timing::default(), signer };
        let own_key = voter.as_ref().and_then(|voter| match voter.public() {
            PublicKey::Bls(key) => Some(key),
            _ => None,
        });
        let (now, seen) = (env.now(), env.server().slice());
        let claim = voter.as_ref().and_then(|voter| VoterClaim::make(network, own, stream, voter));
        let mut machine = Self {
            env,
            own,
            own_key,
            directory,
            shared,
            host: voter.and_then(|signer| Host::new(settings(signer))),
            events: VecDeque::new(),
            timers: BTreeMap::new(),
            waiting: BTreeMap::new(),
            followed: BTreeMap::new(),
            unbuilt: BTreeMap::new(),
            learned: BTreeMap::new(),
            founding: BTreeMap::new(),
            foreign: BTreeSet::new(),
            wanted: BTreeMap::new(),
            built: BTreeSet::new(),
            seats: BTreeSet::new(),
            claim,
            post: Post::new(Stream(stream)),
            homes: Homes::default(),
            unproven: Unproven::default(),
            delivery: Delivery::new(DeliveryLimits::default()),
            connected: BTreeSet::new(),
            fetches: BTreeMap::new(),
            refused: BTreeMap::new(),
            snapshot_gap,
            seen,
            digest_after: None,
            heights: now.saturating_add(PERIOD),
            tick: now,
            repeat: now,
        };
        machine.resume_voters()?;
        machine.resume_homes()?;
        machine.resume_boards()?;
        machine.resume_post()?;
        Ok(machine)
    }

    /// Takes something that happened. [`Machine::turn`] does what follows from it.
    pub fn take(&mut self, input: Input) -> Result<(), E::Error> {
        match input {
            Input::Connected(server) => self.joined(server),
            Input::Disconnected(server) => {
                self.connected.remove(&server);
                self.delivery.disconnected(server);
                for followed in self.followed.values_mut() {
                    followed.ahead.remove(&server);
                }
            }
            Input::Consensus { from, code: Code::EntityTransaction, bytes } => self.told(from, &bytes)?,
            Input::Consensus { from, bytes, .. } => {
                if let Some(from) = self.directory.key(&from) {
                    self.events.push_back(Event::Received { from, bytes });
                }
            }
            Input::Packet { from, packet } => self.packet(from, packet)?,
            Input::Answer { from, question, answer } => self.answered(from, question, answer)?,
            Input::Call(call) => self.take_call(call, true)?,
            Input::Slice(notice) => self.durable(notice)?,
            Input::GivenBack(notice) => self.given_back(notice)?,
        }
        Ok(())
    }

    /// Does everything that is to be done now.
    pub fn turn(&mut self) -> Result<(), E::Error> {
        let now = self.env.now();
        let elapsed: Vec<TimerId> =
            self.timers.iter().filter(|(_, at)| **at <= now).map(|(timer, _)| *timer).collect();
        for timer in elapsed {
            self.timers.remove(&timer);
            self.events.push_back(Event::Elapsed(timer));
        }
        if now >= self.tick {
            self.due();
            self.due_fetches()?;
            self.tick = now.saturating_add(TICK);
        }
        if now >= self.repeat {
            self.tell_boards_again();
            self.tell_calls_again();
            self.tell_time();
            self.ask_for_frames();
            self.judge_again()?;
            self.repeat = now.saturating_add(REPEAT);
        }
        if now >= self.heights {
            self.ask_heights();
            self.heights = now.saturating_add(PERIOD);
        }
        self.step()?;
        self.deliver()
    }

    /// When there is something to do if nothing happens before.
    #[must_use]
    pub fn wake(&self) -> Duration {
        let timer = self.timers.values().min().copied();
        [timer, self.delivery.wake()]
            .into_iter()
            .flatten()
            .fold(self.tick.min(self.repeat).min(self.heights), Duration::min)
    }

    /// The height of an entity that is being decided here now.
    #[must_use]
    pub fn deciding(&self, entity: &EntityId) -> Option<Height> {
        // What has been taken and not stepped may have ended it.
        let mut active = self.host.as_ref().filter(|_| self.events.is_empty())?.active();
        active.find(|(of, ..)| of == entity).map(|(_, height, _)| height)
    }

    /// The environment.
    pub const fn environment(&mut self) -> &mut E {
        &mut self.env
    }

    /// The durable state, as a handle of its own.
    pub(super) fn state(&self) -> Server {
        self.env.server().clone()
    }

    /// The board of an entity that is followed here, or of one that is being founded.
    pub(super) fn board(&self, entity: &EntityId) -> Option<Board> {
        let known = self.env.server().entity(entity).map(|entity| entity.board().clone());
        known.or_else(|| self.founding.get(entity).cloned())
    }

    fn joined(&mut self, server: ServerId) {
        self.connected.insert(server);
        self.delivery.connected(server);
        self.waiting.values_mut().for_each(|waiting| waiting.moved(self.env.now()));
        self.tell_voter(server);
        self.ask_height(server);
    }

    /// A slice is durable.
    fn durable(&mut self, notice: Notice) -> Result<(), E::Error> {
        for adopted in &notice.adopted {
            self.adopted(adopted)?;
        }
        for frame in &notice.frames {
            self.applied(frame)?;
        }
        if notice.is_kept {
            self.seen = notice.slice;
        }
        let has_followed = !notice.frames.is_empty() || !notice.adopted.is_empty();
        self.send_out(notice.slice, &notice.outbox);
        self.acknowledge()?;
        self.given_back(notice)?;
        if has_followed {
            self.put_held();
            self.judge_again()?;
            self.settle_outbox()?;
        }
        Ok(())
    }

    /// What had no effect of a slice.
    fn given_back(&mut self, notice: Notice) -> Result<(), E::Error> {
        self.unproven.keep_early(notice.early);
        for (entity, error) in notice.unfit {
            self.unfit(entity, &error)?;
        }
        for (entity, error) in notice.unadopted {
            self.unadopted(entity, &error)?;
        }
        Ok(())
    }

    /// Inputs of the clock for entities whose boards vote.
    fn due(&mut self) {
        let DueBoards { ready, awaited } = self.env.server().due_boards(self.env.time(), DUE_MAX);
        for entity in ready.into_iter().chain(awaited) {
            self.events.push_back(Event::Work { entity });
        }
        self.report();
    }
}
