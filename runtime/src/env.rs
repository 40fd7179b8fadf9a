//! The environment of one frame: where every pallet meets the machine that runs it, and through it the others.

use std::{cell::Cell, sync::Arc};

use codec::Encode;
use pallet_channels::{PaymentHash, PeerMessage, Preimage, Settled, Settlement};
use xln_primitives::{
    Amount, AssetId, Board, BoundedVec, ChannelId, Corrupt, EntityId, Environment, FrameHash, Hash, Height,
    Network, Origin, Profile, Side, Storage, Timestamp, decode_exact, keccak256,
};

use crate::{
    Facts, RuntimeCall, RuntimeEvent, RuntimeMessage, boards::Boards, delivery::Delivery, frame,
    overlay::Mark, overlay::Overlay, proofs, proofs::Unproven,
};

/// A proof that one side of a channel keeps outside of the state: what it needs in a dispute.
#[derive(Debug, Clone)]
pub struct KeptProof {
    /// Who keeps it.
    pub entity: EntityId,
    /// For which channel; it replaces the one before.
    pub channel: ChannelId,
    opening: Arc<[u8]>,
    commitment: Delivery,
}

impl KeptProof {
    /// What the entity shows to the depositary.
    #[must_use]
    pub fn proof(&self) -> Option<DisputeProof> {
        Some(DisputeProof { opening: self.opening.to_vec(), commitment: self.commitment.certified()? })
    }
}

/// What a side of a channel needs to prove the channel's state: what the pallet opens, and the other side's certified
/// commitment to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, codec::Decode)]
pub struct DisputeProof {
    /// The opened state, as the channels pallet encodes it.
    pub opening: Vec<u8>,
    /// The other side's message that commits to it.
    pub commitment: Arc<xln_primitives::CertifiedMessage<RuntimeMessage>>,
}

/// The state of an entity while it makes a frame, and what the frame says so far.
pub(crate) struct FrameEnv<'a> {
    pub(crate) facts: &'a Facts,
    boards: Boards<'a>,
    /// Whether something was brought that only whoever has followed the depositary further can judge.
    behind: Cell<bool>,
    pub(crate) entity: EntityId,
    /// Number of the frame.
    pub(crate) height: Height,
    pub(crate) now: Timestamp,
    /// The slice's randomness.
    pub(crate) entropy: Hash,
    pub(crate) state: Overlay<'a>,
    pub(crate) outputs: Vec<(EntityId, RuntimeMessage)>,
    pub(crate) events: Vec<RuntimeEvent>,
    pub(crate) proofs: Vec<KeptProof>,
    /// In the order in which they were marked, some more than once.
    marked: Vec<ChannelId>,
    /// The message that is being executed, if it is one.
    pub(crate) delivery: Option<&'a Delivery>,
}

/// How far a frame had come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checkpoint {
    state: Mark,
    outputs: usize,
    events: usize,
    proofs: usize,
}

impl<'a> FrameEnv<'a> {
    pub(crate) fn new(
        boards: Boards<'a>,
        (entity, height): (EntityId, Height),
        now: Timestamp,
        entropy: Hash,
        state: Overlay<'a>,
    ) -> Self {
        Self {
            facts: boards.facts,
            boards,
            behind: Cell::new(false),
            entity,
            height,
            now,
            entropy,
            state,
            outputs: Vec::new(),
            events: Vec::new(),
            proofs: Vec::new(),
            marked: Vec::new(),
            delivery: None,
        }
    }

    /// Whether something was brought, since this was asked before, that cannot be judged here yet.
    pub(crate) fn take_behind(&self) -> bool {
        self.behind.replace(false)
    }

    /// Whether something is proven; what cannot be judged yet is noted.
    fn is_proven(&self, result: Result<(), Unproven>) -> bool {
        if result == Err(Unproven::NotYet) {
            self.behind.set(true);
        }
        result.is_ok()
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            state: self.state.mark(),
            outputs: self.outputs.len(),
            events: self.events.len(),
            proofs: self.proofs.len(),
        }
    }

    /// Undoes everything since `checkpoint`. Marked channels stay marked: looking at one more changes nothing.
    pub(crate) fn roll_back(&mut self, checkpoint: Checkpoint) {
        self.state.revert(checkpoint.state);
        self.outputs.truncate(checkpoint.outputs);
        self.events.truncate(checkpoint.events);
        self.proofs.truncate(checkpoint.proofs);
    }

    /// What changed since `checkpoint`.
    pub(crate) fn changes_since(&self, checkpoint: Checkpoint) -> Vec<xln_primitives::StateChange> {
        self.state.changes_since(checkpoint.state)
    }

    /// Asks the depositary for something.
    pub(crate) fn request(&mut self, call: impl Into<RuntimeCall>) {
        self.outputs.push((self.facts.depositary, RuntimeMessage::Request(call.into())));
    }
}

impl Storage for FrameEnv<'_> {
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.state.get(key)
    }

    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        self.state.put(key, value);
    }

    fn remove(&mut self, key: &[u8]) {
        self.state.remove(key);
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.state.scan(prefix, after, limit)
    }
}

impl Environment for FrameEnv<'_> {
    fn network(&self) -> Network {
        self.facts.network
    }

    fn entity(&self) -> EntityId {
        self.entity
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn secret(&self, purpose: &[u8]) -> Hash {
        (self.entropy, self.entity, self.now, purpose).using_encoded(keccak256)
    }
}

