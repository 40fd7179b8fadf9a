//! Many entities with one board of four servers, on virtual time, and a count of what they cost.
//!
//! ```text
//!   calls, letters, timers ─► inbox ─► Host::step ─┬─► Append   a sync; what comes meanwhile is in the next turn
//!                               ▲                  ├─► Send     0.1 to 5 ms to each of the others
//!                               │                  └─► Decided  the author: all frames that wait are one slice
//!                               └──── Applied ◄──── written ◄───── a sync ──────────┘
//! ```
//!
//! As in a node, a server takes everything that has come in one turn, stands still while its log is synced, and its author writes
//! slices beside it. Computing takes no virtual time, so a run says how much there is to do and not how fast a machine does it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use codec::{Decode, Encode};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use xln_consensus::{
    BlsKey, BoardMessage, Body, Content, Effect, Event, Host, Row, Settings, TimerId, Timing, Verdict,
    VoteHistory,
};
use xln_keystore::KeySigner;
use xln_primitives::{
    Board, BoundedVec, Certificate, EntityId, FrameHash, Height, Member, MemberId, Network, Permissions,
    Profile, PublicKey, SecretKey, crypto::bls, keccak256,
};

/// Servers, every one of which votes on every entity.
pub(crate) const SERVERS: usize = 4;
const NETWORK: Network = Network::new([9; 32]);
/// A synced write.
const SYNC_US: u64 = 700;
const DELAY_US: core::ops::Range<u64> = 100..5_000;
/// From a question for frames to their being there.
const CATCH_UP_US: u64 = 20_000;

/// Who is there, and who is called how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) entities: u64,
    /// How many of them are called, spread among the others.
    pub(crate) active: u64,
    /// How often each of these is called.
    pub(crate) call_every_us: u64,
    /// Whether all are called at once instead of one after another.
    pub(crate) at_once: bool,
    /// How often servers tell each other where all entities stand.
    pub(crate) digest_every_us: u64,
    pub(crate) duration_us: u64,
}

/// What a run cost, over all servers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Costs {
    /// Messages between members, and their bytes.
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    /// Turns with rows, each of which is one synced write.
    pub(crate) appends: u64,
    pub(crate) rows: u64,
    /// Slices of decided frames, each of which is one synced write.
    pub(crate) slices: u64,
    /// Frames, counted on every server.
    pub(crate) frames: u64,
    pub(crate) timers: u64,
}

enum Happening {
    Called { active: u64 },
    Work { server: usize, entity: EntityId },
    Arrived { server: usize, event: Event },
    Elapsed { server: usize, timer: TimerId, setting: u64 },
    Turn { server: usize },
    Written { server: usize },
    Fetched { server: usize, from: usize, entity: EntityId },
    Digest,
}

/// What a frame says: whose, which, and how many calls are behind it.
type Toy = (EntityId, Height, u64);
type Frame = (FrameHash, Certificate, Body);

struct Server {
    host: Host,
    key: BlsKey,
    inbox: Vec<Event>,
    /// A turn is planned already.
    is_due: bool,
    busy_until_us: u64,
    timers: BTreeMap<TimerId, u64>,
    frames: BTreeMap<EntityId, Vec<Frame>>,
    /// Calls that came, and those that are in frames.
    called: BTreeMap<EntityId, u64>,
    done: BTreeMap<EntityId, u64>,
    /// Asked to build while nothing waited.
    unbuilt: BTreeMap<EntityId, (Height, u32)>,
    /// Decided, and not in a slice yet; in the slice that is being written.
    decided: Vec<(EntityId, Height, Frame)>,
    writing: Vec<(EntityId, Height, Frame)>,
}

impl Server {
    fn next(&self, entity: &EntityId) -> Height {
        self.frames.get(entity).map_or(0, Vec::len) as Height + 1
    }

    fn waits(&self, entity: &EntityId) -> bool {
        self.called.get(entity) > self.done.get(entity)
    }

    fn built(&self, entity: EntityId, height: Height, round: u32) -> Event {
        let body = (entity, height, self.called[&entity]).encode();
        Event::Built { entity, height, round, frame: hash(&body), body: Arc::new(body) }
    }

