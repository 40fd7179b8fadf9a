//! What survives a crash.

use std::{collections::BTreeMap, sync::Arc};

use codec::Decode;
use xln_node::consortium::{LearnedHome, StoredRow, VoterClaim};
use xln_primitives::{BlockHeader, Board, CertifiedMessage, EntityId, Height};
use xln_runtime::{Adopted, Adoption, BoardProof, Executed, RowsError, RuntimeMessage, Server, Slice};

pub(crate) type Certified = Arc<CertifiedMessage<RuntimeMessage>>;
/// Messages that wait, by receiver and number.
pub(crate) type Outbox = BTreeMap<(EntityId, u64), Certified>;

/// Bits of an outbox number that count the messages of one slice, as in a node.
const OUTBOX_BITS: u32 = 24;

/// A line of the log.
#[derive(Debug, Clone)]
pub(crate) enum Line {
    /// The bytes of a slice.
    Slice(Vec<u8>),
    Block(BlockHeader),
}

/// A disk.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    /// The state as of the last snapshot, with the messages that waited then.
    snapshot: (Server, Outbox),
    since: Vec<Line>,
    /// Everything since genesis.
    pub(crate) history: Vec<Line>,
    pub(crate) votes: BTreeMap<(EntityId, Height, u64), Vec<u8>>,
    pub(crate) frames: BTreeMap<(EntityId, Height), Vec<u8>>,
    /// Of entities elsewhere.
    pub(crate) boards: Vec<Board>,
    /// Entities that are not followed any more.
    pub(crate) halts: Vec<(EntityId, String)>,
    /// What other servers said of their keys.
    pub(crate) voters: Vec<VoterClaim>,
    /// Where entities live that said so.
    pub(crate) homes: Vec<LearnedHome>,
    /// Changes of boards that were seen.
    handovers: BTreeMap<(EntityId, Height), BoardProof>,
    /// Of states that were taken over.
    pub(crate) chunks: BTreeMap<(EntityId, Height, u32), Vec<u8>>,
}

impl Disk {
    pub(crate) const fn new(genesis: Server) -> Self {
        Self {
            snapshot: (genesis, Outbox::new()),
            since: Vec::new(),
            history: Vec::new(),
            votes: BTreeMap::new(),
            frames: BTreeMap::new(),
            boards: Vec::new(),
            halts: Vec::new(),
            voters: Vec::new(),
            homes: Vec::new(),
            handovers: BTreeMap::new(),
            chunks: BTreeMap::new(),
        }
    }

    pub(crate) fn write(&mut self, line: Line) {
        self.since.push(line.clone());
        self.history.push(line);
    }

    /// The log before is not needed to start any more.
    pub(crate) fn snapshot(&mut self, server: Server, outbox: Outbox) {
        self.snapshot = (server, outbox);
        self.since.clear();
    }

    /// The consensus log of an entity.
    pub(crate) fn log(&self, entity: &EntityId) -> Vec<StoredRow> {
        let rows = self.votes.range((*entity, 0, 0)..=(*entity, Height::MAX, u64::MAX));
        rows.map(|((_, height, sequence), value)| (*height, *sequence, value.clone())).collect()
    }

    pub(crate) fn keep_handovers(&mut self, handovers: &[BoardProof]) {
        let rows = handovers.iter().map(|proof| ((proof.entity, proof.header.height), proof.clone()));
        self.handovers.extend(rows);
    }

    /// The changes of an entity's board that were seen.
    pub(crate) fn handovers(&self, entity: &EntityId) -> Vec<BoardProof> {
        self.handovers.range((*entity, 0)..=(*entity, Height::MAX)).map(|(_, proof)| proof.clone()).collect()
    }

    /// With a decided frame the log of its height ends.
    pub(crate) fn frame(&mut self, entity: EntityId, height: Height, bytes: Vec<u8>) {
        self.frames.insert((entity, height), bytes);
        self.decided(entity, height);
    }

    /// The log of everything up to this height ends.
    pub(crate) fn decided(&mut self, entity: EntityId, height: Height) {
        self.votes.retain(|(of, at, _), _| *of != entity || *at > height);
    }

    /// The state that the disk leads to.
    pub(crate) fn recover(&self) -> (Server, Outbox) {
        let (mut server, mut outbox) = self.snapshot.clone();
        for line in &self.since {
            if let Some(executed) = self.again(&mut server, line, false) {
                outbox.extend(said(&executed));
            }
        }
        (server, outbox)
    }

    /// From the first slice on, with every certificate checked.
    pub(crate) fn replay(&self, genesis: Server) -> Server {
        let mut server = genesis;
        for line in &self.history {
            self.again(&mut server, line, true);
        }
        server
    }

    fn again(&self, server: &mut Server, line: &Line, verify: bool) -> Option<Executed> {
        match line {
            Line::Slice(bytes) => {
                let slice = Slice::decode(&mut bytes.as_slice()).expect("what was written can be read");
                let adopted = slice.adopted.iter().map(|adopted| self.adoption(adopted)).collect();
                let executed = server.replay_adopting(&slice, adopted, verify);
                Some(executed.unwrap_or_else(|error| panic!("B1: {error}")))
            }
            Line::Block(header) => {
                server.replay_block(header).unwrap_or_else(|error| panic!("B1: {error}"));
                None
            }
        }
    }

    /// A state that was taken over, from its chunks.
    fn adoption(&self, adopted: &Adopted) -> Adoption {
        let (entity, height) = (adopted.header.entity, adopted.header.height);
        let chunk = |index| {
            let chunk = self.chunks.get(&(entity, height, index)).cloned();
            Ok::<_, RowsError>(
                chunk.unwrap_or_else(|| panic!("B1: chunk {index} of frame {height} is missing")),
            )
        };
        let adoption = Adoption::from_log(adopted, (0..adopted.chunks).map(chunk));
        adoption.unwrap_or_else(|error| panic!("B1: {error}"))
    }
}

/// What a slice says to entities elsewhere.
pub(crate) fn said(executed: &Executed) -> Outbox {
    let number = |place: usize| executed.slice.number << OUTBOX_BITS | place as u64;
    let message = |(place, said): (usize, &xln_runtime::Delivery)| {
        Some(((said.to(), number(place)), said.certified()?))
    };
    executed.outbox.iter().enumerate().filter_map(message).collect()
}
