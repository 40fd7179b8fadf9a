//! Frames that are decided elsewhere than in a slice: what a board of several agrees on, and what an observer follows.
//!
//! An entity with one signer, whose key is here, executes at once: its inputs are those of the slice. For every other entity
//! the inputs of a frame come together, in a [`FrameBody`], and the frame is made wherever the entity is followed:
//!
//! ```text
//!   proposer                         member                              follower, and the two others
//!   what waits ─► Server::propose    body ─► Server::draft               body, header, certificate
//!                  │ body, header            │ header: vote for its hash  ─► SliceInputs::frames ─► the next slice
//!                  └────────────────────────►└────── certificate ───────────────►
//! ```
//!
//! [`Server::propose`] leaves out what would be refused, so that a body contains nothing without effect, and
//! [`Server::draft`] accepts nothing else: of one set of inputs in one order there is one frame.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use codec::{Decode, Encode, Error, Input, Output};
use pallet_entities::Era;
use xln_primitives::{
    AuthenticationError, Board, Certificate, CertificateError, CertifiedMessage, EntityId, FrameHash,
    FrameHeader, Hash, Height, Network, Timestamp, keccak256, outputs::merkle_root,
};

use crate::{
    Authentic, Inbound, Known, RuntimeMessage, ServerInput, SignedCall, SliceInputs, Speaker,
    authenticate_messages,
    boards::Boards,
    delivery::Delivery,
    entity::Entity,
    frame::{self, Draft, Turn, Work},
    logged,
    newcomer::{created_board, founded},
    server::Server,
};

/// Most messages, calls and inputs of the clock in one frame, together.
pub const BODY_INPUTS_MAX: usize = 8_192;

/// Everything that a frame executes, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameBody {
    /// Whose frame.
    pub entity: EntityId,
    /// Its number.
    pub height: Height,
    /// Hash of the frame before; zero for the first.
    pub parent: FrameHash,
    /// Its time, after the parent's.
    pub timestamp: Timestamp,
    /// Randomness of the proposer, from which the entity derives secrets. All who follow the entity know it.
    pub entropy: Hash,
    /// From the clock of the proposer; each proves itself or can do no harm.
    pub server: Vec<ServerInput>,
    /// From other entities.
    pub messages: Vec<Arc<CertifiedMessage<RuntimeMessage>>>,
    /// From members of the board.
    pub calls: Vec<SignedCall>,
    /// The boards that stand behind the messages, each once, for those who check the body before it is decided. The frame
    /// does not depend on them.
    pub boards: Vec<Board>,
}

impl FrameBody {
    /// Everything on which the frame depends.
    fn encode_inputs<O: Output + ?Sized>(&self, out: &mut O) {
        self.entity.encode_to(out);
        self.height.encode_to(out);
        self.parent.encode_to(out);
        self.timestamp.encode_to(out);
        self.entropy.encode_to(out);
        self.server.encode_to(out);
        logged::encode(&self.messages, out);
        self.calls.encode_to(out);
    }

    /// What the header commits to: the bytes of all inputs, and then each input alone, as in every other frame. So whoever
    /// has a certified header knows whether a body is the one that was certified before executing it.
    #[must_use]
    pub fn inputs_root(&self, network: &Network) -> Hash {
        let mut bytes = Vec::new();
        self.encode_inputs(&mut bytes);
        let server = self.server.iter().map(|input| input.using_encoded(keccak256));
        let messages = self.messages.iter().map(|message| message.message.leaf(network));
        let calls = self.calls.iter().map(|call| Hash::new(*call.hash().as_bytes()));
        merkle_root(core::iter::once(keccak256(&bytes)).chain(server).chain(messages).chain(calls).collect())
    }
}

impl Encode for FrameBody {
    fn encode_to<O: Output + ?Sized>(&self, out: &mut O) {
        self.encode_inputs(out);
        self.boards.encode_to(out);
    }
}