    /// A frame is durable here: whether it was not before.
    fn commit(&mut self, entity: EntityId, height: Height, frame: Frame) -> bool {
        let is_next = height == self.next(&entity);
        if is_next {
            let (.., calls) = Toy::decode(&mut &**frame.2).unwrap();
            let done = self.done.entry(entity).or_default();
            *done = calls.max(*done);
            self.frames.entry(entity).or_default().push(frame);
        }
        is_next
    }
}

fn hash(body: &[u8]) -> FrameHash {
    FrameHash::new(*keccak256(body).as_bytes())
}

fn secret(server: usize) -> [u8; 32] {
    [u8::try_from(server + 1).unwrap(); 32]
}

/// All servers.
pub(crate) struct Crowd {
    plan: Plan,
    now_us: u64,
    number: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    random: ChaCha12Rng,
    servers: Vec<Server>,
    board: Board,
    pub(crate) active: BTreeSet<EntityId>,
    /// Entities that were named in any effect.
    pub(crate) named: BTreeSet<EntityId>,
    costs: Costs,
}

impl Crowd {
    pub(crate) fn new(seed: u64, plan: Plan) -> Self {
        let key = |server: usize| {
            let key = SecretKey::Bls(secret(server).into()).public().unwrap();
            let PublicKey::Bls(key) = key else { unreachable!() };
            key
        };
        let member = |server: usize| {
            let possession = Some(bls::prove_possession(&secret(server)).unwrap());
            let id = MemberId::Signer { key: PublicKey::Bls(key(server)), possession };
            Member { id, weight: 1, permissions: Permissions::ALL }
        };
        let members = BoundedVec::truncate_from((0..SERVERS).map(member).collect());
        let board = Board { members, threshold: 1, profile: Profile::Byzantine };
        let server = |number: usize| {
            let signer = Arc::new(KeySigner::new(SecretKey::Bls(secret(number).into())).unwrap());
            let settings = Settings { network: NETWORK, timing: Timing::default(), signer };
            Server {
                host: Host::new(settings).unwrap(),
                key: key(number),
                inbox: Vec::new(),
                is_due: false,
                busy_until_us: 0,
                timers: BTreeMap::new(),
                frames: BTreeMap::new(),
                called: BTreeMap::new(),
                done: BTreeMap::new(),
                unbuilt: BTreeMap::new(),
                decided: Vec::new(),
                writing: Vec::new(),
            }
        };
        // Between two active ones there are as many idle ones as between any other two.
        let active = |number: u64| EntityId::registered((number + 1) << 32);
        let idle = |number: u64| EntityId::registered(((number % plan.active + 1) << 32) + 1 + number);
        let mut crowd = Self {
            plan,
            now_us: 0,
            number: 0,
            queue: BTreeMap::new(),
            random: ChaCha12Rng::seed_from_u64(seed),
            servers: (0..SERVERS).map(server).collect(),
            board,
            active: (0..plan.active).map(active).collect(),
            named: BTreeSet::new(),
            costs: Costs::default(),
        };
        let all: BTreeSet<EntityId> =
            (0..plan.entities - plan.active).map(idle).chain(crowd.active.iter().copied()).collect();
        for server in 0..SERVERS {
            for entity in &all {
                let (board, history) = (crowd.board.clone(), VoteHistory::Whole);
                let event = Event::Follow { entity: *entity, height: 1, board, rows: Vec::new(), history };
                crowd.tell(server, event);
            }
        }
        for number in 0..plan.active {
            let offset_us = if plan.at_once { 0 } else { plan.call_every_us / plan.active * number };
            crowd.after(offset_us, Happening::Called { active: number });
        }
        crowd.after(plan.digest_every_us, Happening::Digest);
        crowd
    }

