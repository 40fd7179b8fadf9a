//! Taking the state of an entity from another server, when its frames are too many or nobody has them any more.
//!
//! ```text
//!             Question::Snapshot                Question::Chunk, up to 4 under way
//!   Manifest ───────────────────► Chunks: 0 ✓ 1 ✓ 2 … ──────────────────────────► Handed to the author
//!      │ no answer, Unknown          │ wrong hash, wrong rows, wrong root               │ adopted: follow from there
//!      ▼                             ▼                                                  ▼ not: follow the frames
//!   another server                another server; this one is not asked again for a while
//! ```
//!
//! One server is asked at a time, since two that stand at different heights have different chunks. Every chunk is
//! written down as soon as it is checked, so that the slice which takes the state over can be executed again.

use std::{collections::BTreeMap, time::Duration};

use xln_network::{Answer, Question, ServerId};
use xln_primitives::{EntityId, Hash, Height};
use xln_runtime::{AdoptError, Adopted, Assembly, AssemblyError, StateManifest};

use super::{
    environment::Environment,
    machine::Machine,
    status::{Fetching, Progress},
};

/// Chunks that are asked for at once.
const WINDOW: u32 = 4;
/// Who says nothing for so long is not waited for any more.
const SILENCE: Duration = Duration::from_secs(40);
/// Who is busy is asked again after this time.
const BUSY: Duration = Duration::from_secs(1);
/// Who gave what was wrong is not asked for states again within this time.
const REFUSED: Duration = Duration::from_secs(600);
/// Chunks between two reports of progress in the log.
const TOLD_EVERY: u32 = 256;

/// A state that is on its way here.
#[derive(Debug)]
pub(super) struct Fetch {
    from: ServerId,
    stage: Stage,
    /// When it last gave something, or was asked first.
    heard: Duration,
    /// When it has to be asked again, having been busy.
    again: Option<Duration>,
}

#[derive(Debug)]
enum Stage {
    /// The manifest was asked for.
    Manifest,
    /// Chunks come.
    Chunks(Box<Chunks>),
    /// The author has it.
    Handed(Height),
}

#[derive(Debug)]
struct Chunks {
    assembly: Assembly,
    snapshot: Hash,
    /// The first chunk that was not asked for.
    asked: u32,
    /// Those that came before others that belong before them.
    early: BTreeMap<u32, Vec<u8>>,
}

/// Why a server is not asked on.
enum Failed {
    /// It has nothing, or says nothing.
    Silent,
    /// What it gave is wrong.
    Lied(String),
    /// What it gave is of no use here.
    Useless(AssemblyError),
}

impl Fetch {
    /// How much is there.
    pub(super) fn progress(&self) -> Fetching {
        let progress = match &self.stage {
            Stage::Manifest => Progress::Asked,
            Stage::Chunks(chunks) => {
                let count = u32::try_from(chunks.assembly.manifest().chunks.len()).unwrap_or(u32::MAX);
                Progress::Chunks { done: chunks.assembly.next().unwrap_or(count), count }
            }
            Stage::Handed(_) => Progress::Complete,
        };
        Fetching { from: self.from, progress }
    }
}

impl<E: Environment> Machine<E> {
    /// Begins to take the state of an entity from a server that has a later one. False if there is nobody to ask.
    pub(super) fn fetch(&mut self, entity: EntityId) -> Result<bool, E::Error> {
        if self.fetches.contains_key(&entity) {
            return Ok(true);
        }
        let now = self.env.now();
        self.refused.retain(|_, until| *until > now);
        let Some(followed) = self.followed.get(&entity) else { return Ok(false) };
        let able = followed.ahead.iter().filter(|(server, _)| {
            self.connected.contains(server)
                && !self.refused.contains_key(server)
                && !followed.stateless.contains(server)
        });
        // The one that is furthest; of several the first.
        let Some((from, _)) = able.max_by_key(|(server, height)| (**height, core::cmp::Reverse(**server)))
        else {
            return Ok(false);
        };
        let (from, above) = (*from, followed.next.saturating_sub(1));
        tracing::info!(%entity, %from, above, "taking the state from another server");
        self.env.ask(from, Question::Snapshot { entity, above });
        self.fetches.insert(entity, Fetch { from, stage: Stage::Manifest, heard: now, again: None });
        Ok(true)
    }

