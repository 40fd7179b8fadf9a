//! The network and its time.

use std::{collections::BTreeMap, time::Duration};

use xln_consensus::BoardMessage;
use xln_integration::Random;
use xln_network::ServerId;
use xln_node::consortium::Input;
use xln_oracles::{Agreement, Books, Promises, Whole};
use xln_primitives::{Board, EntityId, Height};
use xln_runtime::{Executed, Server, authenticate_calls, invariants};

use crate::{
    cast::Cast,
    faults,
    happening::{Happening, Schedule},
    liar::Liar,
    links::Links,
    node::Node,
    options::Options,
    site::{Crash, clock},
    users::{Errand, pause},
    wire::{Sent, Wire},
};

pub(crate) struct Simulation {
    pub(crate) now: Duration,
    pub(crate) options: Options,
    pub(crate) cast: Cast,
    pub(crate) nodes: Vec<Node>,
    pub(crate) errands: Vec<Errand>,
    /// Whether users begin new things.
    pub(crate) busy: bool,
    pub(crate) agreement: Agreement,
    pub(crate) books: Books,
    pub(crate) promises: Promises,
    pub(crate) violations: Vec<String>,
    pub(crate) messages: u64,
    pub(crate) evidence: u64,
    ids: BTreeMap<ServerId, usize>,
    /// Until which height the books have the entities that several servers execute.
    noted: BTreeMap<EntityId, Height>,
    schedule: Schedule,
    links: Links,
    liar: Option<Liar>,
    random: Random,
}

impl Simulation {
    pub(crate) fn new(seed: u64, options: Options) -> Self {
        let mut random = Random::new(seed);
        let cast = Cast::new(options.validators, options.boards, seed);
        let mut skew = || {
            let most = options.skew_ms_max;
            i64::try_from(random.between(0, 2 * most)).unwrap() - i64::try_from(most).unwrap()
        };
        let nodes: Vec<Node> =
            (0..cast.servers()).map(|index| Node::new(index, &cast, skew(), options.mutation)).collect();
        let genesis = Whole::new(nodes.iter().map(|node| &node.genesis));
        let books = Books::open(&genesis, &cast.owners());
        let mut agreement = Agreement::new(cast.genesis.network);
        let liar = options.lies.then(|| Liar::new(&cast, options.validators - 1));
        for (entity, board) in cast.boards() {
            agreement.board(entity, 1, board);
            if let Some(liar) = &liar {
                agreement.liar(entity, liar.member());
            }
        }
        let mut schedule = Schedule::default();
        for server in 0..nodes.len() {
            schedule.at(Duration::ZERO, Happening::Start { server });
        }
        for user in 0..cast.users.len() {
            schedule.at(pause(&mut random, false), Happening::Act { user });
        }
        faults::schedule(&options, &mut random, &mut schedule);
        Self {
            now: Duration::ZERO,
            ids: nodes.iter().map(|node| (node.id, node.index)).collect(),
            errands: cast.users.iter().map(|_| Errand::default()).collect(),
            nodes,
            busy: true,
            agreement,
            books,
            promises: Promises::default(),
            violations: Vec::new(),
            messages: 0,
            evidence: 0,
            noted: BTreeMap::new(),
            schedule,
            links: Links::default(),
            liar,
            random,
            cast,
            options,
        }
    }

    /// Lets time pass until `end`.
    pub(crate) fn run_until(&mut self, end: Duration) {
        while let Some((at, happening)) = self.schedule.next(end) {
            self.now = self.now.max(at);
            self.happen(happening);
        }
        self.now = end;
    }

    /// From now on nothing goes wrong any more.
    pub(crate) fn calm(&mut self) {
        self.options = Options { faulty_ms: 0, delay_ms_max: 30, ..self.calmed() };
        self.links.heal();
        for node in &mut self.nodes {
            node.paused_until = node.paused_until.min(self.now);
            if let Some(running) = &mut node.running {
                running.machine.environment().fails_at = None;
            }
        }
        for server in 0..self.nodes.len() {
            self.schedule.at(self.now, Happening::Start { server });
            self.link_all(server);
        }
    }

    fn calmed(&self) -> Options {
        Options {
            validators: self.options.validators,
            boards: self.options.boards,
            mutation: self.options.mutation,
            lies: self.options.lies,
            settled_ms: self.options.settled_ms,
            ..Options::calm()
        }
    }

