//! Performing what the consensus asks for.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use codec::Encode;
use xln_consensus::{
    BODY_BYTES_MAX, BlsKey, BoardMessage, Body, Content, Effect, Event, Row, Verdict, VoteHistory,
};
use xln_network::{Code, ServerId};
use xln_primitives::{Board, Certificate, EntityId, FrameHash, Hash, Height, Round, decode_exact};
use xln_runtime::{BodyError, DecidedFrame, FrameBody, ServerInput, SliceInputs};

use super::{
    environment::Environment,
    machine::{Followed, Machine},
    unproven::Unjudged,
};

/// How far a proposal's time may be ahead of this server's.
const AHEAD_MS: u64 = 500;
/// From this round on a proposer moves time too, so that there is a frame also if nothing else can be in it.
const HEARTBEAT_ROUND: Round = 2;
/// Inputs of the clock in one frame.
const DUE_MAX: usize = 256;
/// Frames built here that are remembered until they are decided.
const BUILT_MAX: usize = 64;

impl<E: Environment> Machine<E> {
    /// Lets the machine take what happened and performs what it asks for, until it asks for nothing more.
    pub(super) fn step(&mut self) -> Result<(), E::Error> {
        self.build_late()?;
        while !self.events.is_empty() {
            let events: Vec<Event> = self.events.drain(..).collect();
            self.note_work(&events);
            let Some(host) = &mut self.host else { return Ok(()) };
            let seed = self.env.entropy()?;
            let effects = host.step(events, seed);
            for effect in effects {
                self.perform(effect)?;
            }
        }
        Ok(())
    }

    fn perform(&mut self, effect: Effect) -> Result<(), E::Error> {
        match effect {
            Effect::Append { turn, rows } => {
                self.env.append(&rows)?;
                self.events.push_back(Event::Durable { turn });
            }
            Effect::Send { to, bytes } => self.send(&to, &bytes),
            Effect::SetTimer { timer, after_ms } => {
                self.timers.insert(timer, self.env.now().saturating_add(Duration::from_millis(after_ms)));
            }
            Effect::CancelTimer { timer } => {
                self.timers.remove(&timer);
            }
            Effect::Build { entity, height, round, within_ms: _ } => self.build(entity, height, round)?,
            Effect::Validate { entity, height, frame, body } => {
                self.judge_body(Unjudged { entity, height, frame, body })?;
            }
            Effect::Decided { entity, height, frame, certificate, body } => {
                self.decided(entity, height, frame, certificate, &body);
            }
            Effect::Answer { to, entity, height } => self.answer_vote(to, entity, height)?,
            Effect::CatchUp { entity, from: _, member } => {
                let server = self.directory.voter(&member);
                self.ask(entity, server);
                self.events.push_back(Event::CatchUpEnded { entity });
            }
            Effect::Evidence(evidence) => {
                tracing::error!(?evidence, "a member of a board signed two things for one place");
                self.env.keep_evidence(evidence)?;
            }
            Effect::Refused { from, reason } => {
                self.shared.refused(reason);
                let server = self.directory.voter(&from).map(|server| server.to_string());
                tracing::debug!(server, %reason, "a message of the consensus was refused");
            }
            Effect::Halt { entity, height, reason } => {
                tracing::error!(%entity, height, %reason, "this server decides for the entity no more");
                self.shared.halted(entity, reason.to_string());
            }
        }
        Ok(())
    }

    fn send(&mut self, to: &[BlsKey], bytes: &[u8]) {
        let to: Vec<ServerId> = to.iter().filter_map(|key| self.directory.voter(key)).collect();
        // The first byte after entity and height says what it is.
        let code = match bytes.get(40) {
            Some(0x10) => Code::Propose,
            Some(0x12) => Code::Commit,
            _ => Code::Vote,
        };
        self.env.send(to, code, bytes.to_vec());
    }

