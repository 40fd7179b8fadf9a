//! Giving states to servers that are behind.
//!
//! What is given is the durable state in memory: a handle of an entity as it was when somebody asked, and the hashes of its
//! chunks, which take a second for each gigabyte to compute. Immutable snapshots on disk would not do: they are of the whole
//! server, in an order of their own, and a thousand blocks old.
//!
//! ```text
//!   Snapshot{entity, above} ─► one for this entity, late enough?  ─ yes ─► its manifest
//!                                     │ no, and nobody is taking the one that is there: made anew
//!   Chunk{hash, index} ──────► the one with this manifest ───────────────► rows of the chunk, read now
//! ```
//!
//! **Memory.** Per entity one handle, at most [`HANDLES_MAX`] of them. A handle shares every row with the entity as it goes on;
//! it costs what the entity changes while it is kept, which is [`IDLE`] after the last question, and [`AGE_MAX`] at most.
//!
//! **Quota.** One server gets at most [`BYTES_PER_SECOND`] of chunks on average; who asks for more is told that this one is
//! busy.

use std::{collections::BTreeMap, time::Duration};

use codec::Encode;
use xln_network::{
    Answer, Question, ServerId,
    quota::{Rate, TokenBucket},
};
use xln_primitives::{EntityId, Hash, Height};
use xln_runtime::{BoardProof, CHUNK_BYTES, EntitySnapshot, EntitySnapshotError, Server};

/// Most entities of which a state is kept for others.
const HANDLES_MAX: usize = 4;
/// A handle that nobody asks for is dropped after this time.
const IDLE: Duration = Duration::from_secs(60);
/// A handle that somebody has asked for within this time is not replaced by a later one.
const BUSY: Duration = Duration::from_secs(10);
/// No handle is kept longer.
const AGE_MAX: Duration = Duration::from_secs(1_800);
/// Bytes of chunks for one server.
const BYTES_PER_SECOND: u64 = 32 << 20;
/// Bytes of chunks for one server at once.
const BURST: u64 = 64 << 20;
/// Servers whose quotas are remembered.
const SERVERS_MAX: usize = 1_024;

/// The states that others are being given.
#[derive(Debug, Default)]
pub struct Serving {
    handles: BTreeMap<EntityId, Handle>,
    quotas: BTreeMap<ServerId, TokenBucket>,
}

#[derive(Debug)]
struct Handle {
    snapshot: EntitySnapshot,
    hash: Hash,
    made: Duration,
    asked: Duration,
}

impl Serving {
    /// Answers a question for a state or a chunk of one, from the durable state `server`. `now` is the time since some moment,
    /// `handovers` what is kept of the changes of an entity's board.
    ///
    /// May hash a whole state: not to be called by a thread that others wait for.
    pub fn answer(
        &mut self,
        (server, handovers): (&Server, impl FnOnce(&EntityId) -> Vec<BoardProof>),
        now: Duration,
        from: ServerId,
        question: &Question,
    ) -> Answer {
        self.expire(now);
        match question {
            Question::Snapshot { entity, above } => self.manifest((server, handovers), now, *entity, *above),
            Question::Chunk { snapshot, index } => self.chunk(now, from, snapshot, *index),
            Question::Heights(_) | Question::Frames { .. } => Answer::Unknown,
        }
    }

    /// Drops what nobody asks for any more.
    pub fn expire(&mut self, now: Duration) {
        self.handles.retain(|_, handle| {
            now.saturating_sub(handle.asked) < IDLE && now.saturating_sub(handle.made) < AGE_MAX
        });
    }

    /// Whether nothing is kept for others.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }

    fn manifest(
        &mut self,
        (server, handovers): (&Server, impl FnOnce(&EntityId) -> Vec<BoardProof>),
        now: Duration,
        id: EntityId,
        above: Height,
    ) -> Answer {
        if let Some(handle) = self.handles.get_mut(&id) {
            if handle.snapshot.manifest().header.height > above {
                handle.asked = now;
                return Answer::Snapshot(handle.snapshot.manifest().encode());
            }
            if now.saturating_sub(handle.asked) < BUSY {
                return Answer::Busy;
            }
        }
        let Some(entity) = server.entity(&id).filter(|entity| entity.is_decided()) else {
            return Answer::Unknown;
        };
        if entity.head().is_none_or(|head| head.header.height <= above) {
            return Answer::Unknown;
        }
        if self.handles.len() >= HANDLES_MAX && !self.handles.contains_key(&id) {
            return Answer::Busy;
        }
        match EntitySnapshot::of(entity) {
            Ok(snapshot) => {
                let snapshot = snapshot.with_handovers(handovers(&id));
                let (hash, bytes) = (snapshot.manifest().hash(), snapshot.manifest().encode());
                self.handles.insert(id, Handle { snapshot, hash, made: now, asked: now });
                Answer::Snapshot(bytes)
            }
            Err(EntitySnapshotError::NotCertified { .. }) => Answer::Unknown,
            Err(error @ EntitySnapshotError::TooLarge { .. }) => {
                tracing::error!(%error, "nobody can take the state over; frames have to do");
                Answer::Unknown
            }
        }
    }

    fn chunk(&mut self, now: Duration, from: ServerId, snapshot: &Hash, index: u32) -> Answer {
        let Some(handle) = self.handles.values_mut().find(|handle| handle.hash == *snapshot) else {
            return Answer::Unknown;
        };
        if self.quotas.len() >= SERVERS_MAX && !self.quotas.contains_key(&from) {
            self.quotas.clear();
        }
        let rate = Rate { per_second: BYTES_PER_SECOND, burst: BURST };
        let quota = self.quotas.entry(from).or_insert_with(|| TokenBucket::new(rate, now));
        if !quota.take(now, u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX)) {
            return Answer::Busy;
        }
        handle.asked = now;
        handle.snapshot.chunk(index).map_or(Answer::Unknown, Answer::Chunk)
    }
}
