//! Messages between entities on different servers, and to entities whose boards vote.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use codec::Encode;
use xln_consensus::Event as Consensus;
use xln_network::{
    Code, ServerId,
    delivery::{Effect, Item, MemoryQueue, Packet, Position, Stream},
};
use xln_primitives::{Board, EntityId, Message as Said, Sequence};
use xln_runtime::{
    Delivery as Message, Inbound, RuntimeMessage, SliceNumber, authenticate_message, authenticate_messages,
};

use super::{
    environment::Environment,
    home::Sender,
    letter::{Letter, Plea},
    machine::Machine,
    unproven::{Judged, judge},
    waiting::{Place, Proven},
};
use crate::retained::outbox_number;

/// Letters to a board that are told again at once.
const AGAIN_MAX: usize = 500;

/// What was handed to the author and is acknowledged when it is durable: where the sender has it, and whose turn it was.
/// None for what proved nothing.
type Handed = (Position, Option<(EntityId, EntityId, Sequence)>);

/// What goes to other servers and what came from them.
#[derive(Debug, Default)]
pub(super) struct Post {
    queue: MemoryQueue,
    stream: Stream,
    /// For whom the messages at a server's positions are, with their numbers in the outbox.
    receivers: BTreeMap<(ServerId, Position), (EntityId, u64)>,
    /// The last position of each server.
    last: BTreeMap<ServerId, Position>,
    handed: BTreeMap<(ServerId, Stream), VecDeque<Handed>>,
    /// Of those, what there was no room for among what waits for a board. They are not acknowledged, so that no server can have
    /// more here than its window.
    held: Vec<(EntityId, Proven)>,
}

impl Post {
    /// Positions are counted in `stream`.
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, ..Self::default() }
    }

    /// In which counting its positions are.
    pub(super) const fn stream(&self) -> Stream {
        self.stream
    }

    /// Messages that are not acknowledged.
    pub(super) fn len(&self) -> usize {
        self.receivers.len()
    }

    /// What was handed on, or waits to be, has no effect.
    pub(super) fn is_void(&mut self, dropped: (EntityId, EntityId, Sequence)) {
        for (_, whose) in self.handed.values_mut().flatten() {
            if *whose == Some(dropped) {
                *whose = None;
            }
        }
    }

    /// Adds a message for a server: for whom it is, and which number it has in the outbox.
    pub(super) fn append(
        &mut self,
        to: ServerId,
        position: Position,
        receiver: (EntityId, u64),
        letter: &Letter,
    ) {
        if self.last.get(&to).is_none_or(|last| *last < position)
            && self.queue.append(to, position, letter.encode())
        {
            self.receivers.insert((to, position), receiver);
            self.last.insert(to, position);
        }
    }

    /// Begins to count for a server for which nothing waits: what the slices after `slice` say comes behind the position that is
    /// returned, with room for what was said before.
    pub(super) fn begin(&mut self, to: ServerId, slice: SliceNumber) -> Position {
        let before = Position(outbox_number(slice, 0));
        self.last.insert(to, before);
        before
    }

    /// A position for what was said up to `slice` and is sent to a server only now.
    pub(super) fn after_last(&self, to: ServerId, slice: SliceNumber) -> Position {
        let last = self.last.get(&to).map_or(0, |last| last.0);
        Position(last.max(outbox_number(slice, 0)).saturating_add(1))
    }
}

