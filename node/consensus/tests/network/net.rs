//! The network and its clock.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use xln_consensus::{BlsKey, BoardMessage, Engine, Event, MemberIndex, TimerId};
use xln_primitives::{
    Board, BoundedVec, EntityId, Height, Member, MemberId, Network, Permissions, Profile, PublicKey,
    SecretKey, Weight, crypto::bls,
};

use xln_oracles::Agreement;

use crate::{byzantine::Equivocator, server::Server};

pub(crate) const NETWORK: Network = Network::new([9; 32]);

pub(crate) fn entity() -> EntityId {
    EntityId::registered(7)
}

pub(crate) fn secret(member: usize) -> [u8; 32] {
    [u8::try_from(member + 1).unwrap(); 32]
}

pub(crate) fn key(member: usize) -> BlsKey {
    let PublicKey::Bls(key) = SecretKey::Bls(secret(member).into()).public().unwrap() else { unreachable!() };
    key
}

pub(crate) fn board(weights: &[Weight], profile: Profile) -> Board {
    let member = |(index, weight): (usize, &Weight)| Member {
        id: MemberId::Signer {
            key: PublicKey::Bls(key(index)),
            possession: Some(bls::prove_possession(&secret(index)).unwrap()),
        },
        weight: *weight,
        permissions: Permissions::ALL,
    };
    let members = weights.iter().enumerate().map(member).collect();
    Board { members: BoundedVec::truncate_from(members), threshold: 1, profile }
}

/// How the network and the disks behave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) loss_percent: u64,
    pub(crate) duplicate_percent: u64,
    pub(crate) delay_ms_max: u64,
    pub(crate) sync_ms: u64,
    /// Rows are acknowledged and not written: what happens without a log.
    pub(crate) forgets_log: bool,
}

pub(crate) const CALM: Options =
    Options { loss_percent: 0, duplicate_percent: 0, delay_ms_max: 5, sync_ms: 1, forgets_log: false };

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Happening {
    Deliver { to: usize, from: BlsKey, bytes: Vec<u8> },
    Elapsed { server: usize, life: u32, timer: TimerId, setting: u64 },
    Durable { server: usize, life: u32, turn: u64 },
    Answer(usize, u32, Box<Reply>),
    CatchUp { server: usize, life: u32, from: Height, source: usize },
    Work { server: usize },
    Crash { server: usize },
    Restart { server: usize },
}

/// The answer of a runtime.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reply {
    Built { height: Height, round: u32, nonce: u64 },
    Validated { height: Height, frame: [u8; 32], body: Vec<u8> },
}

/// Decides whether a message passes: sender, receiver, message.
pub(crate) type Filter = Box<dyn FnMut(usize, usize, &BoardMessage) -> bool>;

pub(crate) struct Net<E: Engine> {
    pub(crate) now_ms: u64,
    pub(crate) options: Options,
    pub(crate) servers: Vec<Server<E>>,
    pub(crate) oracle: Agreement,
    pub(crate) filter: Filter,
    pub(crate) equivocator: Option<Equivocator>,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) board: Board,
    changed: Option<(Height, Board)>,
    keys: BTreeMap<BlsKey, usize>,
    queue: BinaryHeap<Reverse<(u64, u64, Happening)>>,
    number: u64,
    random: ChaCha12Rng,
}

