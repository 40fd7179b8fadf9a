//! One seed: a random network, random slices, and every check after every block.

use std::collections::BTreeMap;

use pallet_channels::{PaymentStatus, view};
use xln_integration::{Actor, Random, World};
use xln_oracles::Books;
use xln_primitives::{CallError, EntityId, Hash, Network, Signature, Timestamp};
use xln_runtime::{
    Delivery, Executed, Inbound, ServerInput, SignedCall, SliceInputs, StateRow, authenticate_calls,
    authenticate_message, invariants,
};

use crate::{
    again::{self, Disk, Snapshot},
    genesis::{BEGINNING, Cast, genesis},
    moves::{Moves, Secrets, next_nonce},
};

/// Server inputs taken at once.
const DUE: usize = 64;

/// What a seed came to.
pub(crate) struct Played {
    pub(crate) tally: BTreeMap<&'static str, u64>,
    pub(crate) root: Hash,
}

/// Plays a seed on `wide`, and again on `narrow`: the threads may not matter.
pub(crate) fn play(seed: u64, steps: u64, wide: &rayon::ThreadPool, narrow: &rayon::ThreadPool) -> Played {
    let mut game = Game::new(seed);
    wide.install(|| {
        for _ in 0..steps {
            game.step();
        }
        game.settle_up();
    });
    let Game { world, snapshot, mut books, .. } = game;
    narrow.install(|| again::replay(&world));
    if let Some(snapshot) = snapshot {
        wide.install(|| again::restore(&world, snapshot));
    }
    books.tally.insert("slices", world.server.slice());
    Played { tally: books.tally, root: world.server.state_root() }
}

struct Game {
    random: Random,
    cast: Cast,
    world: World,
    secrets: Secrets,
    books: Books,
    now: Timestamp,
    /// Messages for entities that did not live here when they were sent.
    outbox: Vec<Delivery>,
    disk: Disk,
    snapshot: Option<Snapshot>,
    snapshots: u64,
}

/// A signed call, and what is to become of it.
enum Planned {
    /// It takes its nonce, whether it succeeds or not.
    Executed(SignedCall),
    /// It reaches the runtime and leaves no trace.
    Refused(SignedCall),
    /// It does not reach the runtime.
    NotAuthentic(SignedCall),
}

