//! Where the author's next slice comes from.

use std::{sync::Arc, time::Instant};

use xln_primitives::{Hash, Timestamp};
use xln_runtime::{Server, SliceInputs};

use super::{AuthorError, clock::system_time};
use crate::{consortium::DecidedFrames, inbox::Inbox, pool::Pool};

/// Most calls in one slice: small enough that a slice fits well into a block.
const CALLS_MAX: usize = 2_000;
/// Most messages of other servers in one slice, for the same reason.
const MESSAGES_MAX: usize = 4_000;
/// Most inputs from the clock in one slice.
const DUE_MAX: usize = 256;

/// Everything that a slice is made of.
#[derive(Debug)]
pub struct Work {
    /// The server's time.
    pub timestamp: Timestamp,
    /// Fresh randomness, see [`Server::execute`].
    pub entropy: Hash,
    /// What is executed.
    pub inputs: SliceInputs,
}

/// Where the author's work comes from: the pool, the inbox and the clock of a running node, or a recording of them.
pub trait Source: Send {
    /// The next slice on top of `server`; waits for something to execute until `deadline` at most.
    fn next(&mut self, server: &Server, deadline: Instant) -> Result<Option<Work>, AuthorError>;

    /// The time, for the header of a block.
    fn now(&self) -> Timestamp;
}

/// What arrives at a running node.
pub struct Live {
    /// Calls of signers.
    pub pool: Arc<Pool>,
    /// Messages of other servers.
    pub inbox: Arc<Inbox>,
    /// Frames that others decided.
    pub decided: Arc<DecidedFrames>,
}

impl Source for Live {
    fn next(&mut self, server: &Server, deadline: Instant) -> Result<Option<Work>, AuthorError> {
        if !server.has_carried() && !self.inbox.is_ready() && self.decided.is_empty() {
            self.pool.wait(deadline.saturating_duration_since(Instant::now()));
        }
        let timestamp = self.now();
        let inputs = SliceInputs {
            frames: self.decided.take(),
            server: server.due(timestamp, DUE_MAX),
            messages: self.inbox.take(MESSAGES_MAX),
            calls: self.decided.divert(server, self.pool.take(CALLS_MAX)),
            adopted: self.decided.take_adoptions(),
        };
        if inputs.is_empty() && !server.has_carried() {
            return Ok(None);
        }
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy).map_err(|error| AuthorError::Randomness(error.to_string()))?;
        Ok(Some(Work { timestamp, entropy: Hash::new(entropy), inputs }))
    }

    fn now(&self) -> Timestamp {
        system_time()
    }
}
