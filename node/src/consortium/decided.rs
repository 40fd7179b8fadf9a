//! Frames that others decided, and whole states, on their way to the author.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock, PoisonError, mpsc::SyncSender},
};

use xln_primitives::CallHash;
use xln_runtime::{Adoption, Authentic, DecidedFrame, Refusal, Server, SignedCall, created_board};

use super::{driver::Told, machine::Input};
use crate::pool::{Outcome, Pool};

/// Most frames that wait for the author.
const WAITING_MAX: usize = 256;
/// Most frames in one slice: executing them must not delay a block.
const SLICE_MAX: usize = 32;

/// A queue between who brings frames and the author, and the way back for calls that boards decide on.
pub struct DecidedFrames {
    waiting: Mutex<Waiting>,
    pool: Arc<Pool>,
    boards: OnceLock<SyncSender<Told>>,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<DecidedFrame>,
    /// Whole states; at most one for each entity.
    adoptions: Vec<Adoption>,
}

impl DecidedFrames {
    /// Empty; `pool` wakes the author.
    #[must_use]
    pub fn new(pool: Arc<Pool>) -> Self {
        Self { waiting: Mutex::default(), pool, boards: OnceLock::new() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a frame to the author, if there is room.
    pub fn push(&self, frame: DecidedFrame) -> bool {
        let mut waiting = self.lock();
        if waiting.frames.len() >= WAITING_MAX {
            return false;
        }
        waiting.frames.push_back(frame);
        drop(waiting);
        self.pool.wake();
        true
    }

    /// Hands the author a state that takes the place of an older one. Of two of one entity the later call counts.
    pub fn adopt(&self, adoption: Adoption) {
        let mut waiting = self.lock();
        waiting.adoptions.retain(|other| other.entity() != adoption.entity());
        waiting.adoptions.push(adoption);
        drop(waiting);
        self.pool.wake();
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let waiting = self.lock();
        waiting.frames.is_empty() && waiting.adoptions.is_empty()
    }

    /// Frames for a slice, first come first.
    pub fn take(&self) -> Vec<DecidedFrame> {
        let frames = &mut self.lock().frames;
        let count = frames.len().min(SLICE_MAX);
        frames.drain(..count).collect()
    }

    /// From now on boards hear of calls.
    pub(super) fn attach(&self, boards: SyncSender<Told>) {
        // There is one consortium in a node.
        let _ = self.boards.set(boards);
    }

    /// Takes calls on which boards decide out of those for the author, and brings them before the boards.
    #[must_use]
    pub fn divert(&self, server: &Server, calls: Vec<Authentic<SignedCall>>) -> Vec<Authentic<SignedCall>> {
        let Some(boards) = self.boards.get() else { return calls };
        let is_for_board = |call: &Authentic<SignedCall>| match server.entity(&call.get().body.entity) {
            Some(entity) => entity.is_decided(),
            None => created_board(call.get()).is_some_and(xln_primitives::Board::votes),
        };
        let (for_boards, rest): (Vec<_>, Vec<_>) = calls.into_iter().partition(is_for_board);
        let key = |call: &Authentic<SignedCall>| {
            let call = call.get();
            (call.hash(), (call.signer(), call.body.entity))
        };
        self.pool.divert(for_boards.iter().map(key));
        for call in for_boards {
            // The other side ends before this one only when it has failed, which it has said.
            let _ = boards.send(Told::Input(Input::Call(call)));
        }
        rest
    }

    /// A call that was diverted will not be executed.
    pub(super) fn refuse(&self, call: CallHash, refusal: &Refusal) {
        self.pool.conclude_elsewhere(&[call], |_| Some(Outcome::Refused(refusal.clone())));
    }

    /// States for a slice.
    pub fn take_adoptions(&self) -> Vec<Adoption> {
        core::mem::take(&mut self.lock().adoptions)
    }
}