impl Decode for FrameBody {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        Ok(Self {
            entity: Decode::decode(input)?,
            height: Decode::decode(input)?,
            parent: Decode::decode(input)?,
            timestamp: Decode::decode(input)?,
            entropy: Decode::decode(input)?,
            server: Decode::decode(input)?,
            messages: logged::decode(input)?,
            calls: Decode::decode(input)?,
            boards: Decode::decode(input)?,
        })
    }
}

/// A frame that its board has certified, with what it executes. Enough to follow the entity without trusting whoever
/// brings it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DecidedFrame {
    /// What it executes.
    pub body: FrameBody,
    /// What comes of it.
    pub header: FrameHeader,
    /// That the board stands behind it.
    pub certificate: Certificate,
}

/// A frame that proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecidedError {
    /// The body is not the one that was certified.
    #[error("the body of frame {height} of entity {entity} is not the one that its header commits to")]
    OtherBody {
        /// Whose frame.
        entity: EntityId,
        /// Its number.
        height: Height,
    },
    /// The board does not stand behind it.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl DecidedFrame {
    /// The board of the entity that this frame founds, if it is the first one of a lazy entity.
    #[must_use]
    pub fn founding_board(&self) -> Option<&Board> {
        let board = created_board(self.body.calls.first()?)?;
        (self.body.height == 1 && board.entity() == self.body.entity).then_some(board)
    }

    /// Checks that `board` stands behind the frame, inputs included. Whether they lead to its state, its execution shows.
    ///
    /// Errors: see [`DecidedError`]; whoever brought such a frame is to blame, not the board.
    pub fn verify(&self, network: Network, board: &Board) -> Result<(), DecidedError> {
        self.verify_body(network)?;
        Ok(self.certificate.verify(network, board, &self.header)?)
    }

    /// Checks that the body is the one to which the header commits.
    pub(crate) fn verify_body(&self, network: Network) -> Result<(), DecidedError> {
        let Self { body, header, .. } = self;
        let place = (header.entity, header.height, header.parent, header.timestamp);
        if place != (body.entity, body.height, body.parent, body.timestamp)
            || header.inputs_root != body.inputs_root(&network)
        {
            return Err(DecidedError::OtherBody { entity: header.entity, height: header.height });
        }
        Ok(())
    }
}

/// A body that makes no frame here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Nobody follows this entity here.
    #[error("entity {entity} is not followed here")]
    Unknown {
        /// Which entity.
        entity: EntityId,
    },
    /// It belongs elsewhere in the entity's history.
    #[error("frame {found} of entity {entity} does not follow frame {last}")]
    OtherHeight {
        /// Which entity.
        entity: EntityId,
        /// Its latest frame here.
        last: Height,
        /// The one that was found.
        found: Height,
    },
    /// It follows another frame.
    #[error("frame {height} names parent {found}, the latest frame here is {expected}")]
    OtherParent {
        /// Its number.
        height: Height,
        /// The latest frame.
        expected: FrameHash,
        /// The one that it names.
        found: FrameHash,
    },
    /// Time does not move.
    #[error("frame {height} is of {found} ms, its parent of {parent} ms: time has to grow")]
    TimeStandsStill {
        /// Its number.
        height: Height,
        /// Time of the parent.
        parent: Timestamp,
        /// Its time.
        found: Timestamp,
    },
    /// More inputs than a frame may have.
    #[error("{found} inputs, a frame has at most {max}")]
    TooLarge {
        /// How many.
        found: usize,
        /// Most.
        max: usize,
    },
    /// An input without effect: a call or message that is refused or comes out of order.
    #[error("{found} inputs would be refused; a frame contains none such")]
    Refused {
        /// How many.
        found: usize,
    },
    /// No input at all.
    #[error("there is nothing to execute")]
    Empty,
    /// A message that proves nothing.
    #[error("a message proves nothing: {0}")]
    Message(#[from] AuthenticationError),
    /// A message whose sender's board is not beside the body.
    #[error("the board of {entity}, who sent a message, is missing")]
    NoBoard {
        /// The sender.
        entity: EntityId,
    },
    /// A message whose sender's board is not known here yet: the depositary has to be followed further.
    #[error("the board that speaks for {entity}, who sent a message, is not known here yet")]
    NotYet {
        /// The sender.
        entity: EntityId,
    },
    /// A message that another board certified than the one that spoke for its sender at that height.
    #[error("a message of {entity} is certified by a board that did not speak for it at that height")]
    NotItsBoard {
        /// The sender.
        entity: EntityId,
    },
    /// A proof in it names a board of the depositary that is not known here yet: the depositary has to be followed further.
    #[error(
        "frame {height} of entity {entity} needs to be judged by a later board of the depositary than is known here"
    )]
    Behind {
        /// Whose frame.
        entity: EntityId,
        /// Its number.
        height: Height,
    },
    /// A call that proves nothing.
    #[error("a call proves nothing: {0}")]
    Call(#[from] xln_primitives::CallError),
    /// Another board certified the frame than the one that speaks for the entity at its height.
    #[error("frame {height} is certified by board {found}, at that height {expected} speaks for the entity")]
    OtherBoard {
        /// Its number.
        height: Height,
        /// Hash of the board that speaks for the entity.
        expected: Hash,
        /// Hash of the one in the header.
        found: Hash,
    },
    /// The certified header is another: this machine and the board's members do not compute alike.
    #[error("frame {height} leads to {made} here, its board certified {certified}")]
    Diverged {
        /// Its number.
        height: Height,
        /// Hash of the header that was made here.
        made: FrameHash,
        /// Hash of the certified one.
        certified: FrameHash,
    },
}

