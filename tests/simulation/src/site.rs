//! The environment of a simulated server's machine.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Deref,
    time::Duration,
};

use xln_consensus::{Evidence, Row, VoteHistory};
use xln_integration::{Keys, Random};
use xln_network::{Code, Question, ServerId, Topic, delivery::Packet};
use xln_node::consortium::{Environment, Kept, LearnedHome, StoredRow, VoterClaim};
use xln_primitives::{Board, CallHash, EntityId, Height, Signature, SignerId, Timestamp};
use xln_runtime::{Adoption, Authentic, DecidedFrame, Inbound, Refusal, Server};

use crate::{
    cast::BEGINNING,
    disk::{Disk, Outbox},
    options::Mutation,
    wire::{Sent, Wire},
};

/// Most frames that wait for the author, as in a node.
const FRAMES_MAX: usize = 256;

/// The process ends here.
#[derive(Debug)]
pub(crate) struct Crash;

impl core::fmt::Display for Crash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the disk has failed")
    }
}

/// The last row of the log of each entity that ever was, as a node keeps it beside its keys.
pub(crate) type Marks = BTreeMap<EntityId, Mark>;

/// Where the log of an entity had come.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mark {
    last: (Height, u64),
    /// The disk comes from a backup, and the key has not voted since.
    restored: bool,
}

/// A server's surroundings.
pub(crate) struct Site {
    pub(crate) now: Duration,
    pub(crate) skew_ms: i64,
    pub(crate) random: Random,
    /// The durable state.
    pub(crate) server: Server,
    pub(crate) outbox: Outbox,
    /// Of the entities that live here alone.
    pub(crate) keys: Keys,
    pub(crate) disk: Disk,
    /// How far the key has voted, which a lost disk leaves behind.
    pub(crate) marks: Marks,
    /// Whether the operator says that the disk comes from a backup.
    pub(crate) declares: bool,
    /// The write of votes that fails; whether what it was to write is there afterwards.
    pub(crate) fails_at: Option<(u64, bool)>,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) frames: VecDeque<DecidedFrame>,
    pub(crate) adoptions: Vec<Adoption>,
    pub(crate) messages: Vec<Authentic<Inbound>>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) evidence: Vec<Evidence>,
}

