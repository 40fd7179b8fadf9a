//! A message from another server.

use std::sync::Arc;

use xln_primitives::{CertifiedMessage, Hash, Network};

use crate::RuntimeMessage;

/// A message from another server, shared by everybody who has to do with it: the slice that executes it, the log, the
/// proofs that keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    certified: Arc<CertifiedMessage<RuntimeMessage>>,
    leaf: Hash,
}

impl Inbound {
    /// With its leaf, which the check of its path and the inputs root of its receiver both need.
    #[must_use]
    pub fn new(certified: Arc<CertifiedMessage<RuntimeMessage>>, network: &Network) -> Self {
        let leaf = certified.message.leaf(network);
        Self { certified, leaf }
    }

    /// With its leaf, where that is known.
    pub(crate) const fn with_leaf(certified: Arc<CertifiedMessage<RuntimeMessage>>, leaf: Hash) -> Self {
        Self { certified, leaf }
    }

    /// The message with everything that proves it.
    #[must_use]
    pub const fn certified(&self) -> &Arc<CertifiedMessage<RuntimeMessage>> {
        &self.certified
    }

    /// The message with everything that proves it.
    pub(crate) fn into_certified(self) -> Arc<CertifiedMessage<RuntimeMessage>> {
        self.certified
    }

    /// What stands for it under the outputs root of its sender's frame.
    #[must_use]
    pub const fn leaf(&self) -> Hash {
        self.leaf
    }
}