impl Server {
    /// What a proposer puts before the other members: the next frame of an entity from what waits for it. None if nothing
    /// of it has any effect. Inputs that would be refused are left out.
    ///
    /// `now` is the proposer's time; it is raised above the parent's if it is not later. `boards` are those of the senders.
    ///
    /// Errors: [`BodyError::Unknown`].
    pub fn propose(
        &self,
        entity: EntityId,
        now: Timestamp,
        entropy: Hash,
        inputs: SliceInputs,
        boards: &BTreeMap<EntityId, Board>,
    ) -> Result<Option<(FrameBody, FrameHeader)>, BodyError> {
        let SliceInputs { mut server, messages, calls, .. } = inputs;
        let mut messages: Vec<Inbound> = messages.into_iter().map(Authentic::into_inner).collect();
        let mut calls: Vec<SignedCall> = calls.into_iter().map(Authentic::into_inner).collect();
        let founded = match self.entity(&entity) {
            Some(_) => None,
            None => Some(self.founded_by(entity, &calls).ok_or(BodyError::Unknown { entity })?),
        };
        let entity =
            founded.as_ref().or_else(|| self.entity(&entity)).ok_or(BodyError::Unknown { entity })?;
        let most = BODY_INPUTS_MAX;
        server.truncate(most);
        messages.truncate(most.saturating_sub(server.len()));
        calls.truncate(most.saturating_sub(server.len()).saturating_sub(messages.len()));
        // Messages that are refused are a matter of order alone, so they are told apart before.
        let messages = in_order(entity, messages);
        let Turn { draft, refused, pointless, early, .. } =
            run(self.boards(), entity, now, entropy, &server, &messages, &calls);
        let Some(Draft { mut header, .. }) = draft else { return Ok(None) };
        // What cannot be judged here yet, and what comes after it.
        let early: BTreeSet<Hash> = early.iter().map(Delivery::leaf).collect();
        let messages: Vec<Inbound> =
            messages.into_iter().filter(|message| !early.contains(&message.leaf())).collect();
        let refused: Vec<usize> = refused.into_iter().map(|(place, _)| place).collect();
        let (height, parent, _) = frame::next(self.facts(), entity);
        let keep = |dropped: &[usize], place: usize| !dropped.contains(&place);
        let senders: BTreeSet<EntityId> =
            messages.iter().map(|message| message.certified().message.from).collect();
        let server = server.into_iter().enumerate().filter(|(place, _)| keep(&pointless, *place));
        let calls = calls.into_iter().enumerate().filter(|(place, _)| keep(&refused, *place));
        let body = FrameBody {
            entity: entity.id(),
            height,
            parent,
            timestamp: header.timestamp,
            entropy,
            server: server.map(|(_, input)| input).collect(),
            messages: messages.into_iter().map(Inbound::into_certified).collect(),
            calls: calls.map(|(_, call)| call).collect(),
            boards: senders.iter().filter_map(|sender| boards.get(sender).cloned()).collect(),
        };
        header.inputs_root = body.inputs_root(&self.facts().network);
        Ok(Some((body, header)))
    }