impl<E: Environment> Machine<E> {
    /// Takes up what waited when the node stopped.
    pub(super) fn resume_post(&mut self) -> Result<(), E::Error> {
        let mut waiting: BTreeMap<(ServerId, u64), (EntityId, Letter)> = BTreeMap::new();
        for board in self.env.learned()? {
            let homes = self.homes_by(&board);
            self.learned.insert(board.entity(), homes);
        }
        let learned =
            self.learned.iter().flat_map(|(entity, homes)| homes.iter().map(|home| (*entity, *home)));
        let mut homes: Vec<(EntityId, ServerId)> = self
            .directory
            .homes()
            .chain(learned)
            .chain(self.homes.all())
            .chain(self.registered_homes())
            .collect();
        homes.sort_unstable();
        homes.dedup();
        for (entity, home) in homes {
            if home == self.own {
                continue;
            }
            for (number, message) in self.env.outbox(entity)? {
                let Some(letter) = self.letter(message) else { continue };
                waiting.insert((home, number), (entity, letter));
            }
        }
        for ((home, number), (entity, letter)) in waiting {
            self.post.append(home, Position(number), (entity, number), &letter);
        }
        let told = self.homes.all().map(|(_, server)| server);
        let servers: BTreeSet<ServerId> =
            self.directory.servers().chain(self.directory.claimants()).chain(told).collect();
        for other in servers.into_iter().filter(|other| *other != self.own) {
            let (acknowledged, last) = match self.post.queue.ends(other) {
                Some((first, last)) => (Position(first.0.saturating_sub(1)), last),
                None => {
                    let before = self.post.begin(other, self.seen);
                    (before, before)
                }
            };
            self.delivery.resume(other, self.post.stream, acknowledged, last);
        }
        let boards: Vec<EntityId> = self.waiting.keys().copied().collect();
        for entity in boards {
            for (_, message) in self.env.outbox(entity)? {
                if let Some(letter) = self.letter(message) {
                    self.take_letter(letter);
                }
            }
        }
        Ok(())
    }

    /// Sends on what a durable slice says to entities elsewhere.
    pub(super) fn send_out(&mut self, slice: u64, outbox: &[Message]) {
        for (place, message) in (0_u64..).zip(outbox) {
            let to = message.to();
            let is_board = self.waiting.contains_key(&to);
            let homes = if is_board { Vec::new() } else { self.homes(&to) };
            if !is_board && homes.is_empty() {
                continue;
            }
            let Some(certified) = message.certified() else { continue };
            let number = outbox_number(slice, place);
            let Some(letter) = self.letter(certified) else { continue };
            if is_board {
                self.tell_board(&to, &letter);
                self.take_letter(letter);
            } else {
                let position = Position(number);
                for home in homes {
                    self.post.append(home, position, (to, number), &letter);
                    self.delivery.appended(home, position);
                }
            }
        }
    }

    /// Tells a letter to all who vote for its receiver.
    fn tell_board(&mut self, entity: &EntityId, letter: &Letter) {
        let to = self.voters(entity);
        if to.is_empty() {
            return;
        }
        self.env.send(to, Code::EntityTransaction, Plea::Message(letter.clone()).encode());
    }

    /// Tells letters of entities that live here again, as long as they wait.
    pub(super) fn tell_boards_again(&mut self) {
        let (now, state) = (self.env.now(), self.state());
        let mut again = Vec::new();
        for (entity, waiting) in &mut self.waiting {
            let letters = waiting.tell_again(now, AGAIN_MAX, |from| state.entity(from).is_some());
            again.extend(letters.into_iter().map(|letter| (*entity, letter)));
        }
        for (entity, message) in again {
            if let Some(letter) = self.letter(message) {
                self.tell_board(&entity, &letter);
            }
        }
    }

    /// What would become of a message to an entity whose board votes. Who votes for nobody has nobody to put it before.
    fn place(&self, message: &Said<RuntimeMessage>) -> Place {
        let Some(waiting) = self.waiting.get(&message.to) else { return Place::Known };
        waiting.place(self.env.server().entity(&message.to), message)
    }

    /// Puts a letter before the board that decides for its receiver, if it proves itself.
    /// Tells where its sender lives then.
    pub(super) fn take_letter(&mut self, letter: Letter) -> Option<Sender> {
        let entity = letter.message.message.to;
        // What is repeated is not checked again, nor what is told by who does not have the frame yet.
        if self.place(&letter.message.message) != Place::Free {
            return None;
        }
        let (judged, network) = {
            let server = self.env.server();
            (judge(&server, &letter), server.facts().network)
        };
        let speaker = match judged {
            Judged::By(speaker) => speaker,
            Judged::NotYet => {
                self.unproven.keep_told(letter);
                return None;
            }
            Judged::ByAnother => {
                tracing::warn!(%entity, "a message to a board is not of the board that speaks for its sender");
                return None;
            }
        };
        let sender = Sender::of(&letter, &speaker);
        let Letter { message, board, .. } = letter;
        match authenticate_message(message, network, speaker) {
            Ok(message) => {
                drop(self.put_before(entity, Proven { message, board }));
                sender
            }
            Err(error) => {
                tracing::warn!(%entity, %error, "a message to a board proves nothing");
                None
            }
        }
    }

