//! One server: a machine, an author and a disk while it is up, a disk otherwise.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use codec::Encode;
use xln_integration::{Keys, Random};
use xln_keystore::{KeySigner, Signer};
use xln_network::{Answer, Question, ServerId};
use xln_node::consortium::{Directory, Identity, Input, Machine, Notice, Serving, Shared};
use xln_primitives::EntityId;
use xln_runtime::{Executed, Server};

use crate::{
    author::{Author, Step, is_snapshot},
    cast::{Cast, connection_key},
    disk::{Disk, Line, Outbox, said},
    options::Mutation,
    site::{Crash, Marks, Site},
};

/// Frames that a server may miss before it takes a state instead; few, since runs are short.
const SNAPSHOT_GAP: u64 = 5;

/// A running server.
pub(crate) struct Running {
    pub(crate) machine: Machine<Site>,
    pub(crate) author: Author,
    pub(crate) shared: Arc<Shared>,
    serving: Serving,
}

impl Running {
    /// Answers another server's question.
    pub(crate) fn answer(&mut self, from: ServerId, question: &Question) -> Result<Answer, Crash> {
        if let Question::Snapshot { .. } | Question::Chunk { .. } = question {
            let Site { server, now, disk, .. } = self.machine.environment();
            let handovers = |entity: &EntityId| disk.handovers(entity);
            return Ok(self.serving.answer((server, handovers), *now, from, question));
        }
        self.machine.answer(from, question)
    }
}

/// A server.
pub(crate) struct Node {
    pub(crate) index: usize,
    pub(crate) id: ServerId,
    /// Counts its starts.
    pub(crate) life: u32,
    pub(crate) running: Option<Running>,
    /// Nothing happens here before.
    pub(crate) paused_until: Duration,
    /// When its machine wakes next.
    pub(crate) wakes_at: Option<Duration>,
    pub(crate) skew_ms: i64,
    pub(crate) genesis: Server,
    directory: Directory,
    keys: Keys,
    voter: Option<Arc<dyn Signer>>,
    /// While it is down.
    disk: Option<Disk>,
    marks: Marks,
    /// The last copy of it.
    backup: Option<Disk>,
    /// Whether it ever went back: to a copy, or to nothing.
    pub(crate) set_back: bool,
    /// Whether the operator says so at the next start.
    declares: bool,
    mutation: Option<Mutation>,
}

impl Node {
    pub(crate) fn new(index: usize, cast: &Cast, skew_ms: i64, mutation: Option<Mutation>) -> Self {
        let genesis = cast.genesis_of(index).build().unwrap();
        let voter = cast.voter(index).map(|secret| {
            let signer: Arc<dyn Signer> = Arc::new(KeySigner::new(secret).unwrap());
            signer
        });
        Self {
            index,
            id: ServerId::new(connection_key(index)),
            life: 0,
            running: None,
            paused_until: Duration::ZERO,
            wakes_at: None,
            skew_ms,
            directory: Directory::new(&cast.known_servers()).unwrap(),
            keys: Keys::new(cast.genesis.network, &cast.hosted(index)),
            voter,
            disk: Some(Disk::new(genesis.clone())),
            marks: Marks::new(),
            backup: None,
            set_back: false,
            declares: false,
            genesis,
            mutation,
        }
    }

    /// Starts it from its disk. False if it is up.
    pub(crate) fn start(&mut self, now: Duration, seed: u64) -> bool {
        let Some(disk) = self.disk.take() else { return false };
        self.life += 1;
        self.wakes_at = None;
        let (server, mut outbox) = disk.recover();
        if self.mutation == Some(Mutation::OutboxForgets) {
            outbox = Outbox::new();
        }
        let site = Site {
            now,
            skew_ms: self.skew_ms,
            random: Random::new(seed),
            server: server.clone(),
            outbox,
            keys: self.keys.clone(),
            disk,
            marks: self.marks.clone(),
            declares: core::mem::take(&mut self.declares),
            fails_at: None,
            mutation: self.mutation,
            frames: std::collections::VecDeque::new(),
            adoptions: Vec::new(),
            messages: Vec::new(),
            sent: Vec::new(),
            evidence: Vec::new(),
        };
        let identity = Identity {
            server: self.id,
            voter: self.voter.clone(),
            stream: self.life.into(),
            snapshot_gap: SNAPSHOT_GAP,
        };
        let shared = Arc::new(Shared::default());
        let machine = Machine::start(site, identity, self.directory.clone(), Arc::clone(&shared));
        let machine = machine.unwrap_or_else(|error| panic!("server {} does not start: {error}", self.index));
        self.running =
            Some(Running { machine, author: Author::new(server, now), shared, serving: Serving::default() });
        true
    }