    /// Runs for the time of the plan, and until everything that was called for is decided.
    pub(crate) fn run(&mut self) -> Costs {
        while let Some(((at_us, _), happening)) = self.queue.pop_first() {
            self.now_us = at_us;
            self.happen(happening);
        }
        let waiting = self.servers.iter().flat_map(|server| server.called.keys().map(move |e| (server, e)));
        assert_eq!(
            waiting.filter(|(server, entity)| server.waits(entity)).count(),
            0,
            "calls that nobody decided"
        );
        self.costs
    }

    fn after(&mut self, delay_us: u64, happening: Happening) {
        self.number += 1;
        self.queue.insert((self.now_us + delay_us, self.number), happening);
    }

    fn delay_us(&mut self) -> u64 {
        DELAY_US.start + self.random.next_u64() % (DELAY_US.end - DELAY_US.start)
    }

    fn tell(&mut self, server: usize, event: Event) {
        self.servers[server].inbox.push(event);
        self.plan_turn(server);
    }

    fn plan_turn(&mut self, server: usize) {
        let Server { is_due, busy_until_us, .. } = &mut self.servers[server];
        if !std::mem::replace(is_due, true) {
            let wait_us = busy_until_us.saturating_sub(self.now_us);
            self.after(wait_us, Happening::Turn { server });
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Called { active } => {
                let entity = *self.active.iter().nth(usize::try_from(active).unwrap()).unwrap();
                for server in 0..SERVERS {
                    let delay_us = self.delay_us();
                    self.after(delay_us, Happening::Work { server, entity });
                }
                if self.now_us + self.plan.call_every_us < self.plan.duration_us {
                    self.after(self.plan.call_every_us, Happening::Called { active });
                }
            }
            Happening::Work { server, entity } => {
                let of = &mut self.servers[server];
                *of.called.entry(entity).or_default() += 1;
                let late = of.unbuilt.remove(&entity);
                let late = late.map(|(height, round)| of.built(entity, height, round));
                self.tell(server, late.unwrap_or(Event::Work { entity }));
            }
            Happening::Arrived { server, event } => self.tell(server, event),
            Happening::Elapsed { server, timer, setting } => {
                if self.servers[server].timers.get(&timer) == Some(&setting) {
                    self.servers[server].timers.remove(&timer);
                    self.tell(server, Event::Elapsed(timer));
                }
            }
            Happening::Turn { server } => self.turn(server),
            Happening::Written { server } => {
                let written = std::mem::take(&mut self.servers[server].writing);
                for (entity, height, frame) in written {
                    self.commit(server, entity, height, frame);
                }
                self.write(server);
            }
            Happening::Fetched { server, from, entity } => {
                let next = self.servers[server].next(&entity);
                let frames = self.servers[from].frames.get(&entity).cloned().unwrap_or_default();
                for (height, frame) in (1..).zip(frames).filter(|(height, _)| *height >= next) {
                    frame.1.verify_frame(NETWORK, &self.board, entity, height, frame.0).unwrap();
                    self.commit(server, entity, height, frame);
                }
                self.tell(server, Event::CatchUpEnded { entity });
            }
            Happening::Digest => self.digest(),
        }
    }

    /// Every server tells every other where it has all entities: one message for all of them, which is not counted.
    fn digest(&mut self) {
        for (from, to) in (0..SERVERS).flat_map(|from| (0..SERVERS).map(move |to| (from, to))) {
            let Server { key: member, host, .. } = &self.servers[from];
            let heights: Vec<_> = host.heights().collect();
            let member = *member;
            for (entity, height) in heights.into_iter().filter(|_| from != to) {
                self.tell(to, Event::Heard { entity, member, height });
            }
        }
        if self.now_us + self.plan.digest_every_us < self.plan.duration_us {
            self.after(self.plan.digest_every_us, Happening::Digest);
        }
    }

    /// Frames are durable: the machine hears of it, and of what is to be decided next.
    fn commit(&mut self, server: usize, entity: EntityId, height: Height, frame: Frame) {
        if !self.servers[server].commit(entity, height, frame) {
            return;
        }
        self.costs.frames += 1;
        self.tell(server, Event::Applied { entity, height, board: self.board.clone() });
        if self.servers[server].waits(&entity) {
            self.tell(server, Event::Work { entity });
        }
    }