    /// Builds a frame of what waits, if anything does.
    fn build(&mut self, entity: EntityId, height: Height, round: Round) -> Result<(), E::Error> {
        let now = self.env.time();
        let server = self.state();
        let (waiting, known) = (self.waiting.get(&entity), server.entity(&entity));
        let (messages, boards) = waiting.map_or_else(Default::default, |waiting| waiting.next(known));
        let calls = waiting.map_or_else(Vec::new, |waiting| waiting.next_calls(known));
        let mut due = server.due_of(entity, now, DUE_MAX);
        if due.is_empty() && (round >= HEARTBEAT_ROUND || self.wanted.contains_key(&entity)) {
            // What somebody had to order may be ordered already, or miss what comes before it: an empty frame ends the height.
            due.push(ServerInput::Heartbeat { entity });
        }
        let inputs = SliceInputs { server: due, messages, calls, ..SliceInputs::default() };
        let entropy = Hash::new(self.env.entropy()?);
        match server.propose(entity, now, entropy, inputs, &boards) {
            Ok(Some((body, header))) if body.height == height => {
                let (frame, body) = (header.hash(), body.encode());
                if body.len() > BODY_BYTES_MAX {
                    tracing::error!(%entity, height, bytes = body.len(), "a frame is too large to be proposed");
                    return Ok(());
                }
                while self.built.len() >= BUILT_MAX {
                    self.built.pop_first();
                }
                self.built.insert(frame);
                self.events.push_back(Event::Built { entity, height, round, frame, body: Arc::new(body) });
            }
            Ok(Some(_)) => {}
            Ok(None) => {
                self.unbuilt.insert(entity, (height, round));
            }
            Err(error) => tracing::warn!(%entity, height, %error, "no frame can be proposed"),
        }
        Ok(())
    }

    /// Builds what could not be built when it was our turn, since the message that others had came here later.
    fn build_late(&mut self) -> Result<(), E::Error> {
        let late: Vec<EntityId> = {
            let server = self.env.server();
            let waits = |entity: &&EntityId| {
                self.waiting.get(*entity).is_some_and(|waiting| waiting.is_ready(server.entity(entity)))
            };
            self.unbuilt.keys().filter(waits).copied().collect()
        };
        for entity in late {
            if let Some((height, round)) = self.unbuilt.remove(&entity) {
                self.build(entity, height, round)?;
            }
        }
        Ok(())
    }

    /// Says what a proposed frame is worth, now or as soon as it can be judged here.
    pub(super) fn judge_body(&mut self, proposed: Unjudged) -> Result<(), E::Error> {
        let Unjudged { entity, height, frame, .. } = proposed;
        match self.validate(entity, frame, &proposed.body)? {
            Some(verdict) => self.events.push_back(Event::Validated { entity, height, frame, verdict }),
            None => self.unproven.keep_body(proposed),
        }
        Ok(())
    }

    /// What a proposed frame is worth. None if only whoever has followed the depositary further can tell.
    fn validate(
        &mut self,
        entity: EntityId,
        frame: FrameHash,
        body: &Body,
    ) -> Result<Option<Verdict>, E::Error> {
        let Ok(body) = decode_exact::<FrameBody>(body, BODY_BYTES_MAX) else {
            return Ok(Some(Verdict::Mismatch));
        };
        if body.entity != entity {
            return Ok(Some(Verdict::Mismatch));
        }
        let server = self.state();
        let now = self.env.time();
        let header = match server.draft(&body) {
            Ok(header) => header,
            Err(BodyError::Behind { .. }) => return Ok(None),
            Err(error) => {
                tracing::warn!(%entity, %frame, %error, "a proposed frame cannot be executed");
                // Whether the bytes or the frame are to blame only its header could tell.
                return Ok(Some(Verdict::Mismatch));
            }
        };
        if header.hash() != frame {
            return Ok(Some(Verdict::Mismatch));
        }
        if body.timestamp > now.saturating_add(AHEAD_MS) {
            tracing::warn!(%entity, %frame, "a proposed frame is of a time that has not come");
            return Ok(Some(Verdict::Invalid));
        }
        match body.authenticate(&server, now, self.env.entropy()?) {
            Ok(()) => Ok(Some(Verdict::Valid)),
            Err(BodyError::NotYet { .. }) => Ok(None),
            Err(BodyError::NoBoard { .. }) => Ok(Some(Verdict::Mismatch)),
            Err(error) => {
                tracing::warn!(%entity, %frame, %error, "a proposed frame contains what proves nothing");
                Ok(Some(Verdict::Invalid))
            }
        }
    }

    /// The board has decided: the author takes the frame over.
    fn decided(
        &mut self,
        entity: EntityId,
        height: Height,
        frame: FrameHash,
        certificate: Certificate,
        body: &Body,
    ) {
        let made = decode_exact::<FrameBody>(body, BODY_BYTES_MAX)
            .map_err(|error| error.to_string())
            .and_then(|body| {
                let header = self.env.server().draft(&body).map_err(|error| error.to_string())?;
                Ok(DecidedFrame { body, header, certificate })
            });
        match made {
            // The machine has checked the certificate, whoever made it.
            Ok(made) if made.header.hash() == frame => {
                self.take_over(made);
            }
            Ok(_) => {
                self.shared.halted(entity, format!("frame {height} was decided and is another one here"));
            }
            // Others decided first and told us.
            Err(error) => tracing::debug!(%entity, height, error, "a decided frame was there already"),
        }
    }

