//! Delivery rounds: a slice runs until nobody has anything left to read.
//!
//! In each round every entity that has work makes one frame, all of them in parallel. Their certificates are made, also in
//! parallel; then each message is put before its receiver for the next round. After [`ROUNDS_MAX`] rounds what is
//! undelivered waits for the next slice, so that no conversation can hold the server up.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use codec::{Decode, Encode};
use rayon::prelude::*;
use xln_primitives::{CallHash, Certificate, EntityId, FrameHeader, Hash, Height, Timestamp};

use crate::{
    AdoptError, Adopted, Adoption, Authentic, BoardProof, BodyError, Certifier, CertifyError, DecidedFrame,
    Inbound, KeptProof, Receipt, Refusal, RuntimeEvent, ServerInput, SignedCall, Slice, SliceInputs,
    boards::Boards,
    body,
    delivery::{Delivery, SentFrame},
    entity::{Entity, Head},
    frame::{self, Draft, Turn, Work},
    newcomer::{found, founded},
    server::Server,
};

/// Most delivery rounds in one slice. A payment over 20 hops needs about 50.
pub const ROUNDS_MAX: usize = 64;

/// The events of one frame.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EntityEvents {
    /// Whose frame.
    pub entity: EntityId,
    /// Its number.
    pub height: Height,
    /// Its time.
    pub timestamp: Timestamp,
    /// What happened, in order.
    pub events: Vec<RuntimeEvent>,
}

/// The outcome of a slice that nobody has seen yet. Write it down, then [`Server::commit`] it.
#[derive(Debug)]
pub struct Executed {
    /// What to log.
    pub slice: Slice,
    /// The same, encoded.
    pub log: Vec<u8>,
    /// Receipts of calls, of requests to the depositary and of messages that failed.
    pub receipts: Vec<Arc<Receipt>>,
    /// Events of every frame that had any, in the order of the frames.
    pub events: Vec<EntityEvents>,
    /// Proofs to keep, the latest for a channel last.
    pub proofs: Vec<KeptProof>,
    /// Messages to entities that are not hosted here.
    pub outbox: Vec<Delivery>,
    /// Messages of other servers that had no effect yet: others of their sender come before them, or they prove themselves by
    /// a board of the depositary that is not known here yet. They are to be brought again.
    pub early: Vec<Authentic<Inbound>>,
    /// Calls that were not executed.
    pub refused: Vec<(CallHash, Refusal)>,
    /// Decided frames that did not take effect. One that [diverged](BodyError::Diverged) means that this machine is not to
    /// be trusted with the entity any more.
    pub unfit: Vec<(EntityId, BodyError)>,
    /// States that did not take the place of what is here.
    pub unadopted: Vec<(EntityId, AdoptError)>,
    /// Entities that were not hosted here before.
    pub founded: Vec<EntityId>,
    /// Calls that asked the depositary for something, with the hash of the receipt in which it answers.
    pub requests: Vec<(CallHash, CallHash)>,
    /// Changes of boards that vote, of entities that are followed here. To be kept for those who take a state over.
    pub handovers: Vec<BoardProof>,
    /// How many frames were made, followed or adopted with the state after them.
    pub frames: usize,
    pub(crate) entities: BTreeMap<EntityId, Entity>,
    pub(crate) carried: Vec<Delivery>,
    pub(crate) slice_hash: Hash,
}

impl Executed {
    /// The latest frame of every entity that made one in this slice, by entity.
    pub fn heads(&self) -> impl Iterator<Item = &FrameHeader> {
        self.entities.values().filter_map(|entity| entity.head.as_ref()).map(|head| &head.header)
    }

    /// Whether something came to nothing that whoever brought it has to hear of, even if nothing else happened: messages that
    /// are to be brought again, frames and states that did not fit.
    pub const fn gives_back(&self) -> bool {
        !self.early.is_empty() || !self.unfit.is_empty() || !self.unadopted.is_empty()
    }
}

