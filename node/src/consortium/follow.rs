//! Frames of entities that are followed here: taken over once each, in order, whoever brings them.

use std::{sync::Arc, time::Duration};

use codec::Encode;
use rayon::prelude::*;
use xln_consensus::Event;
use xln_network::{Answer, Code, FRAMES_MAX, Question, ServerId, Topic, Verdict};
use xln_primitives::{EntityId, FrameHeader, Height, decode_exact};
use xln_runtime::{BodyError, DecidedFrame, Entity, Known};

use super::{environment::Environment, machine::Machine};

/// Most bytes of frames that are asked for at once.
const ASK_BYTES: u32 = 4 << 20;
/// Most bytes of one frame.
const FRAME_BYTES_MAX: usize = 5 << 20;
/// Entities that are remembered as none of this server's business.
const FOREIGN_MAX: usize = 10_000;
/// Nobody is asked for frames of an entity more often.
const ASK_INTERVAL: Duration = Duration::from_millis(200);

impl<E: Environment> Machine<E> {
    /// Hands a frame to the author, if it is the next one and its certificate holds. Tells what it was worth.
    pub(super) fn follow(&mut self, frame: DecidedFrame) -> Worth {
        let (entity, height) = (frame.body.entity, frame.body.height);
        let Some(followed) = self.followed.get(&entity).filter(|followed| !followed.halted) else {
            return Worth::Nothing;
        };
        if height < followed.next {
            return Worth::Known;
        }
        let network = self.env.server().facts().network;
        match self.certifier(&frame.header) {
            Known::Board(board) if frame.verify(network, &board).is_ok() => self.take_over(frame),
            // It comes after a change of the board that is not here yet.
            Known::NotYet => Worth::Early,
            Known::Board(_) | Known::Never => Worth::Forged,
        }
    }

    /// [`Machine::follow`] for a frame whose certificate has been checked, against the board of its height.
    pub(super) fn take_over(&mut self, frame: DecidedFrame) -> Worth {
        let (entity, height) = (frame.body.entity, frame.body.height);
        let Some(followed) = self.followed.get_mut(&entity).filter(|followed| !followed.halted) else {
            return Worth::Nothing;
        };
        if height < followed.next {
            return Worth::Known;
        }
        self.shared.seen(entity, height);
        if height > followed.next {
            return Worth::Early;
        }
        if !self.env.execute_frame(frame) {
            return Worth::Early;
        }
        followed.next = followed.next.saturating_add(1);
        Worth::New
    }

    /// The board that certifies a frame of an entity that is followed here.
    fn certifier(&self, header: &FrameHeader) -> Known {
        match self.founding.get(&header.entity) {
            Some(board) if header.board_hash == board.hash() => Known::Board(Arc::new(board.clone())),
            Some(_) if header.height > 1 => Known::NotYet,
            Some(_) => Known::Never,
            None => self.env.server().board_of(header),
        }
    }

    /// Hands the author what it had no room for before.
    fn hand_on_backlog(&mut self, entity: EntityId) {
        let Some(followed) = self.followed.get_mut(&entity).filter(|followed| !followed.halted) else {
            return;
        };
        while let Some(frame) = followed.backlog.pop_front() {
            if frame.body.height < followed.next {
                continue;
            }
            if frame.body.height > followed.next {
                followed.backlog.clear();
                return;
            }
            if !self.env.execute_frame(frame.clone()) {
                followed.backlog.push_front(frame);
                return;
            }
            followed.next = followed.next.saturating_add(1);
        }
    }

    /// Everything of an entity up to `height` is part of the durable state.
    pub(super) fn reached(&mut self, entity: EntityId, height: Height) -> Result<(), E::Error> {
        if let Some(followed) = self.followed.get_mut(&entity) {
            followed.next = followed.next.max(height.saturating_add(1));
            let next = followed.next;
            followed.ahead.retain(|_, last| *last >= next);
        }
        self.unbuilt.remove(&entity);
        self.founding.remove(&entity);
        let next = height.saturating_add(1);
        // What is durable may be further than this frame, and have another board already.
        let board = self
            .env
            .server()
            .entity(&entity)
            .and_then(|entity| pallet_entities::board_at(&entity.state(), next).ok().flatten());
        let Some(board) = board else { return Ok(()) };
        self.events.push_back(Event::Applied { entity, height, board: board.clone() });
        match (self.seats.contains(&entity), self.is_on(&board)) {
            (false, true) => {
                tracing::info!(%entity, height = next, "this server's key votes from this height on");
                self.take_seat(entity, next, board, true)?;
            }
            (true, false) => {
                tracing::info!(%entity, height = next, "this server's key votes no more, and follows");
                self.seats.remove(&entity);
            }
            (true, true) | (false, false) => {}
        }
        if let Some(waiting) = self.waiting.get_mut(&entity) {
            let server = self.env.server();
            let known = server.entity(&entity);
            known.into_iter().for_each(|known| waiting.executed(known));
            waiting.moved(self.env.now());
            if waiting.is_ready(known) {
                self.events.push_back(Event::Work { entity });
            }
        }
        Ok(())
    }