/// What a clock shows that is `skew_ms` wrong.
pub(crate) fn clock(now: Duration, skew_ms: i64) -> Timestamp {
    let right = BEGINNING.saturating_add(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
    Timestamp::from_millis(right.saturating_add_signed(skew_ms))
}

impl Environment for Site {
    type Error = Crash;

    fn time(&self) -> Timestamp {
        clock(self.now, self.skew_ms)
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn entropy(&mut self) -> Result<[u8; 32], Crash> {
        Ok(self.random.bytes())
    }

    fn server(&self) -> impl Deref<Target = Server> + '_ {
        &self.server
    }

    fn append(&mut self, rows: &[Row]) -> Result<(), Crash> {
        let fails = match &mut self.fails_at {
            Some((0, written)) => Some(*written),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        if fails != Some(false) && self.mutation != Some(Mutation::NoLog) {
            for row in rows {
                self.disk.votes.insert((row.entity, row.height, row.sequence), row.value());
            }
        }
        if fails.is_some() {
            return Err(Crash);
        }
        for row in rows {
            let mark = self.marks.entry(row.entity).or_default();
            let before = if mark.restored { (0, 0) } else { mark.last };
            *mark = Mark { last: before.max((row.height, row.sequence)), restored: false };
        }
        Ok(())
    }

    fn vote_history(
        &mut self,
        entity: &EntityId,
        next: Height,
        last: Option<(Height, u64)>,
        enters: bool,
    ) -> Result<VoteHistory, Crash> {
        if matches!(self.mutation, Some(Mutation::NoMarks | Mutation::NoLog)) {
            return Ok(VoteHistory::Whole);
        }
        if self.declares {
            self.marks.entry(*entity).or_default().restored = true;
        }
        let is_new = self.marks.is_empty() || enters && self.marks.values().any(|mark| !mark.restored);
        Ok(match self.marks.get(entity) {
            Some(mark) if mark.restored => VoteHistory::Restored,
            Some(mark) if next <= mark.last.0 && last < Some(mark.last) => VoteHistory::UpTo(mark.last.0),
            Some(_) => VoteHistory::Whole,
            None if is_new => {
                self.marks.entry(*entity).or_default();
                VoteHistory::Whole
            }
            None => VoteHistory::Unknown,
        })
    }

    fn log(&self, entity: &EntityId) -> Result<Vec<StoredRow>, Crash> {
        Ok(self.disk.log(entity))
    }

    fn frame(&self, entity: &EntityId, height: Height) -> Result<Option<Vec<u8>>, Crash> {
        Ok(self.disk.frames.get(&(*entity, height)).cloned())
    }

    fn learned(&self) -> Result<Vec<Board>, Crash> {
        Ok(self.disk.boards.clone())
    }

    fn learn(&mut self, board: &Board) -> Result<(), Crash> {
        self.disk.boards.push(board.clone());
        Ok(())
    }

    fn halts(&self) -> Result<Vec<(EntityId, String)>, Crash> {
        Ok(self.disk.halts.clone())
    }

    fn halt(&mut self, entity: &EntityId, reason: &str) -> Result<(), Crash> {
        self.disk.halts.push((*entity, reason.to_owned()));
        Ok(())
    }

    fn learned_voters(&self) -> Result<Vec<VoterClaim>, Crash> {
        Ok(self.disk.voters.clone())
    }

    fn learn_voter(&mut self, claim: &VoterClaim) -> Result<(), Crash> {
        self.disk.voters.push(claim.clone());
        Ok(())
    }

    fn learned_homes(&self) -> Result<Vec<LearnedHome>, Crash> {
        Ok(self.disk.homes.clone())
    }

    fn learn_homes(&mut self, homes: &[LearnedHome]) -> Result<(), Crash> {
        self.disk.homes.extend_from_slice(homes);
        Ok(())
    }

    fn sign(&self, signer: &SignerId, message: &[u8]) -> Option<Signature> {
        self.keys.sign(signer, message)
    }

    fn outbox(&self, to: EntityId) -> Result<Vec<Kept>, Crash> {
        let waiting = self.outbox.range((to, 0)..=(to, u64::MAX));
        Ok(waiting.map(|((_, number), message)| (*number, message.clone())).collect())
    }

    fn delivered(&mut self, to: EntityId, number: u64) {
        self.outbox.remove(&(to, number));
    }

    fn keep_evidence(&mut self, evidence: Evidence) -> Result<(), Crash> {
        self.evidence.push(evidence);
        Ok(())
    }

    fn execute_frame(&mut self, frame: DecidedFrame) -> bool {
        let room = self.frames.len() < FRAMES_MAX;
        if room {
            self.frames.push_back(frame);
        }
        room
    }

    fn refuse(&mut self, _call: CallHash, _refusal: Refusal) {}

    fn keep_chunk(
        &mut self,
        entity: &EntityId,
        height: Height,
        index: u32,
        chunk: &[u8],
    ) -> Result<(), Crash> {
        self.disk.chunks.insert((*entity, height, index), chunk.to_vec());
        Ok(())
    }

    fn forget_chunks(&mut self, entity: &EntityId, height: Height) -> Result<(), Crash> {
        self.disk.chunks.retain(|(of, at, _), _| (of, at) != (entity, &height));
        Ok(())
    }

    fn adopt(&mut self, adoption: Adoption) {
        self.adoptions.push(adoption);
    }

    fn execute_messages(&mut self, mut messages: Vec<Authentic<Inbound>>) {
        if self.mutation == Some(Mutation::DisorderedMessages) {
            messages.reverse();
        }
        self.messages.extend(messages);
    }

    fn send(&mut self, to: Vec<ServerId>, code: Code, bytes: Vec<u8>) {
        for to in to {
            self.sent.push(Sent::To(to, Wire::Consensus { code, bytes: bytes.clone() }));
        }
    }

    fn deliver(&mut self, to: ServerId, packet: Packet) {
        self.sent.push(Sent::To(to, Wire::Packet(packet)));
    }

    fn publish(&mut self, topic: Topic, _code: Code, bytes: Vec<u8>) {
        self.sent.push(Sent::Everybody(Wire::Gossip { topic, bytes }));
    }

    fn ask(&mut self, server: ServerId, question: Question) {
        self.sent.push(Sent::To(server, Wire::Question(question)));
    }
}