    /// A server answered a question for a manifest.
    pub(super) fn manifest(
        &mut self,
        from: ServerId,
        entity: EntityId,
        answer: &Answer,
    ) -> Result<(), E::Error> {
        let now = self.env.now();
        let Some(fetch) = self.fetches.get_mut(&entity) else { return Ok(()) };
        if fetch.from != from || !matches!(fetch.stage, Stage::Manifest) {
            return Ok(());
        }
        // Who is busy for too long is as good as silent.
        if *answer != Answer::Busy {
            fetch.heard = now;
        }
        let begun = match answer {
            Answer::Snapshot(bytes) => {
                let manifest = StateManifest::decode(bytes).map_err(|error| Failed::Lied(error.to_string()));
                manifest.and_then(|manifest| {
                    let snapshot = manifest.hash();
                    let server = self.env.server();
                    let known = server.entity(&entity).ok_or(Failed::Silent)?;
                    let assembly = Assembly::begin(manifest, server.facts().network, known);
                    Ok((assembly.map_err(Failed::from)?, snapshot))
                })
            }
            Answer::Busy => {
                fetch.again = Some(now.saturating_add(BUSY));
                return Ok(());
            }
            Answer::Unknown => Err(Failed::Silent),
            _ => Err(Failed::Lied("it answers what was not asked".to_owned())),
        };
        match begun {
            Ok((assembly, snapshot)) => {
                let manifest = assembly.manifest();
                let (height, rows, bytes) = (manifest.header.height, manifest.rows, manifest.bytes);
                tracing::info!(%entity, %from, height, rows, bytes, "the state is certified; its rows come");
                let chunks = Chunks { assembly, snapshot, asked: 0, early: BTreeMap::new() };
                fetch.stage = Stage::Chunks(Box::new(chunks));
                self.ask_chunks(entity);
                Ok(())
            }
            Err(failed) => self.fail(entity, failed),
        }
    }

    /// Asks for chunks until enough are under way.
    fn ask_chunks(&mut self, entity: EntityId) {
        let Some(fetch) = self.fetches.get_mut(&entity) else { return };
        let Stage::Chunks(chunks) = &mut fetch.stage else { return };
        let Some(next) = chunks.assembly.next() else { return };
        let count = u32::try_from(chunks.assembly.manifest().chunks.len()).unwrap_or(u32::MAX);
        let upto = next.saturating_add(WINDOW).min(count);
        for index in chunks.asked..upto {
            self.env.ask(fetch.from, Question::Chunk { snapshot: chunks.snapshot, index });
        }
        chunks.asked = chunks.asked.max(upto);
    }

    /// A server answered a question for a chunk.
    pub(super) fn chunk(
        &mut self,
        from: ServerId,
        (snapshot, index): (Hash, u32),
        answer: Answer,
    ) -> Result<(), E::Error> {
        let now = self.env.now();
        let of = |fetch: &Fetch| match &fetch.stage {
            Stage::Chunks(chunks) => fetch.from == from && chunks.snapshot == snapshot,
            Stage::Manifest | Stage::Handed(_) => false,
        };
        let Some((entity, fetch)) = self.fetches.iter_mut().find(|(_, fetch)| of(fetch)) else {
            return Ok(());
        };
        let entity = *entity;
        let Stage::Chunks(chunks) = &mut fetch.stage else { return Ok(()) };
        match answer {
            Answer::Chunk(bytes) => {
                fetch.heard = now;
                // What was asked for twice may come twice.
                let wanted = chunks.assembly.next().is_some_and(|next| (next..chunks.asked).contains(&index));
                if wanted {
                    chunks.early.insert(index, bytes);
                }
            }
            Answer::Busy => {
                chunks.asked = chunks.asked.min(index.max(chunks.assembly.next().unwrap_or(index)));
                fetch.again = Some(now.saturating_add(BUSY));
                return Ok(());
            }
            // It forgot the state that it gave before: it has a later one now.
            Answer::Unknown => return self.fail(entity, Failed::Silent),
            _ => return self.fail(entity, Failed::Lied("it answers what was not asked".to_owned())),
        }
        let height = chunks.assembly.manifest().header.height;
        while let Some(index) = chunks.assembly.next() {
            let Some(bytes) = chunks.early.remove(&index) else { break };
            if let Err(error) = chunks.assembly.push(index, &bytes) {
                return self.fail(entity, Failed::from(error));
            }
            if index.saturating_add(1).is_multiple_of(TOLD_EVERY) {
                let count = chunks.assembly.manifest().chunks.len();
                tracing::info!(%entity, chunk = index, count, "the state comes");
            }
            self.env.keep_chunk(&entity, height, index, &bytes)?;
        }
        if chunks.assembly.next().is_some() {
            self.ask_chunks(entity);
            return Ok(());
        }
        let Stage::Chunks(chunks) = core::mem::replace(&mut fetch.stage, Stage::Handed(height)) else {
            return Ok(());
        };
        match chunks.assembly.finish() {
            Ok(adoption) => {
                self.env.adopt(adoption);
                Ok(())
            }
            Err(error) => self.fail(entity, Failed::from(error)),
        }
    }