impl Server {
    /// Executes a slice on top of the committed state, which stays as it is.
    ///
    /// `timestamp` is the server's time; it is raised to that of the slice before if it is earlier. `entropy` must be
    /// fresh randomness: payees derive preimages from it.
    ///
    /// Fails only if a frame cannot be certified, and has no effect then.
    pub fn execute(
        &self,
        timestamp: Timestamp,
        entropy: Hash,
        inputs: SliceInputs,
        certifier: &dyn Certifier,
    ) -> Result<Executed, CertifyError> {
        let calls: Vec<(CallHash, SignedCall)> =
            inputs.calls.into_iter().map(|call| (call.get().hash(), call.into_inner())).collect();
        let messages: Vec<Inbound> = inputs.messages.into_iter().map(crate::Authentic::into_inner).collect();
        // Not before the last block either: all that a server that starts from a snapshot knows of time.
        let timestamp = timestamp.max(self.time).max(self.head.timestamp);
        let mut execution = Execution::new(self, timestamp, entropy, certifier);

        let adopted = execution.adopt(inputs.adopted)?;
        let mut round = execution.first_round(&inputs.server, &messages, &calls);
        // Behind what the slice before left undelivered, of which some may be from the same entities.
        let frames = execution.decided(inputs.frames, &mut round)?;
        let mut rounds = 0;
        while !round.is_empty() && rounds < ROUNDS_MAX {
            round = execution.round(round)?;
            rounds += 1;
        }
        let carried = round.into_values().flat_map(|work| work.deliveries);
        let carried = core::mem::take(&mut execution.held).into_iter().chain(carried).collect();

        let Execution {
            entities, absent, refused, unfit, unadopted, pointless, certificates, outcome, ..
        } = execution;
        // By place, not by content: of two equal inputs in one slice the first may have an effect.
        let dropped: BTreeSet<usize> = refused.iter().map(|(place, _)| *place).collect();
        let hash_of = |(place, refusal)| Some((calls.get::<usize>(place)?.0, refusal));
        let refused = refused.into_iter().filter_map(hash_of).collect();
        let slice = Slice {
            number: self.slice.saturating_add(1),
            timestamp,
            entropy,
            frames,
            calls: without(calls, &dropped).map(|(_, call)| call).collect(),
            server: without(inputs.server, &pointless).collect(),
            messages: messages.into_iter().map(Inbound::into_certified).collect(),
            absent: absent.into_iter().collect(),
            certificates,
            adopted,
        };
        let founded = entities.keys().filter(|id| self.entity(id).is_none()).copied().collect();
        let log = slice.encode();
        Ok(Executed {
            frames: slice
                .certificates
                .len()
                .saturating_add(slice.frames.len())
                .saturating_add(slice.adopted.len()),
            slice_hash: Slice::hash_of(&log),
            slice,
            log,
            receipts: outcome.receipts.into_iter().map(Arc::new).collect(),
            events: outcome.events,
            proofs: outcome.proofs,
            requests: outcome.requests,
            outbox: outcome.outbox,
            early: outcome.early,
            handovers: outcome.handovers,
            refused,
            unfit,
            unadopted,
            founded,
            entities,
            carried,
        })
    }
}

/// The items whose place is not among `dropped`.
fn without<T>(items: Vec<T>, dropped: &BTreeSet<usize>) -> impl Iterator<Item = T> {
    items.into_iter().enumerate().filter(|(place, _)| !dropped.contains(place)).map(|(_, item)| item)
}

/// A slice while it runs.
struct Execution<'a> {
    server: &'a Server,
    timestamp: Timestamp,
    entropy: Hash,
    certifier: &'a dyn Certifier,
    /// The entities that have made a frame in this slice, as they are now.
    entities: BTreeMap<EntityId, Entity>,
    /// Entities that a first call brings into being.
    newcomers: BTreeMap<EntityId, Entity>,
    /// Entities for which there was work but no key.
    absent: BTreeSet<EntityId>,
    /// Calls that were not executed, by their place in the slice.
    refused: Vec<(usize, Refusal)>,
    unfit: Vec<(EntityId, BodyError)>,
    unadopted: Vec<(EntityId, AdoptError)>,
    /// Server inputs without effect, by their place in the slice.
    pointless: BTreeSet<usize>,
    certificates: Vec<Certificate>,
    /// Entities that have another board since this slice. They make no other frame in it: whether the keys of the new board
    /// are here is asked, and logged, once for a slice.
    rotated: BTreeSet<EntityId>,
    /// What was said to them since.
    held: Vec<Delivery>,
    outcome: Outcome,
}

#[derive(Default)]
struct Outcome {
    receipts: Vec<Receipt>,
    events: Vec<EntityEvents>,
    proofs: Vec<KeptProof>,
    requests: Vec<(CallHash, CallHash)>,
    outbox: Vec<Delivery>,
    early: Vec<Authentic<Inbound>>,
    handovers: Vec<BoardProof>,
}

/// The work of one round, by entity.
type Round<'a> = BTreeMap<EntityId, Work<'a>>;