impl Game {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let cast = Cast::choose(&mut random);
        let everybody = cast.everybody();
        let ids: Vec<EntityId> = everybody.iter().map(|actor| actor.id).collect();
        let world = World::new(genesis(&cast, &mut random), &everybody).unwrap();
        invariants::check_settled(&world.server).unwrap();
        Self {
            books: Books::open(&(&world.server).into(), &ids),
            random,
            cast,
            world,
            secrets: Secrets::default(),
            now: Timestamp::from_millis(BEGINNING),
            outbox: Vec::new(),
            disk: Disk::default(),
            snapshot: None,
            snapshots: 0,
        }
    }

    fn step(&mut self) {
        self.advance_clock();
        let absent: Vec<Actor> =
            self.cast.newcomers.iter().filter(|actor| !self.is_here(&actor.id)).cloned().collect();
        let newcomer = self.random.pick(&absent).cloned();
        match newcomer.filter(|_| self.random.chance(5)) {
            Some(newcomer) => self.found(&newcomer),
            None => self.slice(),
        }
        if self.random.chance(50) {
            self.block();
        }
    }

    fn is_here(&self, entity: &EntityId) -> bool {
        self.world.server.entity(entity).is_some()
    }

    /// Mostly some milliseconds, sometimes minutes; now and then the clock is set back.
    fn advance_clock(&mut self) {
        let later = |ms| self.now.saturating_add(ms);
        self.now = match self.random.below(40) {
            0 => later(self.random.between(10_000, 120_000)),
            1 => later(self.random.between(600_000, 1_200_000)),
            2 => self.now.saturating_sub(self.random.below(2_000)),
            3..8 => later(self.random.between(1_000, 10_000)),
            8..12 => self.now,
            _ => later(self.random.between(1, 200)),
        };
    }

    /// A newcomer's first call comes alone: whoever wrote to it before must be heard before it is written to again.
    fn found(&mut self, newcomer: &Actor) {
        let create = pallet_entities::Call::Create { board: newcomer.board.clone() };
        let call = newcomer.sign(self.network(), newcomer.id, 0, vec![create.into()]).unwrap();
        let executed = self.run(vec![Planned::Executed(call)], Vec::new());
        assert_eq!(executed.founded, [newcomer.id]);
        self.slice();
    }

    fn network(&self) -> Network {
        self.world.genesis.network
    }

    fn slice(&mut self) {
        let mut due = self.world.server.due(self.now, DUE);
        if self.random.chance(10) {
            due.extend(due.clone());
        }
        let planned = self.plan();
        self.run(planned, due);
    }

    fn plan(&mut self) -> Vec<Planned> {
        let mut planned = Vec::new();
        let mut nonces = BTreeMap::new();
        for _ in 0..self.random.below(7) {
            let who = self.actor();
            let moves = &mut Moves {
                server: &self.world.server,
                cast: &self.cast,
                random: &mut self.random,
                secrets: &mut self.secrets,
                now: self.now,
            };
            let count = if moves.random.chance(80) { 1 } else { moves.random.between(2, 4) };
            let calls = (0..count).map(|_| moves.choose(&who)).collect();
            let nonce = nonces.entry(who.id).or_insert_with(|| next_nonce(&self.world.server, &who));
            let call = who.sign(self.world.genesis.network, who.id, *nonce, calls).unwrap();
            if self.random.chance(88) {
                *nonce += 1;
                let again = self.random.chance(5).then(|| Planned::Refused(call.clone()));
                planned.push(Planned::Executed(call));
                planned.extend(again);
            } else {
                planned.push(self.spoil(&who, call));
            }
        }
        planned
    }

    fn actor(&mut self) -> Actor {
        let newcomers: Vec<Actor> =
            self.cast.newcomers.iter().filter(|actor| self.is_here(&actor.id)).cloned().collect();
        let group = match self.random.below(20) {
            0 => vec![self.cast.depositary.clone()],
            1..4 => vec![self.cast.bridge.clone()],
            4..7 => self.cast.hubs.clone(),
            7..10 if !newcomers.is_empty() => newcomers,
            _ => self.cast.users.clone(),
        };
        self.random.pick(&group).unwrap().clone()
    }

    /// Makes something of a good call that must have no effect.
    fn spoil(&mut self, who: &Actor, mut call: SignedCall) -> Planned {
        let (network, body) = (self.network(), call.body.clone());
        let calls = body.calls.into_inner();
        match self.random.below(8) {
            0 => {
                let gap = body.nonce + self.random.between(1, 3);
                Planned::Refused(who.sign(network, who.id, gap, calls).unwrap())
            }
            1 if body.nonce > 0 => {
                let old = self.random.below(body.nonce);
                Planned::Refused(who.sign(network, who.id, old, calls).unwrap())
            }
            2 => {
                let stranger = Actor::named("stranger").unwrap();
                Planned::Refused(stranger.sign(network, who.id, body.nonce, calls).unwrap())
            }
            3 => {
                let nobody = EntityId::new(self.random.bytes());
                Planned::Refused(who.sign(network, nobody, body.nonce, calls).unwrap())
            }
            4 => {
                let other = Network::new(self.random.bytes());
                Planned::NotAuthentic(who.sign(other, who.id, body.nonce, calls).unwrap())
            }
            5 => {
                call.body.valid_until = Timestamp::ZERO;
                Planned::NotAuthentic(call)
            }
            6 => Planned::NotAuthentic(who.sign(network, who.id, body.nonce, Vec::new()).unwrap()),
            _ => {
                let mut bytes = [0; 64];
                bytes[..32].copy_from_slice(&self.random.bytes());
                call.signature = Signature::Ed25519(bytes);
                Planned::NotAuthentic(call)
            }
        }
    }

    /// Runs a slice and checks what became of its calls.
    fn run(&mut self, planned: Vec<Planned>, server: Vec<ServerInput>) -> Executed {
        let (mut calls, mut refused, mut nonces) = (Vec::new(), Vec::new(), BTreeMap::new());
        for planned in planned {
            let authentic = |call: SignedCall| self.authenticated(call).unwrap();
            match planned {
                Planned::Executed(call) => {
                    nonces.insert(call.body.entity, call.body.nonce + 1);
                    calls.push(authentic(call));
                }
                Planned::Refused(call) => {
                    refused.push(call.hash());
                    calls.push(authentic(call));
                }
                Planned::NotAuthentic(call) => drop(self.authenticated(call).unwrap_err()),
            }
        }
        let messages = self.arriving();
        let inputs = SliceInputs { server, messages, calls, ..SliceInputs::default() };
        let entropy = Hash::new(self.random.bytes());
        if self.random.chance(5) {
            let rehearsed = self.world.attempt(self.now, entropy, inputs.clone()).unwrap();
            let executed = self.world.run(self.now, entropy, inputs).unwrap();
            assert_eq!(rehearsed.slice, executed.slice, "what is thrown away leaves a trace");
            return self.conclude(executed, refused, &nonces);
        }
        let executed = self.world.run(self.now, entropy, inputs).unwrap();
        self.conclude(executed, refused, &nonces)
    }

    fn authenticated(&self, call: SignedCall) -> Result<xln_runtime::Authentic<SignedCall>, CallError> {
        authenticate_calls(vec![call], self.network(), self.now, [7; 32]).remove(0)
    }

    fn conclude(
        &mut self,
        executed: Executed,
        mut refused: Vec<xln_primitives::CallHash>,
        nonces: &BTreeMap<EntityId, u64>,
    ) -> Executed {
        let mut found: Vec<_> = executed.refused.iter().map(|(hash, _)| *hash).collect();
        found.sort_unstable();
        refused.sort_unstable();
        assert_eq!(found, refused, "other calls were refused: {:?}", executed.refused);
        for actor in self.cast.everybody() {
            if let Some(expected) = nonces.get(&actor.id) {
                assert_eq!(
                    next_nonce(&self.world.server, &actor),
                    *expected,
                    "C3: the nonce of {}",
                    actor.name
                );
            }
        }
        self.books.take_note(&executed, |_, _| true);
        self.outbox.extend(executed.outbox.iter().cloned());
        executed
    }

    /// Messages for newcomers, in order and some of them twice, as a network delivers them.
    fn arriving(&mut self) -> Vec<xln_runtime::Authentic<Inbound>> {
        let server = &self.world.server;
        let (arrived, waiting): (Vec<_>, Vec<_>) = core::mem::take(&mut self.outbox)
            .into_iter()
            .partition(|waiting| server.entity(&waiting.to()).is_some());
        self.outbox = waiting;
        let mut messages = Vec::new();
        for delivery in arrived {
            let sender = server.entity(&delivery.message().from).unwrap();
            let message = delivery.certified().unwrap();
            let authentic =
                authenticate_message(message, self.world.genesis.network, sender.board().clone()).unwrap();
            if self.random.chance(20) {
                messages.push(authentic.clone());
            }
            messages.push(authentic);
        }
        messages
    }

    fn block(&mut self) {
        let Some(head) = self.world.seal(self.now) else { return };
        self.check();
        if self.world.server.has_carried() || !self.random.chance(30) {
            return;
        }
        let changes = self.world.server.take_changes();
        self.disk.write(changes.rows().map(StateRow::into_owned));
        self.snapshots += 1;
        // Each snapshot is kept with the same probability.
        if self.random.below(self.snapshots) == 0 {
            let (disk, slice) = (self.disk.clone(), self.world.server.slice());
            self.snapshot = Some(Snapshot { disk, head, slice, logged: self.world.log.len() });
        }
    }

    fn check(&self) {
        let server = &self.world.server;
        let waiting = self.outbox.iter().any(|waiting| self.is_here(&waiting.to()));
        if server.has_carried() || waiting {
            invariants::check(server).unwrap_or_else(|violation| panic!("{violation}"));
        } else {
            invariants::check_settled(server).unwrap_or_else(|violation| panic!("{violation}"));
            self.books.compare(&server.into()).unwrap_or_else(|difference| panic!("{difference}"));
        }
    }

    /// Lets every deadline pass: then every payment that was sent has an end.
    fn settle_up(&mut self) {
        for _ in 0..30 {
            self.now = self.now.saturating_add(900_000);
            let due = self.world.server.due(self.now, DUE);
            self.run(Vec::new(), due);
        }
        self.block();
        for entity in self.world.server.entities() {
            for payment in view::payments(&entity.state(), None, usize::MAX).unwrap() {
                assert!(payment.status != PaymentStatus::Pending, "undecided for ever: {payment:?}");
            }
        }
    }
}