    /// The author begins a slice of all that was decided, unless one is being written.
    fn write(&mut self, server: usize) {
        let of = &mut self.servers[server];
        if of.writing.is_empty() && !of.decided.is_empty() {
            of.writing = std::mem::take(&mut of.decided);
            self.costs.slices += 1;
            self.after(SYNC_US, Happening::Written { server });
        }
    }

    fn turn(&mut self, server: usize) {
        let of = &mut self.servers[server];
        of.is_due = false;
        let events = std::mem::take(&mut of.inbox);
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        for effect in of.host.step(events, seed) {
            self.perform(server, effect);
        }
    }

    fn perform(&mut self, server: usize, effect: Effect) {
        match effect {
            Effect::Append { turn, rows } => {
                self.costs.appends += 1;
                self.costs.rows += rows.len() as u64;
                self.named.extend(rows.iter().map(|Row { entity, .. }| *entity));
                self.servers[server].busy_until_us = self.now_us + SYNC_US;
                self.tell(server, Event::Durable { turn });
            }
            Effect::Send { to, bytes } => self.send(server, &to, &bytes),
            Effect::SetTimer { timer, after_ms } => {
                self.costs.timers += 1;
                self.named.insert(timer.entity);
                let setting = self.costs.timers;
                self.servers[server].timers.insert(timer, setting);
                self.after(after_ms * 1_000, Happening::Elapsed { server, timer, setting });
            }
            Effect::CancelTimer { timer } => {
                self.named.insert(timer.entity);
                self.servers[server].timers.remove(&timer);
            }
            Effect::Build { entity, height, round, .. } => {
                self.named.insert(entity);
                let of = &mut self.servers[server];
                if of.waits(&entity) {
                    let built = of.built(entity, height, round);
                    self.tell(server, built);
                } else {
                    of.unbuilt.insert(entity, (height, round));
                }
            }
            Effect::Validate { entity, height, frame, body } => {
                self.named.insert(entity);
                let toy = Toy::decode(&mut &**body).unwrap();
                let is_next = (toy.0, toy.1) == (entity, self.servers[server].next(&entity));
                let verdict = if is_next { Verdict::Valid } else { Verdict::Invalid };
                self.tell(server, Event::Validated { entity, height, frame, verdict });
            }
            Effect::Decided { entity, height, frame, certificate, body } => {
                self.named.insert(entity);
                self.servers[server].decided.push((entity, height, (frame, certificate, body)));
                self.write(server);
            }
            Effect::Answer { to, entity, height } => {
                let of = &self.servers[server];
                let place = usize::try_from(height).unwrap() - 1;
                // It may be in a slice that is not written yet.
                let Some((frame, certificate, body)) =
                    of.frames.get(&entity).and_then(|all| all.get(place)).cloned()
                else {
                    return;
                };
                let content = Content::Decided { frame, certificate, body };
                self.send(server, &[to], &BoardMessage { entity, height, content }.encode());
            }
            Effect::CatchUp { entity, member, .. } => {
                self.named.insert(entity);
                let from = self.server(&member);
                self.after(CATCH_UP_US, Happening::Fetched { server, from, entity });
            }
            effect @ (Effect::Evidence(_) | Effect::Refused { .. } | Effect::Halt { .. }) => {
                panic!("among honest servers: {effect:?}")
            }
        }
    }

    fn server(&self, key: &BlsKey) -> usize {
        self.servers.iter().position(|server| server.key == *key).unwrap()
    }

    fn send(&mut self, server: usize, to: &[BlsKey], bytes: &[u8]) {
        self.named.insert(BoardMessage::from_bytes(bytes).unwrap().entity);
        let from = self.servers[server].key;
        for key in to {
            self.costs.messages += 1;
            self.costs.bytes += bytes.len() as u64;
            let (delay_us, to) = (self.delay_us(), self.server(key));
            let event = Event::Received { from, bytes: bytes.to_vec() };
            self.after(delay_us, Happening::Arrived { server: to, event });
        }
    }
}
