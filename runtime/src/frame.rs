//! One frame of one entity: inputs in, state, messages and receipts out.
//!
//! The order inside a frame: what the clock brings, then messages, then signed calls. Each input takes effect completely
//! or leaves nothing but its trace (a nonce, an inbox position, an error receipt). At the end the channels pallet turns
//! what was queued for each channel into one channel frame.

use std::sync::Arc;

use rayon::prelude::*;
use xln_primitives::{
    Board, CallHash, FrameHash, FrameHeader, Hash, Height, Message, Network, Origin, Principal, Receipt,
    SignerId, Timestamp, keccak256, outputs::MerkleTree, outputs::merkle_root,
};

use codec::Encode;

use crate::{
    Facts, KeptProof, Refusal, RuntimeCall, RuntimeError, RuntimeEvent, RuntimeMessage, ServerInput,
    SignedCall, boards::Boards, delivery::Delivery, entity::Entity, entity::Head, env::FrameEnv,
    overlay::Overlay,
};

/// What an entity has to execute in one frame.
#[derive(Debug, Default)]
pub(crate) struct Work<'a> {
    /// With their places in the slice.
    pub(crate) server: Vec<(usize, &'a ServerInput)>,
    pub(crate) deliveries: Vec<Delivery>,
    /// With their places in the slice.
    pub(crate) calls: Vec<(usize, CallHash, &'a SignedCall)>,
}

/// What was said and done in a frame, before its board has certified it.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The entity after the frame; its head has the header, no certificate yet.
    pub(crate) entity: Entity,
    /// Who certifies the frame; after it, it may be another board that speaks for the entity.
    pub(crate) board: Arc<Board>,
    pub(crate) header: FrameHeader,
    pub(crate) outputs: MerkleTree,
    pub(crate) messages: Vec<Arc<Message<RuntimeMessage>>>,
    pub(crate) events: Vec<RuntimeEvent>,
    pub(crate) receipts: Vec<Receipt<RuntimeEvent, RuntimeError>>,
    pub(crate) proofs: Vec<KeptProof>,
    /// Requests to the depositary that signed calls made: the call and the request.
    pub(crate) requests: Vec<(CallHash, CallHash)>,
}

/// The outcome of an entity's turn in a round.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The frame; none if no input had any effect.
    pub(crate) draft: Option<Draft>,
    /// Calls that were not executed, by their place in the slice.
    pub(crate) refused: Vec<(usize, Refusal)>,
    /// Server inputs that were pointless, by their place in the slice.
    pub(crate) pointless: Vec<usize>,
    /// Messages that came before others that belong before them.
    pub(crate) early: Vec<Delivery>,
    /// How many messages had been executed before.
    pub(crate) repeated: usize,
    /// Whether an input, which had no effect then, needs a later board of the depositary to be judged than is known here.
    pub(crate) behind: bool,
}

/// Executes `work` as the next frame of `entity`.
pub(crate) fn execute(
    boards: Boards<'_>,
    slice_time: Timestamp,
    entropy: Hash,
    entity: &Entity,
    work: &Work<'_>,
) -> Turn {
    let (height, parent_hash, after) = next(boards.facts, entity);
    let now = slice_time.max(after.saturating_add(1));
    let keys = work.deliveries.len().saturating_mul(KEYS_PER_MESSAGE);
    let env =
        FrameEnv::new(boards, (entity.id, height), now, entropy, Overlay::with_capacity(&entity.tree, keys));
    let mut frame = Frame { env, inputs: Vec::new(), receipts: Vec::new(), said: Vec::new() };
    let (mut refused, mut pointless, mut early, mut repeated) = (Vec::new(), Vec::new(), Vec::new(), 0_usize);
    let mut behind = false;
    for (place, input) in &work.server {
        if frame.server(input).is_err() {
            pointless.push(*place);
        }
        behind |= frame.env.take_behind();
    }
    for delivery in &work.deliveries {
        match frame.message(delivery) {
            Taken::Executed => {}
            Taken::Early => early.push(delivery.clone()),
            Taken::Behind => {
                behind = true;
                early.push(delivery.clone());
            }
            Taken::Repeated => repeated = repeated.saturating_add(1),
        }
    }
    for (place, hash, call) in &work.calls {
        if let Err(refusal) = frame.call(*hash, call) {
            refused.push((*place, refusal));
        }
    }
    let draft = (!frame.inputs.is_empty()).then(|| frame.close(entity, parent_hash));
    Turn { draft, refused, pointless, early, repeated, behind }
}

