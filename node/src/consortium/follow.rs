//! Frames of entities that are followed here: taken over once each, in order, whoever brings them.

use std::time::Duration;

use codec::Encode;
use xln_consensus::Event;
use xln_network::{Answer, Code, FRAMES_MAX, Question, ServerId, Standing, Topic, Verdict};
use xln_primitives::{EntityId, decode_exact};
use xln_runtime::{BodyError, DecidedFrame};

use super::{environment::Environment, machine::Machine};

/// Most bytes of frames that are asked for at once.
const ASK_BYTES: u32 = 4 << 20;
/// Most bytes of one frame.
const FRAME_BYTES_MAX: usize = 5 << 20;
/// Nobody is asked for frames of an entity more often.
const ASK_INTERVAL: Duration = Duration::from_millis(200);

impl<E: Environment> Machine<E> {
    /// Hands a frame to the author, if it is the next one and its certificate holds. Tells what it was worth.
    pub(super) fn follow(&mut self, frame: DecidedFrame) -> Worth {
        let (entity, height) = (frame.body.entity, frame.body.height);
        let Some(board) = self.board(&entity) else { return Worth::Nothing };
        let Some(followed) = self.followed.get_mut(&entity).filter(|followed| !followed.halted) else {
            return Worth::Nothing;
        };
        if height < followed.next {
            return Worth::Known;
        }
        let network = self.env.server().facts().network;
        if frame.verify(network, &board).is_err() {
            return Worth::Forged;
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

    /// A frame is part of the durable state.
    pub(super) fn applied(&mut self, frame: &DecidedFrame) {
        let (entity, height) = (frame.body.entity, frame.body.height);
        if let Some(followed) = self.followed.get_mut(&entity) {
            followed.next = followed.next.max(height.saturating_add(1));
        }
        self.unbuilt.remove(&entity);
        if self.wanted.get(&entity).is_some_and(|at| *at <= frame.header.timestamp) {
            self.wanted.remove(&entity);
        }
        self.note_decided(frame);
        self.founding.remove(&entity);
        let is_depositary = self.env.server().facts().depositary == entity;
        // What only its own servers follow they hear from the board itself.
        if self.built.remove(&frame.header.hash()) && is_depositary {
            self.env.publish(Topic::Frames, Code::Commit, frame.encode());
        }
        let Some(board) = self.board(&entity) else { return };
        self.events.push_back(Event::Applied { entity, height, board });
        if let Some(waiting) = self.waiting.get_mut(&entity) {
            let server = self.env.server();
            waiting.executed(&server, &entity);
            if waiting.is_ready(&server, &entity) {
                self.events.push_back(Event::Work { entity });
            }
        }
    }

    /// A frame did not take effect.
    pub(super) fn unfit(&mut self, entity: EntityId, error: &BodyError) {
        let Some(followed) = self.followed.get_mut(&entity) else { return };
        match error {
            // It came twice, or one before it did not fit.
            BodyError::OtherHeight { last, .. } => followed.next = last.saturating_add(1),
            other => {
                followed.halted = true;
                tracing::error!(%entity, error = %other, "a certified frame does not execute here: nothing of this \
                    entity is believed any more until this is looked into");
                self.shared.halted(entity, other.to_string());
            }
        }
    }

    /// A frame that somebody told everybody. Says what it is worth to others.
    pub fn gossip(&mut self, topic: Topic, body: &[u8], from: ServerId) -> Verdict {
        let worth = match (topic, decode_exact::<DecidedFrame>(body, FRAME_BYTES_MAX)) {
            (Topic::Frames, Ok(frame)) => {
                let entity = frame.body.entity;
                let worth = self.follow(frame);
                if worth == Worth::Early {
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

    /// Asks a server, or any that is connected, for frames that are missing here.
    pub(super) fn ask(&mut self, entity: EntityId, server: Option<ServerId>) {
        let connected = server.filter(|server| self.connected.contains(server));
        let Some(server) = connected.or_else(|| self.any_follower(&entity)) else { return };
        let Some(followed) = self.followed.get_mut(&entity).filter(|followed| !followed.halted) else {
            return;
        };
        let now = self.env.now();
        if followed.asked.is_some_and(|asked| now.saturating_sub(asked) < ASK_INTERVAL) {
            return;
        }
        followed.asked = Some(now);
        let question = Question::Frames { entity, from: followed.next, max_bytes: ASK_BYTES };
        self.env.ask(server, question);
    }

    /// A connected server that has the entity's frames: everybody has the depositary's, its board has those of another.
    fn any_follower(&self, entity: &EntityId) -> Option<ServerId> {
        let everywhere = self.env.server().facts().depositary == *entity;
        let voters = if everywhere { Vec::new() } else { self.voters(entity) };
        let follows = |server: &&ServerId| everywhere || voters.contains(server);
        let followers: Vec<ServerId> = self.connected.iter().filter(follows).copied().collect();
        // Another one each time: the clock is as good as chance here.
        let turn = usize::try_from(self.env.now().as_secs()).unwrap_or(0);
        followers.get(turn.checked_rem(followers.len())?).copied()
    }

    pub(super) fn ask_for_frames(&mut self) {
        let entities: Vec<EntityId> = self.followed.keys().copied().collect();
        for entity in entities {
            self.ask(entity, None);
        }
    }

    /// A server answered a question.
    pub(super) fn answered(&mut self, from: ServerId, question: &Question, answer: &Answer) {
        if let (Question::Frames { entity, .. }, Answer::Frames(frames)) = (question, answer) {
            self.caught_up(*entity, from, frames);
        }
    }

    /// Takes the frames of an answer over, and asks for more if there may be more.
    fn caught_up(&mut self, entity: EntityId, from: ServerId, frames: &[Vec<u8>]) {
        let mut last = Worth::Nothing;
        for bytes in frames {
            let Ok(frame) = decode_exact::<DecidedFrame>(bytes, FRAME_BYTES_MAX) else { return };
            if frame.body.entity != entity {
                return;
            }
            last = self.follow(frame);
            if matches!(last, Worth::Early | Worth::Forged | Worth::Nothing) {
                break;
            }
        }
        if last == Worth::New
            && let Some(followed) = self.followed.get_mut(&entity)
        {
            followed.asked = None;
            self.ask(entity, Some(from));
        }
    }

    /// Answers a question of another server.
    #[must_use]
    pub fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Heights(_) => {
                let server = self.env.server();
                let standing = |entity: &xln_runtime::Entity| {
                    let head = entity.head()?;
                    let (height, frame) = (head.header.height, head.header.hash());
                    Some(Standing { entity: entity.id(), height, frame })
                };
                let decided = server.entities().filter(|entity| entity.is_decided());
                Answer::Heights(xln_primitives::BoundedVec::truncate_from(
                    decided.filter_map(standing).collect(),
                ))
            }
            Question::Frames { entity, from, max_bytes } => {
                let (mut frames, mut bytes) = (Vec::new(), 0_usize);
                let most = usize::try_from((*max_bytes).min(ASK_BYTES)).unwrap_or(0);
                for height in *from..from.saturating_add(u64::from(FRAMES_MAX)) {
                    match self.env.frame(entity, height) {
                        Ok(Some(frame)) if frames.is_empty() || bytes + frame.len() <= most => {
                            bytes = bytes.saturating_add(frame.len());
                            frames.push(frame);
                        }
                        Ok(_) => break,
                        Err(error) => {
                            tracing::error!(%entity, height, %error, "a frame cannot be read");
                            return Answer::Busy;
                        }
                    }
                }
                Answer::Frames(xln_primitives::BoundedVec::truncate_from(frames))
            }
            Question::Snapshot { .. } | Question::Chunk { .. } => Answer::Unknown,
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