    /// Puts a message before the board that decides for its receiver. Gives it back if there is no room for it now.
    fn put_before(&mut self, entity: EntityId, proven: Proven) -> Option<Proven> {
        match self.place(&proven.message.get().certified().message) {
            Place::Known => return None,
            Place::NoRoom => return Some(proven),
            Place::Free => {}
        }
        let waiting = self.waiting.get_mut(&entity)?;
        waiting.add(proven, self.env.now());
        if waiting.is_ready(self.env.server().entity(&entity)) {
            self.events.push_back(Consensus::Work { entity });
        }
        None
    }

    /// Puts before the boards what there was no room for.
    pub(super) fn put_held(&mut self) {
        for (entity, proven) in std::mem::take(&mut self.post.held) {
            self.put_or_hold(entity, proven);
        }
    }

    /// Puts a message that was delivered before the board that decides for its receiver, as soon as there is room.
    pub(super) fn put_or_hold(&mut self, entity: EntityId, proven: Proven) {
        if let Some(proven) = self.put_before(entity, proven) {
            self.post.held.push((entity, proven));
        }
    }

    /// Somebody tells what was said to an entity whose board votes.
    pub(super) fn told(&mut self, from: ServerId, bytes: &[u8]) -> Result<(), E::Error> {
        match Plea::from_bytes(bytes) {
            Some(Plea::Message(letter)) => {
                let sender = self.take_letter(letter);
                self.learn_homes(from, sender.into_iter().collect())?;
            }
            Some(Plea::Time { entity, at }) => self.want_time(entity, at),
            Some(Plea::Call(call)) => self.told_call(*call)?,
            Some(Plea::Voter(claim)) => self.told_voter(from, &claim)?,
            None => tracing::warn!(%from, "a message to a board cannot be read"),
        }
        Ok(())
    }

    pub(super) fn packet(&mut self, from: ServerId, packet: Packet) -> Result<(), E::Error> {
        match self.delivery.receive(self.env.now(), from, packet) {
            Ok(effects) => self.perform_delivery(effects)?,
            Err(error) => tracing::warn!(%from, %error, "a packet that no honest server sends"),
        }
        Ok(())
    }

    /// Sends what is due to other servers.
    pub(super) fn deliver(&mut self) -> Result<(), E::Error> {
        let effects = self.delivery.poll(self.env.now(), &self.post.queue);
        self.perform_delivery(effects)
    }