    /// What is on all disks.
    pub(crate) fn whole(&mut self) -> Option<Vec<Server>> {
        self.nodes.iter_mut().map(|node| node.state().cloned()).collect()
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrive { from, to, wire } => self.arrive(from, to, wire),
            Happening::Wake { server, life } => {
                let node = &mut self.nodes[server];
                if node.life == life && node.wakes_at == Some(self.now) {
                    node.wakes_at = None;
                    self.turn(server);
                }
            }
            Happening::Synced { server, life } => self.synced(server, life),
            Happening::Link { one, other } => self.link(one, other),
            Happening::Unlink { server, other } => self.unlink(server, other),
            Happening::Act { user } => self.act(user),
            Happening::Crash { server } => self.crash(server),
            Happening::Wipe { server } => {
                self.crash(server);
                self.nodes[server].wipe();
            }
            Happening::Start { server } => {
                let seed = self.random.number();
                if self.nodes[server].start(self.now, seed) {
                    self.check(server);
                    self.link_all(server);
                    self.turn(server);
                }
            }
            Happening::FailDisk { server, after, written } => {
                if let Some(running) = &mut self.nodes[server].running {
                    running.machine.environment().fails_at = Some((after, written));
                }
            }
            Happening::Pause { server, until } => self.nodes[server].paused_until = until,
            Happening::Partition { part, one_way } => self.partition(&part, one_way),
            Happening::Heal => {
                self.links.heal();
                (0..self.nodes.len()).for_each(|server| self.link_all(server));
            }
        }
    }

    // ------------------------------------------------------------------ servers

    /// Gives a server something, as soon as it is awake.
    fn take(&mut self, server: usize, input: Input) {
        let Some(running) = &mut self.nodes[server].running else { return };
        running.machine.environment().now = self.now;
        match running.machine.take(input) {
            Ok(()) => self.turn(server),
            Err(Crash) => self.crash(server),
        }
    }

    fn turn(&mut self, server: usize) {
        let node = &mut self.nodes[server];
        if !node.is_awake(self.now) {
            if node.running.is_some() {
                let (at, life) = (node.paused_until, node.life);
                node.wakes_at = Some(at);
                self.schedule.at(at, Happening::Wake { server, life });
            }
            return;
        }
        match node.turn(self.now) {
            Ok(false) => {}
            Ok(true) => {
                let after = Duration::from_millis(self.random.between(1, self.options.sync_ms_max.max(1)));
                let life = self.nodes[server].life;
                self.schedule.at(self.now + after, Happening::Synced { server, life });
            }
            // What left before is under way.
            Err(Crash) => {
                self.flush(server);
                self.crash(server);
                return;
            }
        }
        self.flush(server);
        self.wake_later(server);
    }

    fn wake_later(&mut self, server: usize) {
        let now = self.now;
        let node = &mut self.nodes[server];
        let Some(running) = &mut node.running else { return };
        let at = running.machine.wake().max(now + Duration::from_millis(1));
        if node.wakes_at.is_none_or(|before| at < before || before <= now) {
            node.wakes_at = Some(at);
            self.schedule.at(at, Happening::Wake { server, life: node.life });
        }
    }

    fn synced(&mut self, server: usize, life: u32) {
        let node = &mut self.nodes[server];
        if node.life != life || node.running.is_none() {
            return;
        }
        if let Some(running) = &mut node.running {
            running.machine.environment().now = self.now;
        }
        match node.synced() {
            Ok(slices) => {
                for executed in slices {
                    self.durable(server, &executed);
                }
                self.turn(server);
            }
            Err(Crash) => self.crash(server),
        }
    }

    /// The judges look at what became durable.
    fn durable(&mut self, server: usize, executed: &Executed) {
        for frame in &executed.slice.frames {
            let (entity, height) = (frame.body.entity, frame.body.height);
            self.agreement.decided(entity, height, frame.header.hash(), &frame.certificate);
        }
        let hosted = self.nodes[server].hosted(&self.cast);
        let noted = &self.noted;
        // Several servers execute what a board decided; the books take each frame once.
        let fresh = |entity: &EntityId, height: Height| {
            hosted.contains(entity) || height > noted.get(entity).copied().unwrap_or(0)
        };
        self.books.take_note(executed, fresh);
        for frame in &executed.slice.frames {
            let noted = self.noted.entry(frame.body.entity).or_default();
            *noted = frame.body.height.max(*noted);
        }
        for (entity, error) in &executed.unfit {
            if !matches!(error, xln_runtime::BodyError::OtherHeight { .. }) {
                self.violations.push(format!("server {server}: a frame of {entity} does not fit: {error}"));
            }
        }
        for (user, errand) in self.cast.users.iter().zip(&mut self.errands) {
            let Some(call) = errand.pending.as_ref().filter(|_| user.home == server) else { continue };
            let hash = call.hash();
            let decided = executed.slice.frames.iter().flat_map(|frame| &frame.body.calls);
            if executed.slice.calls.iter().chain(decided).any(|executed| executed.hash() == hash) {
                if let Err(violation) = self.promises.included(call) {
                    self.violations.push(violation);
                }
                errand.finish();
            }
        }
    }

    fn crash(&mut self, server: usize) {
        self.nodes[server].crash();
        self.agreement.crashed(server);
        self.links.forget(server);
        for other in 0..self.nodes.len() {
            let after = Duration::from_millis(self.random.between(1, 200));
            self.schedule.at(self.now + after, Happening::Unlink { server: other, other: server });
        }
        // A process that ended by itself is started again.
        let after = Duration::from_millis(self.random.between(100, 1_500));
        self.schedule.at(self.now + after, Happening::Start { server });
    }

    /// What a server has after a start: its invariants hold and nothing that was acknowledged is missing.
    pub(crate) fn check(&mut self, server: usize) {
        let Some(state) = self.nodes[server].state().cloned() else { return };
        if let Err(violation) = invariants::check(&state) {
            self.violations.push(format!("server {server}: {violation}"));
        }
        let told = |entity: &EntityId| {
            let mut users = self.cast.users.iter();
            users.any(|user| user.home == server && user.actor.id == *entity)
        };
        if let Err(violation) = self.promises.kept(&(&state).into(), told) {
            self.violations.push(format!("server {server}: {violation}"));
        }
    }

    // ------------------------------------------------------------------ network

    fn link_all(&mut self, server: usize) {
        for other in (0..self.nodes.len()).filter(|other| *other != server) {
            let after = Duration::from_millis(self.random.between(1, 300));
            self.schedule.at(self.now + after, Happening::Link { one: server, other });
        }
    }

    fn link(&mut self, one: usize, other: usize) {
        let open = self.links.passes(one, other) && self.links.passes(other, one);
        if !open || [one, other].iter().any(|server| self.nodes[*server].running.is_none()) {
            return;
        }
        for (server, other) in [(one, other), (other, one)] {
            if self.links.connect(server, other) {
                let id = self.nodes[other].id;
                self.take(server, Input::Connected(id));
            }
        }
    }

    fn unlink(&mut self, server: usize, other: usize) {
        let open = self.links.passes(server, other) && self.links.passes(other, server);
        // It may have come back before anybody noticed.
        let again = open && self.nodes[other].running.is_some() && self.links.is_connected(other, server);
        if !again && self.links.disconnect(server, other) {
            let id = self.nodes[other].id;
            self.take(server, Input::Disconnected(id));
            self.schedule.at(self.now + Duration::from_millis(100), Happening::Link { one: server, other });
        }
    }

    fn partition(&mut self, part: &[usize], one_way: bool) {
        self.links.partition(part, self.nodes.len(), one_way);
        if one_way {
            // Nobody notices for a while, and in the simulation for ever: worse than any real connection.
            return;
        }
        for server in 0..self.nodes.len() {
            for other in 0..self.nodes.len() {
                if !self.links.passes(server, other) {
                    let after = Duration::from_millis(self.random.between(100, 1_000));
                    self.schedule.at(self.now + after, Happening::Unlink { server, other });
                }
            }
        }
    }

    /// Puts on the wire what a server sent.
    fn flush(&mut self, server: usize) {
        let Some(running) = &mut self.nodes[server].running else { return };
        let site = running.machine.environment();
        let (sent, evidence) = (core::mem::take(&mut site.sent), core::mem::take(&mut site.evidence));
        for evidence in evidence {
            let boards = self.cast.boards();
            let proves = |board: &Board| evidence.verify(self.cast.genesis.network, board).is_ok();
            if !boards.iter().any(|(_, board)| proves(board)) {
                self.violations.push(format!("S4: evidence of server {server} proves nothing"));
            }
            self.agreement.evidence(server, &evidence);
            self.evidence += 1;
        }
        for sent in sent {
            match sent {
                Sent::To(to, wire) => {
                    if let Some(to) = self.ids.get(&to).copied() {
                        self.send(server, to, wire);
                    }
                }
                Sent::Everybody(wire) => {
                    for to in (0..self.nodes.len()).filter(|to| *to != server) {
                        self.send(server, to, wire.clone());
                    }
                }
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, wire: Wire) {
        let liar = self.liar.as_mut().filter(|liar| liar.index == from && self.options.faulty_ms > 0);
        let wires = match (liar, self.nodes[from].state()) {
            (Some(liar), Some(state)) => {
                let mut wires = liar.twist(wire, &state.clone(), &mut self.random);
                if self.random.chance(2) {
                    wires.push(Liar::gossip(&mut self.random));
                }
                wires
            }
            _ => vec![wire],
        };
        for wire in wires {
            if let Wire::Consensus { bytes, .. } = &wire {
                self.agreement.sent(from, bytes);
            }
            self.carry(from, to, &wire);
        }
    }

    fn carry(&mut self, from: usize, to: usize, wire: &Wire) {
        self.messages += 1;
        if !self.links.passes(from, to) || !self.links.is_connected(from, to) {
            return;
        }
        let copies = 1 + u64::from(self.random.chance(self.options.duplicate_percent));
        for _ in 0..copies {
            if !self.random.chance(self.options.loss_percent) {
                let after = Duration::from_millis(self.random.between(1, self.options.delay_ms_max.max(1)));
                self.schedule.at(self.now + after, Happening::Arrive { from, to, wire: wire.clone() });
            }
        }
    }

    fn arrive(&mut self, from: usize, to: usize, wire: Wire) {
        let node = &mut self.nodes[to];
        if node.running.is_none() || !self.links.is_connected(to, from) {
            return;
        }
        if !node.is_awake(self.now) {
            let at = node.paused_until;
            self.schedule.at(at, Happening::Arrive { from, to, wire });
            return;
        }
        let id = self.nodes[from].id;
        match wire {
            Wire::Consensus { code, bytes } => {
                self.heard(to, &bytes);
                self.take(to, Input::Consensus { from: id, code, bytes });
            }
            Wire::Packet(packet) => self.take(to, Input::Packet { from: id, packet }),
            Wire::Answer { question, answer } => {
                self.take(to, Input::Answer { from: id, question, answer });
            }
            Wire::Question(question) => {
                let Some(running) = &mut self.nodes[to].running else { return };
                running.machine.environment().now = self.now;
                match running.answer(id, &question) {
                    Ok(answer) => {
                        self.send(to, from, Wire::Answer { question, answer });
                        self.turn(to);
                    }
                    Err(Crash) => self.crash(to),
                }
            }
            Wire::Gossip { topic, bytes } => {
                let Some(running) = &mut self.nodes[to].running else { return };
                running.machine.environment().now = self.now;
                running.machine.gossip(topic, &bytes, id);
                self.turn(to);
            }
        }
    }

    /// A double vote that a server hears while it decides the height must become evidence.
    fn heard(&mut self, server: usize, bytes: &[u8]) {
        let is_liar = self.liar.as_ref().is_some_and(|liar| liar.index == server);
        let Ok(message) = BoardMessage::from_bytes(bytes) else { return };
        let Some(running) = &self.nodes[server].running else { return };
        if let Some(height) = running.machine.deciding(&message.entity).filter(|_| !is_liar) {
            self.agreement.delivered(server, height, bytes);
        }
    }

    // ------------------------------------------------------------------ users

    fn act(&mut self, user: usize) {
        let who = &self.cast.users[user];
        let after = pause(&mut self.random, who.is_board());
        self.schedule.at(self.now + after, Happening::Act { user });
        let errand = &mut self.errands[user];
        if errand.pending.is_none() && self.busy {
            errand.begin(&self.cast, who, &mut self.random);
        }
        let Some(call) = errand.pending.clone() else { return };
        let node = &mut self.nodes[who.home];
        if !node.is_awake(self.now) {
            return;
        }
        let (home, now) = (who.home, clock(self.now, node.skew_ms));
        let authentic = authenticate_calls(vec![call], self.cast.genesis.network, now, self.random.bytes());
        let Some(running) = &mut self.nodes[home].running else { return };
        let is_board = who.is_board();
        let mut crashed = false;
        for call in authentic {
            if is_board {
                running.machine.environment().now = self.now;
                crashed |= running.machine.take(Input::Call(call.unwrap())).is_err();
            } else {
                running.author.submit(call.unwrap());
            }
        }
        if crashed {
            self.crash(home);
        } else {
            self.turn(home);
        }
    }

    /// Whether no call waits and nothing that was said is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.errands.iter().all(|errand| errand.pending.is_none())
    }
}