    /// Sends a member a frame that was decided.
    fn answer_vote(&mut self, to: BlsKey, entity: EntityId, height: Height) -> Result<(), E::Error> {
        let Some(bytes) = self.env.frame(&entity, height)? else { return Ok(()) };
        let Ok(frame) = decode_exact::<DecidedFrame>(&bytes, bytes.len()) else { return Ok(()) };
        let content = Content::Decided {
            frame: frame.header.hash(),
            certificate: frame.certificate,
            body: Arc::new(frame.body.encode()),
        };
        self.send(&[to], &BoardMessage { entity, height, content }.encode());
        Ok(())
    }

    /// What the machine needs to know at the start, of every board on which this server votes.
    pub(super) fn resume_boards(&mut self) -> Result<(), E::Error> {
        let decided: BTreeMap<EntityId, (Height, Board)> = {
            let server = self.env.server();
            let voting = server.entities().filter(|entity| entity.is_decided());
            let next = |entity: &xln_runtime::Entity| entity.head().map_or(1, |head| head.header.height + 1);
            voting.map(|entity| (entity.id(), (next(entity), entity.board().clone()))).collect()
        };
        let halts: BTreeMap<EntityId, String> = self.env.halts()?.into_iter().collect();
        for (entity, (height, board)) in decided {
            self.waiting.entry(entity).or_default();
            let halted = halts.get(&entity);
            self.followed.insert(entity, Followed { halted: halted.is_some(), ..Followed::new(height) });
            if let Some(reason) = halted {
                tracing::error!(%entity, %reason, "this server does not follow the entity any more");
                self.shared.halted(entity, reason.clone());
                continue;
            }
            let enters = !self.was_on_board(&entity, height.saturating_sub(1));
            self.take_seat(entity, height, board, enters)?;
        }
        Ok(())
    }

    /// Whether this server's key was on the board that certified the frame of this height.
    fn was_on_board(&self, entity: &EntityId, height: Height) -> bool {
        let server = self.env.server();
        let board = server.entity(entity).map(|entity| pallet_entities::board_at(&entity.state(), height));
        // Of what was forgotten it is not known: then it may have been.
        height > 0 && board.is_some_and(|board| board.ok().flatten().is_none_or(|board| self.is_on(&board)))
    }

    /// Votes on an entity from a height on, if this server's key is on the board. `enters` if it was not on the board of the
    /// height before.
    pub(super) fn take_seat(
        &mut self,
        entity: EntityId,
        height: Height,
        board: Board,
        enters: bool,
    ) -> Result<(), E::Error> {
        if !self.is_on(&board) {
            return Ok(());
        }
        let (rows, history) = self.rows(&entity, height, enters)?;
        self.seats.insert(entity);
        self.events.push_back(Event::Follow { entity, height, board, rows, history });
        Ok(())
    }

    /// What the log of an entity holds from a height on, and what is known of votes that it does not hold.
    pub(super) fn rows(
        &mut self,
        entity: &EntityId,
        from: Height,
        enters: bool,
    ) -> Result<(Vec<Row>, VoteHistory), E::Error> {
        let (mut rows, mut last) = (Vec::new(), None);
        for (of, sequence, value) in self.env.log(entity)? {
            last = last.max(Some((of, sequence)));
            let key = [entity.as_ref(), &of.to_be_bytes(), &sequence.to_be_bytes()].concat();
            match Row::read(&key, &value) {
                Ok(row) if of >= from => rows.push(row),
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "the log of a consensus is damaged");
                    self.shared.halted(*entity, error.to_string());
                }
            }
        }
        let history = self.env.vote_history(entity, from, last, enters)?;
        self.tell_history(*entity, from, history);
        Ok((rows, history))
    }

    /// Says why this server does not vote yet, if it does not.
    fn tell_history(&self, entity: EntityId, height: Height, history: VoteHistory) {
        if self.host.is_none() {
            return;
        }
        match history {
            VoteHistory::Whole => {}
            VoteHistory::UpTo(voted) => tracing::warn!(
                %entity, height, voted,
                "the key has voted on what this database does not know: it votes above that height"
            ),
            VoteHistory::Restored => tracing::warn!(
                %entity, height, "the disk comes from a backup: the key votes when enough others have said where they stand"
            ),
            VoteHistory::Unknown => tracing::warn!(
                %entity, height,
                "nobody knows whether the key has voted before: it votes when enough others have said where they stand; if this \
                 is its first start, --vote-history first says so"
            ),
        }
    }
}
