//! The machine: all seats of one server.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use xln_keystore::Signer;
use xln_primitives::{Board, EntityId, FrameHash, Height, Network, PublicKey, Round};

use crate::{
    BlsKey, Effect, Engine, Event, Halt, Malachite, Refusal, Row, Timing, Verdict, VoteHistory,
    desk::Desk,
    gate::Quota,
    instance::Instance,
    listening::Listening,
    outbox::{Letter, Outbox},
    proven::Proven,
    reception::{Waiting, catch_up},
    replay::replay,
    seat::{Phase, Seat},
    turn::Turn,
    verify::Claim,
};

/// What a server decides with.
#[derive(Clone)]
pub struct Settings {
    /// The network that signatures are for.
    pub network: Network,
    /// How long members wait.
    pub timing: Timing,
    /// Our BLS key.
    pub signer: Arc<dyn Signer>,
}

/// All boards on which one key of this server votes.
///
/// The engine is [`Malachite`]; tests put broken ones in its place.
pub struct Host<E: Engine = Malachite> {
    network: Network,
    timing: Timing,
    signer: Arc<dyn Signer>,
    own: BlsKey,
    pub(crate) seats: BTreeMap<EntityId, Seat<E>>,
    proven: Proven,
    outbox: Outbox,
    turn: u64,
}

/// What a turn gathers before it is handed out.
pub(crate) struct Work {
    pub(crate) turn: Turn,
    pub(crate) quota: Quota,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) seed: [u8; 32],
}

impl<E: Engine> Host<E> {
    /// A machine that follows nothing yet. `None` if the key is not a BLS key.
    #[must_use]
    pub fn new(settings: Settings) -> Option<Self> {
        let Settings { network, timing, signer } = settings;
        let PublicKey::Bls(own) = signer.public() else {
            return None;
        };
        Some(Self {
            network,
            timing,
            signer,
            own,
            seats: BTreeMap::new(),
            proven: Proven::default(),
            outbox: Outbox::default(),
            turn: 0,
        })
    }

    /// One turn: takes events in order and returns effects, to be performed in order.
    ///
    /// `seed` blinds the checks of signatures; it must be unpredictable to others and new in every turn.
    pub fn step(&mut self, events: impl IntoIterator<Item = Event>, seed: [u8; 32]) -> Vec<Effect> {
        let (turn, quota) = (Turn::default(), Quota::default());
        let mut work = Work { turn, quota, waiting: Vec::new(), claims: Vec::new(), seed };
        let mut released = Vec::new();
        for event in events {
            match event {
                Event::Received { from, bytes } => self.receive(from, &bytes, &mut work),
                Event::Durable { turn } => released.extend(self.outbox.durable(turn)),
                other => {
                    // Messages that came before are heard before: a vote that arrived in time beats the timer.
                    self.hear_waiting(&mut work);
                    self.handle(other, &mut work);
                }
            }
        }
        self.hear_waiting(&mut work);
        self.hand_out(work.turn, released)
    }

    /// The heights that are being decided now, with their rounds.
    pub fn active(&self) -> impl Iterator<Item = (EntityId, Height, Round)> {
        self.seats.iter().filter_map(|(entity, seat)| match &seat.phase {
            Phase::Active(instance) => Some((*entity, seat.height(), instance.round())),
            Phase::Idle | Phase::Decided(_) | Phase::Halted => None,
        })
    }

    /// The next height of every entity on whose board we vote, for digests between peers.
    pub fn heights(&self) -> impl Iterator<Item = (EntityId, Height)> {
        self.seats.iter().map(|(entity, seat)| (*entity, seat.height()))
    }

    fn hand_out(&mut self, turn: Turn, released: Vec<Letter>) -> Vec<Effect> {
        let Turn { rows, letters, effects } = turn;
        let number = (!rows.is_empty()).then(|| {
            self.turn = self.turn.saturating_add(1);
            self.turn
        });
        let free = self.outbox.post(number, letters);
        let append = number.map(|turn| Effect::Append { turn, rows });
        let sends = released.into_iter().chain(free).map(Effect::from);
        append.into_iter().chain(effects).chain(sends).collect()
    }