impl<'a> Execution<'a> {
    fn new(server: &'a Server, timestamp: Timestamp, entropy: Hash, certifier: &'a dyn Certifier) -> Self {
        Self {
            server,
            timestamp,
            entropy,
            certifier,
            entities: BTreeMap::new(),
            newcomers: BTreeMap::new(),
            absent: BTreeSet::new(),
            refused: Vec::new(),
            unfit: Vec::new(),
            unadopted: Vec::new(),
            pointless: BTreeSet::new(),
            certificates: Vec::new(),
            rotated: BTreeSet::new(),
            held: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    fn entity(&self, id: &EntityId) -> Option<&Entity> {
        self.entities.get(id).or_else(|| self.newcomers.get(id)).or_else(|| self.server.entity(id))
    }

    /// What is known of boards, with what this slice has done so far.
    fn boards(&self) -> Boards<'_> {
        let facts = self.server.facts();
        Boards { facts, depositary: self.entity(&facts.depositary) }
    }

    /// Whether an entity is here and can make a frame in this slice. Boards that vote decide elsewhere; one of a single
    /// signer whose key is not here is noted as absent.
    fn can_act(&mut self, id: &EntityId) -> bool {
        let Some(board) = self.entity(id).map(|entity| Arc::clone(&entity.board)) else { return false };
        if board.votes() {
            return false;
        }
        let can = self.certifier.can_certify(*id, &board);
        if !can {
            self.absent.insert(*id);
        }
        can
    }

    fn first_round(
        &mut self,
        server: &'a [ServerInput],
        messages: &[Inbound],
        calls: &'a [(CallHash, SignedCall)],
    ) -> Round<'a> {
        let mut round = Round::new();
        for (place, input) in server.iter().enumerate() {
            if self.can_act(&input.entity()) {
                round.entry(input.entity()).or_default().server.push((place, input));
            } else {
                self.pointless.insert(place);
            }
        }
        for (place, (hash, call)) in calls.iter().enumerate() {
            match self.admit(call) {
                Ok(()) => round.entry(call.body.entity).or_default().calls.push((place, *hash, call)),
                Err(refusal) => self.refused.push((place, refusal)),
            }
        }
        let elsewhere = messages.iter().cloned().map(Delivery::elsewhere);
        let server = self.server;
        for delivery in server.carried.iter().cloned().chain(elsewhere) {
            // Not to a newcomer: if its first call is refused, it is not here.
            if server.entity(&delivery.to()).is_none() {
                continue;
            }
            if self.can_act(&delivery.to()) {
                round.entry(delivery.to()).or_default().deliveries.push(delivery);
            } else if delivery.is_ours() {
                self.outcome.outbox.push(delivery);
            }
        }
        round
    }

    /// Puts states in the place of older ones. Returns what the log says of those that fit.
    fn adopt(&mut self, adoptions: Vec<Adoption>) -> Result<Vec<Adopted>, CertifyError> {
        let mut fit = Vec::with_capacity(adoptions.len());
        for adoption in adoptions {
            let id = adoption.entity();
            match adoption.check(self.server, self.entity(&id)) {
                Ok(succession) => {
                    // Its rows stay where they are kept here.
                    let signer = self.entity(&id).map(Entity::signer);
                    let state = adoption.state().clone();
                    let signer = signer.unwrap_or(state.signer);
                    for (board, BoardProof { header, certificate, .. }) in &succession.ended {
                        self.certifier.check_decided(board, header, certificate)?;
                    }
                    let Adopted { header, certificate, .. } = adoption.adopted();
                    self.certifier.check_decided(&succession.board, header, certificate)?;
                    self.outcome.handovers.extend(succession.handovers());
                    // The last frame of its board: nobody sees it executed here.
                    if header.board_hash != state.board_hash {
                        self.outcome.handovers.push(BoardProof::of_next(&state, header, certificate));
                    }
                    self.entities.insert(id, Entity { signer, ..state });
                    fit.push(adoption.adopted().clone());
                }
                Err(error) => self.unadopted.push((id, error)),
            }
        }
        Ok(fit)
    }

    /// Takes over frames that others decided, and puts what they say before those who are here. Returns those that took
    /// effect.
    fn decided(
        &mut self,
        frames: Vec<DecidedFrame>,
        next: &mut Round<'a>,
    ) -> Result<Vec<DecidedFrame>, CertifyError> {
        let mut fit = Vec::with_capacity(frames.len());
        for frame in frames {
            match self.follow(&frame) {
                Ok(draft) => {
                    self.certifier.check_decided(&draft.board, &frame.header, &frame.certificate)?;
                    self.conclude(draft, frame.certificate.clone(), next);
                    fit.push(frame);
                }
                Err(error) => self.unfit.push((frame.body.entity, error)),
            }
        }
        Ok(fit)
    }

    fn follow(&self, frame: &DecidedFrame) -> Result<Draft, BodyError> {
        let id = frame.body.entity;
        let draft = match self.entity(&id) {
            Some(entity) => body::draft(self.boards(), entity, &frame.body)?,
            None => {
                let entity =
                    self.server.founded_by(id, &frame.body.calls).ok_or(BodyError::Unknown { entity: id })?;
                body::draft(self.boards(), &entity, &frame.body)?
            }
        };
        if draft.header == frame.header {
            return Ok(draft);
        }
        let (expected, found) = (draft.header.board_hash, frame.header.board_hash);
        if expected != found {
            return Err(BodyError::OtherBoard { height: frame.body.height, expected, found });
        }
        let (height, made, certified) = (frame.body.height, draft.header.hash(), frame.header.hash());
        Err(BodyError::Diverged { height, made, certified })
    }