/// Number and parent of an entity's next frame, and the time that it has to be after.
pub(crate) fn next(facts: &Facts, entity: &Entity) -> (Height, FrameHash, Timestamp) {
    entity.head.as_ref().map_or((1, FrameHash::ZERO, facts.genesis_time), |head| {
        (head.header.height.saturating_add(1), head.header.hash(), head.header.timestamp)
    })
}

/// What became of a message.
enum Taken {
    Executed,
    /// Others of its sender come before it.
    Early,
    /// Only whoever has followed the depositary further can judge it.
    Behind,
    /// It was executed before.
    Repeated,
}

/// A frame while it is being made.
struct Frame<'a> {
    env: FrameEnv<'a>,
    /// Leaves of the inputs root.
    inputs: Vec<Hash>,
    receipts: Vec<Receipt<RuntimeEvent, RuntimeError>>,
    /// Signed calls that said something, with the place of their first message and the one after their last.
    said: Vec<(CallHash, core::ops::Range<usize>)>,
}

impl<'a> Frame<'a> {
    /// Runs one input; takes back whatever it did if it fails.
    fn attempt<E>(&mut self, run: impl FnOnce(&mut FrameEnv<'a>) -> Result<(), E>) -> Result<(), E> {
        let checkpoint = self.env.checkpoint();
        let result = run(&mut self.env);
        if result.is_err() {
            self.env.roll_back(checkpoint);
        }
        result
    }

    fn server(&mut self, input: &ServerInput) -> Result<(), RuntimeError> {
        self.attempt(|env| -> Result<(), RuntimeError> {
            match input {
                ServerInput::Heartbeat { .. } => Ok(()),
                ServerInput::ConditionExpired { channel, slot, proof, .. } => {
                    Ok(pallet_channels::expire(env, *channel, *slot, proof.clone())?)
                }
                ServerInput::SettlementExpired { channel, proof, .. } => {
                    Ok(pallet_channels::settlement_expired(env, *channel, proof.clone())?)
                }
                ServerInput::Reveal { channel, slot, .. } => {
                    Ok(pallet_channels::reveal(env, *channel, *slot)?)
                }
                ServerInput::PreimagePublished { channel, slot, preimage, .. } => {
                    let preimage = pallet_channels::Preimage::new(*preimage);
                    Ok(pallet_channels::preimage_published(env, *channel, *slot, preimage)?)
                }
                ServerInput::ProposalsExpired { .. } => Ok(pallet_governance::expire(env)?),
            }
        })?;
        self.inputs.push(input.using_encoded(keccak256));
        Ok(())
    }

    /// Executes a message. One that fails advances the inbox and leaves an error receipt; one out of order, or that cannot be
    /// judged yet, does nothing at all.
    fn message(&mut self, delivery: &'a Delivery) -> Taken {
        let message = delivery.message();
        let before = self.env.checkpoint();
        match pallet_entities::accept_incoming(&mut self.env, &message.from, message.sequence) {
            Ok(()) => {}
            Err(pallet_entities::Error::SequenceGap { .. }) => return Taken::Early,
            Err(_) => return Taken::Repeated,
        }
        let leaf = delivery.leaf();
        self.inputs.push(leaf);
        self.env.delivery = Some(delivery);
        let events = self.env.events.len();
        let result = self.attempt(|env| execute_message(env, delivery));
        self.env.delivery = None;
        if self.env.take_behind() {
            self.env.roll_back(before);
            self.inputs.pop();
            return Taken::Behind;
        }
        if result.is_err() || matches!(message.call, RuntimeMessage::Request(_)) {
            self.receipt(CallHash::new(*leaf.as_bytes()), result, events, Vec::new());
        }
        Taken::Executed
    }

    fn call(&mut self, hash: CallHash, call: &SignedCall) -> Result<(), Refusal> {
        let body = &call.body;
        pallet_entities::authorise(&self.env, &body.signer, body.nonce).map_err(Refusal::Unauthorised)?;
        let signer = body.signer.signer_id();
        let before = self.env.checkpoint();
        pallet_entities::use_nonce(&mut self.env, &signer, body.nonce);
        self.inputs.push(Hash::new(*hash.as_bytes()));
        let (events, outputs) = (self.env.events.len(), self.env.outputs.len());
        // The record that screening leaves stays, whatever becomes of the call.
        let result = screen(&mut self.env, signer, &body.calls).and_then(|()| {
            self.attempt(|env| body.calls.iter().try_for_each(|call| execute_for(env, signer, call)))
        });
        let changes = self.env.changes_since(before);
        self.receipt(hash, result, events, changes);
        if self.env.outputs.len() > outputs {
            self.said.push((hash, outputs..self.env.outputs.len()));
        }
        Ok(())
    }

    fn receipt(
        &mut self,
        call: CallHash,
        result: Result<(), RuntimeError>,
        first_event: usize,
        changes: Vec<xln_primitives::StateChange>,
    ) {
        let events = self.env.events.get(first_event..).unwrap_or_default().to_vec();
        let (entity, height) = (self.env.entity, self.env.height);
        self.receipts.push(Receipt { call, entity, height, result, events, changes });
    }

    /// Proposes channel frames, numbers the messages, hashes the state.
    fn close(mut self, entity: &Entity, parent: FrameHash) -> Draft {
        let sealed = self.attempt(pallet_channels::seal);
        if let Err(error) = sealed {
            // Only damaged state makes this fail. The entity goes on without proposing.
            tracing::error!(entity = %entity.id, %error, "channels cannot propose");
        }
        let board = self.new_board(entity);
        let mut messages = Vec::with_capacity(self.env.outputs.len());
        for (to, call) in core::mem::take(&mut self.env.outputs) {
            match pallet_entities::next_outgoing(&mut self.env, &to) {
                Ok(sequence) => messages.push(Arc::new(Message { from: entity.id, to, sequence, call })),
                Err(error) => {
                    tracing::error!(entity = %entity.id, %to, %error, "a message cannot be numbered");
                }
            }
        }
        let network = self.env.facts.network;
        let leaves = leaves(&messages, &network);
        let requests = requests(&self.said, &messages, &leaves);
        let outputs = MerkleTree::new(leaves);
        let FrameEnv { height, now, state, events, proofs, .. } = self.env;
        let changes = state.into_changes();
        let mut tree = entity.tree.clone();
        // Keys and values of pallets are far below the tree's limits; a tree that refuses one stays as it was.
        let root =
            tree.apply(changes.iter().map(|(key, value)| (key, value.as_ref()))).unwrap_or_else(|error| {
                tracing::error!(entity = %entity.id, %error, "the state tree refuses a frame's changes");
                tree.commit()
            });
        let header = FrameHeader {
            entity: entity.id,
            height,
            parent,
            timestamp: now,
            board_hash: entity.board_hash,
            inputs_root: merkle_root(self.inputs),
            state_root: Hash::new(root),
            outputs_root: outputs.root(),
        };
        let head = Some(Head { header: header.clone(), certificate: None });
        let certifying = Arc::clone(&entity.board);
        let mut entity = Entity { tree, head, ..entity.clone() };
        if let Some(board) = board {
            entity = entity.with_board(board);
        }
        let receipts = self.receipts;
        Draft { entity, board: certifying, header, outputs, messages, events, receipts, proofs, requests }
    }

    /// The board that speaks for the entity from the next frame on, if it is another. The registry is told in this frame,
    /// which the board before certifies.
    fn new_board(&mut self, entity: &Entity) -> Option<Board> {
        if !self.env.state.has_written(pallet_entities::board_key().as_ref()) {
            return None;
        }
        // What was written reads back.
        let board = pallet_entities::board(&self.env).ok().flatten()?;
        if board.hash() == entity.board_hash {
            return None;
        }
        if entity.id.registry_number().is_some() && entity.id != self.env.facts.depositary {
            self.env.request(pallet_entities::Call::Update { board: board.clone() });
        }
        Some(board)
    }
}

/// About so many keys are written for a message.
const KEYS_PER_MESSAGE: usize = 12;
/// From so many messages on their leaves are hashed on all cores.
const PARALLEL_MIN: usize = 64;

fn leaves(messages: &[Arc<Message<RuntimeMessage>>], network: &Network) -> Vec<Hash> {
    if messages.len() < PARALLEL_MIN {
        return messages.iter().map(|message| message.leaf(network)).collect();
    }
    messages.par_iter().with_min_len(PARALLEL_MIN / 4).map(|message| message.leaf(network)).collect()
}

/// Which calls asked the depositary for something, and under which hash it will answer with a receipt.
fn requests(
    said: &[(CallHash, core::ops::Range<usize>)],
    messages: &[Arc<Message<RuntimeMessage>>],
    leaves: &[Hash],
) -> Vec<(CallHash, CallHash)> {
    let of = |(call, range): &(CallHash, core::ops::Range<usize>)| {
        let call = *call;
        let said = messages.iter().zip(leaves).take(range.end).skip(range.start);
        said.filter(|(message, _)| matches!(message.call, RuntimeMessage::Request(_)))
            .map(move |(_, leaf)| (call, CallHash::new(*leaf.as_bytes())))
            .collect::<Vec<_>>()
    };
    said.iter().flat_map(of).collect()
}

/// Asks the entity's own lists about calls of a member.
fn screen(env: &mut FrameEnv<'_>, signer: SignerId, calls: &[RuntimeCall]) -> Result<(), RuntimeError> {
    for call in calls {
        let facts = call.facts(env.entity);
        let verdict = pallet_governance::screen(env, Some(Principal::Signer(signer)), &facts)?;
        if let pallet_governance::Verdict::Refuse { party } = verdict {
            return Err(pallet_governance::Error::Screened { party }.into());
        }
    }
    Ok(())
}

/// Executes a call of a member, if the entity's policy lets it act alone.
fn execute_for(env: &mut FrameEnv<'_>, signer: SignerId, call: &RuntimeCall) -> Result<(), RuntimeError> {
    pallet_governance::permit(env, Principal::Signer(signer), &call.facts(env.entity))?;
    execute_call(env, Origin::Signer(signer), call)?;
    if let RuntimeCall::Entities(pallet_entities::Call::ChangeBoard(_)) = call {
        // What is open is counted with the new board.
        pallet_governance::settle(env)?;
    }
    Ok(())
}

/// Executes a call in the name of `origin`, who may make it.
pub(crate) fn execute_call(
    env: &mut FrameEnv<'_>,
    origin: Origin,
    call: &RuntimeCall,
) -> Result<(), RuntimeError> {
    match call {
        RuntimeCall::Entities(pallet_entities::Call::Create { board })
            if board.entity() != env.entity && env.entity != env.facts.depositary =>
        {
            // Not the own board: it is to be registered.
            env.request(call.clone());
            Ok(())
        }
        RuntimeCall::Entities(call) => Ok(pallet_entities::dispatch(env, origin, call.clone())?),
        RuntimeCall::Governance(call) => Ok(pallet_governance::dispatch(env, origin, call.clone())?),
        RuntimeCall::Channels(call) => Ok(pallet_channels::dispatch(env, call.clone())?),
        RuntimeCall::Reserves(call) if env.entity == env.facts.depositary => {
            Ok(pallet_reserves::dispatch(env, env.entity, call.clone())?)
        }
        RuntimeCall::Reserves(call) => {
            env.request(call.clone());
            Ok(())
        }
    }
}

fn execute_message(env: &mut FrameEnv<'_>, delivery: &Delivery) -> Result<(), RuntimeError> {
    let (from, depositary) = (delivery.message().from, env.facts.depositary);
    match &delivery.message().call {
        RuntimeMessage::Channel(message) => Ok(pallet_channels::receive(env, from, message)?),
        RuntimeMessage::Request(_) if env.entity != depositary => {
            Err(RuntimeError::NotTheDepositary { entity: env.entity, depositary })
        }
        RuntimeMessage::Request(RuntimeCall::Reserves(call)) => {
            Ok(pallet_reserves::dispatch(env, from, call.clone())?)
        }
        RuntimeMessage::Request(RuntimeCall::Entities(call)) => {
            Ok(pallet_entities::dispatch(env, Origin::Entity(from), call.clone())?)
        }
        RuntimeMessage::Request(call @ (RuntimeCall::Channels(_) | RuntimeCall::Governance(_))) => {
            Err(RuntimeError::NotByMessage { code: call.code() })
        }
        RuntimeMessage::Member(letter) => Ok(pallet_governance::receive(env, from, letter.clone())?),
        RuntimeMessage::Notice(_) if from != depositary => Err(RuntimeError::ForgedNotice { from }),
        RuntimeMessage::Notice(pallet_reserves::Notice::Settled(settled)) => {
            let proof = delivery.certified().map(|certified| certified.encode()).unwrap_or_default();
            Ok(pallet_channels::on_settled(env, crate::convert::settled(settled.clone()), proof)?)
        }
        RuntimeMessage::Notice(_) => Ok(()),
    }
}
