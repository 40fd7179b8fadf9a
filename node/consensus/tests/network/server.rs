//! One server: a host, a disk that survives a crash, and a runtime of toy frames.

use std::{collections::BTreeMap, sync::Arc};

use codec::{Decode, Encode};
use xln_consensus::{
    BoardMessage, Body, Content, Effect, Engine, Event, Evidence, Halt, Host, Row, Settings, TimerId, Timing,
    Verdict, VoteHistory,
};
use xln_keystore::KeySigner;
use xln_primitives::{Board, Certificate, FrameHash, Height, SecretKey, keccak256};

use crate::net::{Happening, NETWORK, Net, Reply, entity};

/// A frame of the toy runtime: valid if it follows its parent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Toy {
    pub(crate) height: Height,
    pub(crate) parent: FrameHash,
    pub(crate) nonce: u64,
}

impl Toy {
    pub(crate) fn body(&self) -> Body {
        Arc::new(self.encode())
    }

    pub(crate) fn hash(&self) -> FrameHash {
        hash(&self.encode())
    }
}

pub(crate) fn hash(body: &[u8]) -> FrameHash {
    FrameHash::new(*keccak256(body).as_bytes())
}

pub(crate) type Committed = (FrameHash, Certificate, Body);

pub(crate) struct Server<E: Engine> {
    pub(crate) index: usize,
    pub(crate) life: u32,
    pub(crate) host: Option<Host<E>>,
    pub(crate) frames: Vec<Committed>,
    pub(crate) rows: BTreeMap<[u8; 48], Vec<u8>>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) halted: Option<Halt>,
    pub(crate) wants_height: usize,
    /// What the next start tells the host of earlier votes.
    pub(crate) history: VoteHistory,
    /// Sends nothing that passes this.
    pub(crate) withholds: fn(&Content) -> bool,
    /// Finds every frame of others invalid: a runtime that executes differently.
    pub(crate) disagrees: bool,
    pub(crate) refused: u64,
    pub(crate) builds: Vec<(Height, u32)>,
    secret: [u8; 32],
    unsynced: Vec<(u64, Vec<Row>)>,
    timers: BTreeMap<TimerId, u64>,
    settings: u64,
    nonce: u64,
}

