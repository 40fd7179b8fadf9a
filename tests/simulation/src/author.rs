//! The author of a simulated server: what waits becomes slices, slices become durable a little later, in order.

use std::{collections::VecDeque, time::Duration};

use xln_primitives::{BlockHeader, CallHash, Hash};
use xln_runtime::{Authentic, Certifier, Executed, Sealed, Server, SignedCall, SliceInputs};

use crate::{
    options::Mutation,
    site::{Site, clock},
};

/// Limits of a slice, as in a node.
const FRAMES_MAX: usize = 32;
const DUE_MAX: usize = 256;
/// Slices and blocks that may be executed and not durable.
const AHEAD: usize = 2;
const BLOCK: Duration = Duration::from_millis(100);

/// What was executed and is not durable.
pub(crate) enum Step {
    Slice(Box<Executed>),
    Block(Box<Sealed>),
}

pub(crate) struct Author {
    ahead: Server,
    pub(crate) pending: VecDeque<Step>,
    pool: Vec<Authentic<SignedCall>>,
    block_at: Duration,
}

impl Author {
    pub(crate) const fn new(server: Server, now: Duration) -> Self {
        Self { ahead: server, pending: VecDeque::new(), pool: Vec::new(), block_at: now }
    }

    /// A call waits, unless it does already.
    pub(crate) fn submit(&mut self, call: Authentic<SignedCall>) {
        let hash: CallHash = call.get().hash();
        if self.pool.iter().all(|waiting| waiting.get().hash() != hash) {
            self.pool.push(call);
        }
    }

    /// Executes what waits. Returns whether there is something to make durable that was not there before.
    pub(crate) fn work(&mut self, site: &mut Site, certifier: &dyn Certifier) -> bool {
        let before = self.pending.len();
        if self.pending.len() < AHEAD {
            self.slice(site, certifier);
        }
        if site.now >= self.block_at.saturating_add(BLOCK) && self.pending.len() < AHEAD {
            self.block_at = site.now;
            if let Some(sealed) = self.ahead.seal(clock(site.now, site.skew_ms)) {
                self.ahead.commit_block(sealed.clone());
                self.pending.push_back(Step::Block(Box::new(sealed)));
            }
        }
        self.pending.len() > before
    }

    fn slice(&mut self, site: &mut Site, certifier: &dyn Certifier) {
        let now = clock(site.now, site.skew_ms);
        let frames = site.frames.len().min(FRAMES_MAX);
        let inputs = SliceInputs {
            frames: site.frames.drain(..frames).collect(),
            server: self.ahead.due(now, DUE_MAX),
            messages: core::mem::take(&mut site.messages),
            calls: core::mem::take(&mut self.pool),
            adopted: core::mem::take(&mut site.adoptions),
        };
        if inputs.is_empty() && !self.ahead.has_carried() {
            return;
        }
        let entropy = Hash::new(site.random.bytes());
        let mut executed = self.ahead.execute(now, entropy, inputs, certifier).expect("every key is here");
        if site.mutation == Some(Mutation::DisorderedMessages) {
            executed.early.clear();
        }
        if executed.frames > 0 {
            drop(self.ahead.commit(&executed));
        } else if !executed.gives_back() {
            return;
        }
        self.pending.push_back(Step::Slice(Box::new(executed)));
    }
}

/// Whether a block is one after which the state is written down.
pub(crate) const fn is_snapshot(block: &BlockHeader) -> bool {
    block.number.is_multiple_of(10)
}