    fn handle(&mut self, event: Event, work: &mut Work) {
        match event {
            Event::Follow { entity, height, board, rows, history } => {
                self.follow(entity, height, board, (rows, history), &mut work.turn);
            }
            Event::Work { entity } => {
                if let Some(seat) = self.seats.get_mut(&entity) {
                    seat.wanted = true;
                    self.begin_wanted(entity, &mut work.turn);
                }
            }
            Event::Built { entity, height, round, frame, body } => {
                self.at(entity, height, &mut work.turn, |i, desk| i.on_built(round, frame, body, desk));
            }
            Event::Validated { entity, height, frame, verdict } => {
                self.validated(entity, height, (frame, verdict), &mut work.turn);
            }
            Event::Elapsed(id) => {
                if let Some(seat) = self.seats.get_mut(&id.entity)
                    && id.height == seat.height()
                    && let Some(member) = seat.ahead()
                {
                    catch_up(seat, member, &mut work.turn);
                }
                self.at(id.entity, id.height, &mut work.turn, |i, desk| {
                    i.on_elapsed(id.timer, id.round, desk)
                });
            }
            Event::Applied { entity, height, board } => self.applied(entity, height, board, work),
            Event::Heard { entity, member, height } => self.heard(entity, member, height, &mut work.turn),
            Event::CatchUpEnded { entity } => {
                if let Some(seat) = self.seats.get_mut(&entity) {
                    seat.catch_up_ended();
                }
            }
            Event::Vouched { entity } => {
                if let Some(seat) = self.seats.get_mut(&entity)
                    && seat.listening.take().is_some()
                {
                    seat.listened();
                    self.begin_wanted(entity, &mut work.turn);
                }
            }
            // Taken by `step`, where they have an order of their own.
            Event::Received { .. } | Event::Durable { .. } => {}
        }
    }

    fn follow(
        &mut self,
        entity: EntityId,
        height: Height,
        board: Board,
        (rows, history): (Vec<Row>, VoteHistory),
        turn: &mut Turn,
    ) {
        if self.seats.contains_key(&entity) {
            return;
        }
        let electorate = match self.proven.electorate(&board) {
            Ok(electorate) => electorate,
            Err(error) => {
                turn.effects.push(Effect::Halt { entity, height, reason: error.into() });
                return;
            }
        };
        let Some(mut seat) = Seat::new(self.network, entity, height, (board, electorate), &self.own) else {
            return;
        };
        // Rows of a height that is committed are over; they may outlive it by a write that was on its way.
        let rows: Vec<_> = rows.into_iter().filter(|row| row.height >= height).collect();
        if let Some(log) = rows.iter().map(|row| row.height).find(|log| *log > height) {
            seat.phase = Phase::Halted;
            turn.effects.push(Effect::Halt { entity, height, reason: Halt::LogAhead { log, store: height } });
        } else if history != VoteHistory::Whole {
            seat.listening = Some(Listening::new(history));
        } else if !rows.is_empty() {
            let ground = seat.ground.clone();
            let (signer, timing) = (&*self.signer, &self.timing);
            let run = |turn: &mut Turn| replay::<E>(ground, rows, &mut Desk { turn, signer, timing });
            match guarded(turn, run) {
                Ok(instance) => seat.seated(instance),
                Err(reason) => seat.halted(reason, turn),
            }
        }
        self.seats.insert(entity, seat);
    }

    fn validated(
        &mut self,
        entity: EntityId,
        height: Height,
        (frame, verdict): (FrameHash, Verdict),
        turn: &mut Turn,
    ) {
        let refused = turn.effects.len();
        self.at(entity, height, turn, |instance, desk| instance.on_validated(frame, verdict, desk));
        if verdict == Verdict::Mismatch
            && let Some(seat) = self.seats.get_mut(&entity)
        {
            for effect in turn.effects.iter().skip(refused) {
                if let Effect::Refused { from, reason: Refusal::Body } = effect {
                    seat.strike(*from);
                }
            }
        }
    }

    fn applied(&mut self, entity: EntityId, height: Height, board: Board, work: &mut Work) {
        let Some(mut seat) = self.seats.remove(&entity) else { return };
        if height < seat.height() {
            self.seats.insert(entity, seat);
            return;
        }
        let mut decided = None;
        match &mut seat.phase {
            Phase::Active(instance) => {
                let (signer, timing) = (&*self.signer, &self.timing);
                instance.stop(&mut Desk { turn: &mut work.turn, signer, timing });
            }
            Phase::Decided(frame) if height == seat.ground.subject.height => decided = Some(*frame),
            Phase::Idle | Phase::Decided(_) | Phase::Halted => {}
        }
        let halted = matches!(seat.phase, Phase::Halted);
        let next = height.saturating_add(1);
        let changed = if seat.board_hash() == board.hash() {
            None
        } else {
            match self.proven.electorate(&board) {
                Ok(electorate) => Some((board, electorate)),
                Err(error) => {
                    work.turn.effects.push(Effect::Halt { entity, height: next, reason: error.into() });
                    return;
                }
            }
        };
        let Some((mut seat, early)) = seat.advance(next, changed, decided, &self.own) else { return };
        if halted {
            seat.phase = Phase::Halted;
        }
        self.seats.insert(entity, seat);
        for (from, message) in early {
            if let Err(reason) = self.take(from, message, work) {
                work.turn.effects.push(Effect::Refused { from, reason });
            }
        }
    }