impl<E: Engine> Net<E> {
    pub(crate) fn new(seed: u64, board: Board, options: Options) -> Self {
        let members = board.members.len();
        let mut oracle = Agreement::new(NETWORK);
        oracle.board(entity(), 1, board.clone());
        let mut net = Self {
            now_ms: 0,
            options,
            servers: (0..members).map(|index| Server::new(index, secret(index))).collect(),
            oracle,
            filter: Box::new(|_, _, _| true),
            equivocator: None,
            messages: 0,
            bytes: 0,
            board,
            changed: None,
            keys: (0..members).map(|index| (key(index), index)).collect(),
            queue: BinaryHeap::new(),
            number: 0,
            random: ChaCha12Rng::seed_from_u64(seed),
        };
        for server in 0..members {
            net.at(0, Happening::Restart { server });
        }
        net
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.random.next_u64() % bound.max(1)
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn at(&mut self, after_ms: u64, happening: Happening) {
        self.number += 1;
        self.queue.push(Reverse((self.now_ms + after_ms, self.number, happening)));
    }

    pub(crate) fn member(&self, key: &BlsKey) -> usize {
        self.keys[key]
    }

    /// Puts a message on the wire.
    pub(crate) fn send(&mut self, from: usize, to: usize, bytes: &[u8]) {
        self.messages += 1;
        self.bytes += bytes.len() as u64;
        let message = BoardMessage::from_bytes(bytes).unwrap();
        let Options { loss_percent, duplicate_percent, delay_ms_max, .. } = self.options;
        if !(self.filter)(from, to, &message) {
            return;
        }
        let copies = 1 + u64::from(self.chance(duplicate_percent));
        for _ in 0..copies {
            if !self.chance(loss_percent) {
                let delay_ms = 1 + self.below(delay_ms_max);
                self.at(delay_ms, Happening::Deliver { to, from: key(from), bytes: bytes.to_vec() });
            }
        }
    }

    /// Another board decides from `height` on.
    pub(crate) fn change_board(&mut self, height: Height, board: Board) {
        self.oracle.board(entity(), height, board.clone());
        self.changed = Some((height, board));
    }

    /// The board that decides `height`.
    pub(crate) fn board_of(&self, height: Height) -> Board {
        match &self.changed {
            Some((from, board)) if height >= *from => board.clone(),
            _ => self.board.clone(),
        }
    }

    /// One member lies from now on.
    pub(crate) fn corrupt(&mut self, liar: usize) {
        self.oracle.liar(entity(), MemberIndex(u16::try_from(liar).unwrap()));
        self.equivocator = Some(Equivocator::new(liar));
    }

    /// Members tell each other their heights, as servers do from time to time.
    pub(crate) fn digest(&mut self) {
        let heights: Vec<_> =
            self.servers.iter().map(|server| (key(server.index), server.height())).collect();
        for to in 0..self.servers.len() {
            let heard = heights.iter().enumerate().filter(|(from, _)| *from != to);
            let events = heard
                .map(|(_, (member, height))| Event::Heard {
                    entity: entity(),
                    member: *member,
                    height: *height,
                })
                .collect();
            self.turn(to, events);
        }
    }

    /// Lets `duration_ms` pass. Everything that happens to one server in one millisecond is one turn.
    pub(crate) fn run(&mut self, duration_ms: u64) {
        let end_ms = self.now_ms + duration_ms;
        while let Some(Reverse((at_ms, _, _))) = self.queue.peek()
            && *at_ms <= end_ms
        {
            let at_ms = *at_ms;
            self.now_ms = at_ms;
            let mut events: BTreeMap<usize, Vec<Event>> = BTreeMap::new();
            while let Some(Reverse((when, _, _))) = self.queue.peek()
                && *when == at_ms
            {
                let Some(Reverse((_, _, happening))) = self.queue.pop() else { break };
                self.happen(happening, &mut events);
            }
            for (server, events) in events {
                self.turn(server, events);
            }
        }
        self.now_ms = end_ms;
    }

    /// Runs until every server has committed `height` or `limit_ms` passed; whether they did.
    pub(crate) fn run_until(&mut self, height: usize, limit_ms: u64) -> bool {
        let end_ms = self.now_ms + limit_ms;
        while self.now_ms < end_ms {
            if self.honest().all(|server| server.frames.len() >= height) {
                return true;
            }
            self.run(50);
        }
        false
    }

    pub(crate) fn honest(&self) -> impl Iterator<Item = &Server<E>> {
        let liar = self.equivocator.as_ref().map(|liar| liar.index);
        self.servers.iter().filter(move |server| Some(server.index) != liar)
    }

    /// A call reaches every server, as calls do.
    pub(crate) fn work(&mut self) {
        for server in 0..self.servers.len() {
            self.at(0, Happening::Work { server });
        }
    }

    /// Calls keep arriving: a new one whenever a frame was committed.
    pub(crate) fn work_until(&mut self, height: usize) {
        for server in &mut self.servers {
            server.wants_height = height;
        }
        self.work();
    }

    /// Where every server stands, for the message of a failure.
    pub(crate) fn status(&self) -> Vec<String> {
        let of = |server: &Server<E>| {
            let active: Option<Vec<_>> = server
                .host
                .as_ref()
                .map(|host| host.active().map(|(_, height, round)| (height, round)).collect());
            format!("{} frames, active {active:?}, halted {:?}", server.frames.len(), server.halted)
        };
        self.servers.iter().map(of).collect()
    }

    /// Fails on whatever was violated so far.
    #[track_caller]
    pub(crate) fn judge(&mut self, context: &str) {
        self.oracle.judge_evidence();
        assert_eq!(self.oracle.violations, Vec::<String>::new(), "{context}");
    }

    fn happen(&mut self, happening: Happening, events: &mut BTreeMap<usize, Vec<Event>>) {
        let liar = self.equivocator.as_ref().map(|liar| liar.index);
        let alive = |net: &Self, server: usize, life: u32| {
            net.servers[server].is_up() && net.servers[server].life == life
        };
        match happening {
            Happening::Deliver { to, from, bytes } => {
                if Some(to) != liar && self.servers[to].is_up() {
                    let height = self.servers[to].height();
                    self.oracle.delivered(to, height, &bytes);
                    events.entry(to).or_default().push(Event::Received { from, bytes });
                }
            }
            Happening::Elapsed { server, life, timer, setting } => {
                if alive(self, server, life) && self.servers[server].elapses(&timer, setting) {
                    events.entry(server).or_default().push(Event::Elapsed(timer));
                }
            }
            Happening::Durable { server, life, turn } => {
                if alive(self, server, life) {
                    self.servers[server].synced(turn);
                    events.entry(server).or_default().push(Event::Durable { turn });
                }
            }
            Happening::Answer(server, life, reply) => {
                if alive(self, server, life) {
                    let event = self.servers[server].answer(*reply);
                    events.entry(server).or_default().push(event);
                }
            }
            Happening::CatchUp { server, life, from, source } => {
                if alive(self, server, life) {
                    let frames = self.servers[source].frames.iter().skip(usize::try_from(from).unwrap() - 1);
                    let frames: Vec<_> = frames.cloned().collect();
                    let board = self.board.clone();
                    let caught_up = self.servers[server].caught_up(from, frames, &board);
                    events.entry(server).or_default().extend(caught_up);
                }
            }
            Happening::Work { server } => {
                if self.servers[server].is_up() && Some(server) != liar {
                    events.entry(server).or_default().push(Event::Work { entity: entity() });
                }
            }
            Happening::Crash { server } => {
                self.servers[server].crash();
                self.oracle.crashed(server);
            }
            Happening::Restart { server } => {
                if !self.servers[server].is_up() && Some(server) != liar {
                    let board = self.board.clone();
                    let event = self.servers[server].restart(&board);
                    events.entry(server).or_default().push(event);
                }
            }
        }
    }

    fn turn(&mut self, server: usize, events: Vec<Event>) {
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        let effects = self.servers[server].step(events, seed);
        for effect in effects {
            Server::perform(self, server, effect);
        }
        if let Some(mut liar) = self.equivocator.take() {
            liar.watch(self, server);
            self.equivocator = Some(liar);
        }
    }
}