    /// A frame is part of the durable state.
    pub(super) fn applied(&mut self, frame: &DecidedFrame) -> Result<(), E::Error> {
        let (entity, height) = (frame.body.entity, frame.body.height);
        if self.wanted.get(&entity).is_some_and(|at| *at <= frame.header.timestamp) {
            self.wanted.remove(&entity);
        }
        self.note_decided(frame);
        let is_depositary = self.env.server().facts().depositary == entity;
        // What only its own servers follow they hear from the board itself.
        if self.built.remove(&frame.header.hash()) && is_depositary {
            self.env.publish(Topic::Frames, Code::Commit, frame.encode());
        }
        self.conclude_calls(frame);
        self.reached(entity, height)?;
        self.hand_on_backlog(entity);
        let is_behind =
            self.followed.get(&entity).is_some_and(|at| at.backlog.is_empty() && !at.ahead.is_empty());
        if is_behind {
            self.ask(entity, None);
        }
        Ok(())
    }

    /// A frame did not take effect.
    pub(super) fn unfit(&mut self, entity: EntityId, error: &BodyError) -> Result<(), E::Error> {
        let Some(followed) = self.followed.get_mut(&entity) else { return Ok(()) };
        match error {
            // It came twice, or one before it did not fit.
            BodyError::OtherHeight { last, .. } => followed.next = last.saturating_add(1),
            // Whoever certified it was not the board any more: the right one is still to come.
            BodyError::OtherBoard { height, .. } => {
                followed.backlog.clear();
                followed.next = *height;
            }
            // It is right, and comes again when the depositary is followed further.
            BodyError::Behind { height, .. } => {
                followed.backlog.clear();
                followed.next = *height;
                let voters = self.connected.iter().filter(|server| self.directory.key(server).is_some());
                followed.ahead.extend(voters.map(|server| (*server, *height)));
            }
            other => {
                if followed.halted {
                    return Ok(());
                }
                followed.halted = true;
                let head =
                    self.env.server().entity(&entity).and_then(Entity::head).map(|head| head.header.height);
                let height = head.unwrap_or(0).saturating_add(1);
                tracing::error!(%entity, height, error = %other, "a certified frame does not execute here: nothing of \
                    this entity is believed any more until this is looked into");
                let reason = format!("frame {height}: {other}");
                self.env.halt(&entity, &reason)?;
                self.shared.halted(entity, reason);
            }
        }
        Ok(())
    }

    /// A frame that somebody told everybody. Says what it is worth to others.
    pub fn gossip(&mut self, topic: Topic, body: &[u8], from: ServerId) -> Verdict {
        let worth = match (topic, decode_exact::<DecidedFrame>(body, FRAME_BYTES_MAX)) {
            (Topic::Frames, Ok(frame)) => {
                let (entity, height) = (frame.body.entity, frame.body.height);
                let worth = self.follow(frame);
                if worth == Worth::Early {
                    if let Some(followed) = self.followed.get_mut(&entity) {
                        followed.ahead.insert(from, height);
                    }
                    self.ask(entity, Some(from));
                }
                worth
            }
            (Topic::Frames, Err(_)) => Worth::Forged,
            _ => Worth::Nothing,
        };
        match worth {
            Worth::New | Worth::Early => Verdict::Accept,
            Worth::Forged => Verdict::Reject,
            Worth::Known | Worth::Nothing => Verdict::Ignore,
        }
    }

    /// Somebody has later frames: asks for them, or for the state after them if they are too many.
    pub(super) fn catch_up(&mut self, entity: EntityId, server: Option<ServerId>) -> Result<(), E::Error> {
        let Some(followed) = self.followed.get(&entity).filter(|followed| !followed.halted) else {
            return Ok(());
        };
        let last = followed.ahead.values().max().copied().unwrap_or(0);
        let missing = last.saturating_add(1).saturating_sub(followed.next);
        let has_frames = followed.ahead.keys().any(|server| !followed.lacking.contains(server));
        let wants_state = !followed.frames_only
            && missing > 0
            && (!has_frames || (missing > self.snapshot_gap && !self.hosts_others()));
        if !wants_state || !self.fetch(entity)? {
            self.ask(entity, server);
        }
        Ok(())
    }