    /// Looks for those who say nothing, and asks again who was busy.
    pub(super) fn due_fetches(&mut self) -> Result<(), E::Error> {
        let now = self.env.now();
        let waiting: Vec<EntityId> = self.fetches.keys().copied().collect();
        for entity in waiting {
            let Some(fetch) = self.fetches.get_mut(&entity) else { continue };
            let is_silent =
                now.saturating_sub(fetch.heard) >= SILENCE || !self.connected.contains(&fetch.from);
            if matches!(fetch.stage, Stage::Handed(_)) {
                continue;
            }
            if is_silent {
                self.fail(entity, Failed::Silent)?;
            } else if fetch.again.is_some_and(|again| again <= now) {
                fetch.again = None;
                match &fetch.stage {
                    Stage::Manifest => {
                        let above = self.followed.get(&entity).map_or(0, |at| at.next.saturating_sub(1));
                        self.env.ask(fetch.from, Question::Snapshot { entity, above });
                    }
                    _ => self.ask_chunks(entity),
                }
            }
        }
        Ok(())
    }

    /// A state does not come from this server.
    fn fail(&mut self, entity: EntityId, failed: Failed) -> Result<(), E::Error> {
        let Some(fetch) = self.fetches.remove(&entity) else { return Ok(()) };
        let height = match &fetch.stage {
            Stage::Manifest => None,
            Stage::Chunks(chunks) => Some(chunks.assembly.manifest().header.height),
            Stage::Handed(height) => Some(*height),
        };
        if let Some(height) = height {
            self.env.forget_chunks(&entity, height)?;
        }
        let from = fetch.from;
        let Some(followed) = self.followed.get_mut(&entity) else { return Ok(()) };
        match failed {
            Failed::Silent => {
                followed.stateless.insert(from);
                tracing::info!(%entity, %from, "it does not give the state");
            }
            Failed::Lied(reason) => {
                tracing::warn!(%entity, %from, reason, "what another server gave is not the state that was certified");
                self.shared.refused_state(from);
                self.refused.insert(from, self.env.now().saturating_add(REFUSED));
            }
            Failed::Useless(error) => {
                tracing::info!(%entity, %from, %error, "the state is of no use here");
                if !matches!(error, AssemblyError::OtherBoard { .. }) {
                    return Ok(());
                }
                // Another one may have seen the board change.
                followed.stateless.insert(from);
            }
        }
        if !self.fetch(entity)? {
            self.ask(entity, None);
        }
        Ok(())
    }

    /// States that took the place of older ones are part of the durable state.
    pub(super) fn adopted(&mut self, adopted: &Adopted) -> Result<(), E::Error> {
        let (entity, height) = (adopted.header.entity, adopted.header.height);
        tracing::info!(%entity, height, "the state was taken over; what came after it is followed");
        self.fetches.remove(&entity);
        self.reached(entity, height)?;
        self.ask(entity, None);
        Ok(())
    }

    /// A state did not take the place of what is here.
    pub(super) fn unadopted(&mut self, entity: EntityId, error: &AdoptError) -> Result<(), E::Error> {
        tracing::info!(%entity, %error, "the state is not taken over");
        if let Some(Fetch { stage: Stage::Handed(height), .. }) = self.fetches.remove(&entity) {
            self.env.forget_chunks(&entity, height)?;
        }
        if let Some(followed) = self.followed.get_mut(&entity) {
            // What the frames in between said is heard from them alone.
            followed.frames_only |= matches!(error, AdoptError::Unheard { .. });
        }
        self.ask(entity, None);
        Ok(())
    }
}

impl From<AssemblyError> for Failed {
    fn from(error: AssemblyError) -> Self {
        match error {
            AssemblyError::NotLater { .. } | AssemblyError::OtherBoard { .. } => Self::Useless(error),
            error => Self::Lied(error.to_string()),
        }
    }
}
