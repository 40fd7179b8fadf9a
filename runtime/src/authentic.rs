//! Proof that something was said by who is said to have said it.
//!
//! Only what is [`Authentic`] gets into a slice. There are two ways to become so: the signature (of a call) or the
//! certificate and Merkle path (of a message) is checked here, or the thing comes from the server's own log, into which
//! it came that way.

use std::sync::Arc;

use xln_primitives::{
    AuthenticationError, Board, CallError, CertificateError, CertifiedMessage, Network, SignatureError,
    Timestamp, VOTE_BYTES,
    crypto::{SignatureCheck, verify_batch},
};

use crate::{Inbound, RuntimeMessage, SignedCall};

/// Something whose origin has been proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentic<T>(T);

impl<T> Authentic<T> {
    /// What was authentic when it came into a slice.
    pub(crate) const fn executed(input: T) -> Self {
        Self(input)
    }

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
    let hashed = calls.into_iter().map(crate::HashedCall::new).collect();
    authenticate_hashed(hashed, network, now, blinding)
}

/// As [`authenticate_calls`], for calls whose hashes are known.
pub fn authenticate_hashed(
    calls: Vec<crate::HashedCall>,
    network: Network,
    now: Timestamp,
    blinding: [u8; 32],
) -> Vec<Result<Authentic<SignedCall>, CallError>> {
    let checks: Vec<_> = calls
        .iter()
        .map(|hashed| SignatureCheck {
            key: hashed.call().body.signer,
            message: hashed.hash().sign_bytes(),
            signature: hashed.call().signature,
        })
        .collect();
    let signatures = verify_batch(&checks, blinding);
    let judge = |(hashed, signature): (crate::HashedCall, Result<(), _>)| {
        hashed.call().check_form(network, now)?;
        signature?;
        Ok(Authentic(hashed.into_call()))
    };
    calls.into_iter().zip(signatures).map(judge).collect()
}

/// Who stands behind a message.
#[derive(Debug, Clone)]
pub enum Speaker {
    /// The board that travels beside what a lazy entity says: it has to hash to the entity's identifier.
    Travelling(Board),
    /// The board that spoke for the sender at the height of the frame, from [`Server::board_of`](crate::Server::board_of).
    Known(Arc<Board>),
}

impl From<Board> for Speaker {
    fn from(board: Board) -> Self {
        Self::Travelling(board)
    }
}

impl Speaker {
    /// The board. A travelling one is only claimed until the message is authenticated.
    #[must_use]
    pub fn board(&self) -> &Board {
        match self {
            Self::Travelling(board) => board,
            Self::Known(board) => board,
        }
    }
}

/// Checks messages from other servers: that each stands in its frame, and that the sender's board stands behind the
/// frame. The signatures of boards of one are checked in one batch equation; a frame that says several messages is
/// checked once. One result for each, in order.
///
/// For a lazy sender the board travels beside the message and must hash to the sender's identifier; for every other one it
/// is known from the depositary ([`Speaker`]). `blinding` must not be predictable by the signers, see [`verify_batch`].
pub fn authenticate_messages(
    messages: Vec<(Arc<CertifiedMessage<RuntimeMessage>>, impl Into<Speaker>)>,
    network: Network,
    blinding: [u8; 32],
) -> Vec<Result<Authentic<Inbound>, AuthenticationError>> {
    let inspected: Vec<_> =
        messages.into_iter().map(|(message, speaker)| inspect(message, network, &speaker.into())).collect();
    let checks: Vec<_> = inspected.iter().filter_map(|one| one.as_ref().ok()?.1.clone()).collect();
    // Messages of one frame follow each other where they come from one sender.
    let mut distinct: Vec<SignatureCheck<_>> = Vec::with_capacity(checks.len());
    let mut place = Vec::with_capacity(checks.len());
    for check in checks {
        let repeated = distinct.last().is_some_and(|last| *last == check);
        if !repeated {
            distinct.push(check);
        }
        place.push(distinct.len().saturating_sub(1));
    }
    let verdicts = verify_batch(&distinct, blinding);
    let mut places = place.into_iter();
    let judge = |one: Result<Inspected, AuthenticationError>| {
        let (inbound, check) = one?;
        if check.is_some() {
            // As many places as checks, and a verdict for each.
            let verdict = places.next().and_then(|place| verdicts.get(place).copied());
            verdict.unwrap_or(Err(SignatureError::InvalidSignature)).map_err(CertificateError::from)?;
        }
        Ok(Authentic(inbound))
    };
    inspected.into_iter().map(judge).collect()
}

/// A message of which everything is checked but the signature, if that can be checked together with others.
type Inspected = (Inbound, Option<SignatureCheck<[u8; VOTE_BYTES]>>);

fn inspect(
    message: Arc<CertifiedMessage<RuntimeMessage>>,
    network: Network,
    speaker: &Speaker,
) -> Result<Inspected, AuthenticationError> {
    let board = speaker.board();
    let (from, board_hash) = (message.message.from, board.hash());
    let is_travelling = matches!(speaker, Speaker::Travelling(_));
    if is_travelling && from != board_hash.into() {
        return Err(AuthenticationError::OtherEntity { from, frame_of: board_hash.into() });
    }
    let inbound = Inbound::new(message, &network);
    inbound.certified().verify_leaf(inbound.leaf())?;
    if is_travelling {
        // Any other was checked when it became the board.
        board.validate()?;
    }
    let CertifiedMessage { header, certificate, .. } = &**inbound.certified();
    let check = certificate.single_check(network, board, board_hash, header)?;
    if check.is_none() {
        certificate.verify(network, board, header)?;
    }
    Ok((inbound, check))
}

/// Checks one message, see [`authenticate_messages`].
pub fn authenticate_message(
    message: Arc<CertifiedMessage<RuntimeMessage>>,
    network: Network,
    speaker: impl Into<Speaker>,
) -> Result<Authentic<Inbound>, AuthenticationError> {
    let (inbound, check) = inspect(message, network, &speaker.into())?;
    if let Some(check) = check {
        check.key.verify(&check.message, &check.signature).map_err(CertificateError::from)?;
    }
    Ok(Authentic(inbound))
}