    /// Whether somebody lives here who hears what the frames of others say.
    fn hosts_others(&self) -> bool {
        self.env.server().entities().any(|entity| !entity.is_decided())
    }

    /// Asks a server, or another one that has them, for frames that are missing here.
    pub(super) fn ask(&mut self, entity: EntityId, server: Option<ServerId>) {
        if self.fetches.contains_key(&entity) {
            return;
        }
        let Some(followed) = self.followed.get(&entity).filter(|followed| !followed.halted) else { return };
        if !followed.backlog.is_empty() {
            return;
        }
        let able = |server: &ServerId| self.connected.contains(server) && !followed.lacking.contains(server);
        let some = server.filter(able).or_else(|| {
            // Another one each time: the clock is as good as chance here.
            let known: Vec<ServerId> = followed.ahead.keys().copied().filter(able).collect();
            let turn = usize::try_from(self.env.now().as_secs()).unwrap_or(0) % known.len().max(1);
            known.get(turn).copied()
        });
        let Some(server) = some else { return };
        let now = self.env.now();
        if followed.asked.is_some_and(|asked| now.saturating_sub(asked) < ASK_INTERVAL) {
            return;
        }
        let question = Question::Frames { entity, from: followed.next, max_bytes: ASK_BYTES };
        if let Some(followed) = self.followed.get_mut(&entity) {
            followed.asked = Some(now);
        }
        self.env.ask(server, question);
    }

    /// Asks a server for the first frame of an entity that is unknown here.
    pub(super) fn ask_first(&mut self, entity: EntityId, server: ServerId) {
        // One frame is given however large it is.
        self.env.ask(server, Question::Frames { entity, from: 1, max_bytes: 1 });
    }

    /// Begins to follow an entity that was founded while this server was away, or before it lost its disk, if it votes on its
    /// board.
    fn join_founded(&mut self, entity: EntityId, frames: &[Vec<u8>]) -> Result<(), E::Error> {
        if self.followed.contains_key(&entity) {
            return Ok(());
        }
        let first =
            frames.first().and_then(|bytes| decode_exact::<DecidedFrame>(bytes, FRAME_BYTES_MAX).ok());
        let Some(first) = first.filter(|frame| frame.body.entity == entity) else { return Ok(()) };
        let registered = || self.env.server().registered_first_board(&entity);
        let Some(board) = first.founding_board().cloned().or_else(registered) else { return Ok(()) };
        let network = self.env.server().facts().network;
        if first.verify(network, &board).is_err() {
            return Ok(());
        }
        if !self.is_on(&board) && !self.is_registered_on(&entity) {
            // Whoever shares it with others tells of it every time.
            while self.foreign.len() >= FOREIGN_MAX {
                self.foreign.pop_first();
            }
            self.foreign.insert(entity);
            return Ok(());
        }
        if !self.has_room_to_found(&board) {
            return Ok(());
        }
        self.found(entity, board)
    }

    /// Whether this server's key orders frames on the board that the registry has for an entity now.
    pub(super) fn is_registered_on(&self, entity: &EntityId) -> bool {
        self.registered_board(entity).is_some_and(|board| self.is_on(&board))
    }

    /// Asks again for what is known to be missing.
    pub(super) fn ask_for_frames(&mut self) {
        let behind = self.followed.iter().filter(|(_, followed)| !followed.ahead.is_empty());
        let behind: Vec<EntityId> = behind.map(|(entity, _)| *entity).collect();
        for entity in behind {
            self.hand_on_backlog(entity);
            self.ask(entity, None);
        }
    }

    /// A server answered a question.
    pub(super) fn answered(
        &mut self,
        from: ServerId,
        question: Question,
        answer: Answer,
    ) -> Result<(), E::Error> {
        match (question, answer) {
            (Question::Heights(_), Answer::Heights(digest)) => self.heard_heights(from, &digest),
            (Question::Frames { entity, from: first, .. }, Answer::Frames(frames)) => {
                self.caught_up(entity, from, first, &frames)
            }
            (Question::Snapshot { entity, .. }, answer) => self.manifest(from, entity, &answer),
            (Question::Chunk { snapshot, index }, answer) => self.chunk(from, (snapshot, index), answer),
            (Question::Heights(_) | Question::Frames { .. }, _) => Ok(()),
        }
    }