    /// The frame that a body makes on top of the entity's latest one here. Changes nothing.
    ///
    /// Errors: every way in which a body does not make exactly one frame; see [`BodyError`]. The origin of its messages
    /// and calls is not checked here, see [`FrameBody::authenticate`].
    pub fn draft(&self, body: &FrameBody) -> Result<FrameHeader, BodyError> {
        let unknown = BodyError::Unknown { entity: body.entity };
        match self.entity(&body.entity) {
            Some(entity) => draft(self.boards(), entity, body),
            None => draft(self.boards(), &self.founded_by(body.entity, &body.calls).ok_or(unknown)?, body),
        }
        .map(|draft| draft.header)
    }

    /// An entity that does not exist yet, as the first of these calls founds it, or with the board that the registry has for
    /// it. Its board decides the frame.
    pub(crate) fn founded_by(&self, id: EntityId, calls: &[SignedCall]) -> Option<Entity> {
        let created = calls.first().and_then(created_board).filter(|board| board.entity() == id).cloned();
        let board = created.or_else(|| self.registered_first_board(&id)).filter(Board::votes)?;
        founded(id, board).ok()
    }

    /// The board of an entity of the registry that is not here and, as far as its registration says, has made no frame yet
    /// anywhere: the first call brings it where its keys are. One whose board has changed has a state somewhere else.
    #[must_use]
    pub fn registered_newcomer(&self, id: &EntityId) -> Option<Board> {
        let (number, depositary) = (id.registry_number()?, self.depositary()?);
        let registration = pallet_entities::registration(&depositary.state(), number).ok().flatten()?;
        (self.entity(id).is_none() && registration.last_height == 0).then_some(registration.board)
    }

    /// The board that certifies the first frame of an entity of the registry.
    #[must_use]
    pub fn registered_first_board(&self, id: &EntityId) -> Option<Board> {
        let (number, state) = (id.registry_number()?, self.depositary()?.state());
        match pallet_entities::registered_era(&state, number, 1).ok()? {
            Era::Present => pallet_entities::registered_board(&state, number).ok().flatten(),
            Era::Former(board) => Some(board),
            Era::Forgotten => None,
        }
    }
}

/// Messages that the entity's inbox would take one after the other.
fn in_order(entity: &Entity, messages: Vec<Inbound>) -> Vec<Inbound> {
    let state = entity.state();
    let mut last: BTreeMap<EntityId, u64> = BTreeMap::new();
    let mut follows = |inbound: &Inbound| {
        let message = &inbound.certified().message;
        if message.to != entity.id() {
            return false;
        }
        let last = last
            .entry(message.from)
            .or_insert_with(|| pallet_entities::inbox(&state, &message.from).unwrap_or(u64::MAX));
        let follows = last.checked_add(1) == Some(message.sequence);
        if follows {
            *last = message.sequence;
        }
        follows
    };
    messages.into_iter().filter(|inbound| follows(inbound)).collect()
}