    /// Whether the entity of a call is here and can act; a call that creates it brings it here, and so does the first one to an
    /// entity that was registered.
    fn admit(&mut self, call: &SignedCall) -> Result<(), Refusal> {
        let id = call.body.entity;
        if self.entity(&id).is_none() {
            let registered = || {
                let board = self.server.registered_newcomer(&id).filter(|board| !board.votes())?;
                founded(id, board).ok()
            };
            let newcomer =
                found(id, call).or_else(registered).ok_or(Refusal::UnknownEntity { entity: id })?;
            self.newcomers.insert(id, newcomer);
        }
        if self.can_act(&id) {
            return Ok(());
        }
        self.newcomers.remove(&id);
        Err(Refusal::NoKey { entity: id })
    }

    /// One frame for everybody who has work. Returns the work of the next round.
    fn round(&mut self, mut round: Round<'a>) -> Result<Round<'a>, CertifyError> {
        for id in &self.rotated {
            self.held.extend(round.remove(id).into_iter().flat_map(|work| work.deliveries));
        }
        let here = |(id, work): (EntityId, Work<'a>)| self.entity(&id).map(|entity| (entity.clone(), work));
        let turns: Vec<(Entity, Work<'a>)> = round.into_iter().filter_map(here).collect();
        let (timestamp, entropy) = (self.timestamp, self.entropy);
        let boards = self.boards();
        let turns: Vec<Turn> = turns
            .into_par_iter()
            .map(|(entity, work)| frame::execute(boards, timestamp, entropy, &entity, &work))
            .collect();

        let mut drafts = Vec::with_capacity(turns.len());
        for turn in turns {
            self.pointless.extend(turn.pointless);
            self.refused.extend(turn.refused);
            // Those before them wait in the outbox; they must be redelivered in order.
            let (ours, others): (Vec<_>, Vec<_>) = turn.early.into_iter().partition(Delivery::is_ours);
            self.outcome.outbox.extend(ours);
            self.outcome.early.extend(others.into_iter().filter_map(Delivery::into_inbound));
            drafts.extend(turn.draft);
        }
        let first = self.certificates.len();
        let certifier = self.certifier;
        let certificates: Vec<Certificate> = drafts
            .par_iter()
            .enumerate()
            .map(|(index, draft)| certifier.certify(first.saturating_add(index), &draft.board, &draft.header))
            .collect::<Result<_, _>>()?;

        let mut next = Round::new();
        for (draft, certificate) in drafts.into_iter().zip(certificates) {
            self.certificates.push(certificate.clone());
            self.conclude(draft, certificate, &mut next);
        }
        self.newcomers.clear();
        Ok(next)
    }

    /// Takes over a certified frame and sends its messages on.
    fn conclude(&mut self, draft: Draft, certificate: Certificate, next: &mut Round<'a>) {
        if draft.header.board_hash != draft.entity.board_hash {
            self.rotated.insert(draft.entity.id);
            if draft.board.votes() {
                let handover = BoardProof::of_next(&draft.entity, &draft.header, &certificate);
                self.outcome.handovers.push(handover);
            }
        }
        let Draft { mut entity, header, outputs, messages, events, receipts, proofs, requests, .. } = draft;
        let id = entity.id;
        // Whoever hosts somebody follows the depositary, and so has what it says.
        let everywhere = id == self.server.facts().depositary && entity.board.votes();
        entity.head = Some(Head { header: header.clone(), certificate: Some(certificate.clone()) });
        self.entities.insert(id, entity);
        if !events.is_empty() {
            let (height, timestamp) = (header.height, header.timestamp);
            self.outcome.events.push(EntityEvents { entity: id, height, timestamp, events });
        }
        self.outcome.receipts.extend(receipts);
        self.outcome.proofs.extend(proofs);
        self.outcome.requests.extend(requests);
        let frame = Arc::new(SentFrame { header, certificate, outputs });
        for (index, (message, leaf)) in (0_u32..).zip(messages.into_iter().zip(frame.outputs.leaves())) {
            let to = message.to;
            let delivery = Delivery::here(message, *leaf, Arc::clone(&frame), index);
            if self.rotated.contains(&to) && self.entity(&to).is_some_and(|entity| !entity.is_decided()) {
                self.held.push(delivery);
            } else if self.can_act(&to) {
                next.entry(to).or_default().deliveries.push(delivery);
            } else if !everywhere || self.entity(&to).is_some() {
                self.outcome.outbox.push(delivery);
            }
        }
    }
}
