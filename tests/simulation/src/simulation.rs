//! The network and its time.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use xln_integration::Random;
use xln_network::ServerId;
use xln_oracles::{Agreement, Books, Promises, Whole};
use xln_primitives::{EntityId, Height};
use xln_runtime::Server;

use crate::{
    cast::Cast,
    faults,
    happening::{Happening, Schedule},
    liar::Liar,
    links::Links,
    node::Node,
    options::Options,
    users::{Errand, pause},
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
    pub(crate) states: u64,
    pub(crate) successions: u64,
    pub(crate) ids: BTreeMap<ServerId, usize>,
    /// Until which height the books have the entities that several servers execute.
    pub(crate) noted: BTreeMap<EntityId, Height>,
    /// Heights from which on the depositary has another board.
    pub(crate) changed: BTreeSet<Height>,
    pub(crate) schedule: Schedule,
    pub(crate) links: Links,
    pub(crate) liar: Option<Liar>,
    pub(crate) random: Random,
}

impl Simulation {
    pub(crate) fn new(seed: u64, options: Options) -> Self {
        let mut random = Random::new(seed);
        let cast = Cast::new(&options, seed);
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
            states: 0,
            successions: 0,
            noted: BTreeMap::new(),
            changed: BTreeSet::new(),
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
            changes: self.options.changes,
            unlisted: self.options.unlisted,
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
            Happening::Backup { server } => self.nodes[server].back_up(),
            Happening::Restore { server } => {
                self.crash(server);
                self.nodes[server].restore();
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

    /// Whether no call waits and nothing that was said is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.errands.iter().all(|errand| errand.pending.is_none())
    }
}