fn run(
    boards: Boards<'_>,
    entity: &Entity,
    time: Timestamp,
    entropy: Hash,
    server: &[ServerInput],
    messages: &[Inbound],
    calls: &[SignedCall],
) -> Turn {
    let work = Work {
        server: server.iter().enumerate().collect(),
        deliveries: messages.iter().cloned().map(Delivery::elsewhere).collect(),
        calls: calls.iter().enumerate().map(|(place, call)| (place, call.hash(), call)).collect(),
    };
    frame::execute(boards, time, entropy, entity, &work)
}

/// Executes a body on an entity.
pub(crate) fn draft(boards: Boards<'_>, entity: &Entity, body: &FrameBody) -> Result<Draft, BodyError> {
    let facts = boards.facts;
    let (height, parent, after) = frame::next(facts, entity);
    if body.height != height {
        let last = height.saturating_sub(1);
        return Err(BodyError::OtherHeight { entity: entity.id(), last, found: body.height });
    }
    if body.parent != parent {
        return Err(BodyError::OtherParent { height, expected: parent, found: body.parent });
    }
    if body.timestamp <= after {
        return Err(BodyError::TimeStandsStill { height, parent: after, found: body.timestamp });
    }
    let found = body.server.len().saturating_add(body.messages.len()).saturating_add(body.calls.len());
    if found > BODY_INPUTS_MAX {
        return Err(BodyError::TooLarge { found, max: BODY_INPUTS_MAX });
    }
    let inbound = |message: &Arc<_>| Inbound::new(Arc::clone(message), &facts.network);
    let messages: Vec<Inbound> = body.messages.iter().map(inbound).collect();
    let foreign = body.server.iter().filter(|input| input.entity() != body.entity).count()
        + body.messages.iter().filter(|message| message.message.to != body.entity).count()
        + body.calls.iter().filter(|call| call.body.entity != body.entity).count();
    if foreign > 0 {
        return Err(BodyError::Refused { found: foreign });
    }
    let turn = run(boards, entity, body.timestamp, body.entropy, &body.server, &messages, &body.calls);
    if turn.behind {
        return Err(BodyError::Behind { entity: entity.id(), height });
    }
    let refused = turn.refused.len() + turn.pointless.len() + turn.early.len() + turn.repeated;
    if refused > 0 {
        return Err(BodyError::Refused { found: refused });
    }
    let mut draft = turn.draft.ok_or(BodyError::Empty)?;
    draft.header.inputs_root = body.inputs_root(&facts.network);
    Ok(draft)
}

impl FrameBody {
    /// Checks that every message and every call comes from who is said to have sent it, as far as `server` knows the boards of
    /// senders: it is the server that has the entity's state before this frame. `now` is the time of the one who checks;
    /// `blinding` must not be predictable, see [`xln_primitives::crypto::verify_batch`].
    ///
    /// Errors: [`BodyError::NotYet`] if a sender's board is not known here yet; others prove that the proposer is to blame.
    pub fn authenticate(&self, server: &Server, now: Timestamp, blinding: [u8; 32]) -> Result<(), BodyError> {
        let network = server.facts().network;
        let boards: BTreeMap<Hash, &Board> = self.boards.iter().map(|board| (board.hash(), board)).collect();
        let mut messages = Vec::with_capacity(self.messages.len());
        for message in &self.messages {
            let from = message.message.from;
            let speaker = if server.is_lazy(&from) {
                let board = boards.get(&message.header.board_hash);
                Speaker::Travelling((*board.ok_or(BodyError::NoBoard { entity: from })?).clone())
            } else {
                match server.board_of(&message.header) {
                    Known::Board(board) => Speaker::Known(board),
                    Known::NotYet => return Err(BodyError::NotYet { entity: from }),
                    Known::Never => return Err(BodyError::NotItsBoard { entity: from }),
                }
            };
            messages.push((Arc::clone(message), speaker));
        }
        for verdict in authenticate_messages(messages, network, blinding) {
            verdict?;
        }
        for verdict in crate::authenticate_calls(self.calls.clone(), network, now, blinding) {
            verdict?;
        }
        Ok(())
    }
}
