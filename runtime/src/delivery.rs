//! Messages on their way between entities, each able to prove itself.

use std::sync::Arc;

use xln_primitives::{Certificate, CertifiedMessage, FrameHeader, Message, outputs::MerkleTree};

use crate::RuntimeMessage;

/// A certified frame with the tree over its outputs: enough to prove any message in it.
#[derive(Debug)]
pub(crate) struct SentFrame {
    pub(crate) header: FrameHeader,
    pub(crate) certificate: Certificate,
    pub(crate) outputs: MerkleTree,
}

/// A message that waits to be executed.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) message: Message<RuntimeMessage>,
    proof: Proof,
}

#[derive(Debug, Clone)]
enum Proof {
    /// Said on this server: the path is made when somebody asks.
    Here { frame: Arc<SentFrame>, index: u32 },
    /// Said elsewhere, authenticated on arrival.
    Elsewhere(Box<CertifiedMessage<RuntimeMessage>>),
}

impl Delivery {
    /// The message at `index` among the outputs of `frame`.
    pub(crate) fn here(message: Message<RuntimeMessage>, frame: Arc<SentFrame>, index: u32) -> Self {
        Self { message, proof: Proof::Here { frame, index } }
    }

    /// A message from another server.
    pub(crate) fn elsewhere(certified: CertifiedMessage<RuntimeMessage>) -> Self {
        Self { message: certified.message.clone(), proof: Proof::Elsewhere(Box::new(certified)) }
    }

    /// Whether it was said on this server, which must keep it until it is executed.
    pub(crate) const fn is_ours(&self) -> bool {
        matches!(self.proof, Proof::Here { .. })
    }

    /// The message with everything that proves it.
    pub(crate) fn certified(&self) -> Option<CertifiedMessage<RuntimeMessage>> {
        match &self.proof {
            Proof::Elsewhere(certified) => Some((**certified).clone()),
            Proof::Here { frame, index } => Some(CertifiedMessage {
                message: self.message.clone(),
                path: frame.outputs.path(*index)?,
                header: frame.header.clone(),
                certificate: frame.certificate.clone(),
            }),
        }
    }
}