impl<E: Engine> Server<E> {
    pub(crate) fn new(index: usize, secret: [u8; 32]) -> Self {
        Self {
            index,
            life: 0,
            host: None,
            frames: Vec::new(),
            rows: BTreeMap::new(),
            evidence: Vec::new(),
            halted: None,
            wants_height: 0,
            history: VoteHistory::Whole,
            withholds: |_| false,
            disagrees: false,
            refused: 0,
            builds: Vec::new(),
            secret,
            unsynced: Vec::new(),
            timers: BTreeMap::new(),
            settings: 0,
            nonce: 0,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.host.is_some()
    }

    /// The height that comes next.
    pub(crate) fn height(&self) -> Height {
        self.frames.len() as Height + 1
    }

    pub(crate) fn head(&self) -> FrameHash {
        self.frames.last().map_or(FrameHash::ZERO, |(frame, ..)| *frame)
    }

    /// Uses another member's key: what a lock on the key prevents.
    pub(crate) fn steal(&mut self, secret: [u8; 32]) {
        self.secret = secret;
    }

    /// What is not synced is lost, and all memory.
    pub(crate) fn crash(&mut self) {
        self.host = None;
        self.unsynced.clear();
        self.timers.clear();
        self.life += 1;
    }

    /// The disk is lost too.
    pub(crate) fn wipe(&mut self) {
        self.frames.clear();
        self.rows.clear();
    }

    pub(crate) fn restart(&mut self, board: &Board) -> Event {
        let signer = Arc::new(KeySigner::new(SecretKey::Bls(self.secret.into())).unwrap());
        let timing = Timing {
            propose_ms: 300,
            vote_ms: 150,
            rebroadcast_ms: 400,
            per_round_ms: 50,
            wait_ms_max: 2_000,
        };
        self.host = Host::new(Settings { network: NETWORK, timing, signer });
        let rows = self.rows.iter().map(|(key, value)| Row::read(key, value).unwrap()).collect();
        let history = std::mem::replace(&mut self.history, VoteHistory::Whole);
        Event::Follow { entity: entity(), height: self.height(), board: board.clone(), rows, history }
    }

    pub(crate) fn step(&mut self, events: Vec<Event>, seed: [u8; 32]) -> Vec<Effect> {
        self.host.as_mut().map(|host| host.step(events, seed)).unwrap_or_default()
    }

    /// Rows up to this turn reach the disk.
    pub(crate) fn synced(&mut self, turn: u64) {
        let waiting = std::mem::take(&mut self.unsynced);
        for (of, rows) in waiting {
            if of <= turn {
                self.rows.extend(rows.iter().map(|row| (row.key(), row.value())));
            } else {
                self.unsynced.push((of, rows));
            }
        }
    }

    pub(crate) fn elapses(&mut self, timer: &TimerId, setting: u64) -> bool {
        let current = self.timers.get(timer) == Some(&setting);
        if current {
            self.timers.remove(timer);
        }
        current
    }

    pub(crate) fn answer(&mut self, reply: Reply) -> Event {
        match reply {
            Reply::Built { height, round, nonce } => {
                let toy = Toy { height, parent: self.head(), nonce };
                Event::Built { entity: entity(), height, round, frame: toy.hash(), body: toy.body() }
            }
            Reply::Validated { height, frame, body } => {
                let frame = FrameHash::new(frame);
                let verdict = match Toy::decode(&mut &*body) {
                    _ if hash(&body) != frame => Verdict::Mismatch,
                    _ if self.disagrees => Verdict::Invalid,
                    Ok(toy) if (toy.height, toy.parent) == (self.height(), self.head()) => Verdict::Valid,
                    _ => Verdict::Invalid,
                };
                Event::Validated { entity: entity(), height, frame, verdict }
            }
        }
    }

    /// Frames fetched from another, checked and committed.
    pub(crate) fn caught_up(&mut self, from: Height, frames: Vec<Committed>, board: &Board) -> Vec<Event> {
        let mut events = Vec::new();
        for (height, (frame, certificate, body)) in (from..).zip(frames) {
            if height == self.height() {
                certificate.verify_frame(NETWORK, board, entity(), height, frame).unwrap();
                self.commit(frame, certificate, body);
                events.push(Event::Applied { entity: entity(), height, board: board.clone() });
            }
        }
        events.push(Event::CatchUpEnded { entity: entity() });
        events
    }

    /// Frame, certificate and the deletion of the height's log, in one transaction.
    fn commit(&mut self, frame: FrameHash, certificate: Certificate, body: Body) {
        self.synced(u64::MAX);
        self.rows.clear();
        self.frames.push((frame, certificate, body));
    }

    pub(crate) fn perform(net: &mut Net<E>, index: usize, effect: Effect) {
        let life = net.servers[index].life;
        match effect {
            Effect::Append { turn, rows } => {
                if !net.options.forgets_log {
                    net.servers[index].unsynced.push((turn, rows));
                }
                let sync_ms = net.options.sync_ms;
                net.at(sync_ms, Happening::Durable { server: index, life, turn });
            }
            Effect::Send { to, bytes } => {
                let content = BoardMessage::from_bytes(&bytes).unwrap().content;
                if (net.servers[index].withholds)(&content) {
                    return;
                }
                net.oracle.sent(index, &bytes);
                for key in to.iter() {
                    let to = net.member(key);
                    net.send(index, to, &bytes);
                }
            }
            Effect::SetTimer { timer, after_ms } => {
                let server = &mut net.servers[index];
                server.settings += 1;
                let setting = server.settings;
                server.timers.insert(timer, setting);
                net.at(after_ms, Happening::Elapsed { server: index, life, timer, setting });
            }
            Effect::CancelTimer { timer } => {
                net.servers[index].timers.remove(&timer);
            }
            Effect::Build { height, round, .. } => {
                let server = &mut net.servers[index];
                server.builds.push((height, round));
                if server.frames.len() < server.wants_height {
                    server.nonce += 1;
                    let nonce = server.nonce * 1_000 + index as u64;
                    let reply = Box::new(Reply::Built { height, round, nonce });
                    net.at(2, Happening::Answer(index, life, reply));
                }
            }
            Effect::Validate { height, frame, body, .. } => {
                let reply = Reply::Validated { height, frame: *frame.as_bytes(), body: body.to_vec() };
                net.at(2, Happening::Answer(index, life, Box::new(reply)));
            }
            Effect::Decided { height, frame, certificate, body, .. } => {
                net.oracle.decided(entity(), height, frame, &certificate);
                let server = &mut net.servers[index];
                if height != server.height() {
                    return;
                }
                server.commit(frame, certificate, body);
                let more = server.frames.len() < server.wants_height;
                let board = net.board_of(height + 1);
                let mut events = vec![Event::Applied { entity: entity(), height, board }];
                if more {
                    events.push(Event::Work { entity: entity() });
                }
                let effects = net.servers[index].step(events, [7; 32]);
                for effect in effects {
                    Self::perform(net, index, effect);
                }
            }
            Effect::Answer { to, height, .. } => {
                let (frame, certificate, body) =
                    net.servers[index].frames[usize::try_from(height).unwrap() - 1].clone();
                let content = Content::Decided { frame, certificate, body };
                let bytes = BoardMessage { entity: entity(), height, content }.encode();
                let to = net.member(&to);
                net.send(index, to, &bytes);
            }
            Effect::CatchUp { from, member, .. } => {
                let source = net.member(&member);
                net.at(20, Happening::CatchUp { server: index, life, from, source });
            }
            Effect::Evidence(evidence) => {
                assert_eq!(evidence.verify(NETWORK, &net.board), Ok(()));
                net.oracle.evidence(index, &evidence);
                net.servers[index].evidence.push(evidence);
            }
            Effect::Refused { .. } => net.servers[index].refused += 1,
            Effect::Halt { reason, .. } => net.servers[index].halted = Some(reason),
        }
    }
}
