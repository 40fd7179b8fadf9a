//! Frames that others decided, on their way to the author.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use xln_runtime::DecidedFrame;

use crate::pool::Pool;

/// Most frames that wait for the author.
const WAITING_MAX: usize = 256;
/// Most frames in one slice: executing them must not delay a block.
const SLICE_MAX: usize = 32;

/// A queue between who brings frames and the author.
pub struct DecidedFrames {
    frames: Mutex<VecDeque<DecidedFrame>>,
    pool: Arc<Pool>,
}

impl DecidedFrames {
    /// Empty; `pool` wakes the author.
    #[must_use]
    pub fn new(pool: Arc<Pool>) -> Self {
        Self { frames: Mutex::default(), pool }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<DecidedFrame>> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a frame to the author, if there is room.
    pub fn push(&self, frame: DecidedFrame) -> bool {
        let mut frames = self.lock();
        if frames.len() >= WAITING_MAX {
            return false;
        }
        frames.push_back(frame);
        drop(frames);
        self.pool.wake();
        true
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Frames for a slice, first come first.
    pub fn take(&self) -> Vec<DecidedFrame> {
        let mut frames = self.lock();
        let count = frames.len().min(SLICE_MAX);
        frames.drain(..count).collect()
    }
}