    /// Takes the frames of an answer over, and asks for more if there may be more.
    fn caught_up(
        &mut self,
        entity: EntityId,
        from: ServerId,
        first: Height,
        frames: &[Vec<u8>],
    ) -> Result<(), E::Error> {
        self.join_founded(entity, frames)?;
        let Some(board) = self.board(&entity) else { return Ok(()) };
        let board_hash = board.hash();
        let network = self.env.server().facts().network;
        let Some(followed) = self.followed.get_mut(&entity) else { return Ok(()) };
        if frames.is_empty() {
            // It says that it has it, and does not: it begins later itself.
            if first == followed.next && followed.ahead.contains_key(&from) {
                followed.lacking.insert(from);
                return self.catch_up(entity, None);
            }
            return Ok(());
        }
        if !followed.backlog.is_empty() {
            // Two were asked; what came first is enough for now.
            return Ok(());
        }
        // Checking certificates takes longest: all of them together, up to the first that proves nothing.
        let read: Vec<Read> = frames
            .par_iter()
            .map(|bytes| {
                let frame = decode_exact::<DecidedFrame>(bytes, FRAME_BYTES_MAX);
                let Some(frame) = frame.ok().filter(|frame| frame.header.entity == entity) else {
                    return Read::Useless;
                };
                if frame.header.board_hash != board_hash {
                    return Read::OfAnotherBoard(frame.header.height);
                }
                // The body is of the entity and height of the header that it is checked against.
                if frame.verify(network, &board).is_ok() {
                    Read::Good(Box::new(frame))
                } else {
                    Read::Useless
                }
            })
            .collect();
        let count = read.len();
        let last = read.iter().rev().find_map(Read::of_another_board);
        let mut is_cut = false;
        let mut good = Vec::with_capacity(count);
        for read in read {
            match read {
                Read::Good(frame) => good.push(*frame),
                // After a change: the frames before it bring the board that certifies it.
                Read::OfAnotherBoard(_) => {
                    is_cut = !good.is_empty();
                    break;
                }
                Read::Useless => break,
            }
        }
        if let Some(last) = good.last() {
            self.shared.seen(entity, last.body.height);
        }
        if let Some(last) = last.filter(|_| is_cut) {
            followed.ahead.entry(from).or_insert(last);
        } else if good.len() < count {
            tracing::warn!(%entity, server = %from, place = good.len(), "a frame of an answer proves nothing");
        }
        let before = followed.next;
        let fresh = good.into_iter().skip_while(|frame| frame.body.height < before);
        let follows = |(expected, frame): &(Height, DecidedFrame)| frame.body.height == *expected;
        followed.backlog = (before..).zip(fresh).take_while(follows).map(|(_, frame)| frame).collect();
        followed.asked = None;
        self.hand_on_backlog(entity);
        let Some(followed) = self.followed.get(&entity) else { return Ok(()) };
        // After a change of the board the frames up to it have to be durable first.
        if followed.next > before && followed.backlog.is_empty() && !is_cut {
            self.ask(entity, Some(from));
        }
        Ok(())
    }

    /// Answers a question of another server. States are given by [`Serving`](super::Serving), which may take its time.
    pub fn answer(&mut self, from: ServerId, question: &Question) -> Result<Answer, E::Error> {
        match question {
            Question::Heights(digest) => self.answer_heights(from, digest),
            Question::Frames { entity, from, max_bytes } => {
                let (mut frames, mut bytes) = (Vec::new(), 0_usize);
                let most = usize::try_from((*max_bytes).min(ASK_BYTES)).unwrap_or(0);
                for height in *from..from.saturating_add(u64::from(FRAMES_MAX)) {
                    match self.env.frame(entity, height)? {
                        Some(frame) if frames.is_empty() || bytes + frame.len() <= most => {
                            bytes = bytes.saturating_add(frame.len());
                            frames.push(frame);
                        }
                        _ => break,
                    }
                }
                Ok(Answer::Frames(xln_primitives::BoundedVec::truncate_from(frames)))
            }
            Question::Snapshot { .. } | Question::Chunk { .. } => Ok(Answer::Unknown),
        }
    }
}

/// A frame of an answer.
enum Read {
    Good(Box<DecidedFrame>),
    /// Of this height, and certified by another board than the one that is known here.
    OfAnotherBoard(Height),
    Useless,
}

impl Read {
    const fn of_another_board(&self) -> Option<Height> {
        match self {
            Self::OfAnotherBoard(height) => Some(*height),
            Self::Good(_) | Self::Useless => None,
        }
    }
}

/// What a frame was worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// The next one.
    New,
    /// One before the next.
    Known,
    /// A later one, or there is no room for it now.
    Early,
    /// Its certificate proves nothing, or proves another body.
    Forged,
    /// Of an entity that is not followed here.
    Nothing,
}
