//! Messages on their way between entities, each able to prove itself.

use std::sync::Arc;

use xln_primitives::{
    Certificate, CertifiedMessage, EntityId, FrameHeader, Hash, Message, outputs::MerkleTree,
};

use crate::{Authentic, Inbound, RuntimeMessage};

/// A certified frame with the tree over its outputs: enough to prove any message in it.
#[derive(Debug)]
pub(crate) struct SentFrame {
    pub(crate) header: FrameHeader,
    pub(crate) certificate: Certificate,
    pub(crate) outputs: MerkleTree,
}

/// A message that a certified frame says. A clone shares everything.
#[derive(Debug, Clone)]
pub struct Delivery {
    message: Arc<Message<RuntimeMessage>>,
    leaf: Hash,
    proof: Proof,
}

#[derive(Debug, Clone)]
enum Proof {
    /// Said on this server: the path is made when somebody asks.
    Here { frame: Arc<SentFrame>, index: u32 },
    /// Said elsewhere, authenticated on arrival.
    Elsewhere(Arc<CertifiedMessage<RuntimeMessage>>),
}

impl Delivery {
    /// The message at `index` among the outputs of `frame`, where `leaf` stands for it.
    pub(crate) const fn here(
        message: Arc<Message<RuntimeMessage>>,
        leaf: Hash,
        frame: Arc<SentFrame>,
        index: u32,
    ) -> Self {
        Self { message, leaf, proof: Proof::Here { frame, index } }
    }

    /// A message from another server.
    pub(crate) fn elsewhere(inbound: Inbound) -> Self {
        let leaf = inbound.leaf();
        let certified = inbound.into_certified();
        Self { message: Arc::clone(&certified.message), leaf, proof: Proof::Elsewhere(certified) }
    }

    /// What is said.
    #[must_use]
    pub fn message(&self) -> &Message<RuntimeMessage> {
        &self.message
    }

    /// The frame that says it.
    pub(crate) fn header(&self) -> &FrameHeader {
        match &self.proof {
            Proof::Here { frame, .. } => &frame.header,
            Proof::Elsewhere(certified) => &certified.header,
        }
    }

    /// To whom.
    #[must_use]
    pub fn to(&self) -> EntityId {
        self.message.to
    }

    /// What stands for it under the outputs root of its frame.
    #[must_use]
    pub const fn leaf(&self) -> Hash {
        self.leaf
    }

    /// Whether it was said on this server, which must keep it until it is executed.
    pub(crate) const fn is_ours(&self) -> bool {
        matches!(self.proof, Proof::Here { .. })
    }

    /// The message as it came, if it came from another server.
    pub(crate) fn into_inbound(self) -> Option<Authentic<Inbound>> {
        match self.proof {
            Proof::Elsewhere(certified) => {
                Some(Authentic::executed(Inbound::with_leaf(certified, self.leaf)))
            }
            Proof::Here { .. } => None,
        }
    }

    /// The message with everything that proves it.
    #[must_use]
    pub fn certified(&self) -> Option<Arc<CertifiedMessage<RuntimeMessage>>> {
        match &self.proof {
            Proof::Elsewhere(certified) => Some(Arc::clone(certified)),
            Proof::Here { frame, index } => Some(Arc::new(CertifiedMessage {
                message: Arc::clone(&self.message),
                path: frame.outputs.path(*index)?,
                header: frame.header.clone(),
                certificate: frame.certificate.clone(),
            })),
        }
    }
}