    fn heard(&mut self, entity: EntityId, member: BlsKey, height: Height, turn: &mut Turn) {
        let Some(seat) = self.seats.get_mut(&entity) else { return };
        if let Some(index) = seat.ground.electorate.index_of(&member) {
            seat.hear(index, height);
            if height > seat.height() {
                catch_up(seat, member, turn);
            }
            self.begin_wanted(entity, turn);
        }
    }

    /// Begins the height of an entity if there is something to decide and we may vote.
    fn begin_wanted(&mut self, entity: EntityId, turn: &mut Turn) {
        if let Some(seat) = self.seats.get_mut(&entity).filter(|seat| seat.wanted && seat.may_vote()) {
            seat.wanted = false;
            self.with_instance(entity, true, turn, |_, _| Ok(()));
        }
    }

    /// Calls `act` on the instance of an entity if it is at this height.
    fn at(
        &mut self,
        entity: EntityId,
        height: Height,
        turn: &mut Turn,
        act: impl FnOnce(&mut Instance<E>, &mut Desk<'_>) -> Result<(), Halt>,
    ) {
        if self.seats.get(&entity).is_some_and(|seat| seat.height() == height) {
            self.with_instance(entity, false, turn, act);
        }
    }

    /// Calls `act` on the active instance of an entity; `begins` makes one if the entity is idle. What fails or panics
    /// has no effect but that the entity halts.
    pub(crate) fn with_instance(
        &mut self,
        entity: EntityId,
        begins: bool,
        turn: &mut Turn,
        act: impl FnOnce(&mut Instance<E>, &mut Desk<'_>) -> Result<(), Halt>,
    ) {
        let Some(seat) = self.seats.get_mut(&entity) else { return };
        let idle = match &seat.phase {
            Phase::Active(_) => false,
            Phase::Idle if begins => true,
            Phase::Idle | Phase::Decided(_) | Phase::Halted => return,
        };
        let Phase::Active(active) = std::mem::replace(&mut seat.phase, Phase::Idle) else {
            if idle {
                let ground = seat.ground.clone();
                let may_vote = seat.may_vote();
                let (signer, timing) = (&*self.signer, &self.timing);
                let run = |turn: &mut Turn| {
                    let desk = &mut Desk { turn, signer, timing };
                    let mut instance: Instance<E> = Instance::new(ground);
                    // A seat that listens hears of certified frames only; its engine never starts, so it never votes.
                    if may_vote {
                        instance.start(desk)?;
                    }
                    act(&mut instance, desk)?;
                    Ok(instance)
                };
                match guarded(turn, run) {
                    Ok(instance) => seat.seated(instance),
                    Err(reason) => seat.halted(reason, turn),
                }
            }
            return;
        };
        let (signer, timing) = (&*self.signer, &self.timing);
        let run = |turn: &mut Turn| {
            let mut instance = active;
            act(&mut instance, &mut Desk { turn, signer, timing })?;
            Ok(*instance)
        };
        match guarded(turn, run) {
            Ok(instance) => seat.seated(instance),
            Err(reason) => seat.halted(reason, turn),
        }
    }
}

impl<E: Engine> Seat<E> {
    /// Takes back an instance after a call.
    fn seated(&mut self, instance: Instance<E>) {
        self.phase = match instance.decided() {
            Some(frame) => Phase::Decided(frame),
            None => Phase::Active(Box::new(instance)),
        };
    }

    fn halted(&mut self, reason: Halt, turn: &mut Turn) {
        let (entity, height) = (self.ground.subject.entity, self.height());
        tracing::error!(%entity, height, %reason, "this entity takes part in consensus no more");
        self.phase = Phase::Halted;
        turn.effects.push(Effect::Halt { entity, height, reason });
    }
}

/// Runs one input of one entity. An error or a panic leaves nothing of it in the turn.
fn guarded<T>(turn: &mut Turn, run: impl FnOnce(&mut Turn) -> Result<T, Halt>) -> Result<T, Halt> {
    let mark = turn.mark();
    let result = catch_unwind(AssertUnwindSafe(|| run(turn))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Halt::Panic(text.unwrap_or_else(|| "without a message".to_owned())))
    });
    if result.is_err() {
        turn.rewind(mark);
    }
    result
}