impl pallet_entities::Config for FrameEnv<'_> {
    fn deposit_event(&mut self, event: pallet_entities::Event) {
        self.events.push(RuntimeEvent::Entities(event));
    }

    fn depositary(&self) -> EntityId {
        self.facts.depositary
    }

    fn height(&self) -> Height {
        self.height
    }

    fn carrier(&self) -> Option<(Height, FrameHash)> {
        self.delivery.map(|delivery| (delivery.header().height, delivery.header().hash()))
    }
}

impl pallet_governance::Config for FrameEnv<'_> {
    fn deposit_event(&mut self, event: pallet_governance::Event) {
        self.events.push(RuntimeEvent::Governance(event));
    }

    fn board(&self) -> Result<Board, Corrupt> {
        match pallet_entities::board(self) {
            Ok(board) => Ok(board.unwrap_or_else(nobody)),
            Err(pallet_entities::Error::Corrupt(corrupt)) => Err(corrupt),
            // Reading fails in no other way.
            Err(_) => Ok(nobody()),
        }
    }

    fn default_policy(&self, board: &Board) -> pallet_governance::Policy {
        default_policy(self.facts, &self.entity, board)
    }

    fn facts(&self, call: &[u8]) -> Option<pallet_governance::CallFacts> {
        decode_exact::<RuntimeCall>(call, call.len()).ok().map(|call| call.facts(self.entity))
    }

    fn execute(&mut self, calls: &[pallet_governance::EncodedCall]) -> Result<(), String> {
        let checkpoint = self.checkpoint();
        let result = calls.iter().try_for_each(|call| {
            let call = decode_exact::<RuntimeCall>(call, call.len()).map_err(|error| error.to_string())?;
            frame::execute_call(self, Origin::Board, &call).map_err(|error| error.to_string())
        });
        if result.is_err() {
            self.roll_back(checkpoint);
        }
        result
    }

    fn send(&mut self, to: EntityId, letter: pallet_governance::MemberLetter) {
        self.outputs.push((to, RuntimeMessage::Member(letter)));
    }
}

/// The board of an entity that was never founded.
fn nobody() -> Board {
    Board { members: BoundedVec::new(), threshold: 1, profile: Profile::CrashFault }
}

/// The policy of an entity that decided none itself.
#[must_use]
pub fn default_policy(facts: &Facts, entity: &EntityId, board: &Board) -> pallet_governance::Policy {
    use pallet_governance::Preset;
    if *entity == facts.depositary { Preset::Consortium } else { Preset::of(board) }.policy()
}

impl pallet_reserves::Config for FrameEnv<'_> {
    fn deposit_event(&mut self, event: pallet_reserves::Event) {
        self.events.push(RuntimeEvent::Reserves(event));
    }

    fn notify(&mut self, to: EntityId, notice: pallet_reserves::Notice) {
        self.outputs.push((to, RuntimeMessage::Notice(notice)));
    }
}

impl pallet_channels::Config for FrameEnv<'_> {
    fn deposit_event(&mut self, event: pallet_channels::Event) {
        self.events.push(RuntimeEvent::Channels(event));
    }

    fn send(&mut self, to: EntityId, message: PeerMessage) {
        self.outputs.push((to, RuntimeMessage::Channel(message)));
    }

    fn depositary(&self) -> EntityId {
        self.facts.depositary
    }

    fn submit_settlement(&mut self, settlement: Settlement) {
        self.request(pallet_reserves::Call::Settle(crate::convert::settlement(settlement)));
    }

    fn publish_preimage(&mut self, preimage: Preimage) {
        self.request(pallet_reserves::Call::Reveal { preimage: *preimage.as_bytes() });
    }

    fn allocate(&mut self, peer: EntityId, asset: AssetId, amount: Amount) {
        let own = self.entity;
        let Some(in_favour) = Side::of(&own, &peer) else { return };
        let (left, right) = if own < peer { (own, peer) } else { (peer, own) };
        self.request(pallet_reserves::Call::Allocate { left, right, in_favour, asset, amount });
    }

    fn verify_settled(&self, settled: &Settled, proof: &[u8]) -> bool {
        self.is_proven(proofs::settled(&self.boards, settled, proof))
    }

    fn verify_expired(&self, hash: &PaymentHash, deadline: Timestamp, proof: &[u8]) -> bool {
        self.is_proven(proofs::unrevealed(&self.boards, hash, deadline, proof))
    }

    fn verify_settlement_expired(&self, settlement: &Settlement, proof: &[u8]) -> bool {
        self.is_proven(proofs::unsettled(&self.boards, settlement, proof))
    }

    fn keep_proof(&mut self, channel: ChannelId, proof: Vec<u8>) {
        // Only a message of the other side commits it to anything.
        if let Some(commitment) = self.delivery.cloned() {
            self.proofs.push(KeptProof { entity: self.entity, channel, opening: proof.into(), commitment });
        }
    }

    fn mark(&mut self, channel: ChannelId) {
        if self.marked.last() != Some(&channel) {
            self.marked.push(channel);
        }
    }

    fn take_marked(&mut self) -> Vec<ChannelId> {
        let mut marked = core::mem::take(&mut self.marked);
        marked.sort_unstable();
        marked.dedup();
        marked
    }
}
