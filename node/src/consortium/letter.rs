//! A message as one server brings it to another: with the board of its sender.

use std::sync::Arc;

use codec::{Decode, Encode};
use xln_primitives::{Board, CertifiedMessage, decode_exact};
use xln_runtime::RuntimeMessage;

/// Most bytes of one.
pub(super) const LETTER_BYTES_MAX: usize = 1 << 20;

/// A message that proves itself to whoever knows its network.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct Letter {
    pub(super) message: Arc<CertifiedMessage<RuntimeMessage>>,
    pub(super) board: Board,
}

impl Letter {
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        decode_exact(bytes, LETTER_BYTES_MAX).ok()
    }
}