    /// It ends at once; what was not synced is gone.
    pub(crate) fn crash(&mut self) {
        if let Some(mut running) = self.running.take() {
            let empty = Disk::new(self.genesis.clone());
            let site = running.machine.environment();
            self.disk = Some(core::mem::replace(&mut site.disk, empty));
            self.marks = core::mem::take(&mut site.marks);
        }
    }

    /// Its disk is lost while it is down. The marks of its votes are not, since they are kept with the keys.
    pub(crate) fn wipe(&mut self) {
        if self.disk.is_some() {
            self.disk = Some(Disk::new(self.genesis.clone()));
            self.set_back = true;
        }
    }

    /// Copies what is on its disk now.
    pub(crate) fn back_up(&mut self) {
        let running = self.running.as_mut().map(|running| &running.machine.environment().disk);
        self.backup = running.or(self.disk.as_ref()).cloned();
    }

    /// The copy takes the place of its disk while it is down, and the operator says so. The marks of its votes stay.
    pub(crate) fn restore(&mut self) {
        if let (Some(_), Some(backup)) = (&self.disk, &self.backup) {
            self.disk = Some(backup.clone());
            self.set_back = true;
            if self.mutation == Some(Mutation::SilentRestore) {
                self.marks.clear();
            } else {
                self.declares = true;
            }
        }
    }

    /// Whether it does something now.
    pub(crate) fn is_awake(&self, now: Duration) -> bool {
        self.running.is_some() && self.paused_until <= now
    }

    /// The durable state.
    pub(crate) fn state(&mut self) -> Option<&Server> {
        self.running.as_mut().map(|running| &running.machine.environment().server)
    }

    /// Everything that is on its disk, while it is up.
    pub(crate) fn disk(&mut self) -> Option<&Disk> {
        self.running.as_mut().map(|running| &running.machine.environment().disk)
    }

    /// Lets the machine and the author do what there is to do. Whether the author has something new to sync.
    pub(crate) fn turn(&mut self, now: Duration) -> Result<bool, Crash> {
        let Some(Running { machine, author, .. }) = &mut self.running else { return Ok(false) };
        machine.environment().now = now;
        machine.turn()?;
        Ok(author.work(machine.environment(), &self.keys))
    }

    /// What the author executed so far is on disk. Returns the slices.
    pub(crate) fn synced(&mut self) -> Result<Vec<Executed>, Crash> {
        let Some(Running { machine, author, .. }) = &mut self.running else { return Ok(Vec::new()) };
        let mut slices = Vec::new();
        for step in author.pending.drain(..) {
            let site = machine.environment();
            match step {
                // Nothing has changed: what came is to be brought again, or did not fit.
                Step::Slice(executed) if executed.frames == 0 => {
                    machine.take(Input::Slice(Notice::from(executed.as_ref())))?;
                    slices.push(*executed);
                }
                Step::Slice(executed) => {
                    site.disk.write(Line::Slice(executed.log.clone()));
                    for frame in &executed.slice.frames {
                        site.disk.frame(frame.body.entity, frame.body.height, frame.encode());
                    }
                    for adopted in &executed.slice.adopted {
                        site.disk.decided(adopted.header.entity, adopted.header.height);
                    }
                    site.disk.keep_handovers(&executed.handovers);
                    site.outbox.extend(said(&executed));
                    drop(site.server.commit(&executed));
                    machine.take(Input::Slice(Notice::from(executed.as_ref())))?;
                    slices.push(*executed);
                }
                Step::Block(sealed) => {
                    site.disk.write(Line::Block(sealed.header.clone()));
                    site.server.commit_block((*sealed).clone());
                    if is_snapshot(&sealed.header) {
                        let (server, outbox) = (site.server.clone(), site.outbox.clone());
                        site.disk.snapshot(server, outbox);
                    }
                }
            }
        }
        Ok(slices)
    }

    /// The entities that it hosts.
    pub(crate) fn hosted(&self, cast: &Cast) -> BTreeSet<EntityId> {
        cast.hosted(self.index).iter().map(|actor| actor.id).collect()
    }
}