    fn perform_delivery(&mut self, effects: Vec<Effect>) -> Result<(), E::Error> {
        for effect in effects {
            match effect {
                Effect::Send { to, packet } => self.env.deliver(to, packet),
                Effect::HandOn { from, stream, items } => self.hand_on(from, stream, items)?,
                Effect::Forget { to, upto } => {
                    self.post.queue.forget(to, upto);
                    let kept = self.post.receivers.split_off(&(to, Position(upto.0.saturating_add(1))));
                    let mut gone = std::mem::replace(&mut self.post.receivers, kept);
                    // Those of servers that come before this one are not meant.
                    let mut meant = gone.split_off(&(to, Position::START));
                    self.post.receivers.append(&mut gone);
                    for (entity, number) in std::mem::take(&mut meant).into_values() {
                        self.env.delivered(entity, number);
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives the author what another server's entities say to those here.
    fn hand_on(&mut self, from: ServerId, stream: Stream, items: Vec<Item>) -> Result<(), E::Error> {
        let server = self.state();
        let network = server.facts().network;
        let blinding = self.env.entropy()?;
        let (mut positions, mut pairs) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
        let mut boards: Vec<(Option<Board>, Option<Sender>)> = Vec::with_capacity(items.len());
        let handed = self.post.handed.entry((from, stream)).or_default();
        for Item { position, bytes } in items {
            match Letter::from_bytes(&bytes) {
                Some(letter) => match judge(&server, &letter) {
                    Judged::By(speaker) => {
                        positions.push(position);
                        let sender = Sender::of(&letter, &speaker);
                        // Most boards are of one signer, and nobody asks for them again.
                        let (to, board) = (letter.message.message.to, letter.board);
                        let is_kept = board.votes() || self.waiting.contains_key(&to);
                        boards.push((is_kept.then_some(board), sender));
                        pairs.push((letter.message, speaker));
                    }
                    Judged::NotYet => {
                        let said = &letter.message.message;
                        handed.push_back((position, Some((said.to, said.from, said.sequence))));
                        self.unproven.keep(letter);
                    }
                    Judged::ByAnother => {
                        tracing::warn!(%from, "a message is not of the board that speaks for its sender");
                        handed.push_back((position, None));
                    }
                },
                None => handed.push_back((position, None)),
            }
        }
        let (mut messages, mut for_boards) = (Vec::with_capacity(pairs.len()), Vec::new());
        let (mut speaking, mut senders) = (Vec::new(), Vec::new());
        let verdicts = authenticate_messages(pairs, network, blinding).into_iter().zip(boards);
        for (position, (verdict, (board, sender))) in positions.into_iter().zip(verdicts) {
            let whose = match verdict {
                Ok(message) => {
                    let inbound: &Inbound = message.get();
                    let said = &inbound.certified().message;
                    let whose = (said.to, said.from, said.sequence);
                    if let Some(board) = board.as_ref().filter(|board| board.votes()) {
                        speaking.push((whose.1, board.clone()));
                    }
                    senders.extend(sender);
                    // The whole board is to hear it; its sender tells every server of the board by itself.
                    match board.filter(|_| self.waiting.contains_key(&whose.0)) {
                        Some(board) => for_boards.push((whose.0, Proven { message, board })),
                        None => messages.push(message),
                    }
                    Some(whose)
                }
                Err(error) => {
                    tracing::warn!(%from, %error, "a message that proves nothing is dropped");
                    None
                }
            };
            handed.push_back((position, whose));
        }
        handed.make_contiguous().sort_by_key(|(position, _)| *position);
        self.env.execute_messages(messages);
        for (entity, board) in speaking {
            self.learn(entity, &board)?;
        }
        self.learn_homes(from, senders)?;
        for (entity, proven) in for_boards {
            self.put_or_hold(entity, proven);
        }
        self.acknowledge()
    }

    /// Acknowledges what is durable of what was handed on.
    pub(super) fn acknowledge(&mut self) -> Result<(), E::Error> {
        if self.post.handed.values().all(VecDeque::is_empty) {
            return Ok(());
        }
        let state = self.env.server();
        let mut effects = Vec::new();
        for ((from, stream), handed) in &mut self.post.handed {
            let mut upto = None;
            while let Some((position, whose)) = handed.front() {
                let is_done = whose.is_none_or(|(to, sender, sequence)| match state.entity(&to) {
                    Some(entity) => {
                        pallet_entities::inbox(&entity.state(), &sender).is_ok_and(|last| last >= sequence)
                    }
                    None => true,
                });
                if !is_done {
                    break;
                }
                upto = Some(*position);
                handed.pop_front();
            }
            if let Some(upto) = upto {
                effects.extend(self.delivery.durable(*from, *stream, upto));
            }
        }
        drop(state);
        // A server that is started again begins another stream.
        self.post.handed.retain(|_, handed| !handed.is_empty());
        self.perform_delivery(effects)
    }

    /// Forgets messages of entities here that a followed entity has executed, and puts before its board those for which there was
    /// no room.
    pub(super) fn settle_outbox(&mut self) -> Result<(), E::Error> {
        let state = self.state();
        let boards: Vec<EntityId> = self.waiting.keys().copied().collect();
        for entity in boards {
            let Some(decided) = state.entity(&entity) else { continue };
            for (number, message) in self.env.outbox(entity)? {
                let (from, sequence) = (message.message.from, message.message.sequence);
                if pallet_entities::inbox(&decided.state(), &from).is_ok_and(|last| last >= sequence) {
                    self.env.delivered(entity, number);
                } else if self.place(&message.message) == Place::Free
                    && let Some(letter) = self.letter(message)
                {
                    self.take_letter(letter);
                }
            }
        }
        Ok(())
    }
}
