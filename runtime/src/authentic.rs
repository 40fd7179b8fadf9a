//! Proof that something was said by who is said to have said it.
//!
//! Only what is [`Authentic`] gets into a slice. There are two ways to become so: the signature (of a call) or the
//! certificate and Merkle path (of a message) is checked here, or the thing comes from the server's own log, into which
//! it came that way.

use xln_primitives::{
    AuthenticationError, Board, CallError, CertifiedMessage, Network, Timestamp,
    crypto::{SignatureCheck, verify_batch},
};

use crate::{RuntimeMessage, SignedCall};

/// Something whose origin has been proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentic<T>(T);

impl<T> Authentic<T> {
    /// Taken from the server's own log, which holds nothing else.
    pub(crate) const fn from_log(logged: T) -> Self {
        Self(logged)
    }

    /// What was proven.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// What was proven.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Checks form, era and signature of calls: all ed25519 signatures in one batch equation. One result for each, in
/// order. `blinding` must not be predictable by the signers, see [`verify_batch`].
pub fn authenticate_calls(
    calls: Vec<SignedCall>,
    network: Network,
    now: Timestamp,
    blinding: [u8; 32],
) -> Vec<Result<Authentic<SignedCall>, CallError>> {
    let checks: Vec<_> = calls
        .iter()
        .map(|call| SignatureCheck {
            key: call.body.signer,
            message: call.body.sign_bytes(),
            signature: call.signature,
        })
        .collect();
    let signatures = verify_batch(&checks, blinding);
    let judge = |(call, signature): (SignedCall, Result<(), _>)| {
        call.check_form(network, now)?;
        signature?;
        Ok(Authentic(call))
    };
    calls.into_iter().zip(signatures).map(judge).collect()
}

/// Checks a message from another server: that its frame says it, and that the sender's `board` stands behind the
/// frame. For a lazy sender the board travels beside the message and must hash to the sender's identifier; for a
/// registered one it comes from the registry.
pub fn authenticate_message(
    message: CertifiedMessage<RuntimeMessage>,
    network: Network,
    board: &Board,
) -> Result<Authentic<CertifiedMessage<RuntimeMessage>>, AuthenticationError> {
    message.verify(network, board)?;
    let from = message.message.from;
    if from.registry_number().is_none() && board.entity() != from {
        return Err(AuthenticationError::OtherEntity { from, frame_of: board.entity() });
    }
    Ok(Authentic(message))
}
